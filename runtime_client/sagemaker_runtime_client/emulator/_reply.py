"""What goes back to a caller: a reply, or a refusal in the words of the service that refuses."""

import json
from collections.abc import Mapping
from html import escape

from attrs import field, frozen

XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


@frozen
class Reply:
    """
    A whole HTTP answer.

    Attributes:
        status: The HTTP status.
        headers: In the order in which they are sent, beside those that every answer has.
        body: The bytes; of an answer to HEAD, those that GET would have got.
        outcome: For the record of requests: ``ok``, or what `Refusal.outcome` says.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body: bytes = b""
    outcome: str = "ok"


@frozen
class Refusal:
    """
    An error, as a service reports it.

    Attributes:
        status: The HTTP status.
        code: The service's name for it; None for an error without a name.
        shows_code: Whether the answer names the code; if not, only the record of requests does.
        message: What is said about it; None is sent as ``null``, which production does.
        headers: Further headers, such as ``retry-after``.
        details: Further elements of S3's XML, such as ``Region``.
    """

    status: int
    code: str | None = None
    message: str | None = None
    headers: Mapping[str, str] = field(factory=dict[str, str])
    details: Mapping[str, str] = field(factory=dict[str, str])
    shows_code: bool = field(default=True, kw_only=True)

    @property
    def shown_code(self) -> str:
        """The code in the answer; empty if it names none."""
        return self.code if self.code and self.shows_code else ""

    @property
    def outcome(self) -> str:
        """What the record of requests says: the code, or the status of an error without one."""
        return self.code or str(self.status)


class RefusedError(Exception):
    """A request is refused; carries the refusal up to where it is put into words."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status, refusal.code)
        self.refusal = refusal


def refused(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    **details: str,
) -> RefusedError:
    """Return the error to raise for a refusal."""
    return RefusedError(Refusal(status, code, message, headers or {}, details))


def as_json(refusal: Refusal) -> Reply:
    """
    Return a refusal as rest-json has it: the code in a header, the message in the body.

    Source: service model sagemaker-runtime 2017-05-13, whose errors have the member ``Message``;
    the front end in front of every service writes ``message``.
    """
    modelled = refusal.code in {"ValidationError", "InternalFailure", "ServiceUnavailable"}
    body = {"Message" if modelled else "message": refusal.message}
    named = {"x-amzn-errortype": refusal.shown_code} if refusal.shown_code else {}
    return Reply(
        refusal.status,
        {"content-type": "application/json", **named, **refusal.headers},
        json.dumps(body).encode(),
        refusal.outcome,
    )


def as_xml(refusal: Refusal, identifiers: Mapping[str, str]) -> Reply:
    """
    Return a refusal as S3 has it.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    elements = {
        "Code": refusal.shown_code,
        "Message": refusal.message or "",
        **refusal.details,
        **identifiers,
    }
    return Reply(
        refusal.status,
        {"content-type": "application/xml", **refusal.headers},
        f"{XML_HEADER}<Error>{xml_elements(elements)}</Error>".encode(),
        refusal.outcome,
    )


def xml_elements(elements: Mapping[str, str]) -> str:
    """
    Return XML elements of names and texts.

    >>> xml_elements({"Key": "a&b"})
    '<Key>a&amp;b</Key>'
    """
    return "".join([f"<{name}>{escape(text)}</{name}>" for name, text in elements.items()])
