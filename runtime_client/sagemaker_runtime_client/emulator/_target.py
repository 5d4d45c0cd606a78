"""The target of a request, parsed from the raw bytes of the request line.

starlette's routes are not used because they match the decoded path.  In a decoded path, ``a%2Fb``
and ``a/b`` are the same, whereas the signature distinguishes them.
"""

import re
from typing import Literal
from urllib.parse import unquote

from attrs import field, frozen

# The operations that call a model, keyed by the first and the last segment of their paths.
_INVOCATIONS = {
    ("endpoints", "invocations"): "InvokeEndpoint",
    ("endpoints", "async-invocations"): "InvokeEndpointAsync",
    ("endpoints", "invocations-response-stream"): "InvokeEndpointWithResponseStream",
    ("inference-routers", "invocations"): "InvokeInferenceRouter",
    ("inference-routers", "async-invocations"): "InvokeInferenceRouterAsync",
}
# The AWS names of all supported operations.
OPERATIONS = frozenset(
    {
        *_INVOCATIONS.values(),
        "CreateBucket",
        "HeadBucket",
        "ListObjectsV2",
        "PutObject",
        "GetObject",
        "HeadObject",
        "DeleteObject",
    }
)
UNKNOWN = "Unknown"

_BUCKET_OPERATIONS = {"PUT": "CreateBucket", "HEAD": "HeadBucket", "GET": "ListObjectsV2"}
_OBJECT_OPERATIONS = {
    "PUT": "PutObject",
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "DELETE": "DeleteObject",
}
# Parameters that select another S3 operation, or modify the selected one.  The emulator supports
# none of them, and rejects a request that contains one.  Like S3, it ignores unknown parameters.
_UNSUPPORTED = (
    "abac accelerate acl analytics annotation annotationName attributes cors delete encryption "
    "intelligent-tiering inventory legal-hold lifecycle location logging "
    "metadataAnnotationTable metadataConfiguration metadataInventoryTable "
    "metadataJournalTable metadataTable metrics notification object-lock ownershipControls "
    "partNumber policy policyStatus publicAccessBlock renameObject replication requestPayment "
    "response-cache-control response-content-disposition response-content-encoding "
    "response-content-language response-content-type response-expires "
    "restore retention select select-type session tagging torrent uploadId uploads versionId "
    "versioning versions website"
)
UNSUPPORTED = frozenset(_UNSUPPORTED.split())
_invocation = re.compile(r"/([^/]*)/([^/]*)/([^/]*)").fullmatch
_virtual_host = re.compile(r"(.+)\.localhost(?::[0-9]+)?", re.IGNORECASE).fullmatch


@frozen
class Target:
    """The target of a request.

    Attributes:
        service: The name of the service in signatures.
        operation: The operation; ``Unknown`` if the emulator does not support it.
        endpoint_name: The decoded name of the endpoint or of the inference router; empty for S3.
        bucket: The bucket of an S3 request, decoded.
        key: The key of an S3 request, decoded; empty for an operation on the bucket.
        parameters: The names and values of the query parameters of an S3 request, decoded.
    """

    service: Literal["sagemaker", "s3"]
    operation: str
    endpoint_name: str = ""
    bucket: str = ""
    key: str = ""
    # The parameters may include a signature, so they are left out of the repr.
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def is_queued(self) -> bool:
        """Whether the invocation is queued.  If not, the response contains the model's output."""
        return self.operation.endswith("Async")

    @property
    def is_streamed(self) -> bool:
        """Whether the response is a stream of events."""
        return self.operation.endswith("ResponseStream")

    @property
    def is_routed(self) -> bool:
        """Whether the target is an inference router."""
        return self.operation.startswith("InvokeInferenceRouter")

    def parameter(self, name: str, default: str = "") -> str:
        """Return the value of a query parameter, or *default* if it is missing."""
        return dict(self.parameters).get(name, default)


def parse_target(method: str, path: str, query: str, host: str) -> Target:
    """Parse the target of a request.

    Args:
        method: The HTTP method.
        path: The path, percent-encoded.
        query: The query, percent-encoded.
        host: The Host header; ``BUCKET.localhost`` specifies a bucket.
    """
    if method == "POST" and path.startswith(("/endpoints/", "/inference-routers/")):
        match = _invocation(path)
        operation = _INVOCATIONS.get((match[1], match[3])) if match else None
        if match is None or operation is None:
            return Target("sagemaker", UNKNOWN)
        return Target("sagemaker", operation, endpoint_name=unquote(match[2]))
    virtual = _virtual_host(host)
    bucket, _, key = path[1:].partition("/") if virtual is None else (virtual[1], "/", path[1:])
    parameters = tuple(
        (unquote(name), unquote(value))
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    )
    operation = _s3_operation(method, bucket, key, dict(parameters))
    return Target("s3", operation, "", unquote(bucket), unquote(key), parameters)


def _s3_operation(method: str, bucket: str, key: str, parameters: dict[str, str]) -> str:
    """Return the S3 operation of a request; ``Unknown`` if the emulator does not support it."""
    if not bucket or not UNSUPPORTED.isdisjoint(parameters):
        return UNKNOWN
    if key:
        return _OBJECT_OPERATIONS.get(method, UNKNOWN)
    operation = _BUCKET_OPERATIONS.get(method, UNKNOWN)
    if operation == "ListObjectsV2" and parameters.get("list-type") != "2":
        return UNKNOWN  # the request is for ListObjects, version 1
    return operation
