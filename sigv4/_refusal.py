"""
What AWS answers to a signature that does not match: the texts that it signs itself.

S3 gives them as elements of XML, other services in a message, in XML or JSON:

    The Canonical String for this request should have been
    '...'
    The String-to-Sign should have been
    '...'

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
"""

import json
from typing import Any

from attrs import field, frozen

from ._errors import UnexplainedError
from ._limits import LONGEST_ANSWER

# What stands before the two texts in a message.
_CANONICAL_REQUEST = "The Canonical String for this request should have been"
_STRING_TO_SIGN = "The String-to-Sign should have been"


@frozen
class Refusal:
    """
    What AWS says of a signature that it refuses.

    Attributes:
        code: The service's own name for it; None if there is none.
        canonical_request: What AWS would have signed.  It holds the values of headers.
        string_to_sign: Likewise; None if AWS does not say.
    """

    code: str | None
    canonical_request: str = field(repr=False)
    string_to_sign: str | None = field(repr=False)

    @classmethod
    def of(cls, body: bytes | str) -> "Refusal":
        """
        Return what the body of an answer says.

        Raises:
            UnexplainedError: It does not say what AWS would have signed.
        """
        fields = _fields(body)
        _, _, rest = fields.get("message", "").partition(_CANONICAL_REQUEST)
        canonical_request, _, string_to_sign = rest.partition(_STRING_TO_SIGN)
        canonical_request = fields.get("canonicalrequest") or canonical_request
        string_to_sign = fields.get("stringtosign") or string_to_sign
        if not canonical_request:
            raise UnexplainedError("the answer does not say what the service would have signed")
        code = fields.get("code") or fields.get("__type", "").rpartition("#")[2]
        return cls(
            "".join(filter(str.isalnum, code))[:64] or None,
            _unquoted(canonical_request),
            _unquoted(string_to_sign) or None,
        )


def _fields(body: bytes | str) -> dict[str, str]:
    """Return the texts of an answer, by their names in lower case."""
    if len(body) > LONGEST_ANSWER:
        raise UnexplainedError(f"the answer is longer than {LONGEST_ANSWER} bytes")
    try:
        data = body.encode() if isinstance(body, str) else body
        return _xml_fields(data) if data.lstrip()[:1] == b"<" else _json_fields(data)
    except (AttributeError, LookupError, RecursionError, ValueError):
        # No object; an encoding that is not known; too deep; and anything else.
        raise UnexplainedError("the answer is neither XML nor JSON as AWS writes it") from None


def _unquoted(text: str) -> str:
    """Return a text without the blanks and the quotes that are around it in a message."""
    return text.strip().removeprefix("'").removesuffix("'")


def _json_fields(data: bytes) -> dict[str, str]:
    """Return the texts of a JSON object, by their names in lower case."""
    document: Any = json.loads(data.decode("utf-8", "surrogateescape"))
    return {name.lower(): value for name, value in document.items() if isinstance(value, str)}


def _xml_fields(data: bytes) -> dict[str, str]:
    """
    Return the text of each element that holds no other, by its name in lower case.

    What declares a document type is refused: AWS never does, and entities are how a small answer
    grows large.
    """
    from xml.parsers import expat

    fields: dict[str, str] = {}
    pieces: list[str] = []

    def start(_name: str, _attributes: dict[str, str]) -> None:
        pieces.clear()

    def end(name: str) -> None:
        fields.setdefault(name.lower(), "".join(pieces))
        pieces.clear()

    def refuse(*_declaration: object) -> None:
        raise ValueError("a document type is declared")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = pieces.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data.strip(), True)
    except expat.ExpatError as error:
        raise ValueError from error
    return fields
