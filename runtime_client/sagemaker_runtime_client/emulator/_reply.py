"""Defines responses, and formats errors as the emulated services do."""

import json
from collections.abc import AsyncGenerator, Mapping
from html import escape
from typing import Protocol

from attrs import field, frozen

# Error codes that the service models define.
_MODELLED = frozenset(
    {"ValidationError", "ValidationException", "InternalFailure", "ServiceUnavailable"}
    | {"ModelError", "ModelNotReadyException", "ServiceUnavailableException"}
)
XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Stream(Protocol):
    """The content of a response stream."""

    @property
    def is_reset(self) -> bool:
        """Whether the connection is to be reset after the last piece."""
        ...

    def frames(self) -> AsyncGenerator[bytes]:
        """Yield the pieces of the content as they become available."""
        ...

    async def aclose(self) -> None:
        """Release the resources behind the stream."""
        ...


@frozen
class Reply:
    """An HTTP response of the emulator.

    Attributes:
        status: The HTTP status.
        headers: The headers.  `Application` adds those that all responses have.
        body: The content; for HEAD, the content that GET would return.
        outcome: The outcome in the record of the request, ``ok`` or `ErrorResponse.outcome`.
        stream: The content of a response stream; None for any other response.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes = b""
    outcome: str = "ok"
    stream: Stream | None = None


@frozen
class ErrorResponse:
    """An error that a service returns.

    Attributes:
        status: The HTTP status.
        code: The error code; None for an error without a code.
        shows_code: Whether the response contains the code.  If not, only the record of the request
            contains it.
        message: The error message.  SageMaker's error JSON contains ``null`` for None, as occurs in
            production.
        headers: Further headers, such as ``retry-after``.
        details: Further elements of S3's error XML, such as ``Region``, or further members of
            SageMaker's error JSON, such as ``OriginalStatusCode``.
    """

    status: int
    code: str | None = None
    message: str | None = None
    headers: Mapping[str, str] = field(factory=dict[str, str])
    details: Mapping[str, str | int] = field(factory=dict[str, str | int])
    shows_code: bool = field(default=True, kw_only=True)

    @property
    def shown_code(self) -> str:
        """The code in the response; empty if the response contains no code."""
        return self.code if self.code and self.shows_code else ""

    @property
    def outcome(self) -> str:
        """The outcome in the record of the request: the code, or the status if there is no code."""
        return self.code or str(self.status)


class RejectedRequestError(Exception):
    """Raised to reject a request with an error response."""

    def __init__(self, response: ErrorResponse) -> None:
        super().__init__(response.status, response.code)
        self.response = response


def rejection(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    **details: str | int,
) -> RejectedRequestError:
    """Return the exception to raise in order to reject a request."""
    return RejectedRequestError(ErrorResponse(status, code, message, headers or {}, details))


def invalid_request(message: str) -> RejectedRequestError:
    """Return S3's error for a request whose headers or parameters contradict each other."""
    return rejection(400, "InvalidRequest", message)


def as_json(error: ErrorResponse) -> Reply:
    """Return an error in the rest-json format, with the code in a header and the message in the body.

    Source: service model sagemaker-runtime 2017-05-13, in which errors have the member
    ``Message``.  Errors of the front end that all AWS services share have ``message`` instead.
    """
    body = {"Message" if error.code in _MODELLED else "message": error.message, **error.details}
    error_type = {"x-amzn-errortype": error.shown_code} if error.shown_code else {}
    return Reply(
        error.status,
        {"content-type": "application/json", **error_type, **error.headers},
        json.dumps(body).encode(),
        error.outcome,
    )


def as_xml(error: ErrorResponse, identifiers: Mapping[str, str]) -> Reply:
    """Return an error in S3's XML format.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    elements = {
        "Code": error.shown_code,
        "Message": error.message or "",
        **{name: str(value) for name, value in error.details.items()},
        **identifiers,
    }
    return Reply(
        error.status,
        {"content-type": "application/xml", **error.headers},
        f"{XML_HEADER}<Error>{xml_elements(elements)}</Error>".encode(),
        error.outcome,
    )


def xml_elements(elements: Mapping[str, str]) -> str:
    """Return an XML element for each name and its text.  The text is escaped.

    >>> xml_elements({"Key": "a&b"})
    '<Key>a&amp;b</Key>'
    """
    return "".join([f"<{name}>{escape(text)}</{name}>" for name, text in elements.items()])
