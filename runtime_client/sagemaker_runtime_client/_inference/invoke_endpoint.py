"""The table that describes the operation InvokeEndpoint, and the output of the operation.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

import json
from datetime import datetime
from typing import Any

from .._io.message import Response
from .._limits import SYNCHRONOUS
from .._value import Value
from .invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC
from .members import BODY, Check, Member, OperationModel, inline, invalid_argument, text

# The value of *session_id* that opens a new session.
NEW_SESSION = "NEW_SESSION"

_ASYNC = INVOKE_ENDPOINT_ASYNC.members
_check_name, _check_id = _ASYNC["endpoint_name"].check, _ASYNC["inference_id"].check


def _check_session(argument: str, value: object) -> None:
    """Check a session id: either ``NEW_SESSION``, or letters, digits and inner hyphens."""
    text(1, 256)(argument, value)
    if value != NEW_SESSION and not is_name(str(value)):
        raise invalid_argument(
            argument, f"must be {NEW_SESSION!r}, or contain only letters, digits and inner hyphens"
        )


def is_name(value: str) -> bool:
    """Return whether *value* matches ``[a-zA-Z0-9](-*[a-zA-Z0-9])*``."""
    return value.replace("-", "").isalnum() and value.isascii() and "-" not in {value[0], value[-1]}


def _member(argument: str, name: str, header: str, check: Check, description: str) -> Member:
    metavar = argument.rpartition("_")[2].upper()
    return Member(argument, name, f"X-Amzn-SageMaker-{header}", check, metavar, description)


INVOKE_ENDPOINT = OperationModel(
    "invoke_endpoint",
    "InvokeEndpoint",
    "/endpoints/{endpoint_name}/invocations",
    (
        _ASYNC["endpoint_name"],
        Member(
            "body",
            "Body",
            BODY,
            inline(SYNCHRONOUS.size, minimum=0, advice="use submit or infer for it"),
            kind=bytes,
            is_required=True,
            is_sensitive=True,
        ),
        Member(
            "content_type",
            "ContentType",
            "Content-Type",
            text(0, 1024),
            "TYPE",
            "media type of the payload, such as text/csv",
        ),
        Member(
            "accept",
            "Accept",
            "Accept",
            text(0, 1024),
            "TYPE",
            "media type that the output should have",
        ),
        _ASYNC["custom_attributes"],
        _member(
            "target_model",
            "TargetModel",
            "Target-Model",
            text(1, 1024),
            "file name of a model of a multi-model endpoint",
        ),
        _member(
            "target_variant",
            "TargetVariant",
            "Target-Variant",
            _check_name,
            "name of a production variant",
        ),
        _member(
            "target_container_hostname",
            "TargetContainerHostname",
            "Target-Container-Hostname",
            _check_name,
            "host name of a container of a multi-container endpoint",
        ),
        _ASYNC["inference_id"],
        _member(
            "enable_explanations",
            "EnableExplanations",
            "Enable-Explanations",
            text(1, 64),
            "JMESPath expression that selects the records to explain",
        ),
        _member(
            "inference_component_name",
            "InferenceComponentName",
            "Inference-Component",
            _check_name,
            "name of an inference component",
        ),
        _member(
            "session_id",
            "SessionId",
            "Session-Id",
            _check_session,
            "id of a session, or NEW_SESSION to open one",
        ),
        _member(
            "prefix_aware_id",
            "PrefixAwareId",
            "Prefix-Aware-Id",
            _check_id,
            "id by which a prefix-aware endpoint routes related requests",
        ),
    ),
    limit=SYNCHRONOUS,
    # A model may take 60 s, and AWS advises clients to set a read timeout that is 10 s longer.
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
    read_timeout=70.0,
)


class ModelOutput(Value):
    """The output of a model that was called synchronously.

    Attributes:
        body: The bytes that the model's container returned.
        content_type: The media type of *body*; None if the response does not contain it.
        production_variant: The production variant that ran the model; None if the response does not
            contain it.
        custom_attributes: The custom attributes that the container returned; None if it returned
            none.
        new_session_id: The id of the session that was opened; None if no session was opened.
        session_expires: The time at which the new session ends; None if the response does not
            contain it.
        closed_session_id: The id of the session that was closed; None if no session was closed.
        request_id: The id of the request, for questions to AWS support; None if it is unknown.
        routed_resource_arn: The ARN of the endpoint or inference component to which an inference
            router sent the request; None if no router was called.
        routing_reason: Why the router chose this destination; None if no router was called.

    The ``repr`` shows neither *body* nor *custom_attributes*.
    """

    __slots__ = __match_args__ = (
        "body",
        "content_type",
        "production_variant",
        "custom_attributes",
        "new_session_id",
        "session_expires",
        "closed_session_id",
        "request_id",
        "routed_resource_arn",
        "routing_reason",
    )
    _hidden = frozenset({"body", "custom_attributes"})

    body: bytes
    content_type: str | None
    production_variant: str | None
    custom_attributes: str | None
    new_session_id: str | None
    session_expires: datetime | None
    closed_session_id: str | None
    request_id: str | None
    routed_resource_arn: str | None
    routing_reason: str | None

    def __init__(
        self,
        body: bytes,
        content_type: str | None = None,
        production_variant: str | None = None,
        custom_attributes: str | None = None,
        new_session_id: str | None = None,
        session_expires: datetime | None = None,
        closed_session_id: str | None = None,
        request_id: str | None = None,
        routed_resource_arn: str | None = None,
        routing_reason: str | None = None,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.production_variant = production_variant
        self.custom_attributes = custom_attributes
        self.new_session_id = new_session_id
        self.session_expires = session_expires
        self.closed_session_id = closed_session_id
        self.request_id = request_id
        self.routed_resource_arn = routed_resource_arn
        self.routing_reason = routing_reason

    @property
    def text(self) -> str:
        """The body, decoded as UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body, parsed as JSON."""
        return json.loads(self.body)


def parse_output(response: Response) -> ModelOutput:
    """Return the output in a successful response."""
    headers = dict(reversed(response.headers))  # if a header is repeated, the first value is used
    session, _, expires = headers.get("x-amzn-sagemaker-new-session-id", "").partition(";")
    return ModelOutput(
        response.body,
        headers.get("content-type") or None,
        headers.get("x-amzn-invoked-production-variant") or None,
        headers.get("x-amzn-sagemaker-custom-attributes") or None,
        session.strip() or None,
        _parse_expiry(expires),
        headers.get("x-amzn-sagemaker-closed-session-id") or None,
        response.request_id,
        headers.get("x-amzn-sagemaker-invoked-routed-resource-arn") or None,
        headers.get("x-amzn-sagemaker-invoked-routing-reason") or None,
    )


def _parse_expiry(text: str) -> datetime | None:
    """Return the time in *text*, such as `` Expires=2026-11-29T12:00:00Z``, or None."""
    name, _, value = text.strip().partition("=")
    try:
        return datetime.fromisoformat(value) if name == "Expires" and value.endswith("Z") else None
    except ValueError:
        return None
