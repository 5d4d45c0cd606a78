"""Reads JSON from unknown senders, limits its size and depth, and checks the types of its fields.

If the JSON is invalid, every function that raises an error raises `UnreadableError`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeAlias

from .._limits import (
    NOTIFICATION_DEPTH,
    NOTIFICATION_SEPARATORS,
    NOTIFICATION_TEXT,
    NOTIFICATION_VALUES,
)
from ._values import IgnoredKind

Document: TypeAlias = dict[str, Any]

_LONGEST_TIME = 40


class UnreadableError(Exception):
    """A message must be ignored; `parse` converts this error to an `Ignored` value.

    Args:
        kind: The kind of the `Ignored` value.
        reason: The reason, which never quotes the message.
        fields: The message as a mapping; None if it is malformed.
    """

    def __init__(self, kind: IgnoredKind, reason: str, fields: Document | None = None) -> None:
        super().__init__(reason)
        self.kind: IgnoredKind = kind
        self.reason = reason
        self.fields = fields or {}


def malformed(reason: str) -> UnreadableError:
    """Return the error for a message that is not JSON, is too large or has a wrong type."""
    return UnreadableError("malformed", reason)


def load(text: str | bytes, size: int) -> Document:
    """Return the JSON object in *text*.

    If a name occurs twice in an object, the last value is used.

    Args:
        text: The JSON document; bytes are UTF-8.
        size: The greatest permitted length of *text*.
    """
    if len(text) > size:
        raise malformed(f"the message is longer than {size:,} bytes")
    try:
        text = text if isinstance(text, str) else text.decode()
        # The number of these characters bounds the number of values.  The limit is necessary
        # because a value needs up to 24 times as much memory as its text.
        if sum(map(text.count, ",[{")) > NOTIFICATION_SEPARATORS:
            raise malformed(f"the message has more than {NOTIFICATION_SEPARATORS:,} values")
        document = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise malformed("the message is not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableError("unknown", "the message is not a JSON object")
    return document  # pyright: ignore[reportUnknownVariableType]


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_reject_constant)


def check_extent(document: Document) -> None:
    """Check that a document has few enough values and levels to be stored, compared and pickled."""
    level: list[dict[Any, Any] | list[Any]] = [document]
    count = 0
    for _depth in range(NOTIFICATION_DEPTH):
        count += sum(map(len, level))
        if count > NOTIFICATION_VALUES:
            raise malformed(f"the message has more than {NOTIFICATION_VALUES:,} values")
        level = [child for value in level for child in _containers(value)]
        if not level:
            return
    raise malformed(f"the message is nested more than {NOTIFICATION_DEPTH} levels deep")


def _containers(value: dict[Any, Any] | list[Any]) -> list[dict[Any, Any] | list[Any]]:
    children = value.values() if isinstance(value, dict) else value
    return [child for child in children if isinstance(child, dict | list)]


def get_object(document: Document, name: str) -> Document:
    """Return the JSON object *name* in a document; an empty dict if it is missing or null."""
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed(f"{name} is not a JSON object")
    return value  # pyright: ignore[reportUnknownVariableType]


def get_text(document: Document, *path: str) -> str | None:
    """Return the string at *path* in a document; None if it is missing, null or empty."""
    *parents, name = path
    for parent in parents:
        document = get_object(document, parent)
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise malformed(f"{'.'.join(path)} is not a string")
    if len(value) > NOTIFICATION_TEXT:
        raise malformed(f"{'.'.join(path)} is longer than {NOTIFICATION_TEXT:,} characters")
    if encode(value) is None:
        raise malformed(f"{'.'.join(path)} is not Unicode text")
    return value


def encode(text: str) -> bytes | None:
    """Return *text* as UTF-8, or None if it contains half a surrogate pair."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def parse_time(value: object) -> datetime | None:
    """Return the time if *value* is an ISO 8601 string with a time zone, otherwise None."""
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    # `Invocation` accepts the years 1901 to 8999.  The conversion to UTC can change the year.
    is_usable = time.tzinfo is not None and 1901 < time.year < 8999
    return time.astimezone(UTC) if is_usable else None


def parse_size(value: object) -> int | None:
    """Return *value* if it can be the size of an object, otherwise None."""
    return value if type(value) is int and 0 <= value < 1 << 63 else None
