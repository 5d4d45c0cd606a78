"""SageMaker's notification about an asynchronous inference.

AWS does not document this notification.  Its format is that of messages in public repositories; see
``fixtures/SOURCES.md`` in the source distribution.
"""

from base64 import b64encode
from collections.abc import Collection
from datetime import datetime
from typing import Any

from .._messaging.clock import timestamp
from .._models.values import ModelFailure
from .._queue.jobs import Invocation
from .._queue.outcomes import Outcome

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceNotificationConfig.html
_LARGEST_RESPONSE = 128 * 1024
_HINT = "Check S3 path location(if configured) or Cloudwatch for additional details."


def result_message(
    outcome: Outcome, *, region: str, at: datetime, responses: Collection[str]
) -> dict[str, Any]:
    """Return the notification about an inference.

    Args:
        outcome: How the inference ended.
        region: The region.
        at: The time at which the inference ended.
        responses: Which notifications include the response, as in ``IncludeInferenceResponseIn``.
    """
    failure = outcome.failure
    end: dict[str, Any]
    if failure is None:
        end = {
            "responseParameters": {
                "contentType": outcome.content_type,
                "outputLocation": outcome.invocation.output_location,
            }
        }
    else:
        end = {"failureReason": _reason(failure)}
    return {
        "awsRegion": region,
        "eventTime": timestamp(at),
        "receivedTime": timestamp(outcome.invocation.received),
        "invocationStatus": "Completed" if failure is None else "Failed",
        "requestParameters": _request(outcome),
        **end,
        **_response(outcome, responses),
        "inferenceId": outcome.invocation.request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _request(outcome: Outcome) -> dict[str, str]:
    """Return the request's parameters, without those that the request did not contain.

    AWS does not document the name of the router's parameter.
    """
    invocation: Invocation = outcome.invocation
    parameters = {
        "accept": invocation.request.accept,
        "contentType": invocation.request.content_type,
        "customAttributes": invocation.request.custom_attributes,
        "endpointName": outcome.endpoint_name,
        "inferenceRouterName": invocation.router_name if outcome.is_of_router else None,
        "inputLocation": invocation.input_location,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _response(outcome: Outcome, responses: Collection[str]) -> dict[str, Any]:
    """Return the part with the response; empty for a router or a large response."""
    topic = "SUCCESS" if outcome.failure is None else "ERROR"
    if (
        outcome.is_of_router
        or f"{topic}_NOTIFICATION_TOPIC" not in responses
        or len(outcome.body) > _LARGEST_RESPONSE
    ):
        return {}
    if outcome.failure is not None:
        content = {"content": outcome.body.decode("utf-8", "replace"), "message": _HINT}
    else:
        encoded = b64encode(outcome.body).decode()
        content = {"content": encoded, "message": _HINT, "encoding": "BASE64"}
    return {"responseBody": content}


def _reason(failure: ModelFailure) -> str:
    """Return the reason for a failure."""
    status = failure.status_code
    if not status:  # the container did not respond
        return failure.message
    error, side = ("ClientError: ", "client") if status < 500 else ("", "server")
    return (
        f"{error}Received {side} error ({status}) from model. See the SageMaker Endpoint logs in "
        "your account for more information."
    )
