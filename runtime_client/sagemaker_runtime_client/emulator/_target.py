"""
What a request is addressed to, read from the raw bytes of its first line.

Routing is done here and not by starlette's routes, which match the decoded path: to them the keys
``a%2Fb`` and ``a/b`` are one, and to a signature they are two.
"""

import re
from typing import Literal
from urllib.parse import unquote

from attrs import field, frozen

# What can be asked, by service; the names are the services' own.
OPERATIONS = frozenset(
    {
        "InvokeEndpointAsync",
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

_OF_A_BUCKET = {"PUT": "CreateBucket", "HEAD": "HeadBucket", "GET": "ListObjectsV2"}
_OF_AN_OBJECT = {
    "PUT": "PutObject",
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "DELETE": "DeleteObject",
}
# The parameters that name another operation of S3's, or that change what this one does.  The
# emulator has none of these, and refuses them.  As S3 does, it ignores every parameter it does not know.
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
_invocation = re.compile(r"/endpoints/([^/]*)/async-invocations").fullmatch
_virtual_host = re.compile(r"(.+)\.localhost(?::[0-9]+)?", re.IGNORECASE).fullmatch


@frozen
class Target:
    """
    What a request is addressed to.

    Attributes:
        service: The signing name of the service.
        operation: Its operation; ``Unknown`` if the emulator has none of that shape.
        endpoint_name: Of an invocation, decoded.
        bucket: Of an S3 request, decoded.
        key: Of an S3 request, decoded; empty if it is about the bucket.
        parameters: The query, decoded.
    """

    service: Literal["sagemaker", "s3"]
    operation: str
    endpoint_name: str = ""
    bucket: str = ""
    key: str = ""
    parameters: tuple[tuple[str, str], ...] = field(
        default=(), repr=False
    )  # a signature among them

    def parameter(self, name: str, default: str = "") -> str:
        """Return the value of a parameter of the query."""
        return dict(self.parameters).get(name, default)


def target_of(method: str, path: str, query: str, host: str) -> Target:
    """
    Return what a request is addressed to.

    Args:
        method: The method of the request.
        path: As it arrived, percent-encoded.
        query: Likewise.
        host: The host header; ``BUCKET.localhost`` names a bucket.
    """
    if method == "POST" and path.startswith("/endpoints/"):
        match = _invocation(path)
        if match is None:
            return Target("sagemaker", UNKNOWN)
        return Target("sagemaker", "InvokeEndpointAsync", endpoint_name=unquote(match[1]))
    virtual = _virtual_host(host)
    bucket, _, key = path[1:].partition("/") if virtual is None else (virtual[1], "/", path[1:])
    parameters = tuple(
        (unquote(name), unquote(value))
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    )
    operation = _s3_operation(method, bucket, key, dict(parameters))
    return Target("s3", operation, "", unquote(bucket), unquote(key), parameters)


def _s3_operation(method: str, bucket: str, key: str, parameters: dict[str, str]) -> str:
    """Return the name of the S3 operation that a request of this shape asks for."""
    if not bucket or not UNSUPPORTED.isdisjoint(parameters):
        return UNKNOWN
    if key:
        return _OF_AN_OBJECT.get(method, UNKNOWN)
    operation = _OF_A_BUCKET.get(method, UNKNOWN)
    if operation == "ListObjectsV2" and parameters.get("list-type") != "2":
        return UNKNOWN  # the first version's listing
    return operation
