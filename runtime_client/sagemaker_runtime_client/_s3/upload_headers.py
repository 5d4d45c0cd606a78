"""The headers of an upload, and the checks of the arguments that they contain.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

from collections.abc import Mapping
from string import ascii_letters, digits

from .._errors import ParamValidationError
from .._value import type_name
from .objects import METADATA_PREFIX

# No message may contain the values of these headers.
SENSITIVE_HEADERS = frozenset({"x-amz-server-side-encryption-context", "x-amz-tagging"})
# A metadata name is part of a header name (RFC 9110, section 5.6.2).
_NAME_CHARACTERS = ascii_letters + digits + "!#$%&'*+-.^_`|~"


def upload_headers(
    content_type: str | None,
    metadata: Mapping[str, str],
    if_none_match: str | None,
    if_match: str | None,
) -> tuple[tuple[str, str], ...]:
    """Return the headers for the arguments of `put_object`; None counts as absent.

    Raises:
        ParamValidationError: An argument is invalid.
    """
    return (
        *_type_header(content_type),
        *_metadata_headers(metadata),
        *_condition_headers(if_none_match, if_match),
    )


def _type_header(content_type: str | None) -> list[tuple[str, str]]:
    if content_type is None:
        return []
    return [("content-type", header_value("content_type", content_type))]


def _condition_headers(if_none_match: str | None, if_match: str | None) -> list[tuple[str, str]]:
    """Return the header of a conditional upload; no header if both arguments are None.

    Raises:
        ParamValidationError: An argument is invalid, or both are passed.
    """
    if if_none_match is not None and if_match is not None:
        raise ParamValidationError(
            "if_match cannot be combined with if_none_match: pass one or the other",
            argument="if_match",
        )
    if if_match is not None:
        if not header_value("if_match", if_match):
            raise ParamValidationError(
                "if_match must be the entity tag of an object, not empty", argument="if_match"
            )
        return [("if-match", if_match)]
    if if_none_match not in {None, "*"}:
        raise ParamValidationError(
            'if_none_match must be "*", the only value that S3 supports for uploads',
            argument="if_none_match",
        )
    return [] if if_none_match is None else [("if-none-match", if_none_match)]


def _metadata_headers(metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    if not hasattr(metadata, "items"):
        raise ParamValidationError(
            f"metadata must be a mapping of names to values, not {type_name(metadata)}",
            argument="metadata",
        )
    return [
        (METADATA_PREFIX + _metadata_name(name), header_value("metadata", value))
        for name, value in metadata.items()
    ]


def _metadata_name(name: object) -> str:
    text = header_value("metadata", name)
    if not text or text.strip(_NAME_CHARACTERS):
        raise ParamValidationError(
            f"metadata names must be HTTP header names, such as my-name, not {text!r}",
            argument="metadata",
        )
    return text


def header_value(argument: str, value: object) -> str:
    """Return *value*, or raise ParamValidationError if a header cannot contain it unchanged."""
    text = value.strip(" ") if isinstance(value, str) else ""
    if text != value or not text.isascii() or not text.isprintable():
        raise ParamValidationError(
            f"{argument} must be printable ASCII text without leading or trailing spaces",
            argument=argument,
        )
    return text
