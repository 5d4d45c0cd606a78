"""The table that describes the operation InvokeEndpointWithResponseStream.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

from .._limits import RESPONSE
from .invoke_endpoint import INVOKE_ENDPOINT, is_name
from .members import Check, Member, OperationModel, invalid_argument, text

_SYNC = INVOKE_ENDPOINT.members


def _check_session(argument: str, value: object) -> None:
    """Check the id of an existing session: letters, digits and inner hyphens."""
    text(1, 256)(argument, value)
    if not is_name(str(value)):
        raise invalid_argument(argument, "must contain only letters, digits and inner hyphens")


def _replaced(
    argument: str, place: str, check: Check | None = None, description: str = ""
) -> Member:
    """Return a member of InvokeEndpoint with a new place, check or description."""
    same = _SYNC[argument]
    return Member(
        argument,
        same.name,
        place,
        check or same.check,
        same.metavar,
        description or same.description,
    )


INVOKE_ENDPOINT_WITH_RESPONSE_STREAM = OperationModel(
    "stream_endpoint",
    "InvokeEndpointWithResponseStream",
    "/endpoints/{endpoint_name}/invocations-response-stream",
    (
        _SYNC["endpoint_name"],
        _SYNC["body"],
        _SYNC["content_type"],
        _replaced("accept", "X-Amzn-SageMaker-Accept"),
        _SYNC["custom_attributes"],
        _SYNC["target_variant"],
        _SYNC["target_container_hostname"],
        _replaced("inference_id", _SYNC["inference_id"].place, None, "id for captured data"),
        _SYNC["inference_component_name"],
        _replaced("session_id", _SYNC["session_id"].place, _check_session, "id of an open session"),
        _SYNC["prefix_aware_id"],
    ),
    limit=RESPONSE,
    read_timeout=INVOKE_ENDPOINT.read_timeout,
)
