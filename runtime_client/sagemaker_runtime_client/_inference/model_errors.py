"""Errors that synchronous calls to models raise, or that reading a streamed response raises.

They are subclasses of the errors in `_errors`.  The first synchronous call imports this module.
"""

import json
from typing import Any

from .._aws.error_response import json_error
from .._errors import ServiceError, ThrottlingError, TransportError
from .._io.message import Response

# If a response has one of these statuses, the model may have run, and sending the request again may
# run the model twice.  424 is an error of the model itself, and 530 an error of a service behind
# the endpoint.
AFTER_THE_MODEL = frozenset({424, 500, 502, 504, 530})


class ModelError(ServiceError):
    """The model's container responded with an error (424).

    Read the endpoint's log.  The client does not send the request again unless ``retry_model=True``
    is passed, because the model has run.

    Attributes:
        original_status_code: The HTTP status of the container's response; None if it is unknown.
        original_message: The part of the container's response body that AWS returns, with secrets
            redacted.
        log_stream_arn: The ARN of the container's log stream; None if it is unknown.
    """

    # The attributes whose text comes from the service and may repeat a secret.
    texts = ("message", "original_message")
    original_status_code: int | None = None
    original_message: str = ""
    log_stream_arn: str | None = None


class ModelNotReadyError(ThrottlingError):
    """The endpoint is still provisioning capacity or loading the model (429).

    The client has already retried as its settings allow.  Pass ``wait_until_ready=`` to make it
    wait longer.
    """


class ResponseStreamError(TransportError):
    """A streamed response ended prematurely, or it cannot be decoded.

    The items that were received before are valid.  Nothing is sent again, because the model has
    run; call `stream_endpoint` again to repeat the request.

    Attributes:
        partial: The received data that does not belong to a complete item, such as the beginning of
            a line.
    """

    partial: bytes = b""


class ModelStreamError(ServiceError):
    """The model failed while it was sending its response.  Read the endpoint's log.

    Attributes:
        reason: ``ModelInvocationTimeExceeded``, ``StreamBroken`` or another text from the service;
            None if it is unknown.
        partial: The received data that does not belong to a complete item, such as the beginning of
            a line.
    """

    texts = ("message", "reason")  # their text comes from the service and may repeat a secret
    reason: str | None = None
    partial: bytes = b""


class InternalStreamFailureError(ServiceError):
    """The service failed while it was sending the model's response.  Call again later.

    Attributes:
        partial: The received data that does not belong to a complete item, such as the beginning of
            a line.
    """

    retryable = True
    partial: bytes = b""


_BY_CODE: dict[str, type[ServiceError]] = {
    "ModelError": ModelError,
    "ModelNotReadyException": ModelNotReadyError,
}


def model_error(response: Response) -> ServiceError:
    """Return the error in *response*; `possibly_accepted` shows whether the model may have run."""
    error = json_error(response, _BY_CODE)
    error.possibly_accepted = response.status in AFTER_THE_MODEL
    if isinstance(error, ModelError):
        _add_details(error, response.body)
    return error


def repeatable_model_error(response: Response) -> ServiceError:
    """Return the error in *response*, for a call that is retried even if the model may have run."""
    error = model_error(response)
    error.retryable = error.retryable or error.possibly_accepted
    return error


def _add_details(error: ModelError, body: bytes) -> None:
    """Add the details in *body* to *error*; any of them may be missing or malformed."""
    try:
        fields: dict[str, Any] = dict(json.loads(body))
    except (ValueError, TypeError, RecursionError):
        return
    status, message, arn = map(
        fields.get, ("OriginalStatusCode", "OriginalMessage", "LogStreamArn")
    )
    error.original_status_code = status if isinstance(status, int) else None
    error.original_message = message if isinstance(message, str) else ""
    error.log_stream_arn = arn if isinstance(arn, str) else None
