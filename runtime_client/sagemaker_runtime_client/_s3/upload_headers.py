"""The headers of an upload, and the checks of the arguments that they contain.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from collections.abc import Mapping
from string import ascii_letters, digits

from .._errors import ParamValidationError
from .._value import type_name
from .objects import METADATA_PREFIX

# A metadata name is part of a header name (RFC 9110, section 5.6.2).
_NAME_CHARACTERS = ascii_letters + digits + "!#$%&'*+-.^_`|~"


def type_header(content_type: str | None) -> list[tuple[str, str]]:
    if content_type is None:
        return []
    return [("content-type", _header_value("content_type", content_type))]


def metadata_headers(metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    if not hasattr(metadata, "items"):
        raise ParamValidationError(
            f"metadata must be a mapping of names to values, not {type_name(metadata)}",
            argument="metadata",
        )
    return [
        (METADATA_PREFIX + _metadata_name(name), _header_value("metadata", value))
        for name, value in metadata.items()
    ]


def _metadata_name(name: object) -> str:
    text = _header_value("metadata", name)
    if not text or text.strip(_NAME_CHARACTERS):
        raise ParamValidationError(
            f"metadata names must be HTTP header names, such as my-name, not {text!r}",
            argument="metadata",
        )
    return text


def _header_value(argument: str, value: object) -> str:
    """Return *value*, or raise ParamValidationError if a header cannot contain it unchanged."""
    text = value.strip(" ") if isinstance(value, str) else ""
    if text != value or not text.isascii() or not text.isprintable():
        raise ParamValidationError(
            f"{argument} must be printable ASCII text without leading or trailing spaces",
            argument=argument,
        )
    return text
