"""Parses the error responses that AWS sends if a signature does not match.

Such a response contains the canonical request and the string to sign that AWS expected.  S3 returns
them as XML elements.  Other services put them into the error message, in XML or JSON:

    The Canonical String for this request should have been
    '...'
    The String-to-Sign should have been
    '...'

Exceptions and logs can contain such responses, with escaped line ends.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from attrs import field, frozen

from ._errors import UnexplainedError
from ._limits import LONGEST_ERROR_RESPONSE

# The sentences that precede the two strings in an error message.
_CANONICAL_REQUEST = "The Canonical String for this request should have been"
_STRING_TO_SIGN = "The String-to-Sign should have been"

# The canonical request ends with a hash or a marker, and the string to sign has four lines.  In a
# log, more text may follow each of the strings.
_is_canonical_request = re.compile(r"'(.*?\n[0-9A-Za-z-]+)'", re.DOTALL).match
_is_string_to_sign = re.compile(r"'?(AWS4[^\n']*\n[^\n']*\n[^\n']*\n[0-9a-f]{64})").match

_code = re.compile(r"\b(SignatureDoesNotMatch|InvalidSignatureException)\b").search
_escape = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_DEEPEST = 4

ErrorResponse = bytes | str | Exception


@frozen
class SignatureMismatch:
    """The content of an error response to a signature that does not match.

    Attributes:
        code: The service's error code; None if the response has none.
        canonical_request: The canonical request that AWS expected.  It contains header values.
        string_to_sign: The string to sign that AWS expected; None if the response does not contain
            it.
    """

    code: str | None
    canonical_request: str = field(repr=False)
    string_to_sign: str | None = field(repr=False)

    @classmethod
    def parse(cls, error: ErrorResponse) -> "SignatureMismatch":
        """Parse a response body, or an exception or a text that contains a response body.

        Raises:
            UnexplainedError: The response does not contain the canonical request that AWS expected,
                or the response is too long.
        """
        fields = _parse_response(error)
        _, _, rest = fields.get("message", "").partition(_CANONICAL_REQUEST)
        canonical_request, _, string_to_sign = rest.partition(_STRING_TO_SIGN)
        canonical_request = fields.get("canonicalrequest") or canonical_request
        string_to_sign = fields.get("stringtosign") or string_to_sign
        if not canonical_request:
            raise UnexplainedError(
                "the response does not contain the canonical request that the service expected"
            )
        code = fields.get("code") or fields.get("__type", "").rpartition("#")[2]
        return cls(
            "".join(filter(str.isalnum, code))[:64] or None,
            _unquote(canonical_request, _is_canonical_request),
            _unquote(string_to_sign, _is_string_to_sign) or None,
        )


def normalize_line_ends(text: str) -> str:
    """Replace each CRLF by LF."""
    return text.replace("\r\n", "\n")


def _parse_response(error: ErrorResponse) -> dict[str, str]:
    """Return those fields of a response that are strings, keyed by lowercase name."""
    if isinstance(error, Exception):
        response: Any = getattr(error, "response", None)
        if isinstance(response, Mapping):  # botocore's ClientError
            return _text_fields(cast("Mapping[str, Any]", response).get("Error"))
        error = str(error)
    if len(error) > LONGEST_ERROR_RESPONSE:
        raise UnexplainedError(f"the response is longer than {LONGEST_ERROR_RESPONSE} bytes")
    text = error if isinstance(error, str) else error.decode("utf-8", "surrogateescape")
    text = text.lstrip("\ufeff").strip()
    fields = _xml_fields(error) or _json_fields(text)
    if "canonicalrequest" in fields or _CANONICAL_REQUEST in fields.get("message", ""):
        return fields
    return _log_fields(text)


def _unquote(text: str, is_whole: Callable[[str], "re.Match[str] | None"]) -> str:
    """Return what *is_whole* captures in *text*; if it does not match, *text* without its quotes."""
    text = normalize_line_ends(text).strip()
    match = is_whole(text)
    return str(match[1]) if match else text.removeprefix("'").removesuffix("'")


def _text_fields(document: Any) -> dict[str, str]:
    """Return those fields of a mapping that are strings and not too long, keyed by lowercase name."""
    if not hasattr(document, "items"):
        return {}
    return {
        str(name).lower(): value
        for name, value in document.items()
        if isinstance(value, str) and len(value) <= LONGEST_ERROR_RESPONSE
    }


def _json_fields(text: str) -> dict[str, str]:
    """Return the string fields of a JSON object; empty if *text* is not a JSON object."""
    try:
        return _text_fields(json.loads(text))
    except (RecursionError, ValueError):
        return {}


def _log_fields(text: str) -> dict[str, str]:
    """Return the fields of a response that is part of an error message, a log or any other string."""
    start, end = text.find("<Error"), text.find(">", text.rfind("</Error")) + 1
    if 0 <= start < end and (fields := _xml_fields(_unescape_text(text[start:end]))):
        return fields
    _, found, rest = text.partition(_CANONICAL_REQUEST)
    code = _code(text)
    return {"message": found + _unescape_text(rest), "code": code[1] if code else ""}


def _unescape_text(text: str) -> str:
    """Undo the escaping of JSON or ``repr``, which may have been applied several times."""
    for _ in range(_DEEPEST):
        if "\\n" not in text.partition("\n")[0]:
            break
        text = _escape.sub(_unescape, text)
    return text


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _CONTROLS.get(match[3], match[3])


def _xml_fields(error: bytes | str) -> dict[str, str]:
    """Return the text of each element, keyed by lowercase name; empty if *error* is not valid XML.

    Only the text of elements without children is meaningful.  If a name occurs several times, the
    text of the first element to end is returned.

    A response with a document type is treated as invalid: AWS never sends a document type, and the
    entities in a document type can expand a small response to a huge one.
    """
    # A str is already decoded, so the encoding in its XML declaration is ignored.
    data, encoding = (error, None) if isinstance(error, bytes) else (_encode(error), "utf-8")
    data = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not data.startswith(b"<"):
        return {}
    from xml.parsers import expat

    fields: dict[str, str] = {}
    pieces: list[str] = []

    def start(_name: str, _attributes: dict[str, str]) -> None:
        pieces.clear()

    def end(name: str) -> None:
        fields.setdefault(name.lower(), "".join(pieces))
        pieces.clear()

    def refuse(*_declaration: object) -> None:
        raise ValueError("DOCTYPE")

    parser = expat.ParserCreate(encoding)
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = pieces.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):  # an unknown encoding raises LookupError
        return {}
    return fields


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
