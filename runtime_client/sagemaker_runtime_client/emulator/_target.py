"""The target of a request, parsed from the raw bytes of the request line.

starlette's routes are not used because they match the decoded path.  In a decoded path, ``a%2Fb``
and ``a/b`` are the same, whereas the signature distinguishes them.
"""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote

from attrs import evolve, field, frozen

from ._s3_operations import OPERATIONS as S3_OPERATIONS
from ._s3_operations import UNKNOWN, select_operation

# The operations that call a model, keyed by the first and the last segment of their paths.
_INVOCATIONS = {
    ("endpoints", "invocations"): "InvokeEndpoint",
    ("endpoints", "async-invocations"): "InvokeEndpointAsync",
    ("endpoints", "invocations-response-stream"): "InvokeEndpointWithResponseStream",
    ("inference-routers", "invocations"): "InvokeInferenceRouter",
    ("inference-routers", "async-invocations"): "InvokeInferenceRouterAsync",
}
_QUEUE_OPERATIONS = frozenset(
    [
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "CreateQueue",
        "DeleteMessage",
        "DeleteMessageBatch",
        "DeleteQueue",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
        "SendMessageBatch",
        "SetQueueAttributes",
    ]
)
_TOPIC_OPERATIONS = frozenset(
    [
        "CreateTopic",
        "DeleteTopic",
        "GetSubscriptionAttributes",
        "GetTopicAttributes",
        "ListSubscriptions",
        "ListSubscriptionsByTopic",
        "ListTopics",
        "Publish",
        "PublishBatch",
        "SetSubscriptionAttributes",
        "SetTopicAttributes",
        "Subscribe",
        "Unsubscribe",
    ]
)
_MESSAGING_OPERATIONS = {"sqs": _QUEUE_OPERATIONS, "sns": _TOPIC_OPERATIONS}
# The AWS names of all supported operations.
OPERATIONS = frozenset(
    {
        *_INVOCATIONS.values(),
        *_QUEUE_OPERATIONS,
        *_TOPIC_OPERATIONS,
        *S3_OPERATIONS,
    }
)
_invocation = re.compile(r"/([^/]*)/([^/]*)/([^/]*)").fullmatch
_scope_service = re.compile(r"Credential=[^/,]+/[0-9]+/[^/,]+/(sns|sqs)/aws4_request").search
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
        protocol: The protocol of a request to SQS or SNS.
        path: The path of a request to SQS or SNS, decoded.
    """

    service: Literal["sagemaker", "s3", "sns", "sqs"]
    operation: str
    endpoint_name: str = ""
    bucket: str = ""
    key: str = ""
    # The parameters may include a signature, so they are left out of the repr.
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    protocol: Literal["", "json", "query"] = ""
    path: str = ""

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

    def with_action(self, action: str) -> "Target":
        """Return the target of a request in the query protocol, whose body contains the operation."""
        supported = _MESSAGING_OPERATIONS[self.service]
        return evolve(self, operation=action if action in supported else UNKNOWN)

    def parameter(self, name: str, default: str = "") -> str:
        """Return the value of a query parameter, or *default* if it is missing."""
        return dict(self.parameters).get(name, default)


def parse_target(method: str, path: str, query: str, headers: Mapping[str, str]) -> Target:
    """Parse the target of a request.

    In the query protocol of SQS and SNS, the operation is in the body, so it is unknown here.

    Args:
        method: The HTTP method.
        path: The path, percent-encoded.
        query: The query, percent-encoded.
        headers: The headers, keyed by names in lower case.  ``BUCKET.localhost`` as the Host header
            specifies a bucket.
    """
    if method == "POST" and path.startswith(("/endpoints/", "/inference-routers/")):
        match = _invocation(path)
        operation = _INVOCATIONS.get((match[1], match[3])) if match else None
        if match is None or operation is None:
            return Target("sagemaker", UNKNOWN)
        return Target("sagemaker", operation, endpoint_name=unquote(match[2]))
    if method == "POST" and (target := _messaging_target(path, headers)) is not None:
        return target
    virtual = _virtual_host(headers.get("host", ""))
    bucket, _, key = path[1:].partition("/") if virtual is None else (virtual[1], "/", path[1:])
    parameters = tuple(
        (unquote(name), unquote(value))
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
    )
    operation = select_operation(method, bucket, key, dict(parameters))
    return Target("s3", operation, "", unquote(bucket), unquote(key), parameters)


def _messaging_target(path: str, headers: Mapping[str, str]) -> Target | None:
    """Return the target of a request to SQS or SNS; None if the request is for another service."""
    service, _, operation = headers.get("x-amz-target", "").partition(".")
    if service == "AmazonSQS":
        target = Target("sqs", UNKNOWN, protocol="json", path=unquote(path))
        return target.with_action(operation)
    scope = _scope_service(headers.get("authorization", ""))
    if scope is None:
        return None
    return Target(
        "sns" if scope[1] == "sns" else "sqs", UNKNOWN, protocol="query", path=unquote(path)
    )
