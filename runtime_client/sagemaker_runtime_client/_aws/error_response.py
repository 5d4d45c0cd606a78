"""Parsers of error responses: in JSON, which most services send, and in XML, which S3 and STS send.

Source: botocore 1.44, parsers.py, and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._errors import (
    AccessDeniedError,
    InternalFailureError,
    ObjectNotFoundError,
    RequestValidationError,
    RuntimeClientError,
    ServiceError,
    ServiceUnavailableError,
    ThrottlingError,
)
from .._io.generation import importing
from .._io.message import Response

if TYPE_CHECKING:  # the first response in XML loads the reader
    from .xml_reader import Document

E = TypeVar("E", bound=RuntimeClientError)
THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# STS returns IDPCommunicationError if it cannot reach the identity provider (botocore 1.44,
# _retry.json), and S3 returns ConditionalRequestConflict if concurrent requests conflict
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
TRANSIENT_CODES = frozenset(
    {"ConditionalRequestConflict", "IDPCommunicationError"}
    | {"RequestTimeout", "RequestTimeoutException"}
)
# Botocore does not retry status 408, which a gateway sends in place of the code RequestTimeout.
TRANSIENT_STATUSES = frozenset({408, 500, 502, 503, 504})

# If a response has one of these statuses, the service may have accepted the request: it may have
# failed later, or a gateway may have sent the response.
AMBIGUOUS_STATUSES = frozenset({500, 502, 504})

# These codes determine the error class, because some services send them with status 400.
_CREDENTIALS_CODES = (
    *("AccessDenied", "AccessDeniedException"),
    *("ExpiredToken", "ExpiredTokenException", "InvalidToken"),
    *("IncompleteSignature", "IncompleteSignatureException", "InvalidSignatureException"),
    *("InvalidClientTokenId", "UnrecognizedClientException"),
    *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
)
_BY_CODE: dict[str, type[ServiceError]] = {
    **dict.fromkeys(THROTTLING_CODES, ThrottlingError),
    **dict.fromkeys(_CREDENTIALS_CODES, AccessDeniedError),
    "ValidationError": RequestValidationError,
    "ValidationException": RequestValidationError,
    "NoSuchBucket": ObjectNotFoundError,
    "NoSuchKey": ObjectNotFoundError,
}
_BY_STATUS: dict[int, type[ServiceError]] = {
    401: AccessDeniedError,
    403: AccessDeniedError,
    413: RequestValidationError,
    429: ThrottlingError,
    500: InternalFailureError,
    503: ServiceUnavailableError,
}
ByCode = Mapping[str, type[ServiceError]]
_NO_CODES: ByCode = MappingProxyType({})
# If a response with status 200 contains an error, the status does not determine the error's class.
_REPORTED_CODES: ByCode = {
    "InternalError": InternalFailureError,
    "ServiceUnavailable": ServiceUnavailableError,
}
_BY_S3_STATUS = {**_BY_STATUS, 404: ObjectNotFoundError}
# The text after these words in an AWS message repeats the signed headers with the session token.
_CANONICAL_STRING = "The Canonical String for this request should have been"
_MIN_SECRET_LENGTH = 4
# A service that rejects a malformed Authorization header repeats the header in its message.
_SIGNATURES = r"(?<=Signature=)[0-9a-f]+"
# If a model responds in JSON, it escapes quotes, which custom attributes often contain.  If JSON is
# nested in JSON, the backslashes are escaped, too.  A truncated text may end within an escape.
_ESCAPES = r"\\+(?:u([0-9A-Fa-f]{4})|u[0-9A-Fa-f]{0,3}\Z)?"
MAX_CODE_LENGTH = 128  # a longer text is not an error code
_MAX_MESSAGE_LENGTH = 2048  # the maximum length of Message in the service model


def json_error(response: Response, by_code: ByCode | None = None) -> ServiceError:
    """Return the error in a response whose body should be JSON but may have any content.

    Args:
        response: The response.
        by_code: The error classes for codes that only some operations return, keyed by code.
    """
    text = response.body.decode("utf-8", "replace")
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    is_object = isinstance(document, dict)
    fields = cast("dict[str, object]", document) if is_object else {"message": text}
    named = [response.header("x-amzn-errortype"), *map(fields.get, ("code", "Code", "__type"))]
    code = next((name for name in named if isinstance(name, str) and name), None)
    if code is not None:
        code = code.partition(":")[0].rpartition("#")[2] or None
    messages = [fields.get("message"), fields.get("Message")]
    described = fields.get("error_description")  # sent by OAuth endpoints (RFC 6749, section 5.2)
    message = next((text for text in (*messages, described) if isinstance(text, str)), "")
    null_message = fields.keys() & {"message", "Message"} and messages == [None, None]
    if response.status == 400 and code is None and null_message:
        # If SageMaker is overloaded, it sends {"message": null}
        # (opensearch-project/ml-commons#2429).
        return _error(
            response, "ThrottlingException", "too many requests (status 400 with a null message)"
        )
    return _error(response, code, message, by_code=by_code or _NO_CODES)


def is_s3_error(response: Response) -> bool:
    """Return whether the response to an S3 request other than GET is an error.

    S3 may send status 200 before it has processed the request, and then an error or an incomplete
    document.

    Source: botocore 1.44, handlers.py, _looks_like_special_case_error.
    """
    if response.status != 200 or not response.body:
        return not response.ok
    return _read_xml(response.body).root in {None, "Error"}


def xml_error(response: Response, by_code: ByCode = _NO_CODES) -> ServiceError:
    """Return the error in an S3 response.

    The response to a HEAD request has no body, so its status determines the error.
    """
    if response.ok:  # S3 sent an error document with status 200; see `is_s3_error`
        response = response.replace(status=500)
    fields = xml_fields(response.body)
    code, message = fields.get("Code"), fields.get("Message", "")
    error = _error(response, code, message, _BY_S3_STATUS, by_code)
    error.region = response.header("x-amz-bucket-region") or fields.get("Region")
    return error


def service_error(response: Response, code: str | None, message: str) -> ServiceError:
    """Return an error that a successful response reports, for example for one of many objects."""
    return _error(response, code, message, by_code=_REPORTED_CODES)


def query_error(response: Response) -> ServiceError:
    """Return the error in a response that uses the AWS query protocol, which STS uses."""
    fields = xml_texts(response.body)
    return _error(response, fields.get("Error/Code"), fields.get("Error/Message", ""))


def xml_fields(body: bytes) -> dict[str, str]:
    """Return the text of each child of an XML document's root, keyed by the child's name."""
    return {path: text for path, text in xml_texts(body).items() if "/" not in path}


def xml_texts(body: bytes) -> dict[str, str]:
    """Return the texts in an XML document, keyed by the path below the root, such as ``a/b``.

    Elements without text and elements that are nested too deeply are omitted.  The result is empty
    if *body* is not XML.
    """
    return _read_xml(body).texts


def _read_xml(body: bytes) -> Document:
    with importing():
        from .xml_reader import read_xml

    return read_xml(body)


def _error(
    response: Response,
    code: str | None,
    message: str,
    by_status: Mapping[int, type[ServiceError]] = _BY_STATUS,
    by_code: ByCode = _NO_CODES,
) -> ServiceError:
    """Return an error whose class depends on its code or, if the code is unknown, on its status."""
    status = response.status
    known = by_code.get(code or "") or _BY_CODE.get(code or "")
    kind = known or by_status.get(status, ServiceError)
    if code is not None and len(code) > MAX_CODE_LENGTH:
        code = None
    message = message.partition(_CANONICAL_STRING)[0].strip()[:_MAX_MESSAGE_LENGTH]
    error = kind(
        message or f"the service responded with status {status} and no message",
        code=code or str(status),
        status_code=status,
        request_id=response.request_id,
    )
    # This function alone decides which responses may be retried: `RetryPolicy` uses the class and
    # the attributes that the function sets, such as `retryable`.
    if status in TRANSIENT_STATUSES or code in TRANSIENT_CODES:
        error.retryable = True
    error.possibly_accepted = status in AMBIGUOUS_STATUSES
    error.retry_after = _retry_after(response)
    error.date = response.timestamp("date") if response.header("age") is None else None
    return error


def _retry_after(response: Response) -> float | None:
    """Return the seconds in ``x-amz-retry-after``, which AWS sends in milliseconds; or None."""
    value = response.header("x-amz-retry-after") or ""
    return int(value) / 1000 if value.isascii() and value.isdigit() and len(value) < 10 else None


def without_secrets(error: E, secrets: Iterable[str | None]) -> E:
    """Redact the secrets that a service has repeated in the texts of *error*; return *error*."""
    long_secrets = [one for one in secrets if one is not None and len(one) >= _MIN_SECRET_LENGTH]
    names: tuple[str, ...] = getattr(error, "texts", ("message",))
    for name in (*names, "code", "request_id"):
        text = _redact_all(getattr(error, name) or "", long_secrets)
        if "\\" in text:
            text = _redact_escaped(text, long_secrets)
        if text:
            setattr(error, name, re.sub(_SIGNATURES, "...", text))
    error.args = (error.message,)
    return error


def _redact_escaped(text: str, secrets: list[str]) -> str:
    """Redact JSON-escaped secrets in *text*; if there are any, remove all escapes from it."""
    plain = _unescape(text)
    sought = [one for one in map(_unescape, secrets) if len(one) >= _MIN_SECRET_LENGTH]
    redacted = _redact_all(plain, sought)
    return text if redacted == plain else redacted


def _unescape(text: str) -> str:
    r"""Return *text* without JSON escapes of any depth.  The letters of escapes such as ``\n`` remain.

    >>> print(_unescape(r'{\\\"a\\\": \u003cb\u003e}'))
    {"a": <b>}
    """
    return re.sub(_ESCAPES, lambda match: chr(int(match[1], 16)) if match[1] else "", text)


def _redact_all(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = _redact(text, secret)
    return text


def _redact(text: str, secret: str) -> str:
    """Redact *secret* in *text*, and the start of *secret* at the end of a truncated *text*."""
    text = text.replace(secret, "...")
    for length in range(len(secret) - 1, _MIN_SECRET_LENGTH - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + "..."
    return text
