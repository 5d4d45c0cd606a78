"""The options for storing an object, and the headers that contain the options.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, cast

from sigv4 import percent_encode

from .._errors import ParamValidationError
from .._value import type_name
from .request import Headers
from .upload_headers import header_value

_ENCRYPTION = "x-amz-server-side-encryption"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
_MAX_TAGS = 10
_MAX_TAG_NAME, _MAX_TAG_VALUE = 128, 256
_MAX_CONTEXT = 8192  # the maximum size of all headers of a request
_NEED_KMS = ("sse_kms_key_id", "bucket_key_enabled", "encryption_context")


class ObjectOptions(TypedDict, total=False):
    """The optional arguments of `put_object`, which describes them, for storing an object."""

    server_side_encryption: str | None
    sse_kms_key_id: str | None
    bucket_key_enabled: bool | None
    encryption_context: Mapping[str, str] | None
    content_encoding: str | None
    cache_control: str | None
    content_disposition: str | None
    tagging: Mapping[str, str] | None
    storage_class: str | None


def to_headers(options: Mapping[str, object]) -> Headers:
    """Return the headers for the options in `ObjectOptions`; None counts as absent.

    Raises:
        ParamValidationError: An option is invalid; `argument` is its name.
    """
    given = {name: value for name, value in options.items() if value is not None}
    _check_encryption(given)
    rows = [(_HEADERS[name], name, value) for name, value in given.items()]
    return tuple([(header, write(name, value)) for (header, write), name, value in rows])


def _check_encryption(names: Mapping[str, object]) -> None:
    kind = names.get("server_side_encryption")
    if isinstance(kind, str) and kind.startswith("aws:kms"):
        return
    for name in _NEED_KMS:
        if name in names and not (name == "bucket_key_enabled" and kind is None):
            raise ParamValidationError(
                f'{name} requires server_side_encryption="aws:kms" or "aws:kms:dsse"',
                argument=name,
            )


def _text(argument: str, value: object) -> str:
    text = header_value(argument, value)
    if not text:
        raise ParamValidationError(f"{argument} must not be empty", argument=argument)
    return text


def _boolean(argument: str, value: object) -> str:
    if not isinstance(value, bool):
        raise ParamValidationError(
            f"{argument} must be True or False, not {type_name(value)}", argument=argument
        )
    return str(value).lower()


def _texts(argument: str, value: object) -> Mapping[str, str]:
    """Return *value* if it maps strings to strings; otherwise, raise an error without its texts."""
    entries = cast(Mapping[Any, Any], value)
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) for pair in entries.items() for text in pair
    ):
        raise ParamValidationError(
            f"{argument} must be a mapping of names to values, which are strings",
            argument=argument,
        )
    return entries


def _context(argument: str, value: object) -> str:
    """Return the encryption context as base64-encoded JSON, as AWS requires."""
    document = json.dumps(dict(_texts(argument, value)), separators=(",", ":"))
    text = b64encode(document.encode()).decode("ascii")
    if len(text) > _MAX_CONTEXT:
        raise ParamValidationError(
            f"{argument} is too long: as JSON in base64 it has {len(text):,} characters, and the "
            f"limit is {_MAX_CONTEXT:,}",
            argument=argument,
        )
    return text


def _tags(argument: str, value: object) -> str:
    """Return tags in the form of a URL query, as AWS requires."""
    tags = _texts(argument, value)
    is_valid = all(
        0 < len(name) <= _MAX_TAG_NAME and len(text) <= _MAX_TAG_VALUE
        for name, text in tags.items()
    )
    if len(tags) > _MAX_TAGS or not is_valid:
        raise ParamValidationError(
            f"{argument} must have at most {_MAX_TAGS} tags, with names of 1 to {_MAX_TAG_NAME} "
            f"and values of at most {_MAX_TAG_VALUE} characters",
            argument=argument,
        )
    try:
        return "&".join(
            f"{percent_encode(name)}={percent_encode(text)}" for name, text in tags.items()
        )
    except UnicodeEncodeError:
        raise ParamValidationError(
            f"{argument} must be text that UTF-8 can encode", argument=argument
        ) from None


_HEADERS: dict[str, tuple[str, Callable[[str, object], str]]] = {
    "server_side_encryption": (_ENCRYPTION, _text),
    "sse_kms_key_id": (f"{_ENCRYPTION}-aws-kms-key-id", _text),
    "bucket_key_enabled": (f"{_ENCRYPTION}-bucket-key-enabled", _boolean),
    "encryption_context": (f"{_ENCRYPTION}-context", _context),
    "content_encoding": ("content-encoding", _text),
    "cache_control": ("cache-control", _text),
    "content_disposition": ("content-disposition", _text),
    "tagging": ("x-amz-tagging", _tags),
    "storage_class": ("x-amz-storage-class", _text),
}
