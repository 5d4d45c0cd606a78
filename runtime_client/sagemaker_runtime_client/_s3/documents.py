"""The XML documents in requests to S3 and in its responses.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/, and botocore 1.44, handlers.py
(escape_xml_payload and decode_list_object).
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from .._aws.xml_reader import Document, Fields, read_xml
from .._errors import TransportError
from .._io.message import Response

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# Line breaks are escaped, because XML parsers change unescaped ones.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;", "\n": "&#xA;"})


def element(name: str, content: str) -> str:
    """Return an XML element whose content is XML."""
    return f"<{name}>{content}</{name}>"


def texts(fields: Iterable[tuple[str, str | None]]) -> str:
    """Return an XML element for each pair of a name and a text, unless the text is None."""
    return "".join(
        element(name, text.translate(_ESCAPES)) for name, text in fields if text is not None
    )


def document(root: str, content: str) -> bytes:
    """Return an XML document in S3's namespace."""
    return f'<{root} xmlns="{_NAMESPACE}">{content}</{root}>'.encode()


def read(response: Response, root: str, repeated: Collection[str] = ()) -> Document:
    """Return the document in a successful response; `read_xml` describes *repeated*.

    Raises:
        TransportError: The response does not contain this document.
    """
    found = read_xml(response.body, repeated)
    if found.root != root:
        raise malformed(response, root)
    return found


def required(response: Response, fields: Fields, name: str) -> str:
    """Return the text of an element, or raise TransportError if it is missing."""
    text = fields.get(name)
    if not text:
        raise malformed(response, name)
    return text


def decode_names(response: Response, found: Document, names: Collection[str]) -> None:
    """Decode the texts with these names in *found*, if S3 has percent-encoded them.

    XML cannot contain every character of a key, so the requests ask for ``encoding-type=url``.

    Raises:
        TransportError: A text is not percent-encoded UTF-8.
    """
    if found.texts.get("EncodingType") != "url":
        return
    for fields in (found.texts, *found.records):
        for name in fields.keys() & {*names}:
            try:
                fields[name] = unquote_plus(fields[name], errors="strict")
            except ValueError:
                raise malformed(response, name) from None


def parse_time(text: str | None) -> datetime | None:
    """Return the time in *text*, such as ``2026-11-22T12:00:00.000Z``; None if it is not valid."""
    with suppress(ValueError, OverflowError):
        time = datetime.fromisoformat(text or "")
        return time.astimezone(UTC) if time.tzinfo and 1900 < time.year < 9000 else None
    return None


def malformed(response: Response, name: str) -> TransportError:
    """Return the error for a successful response that lacks an element."""
    return TransportError(
        f"S3 responded with status {response.status}, but without a valid {name}",
        status_code=response.status,
        request_id=response.request_id,
    )
