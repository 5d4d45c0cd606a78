"""
The headers of event-stream messages: a name, one of ten types, a value.

    header = name-length name type value        (numbers are big-endian)

Source: https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from struct import Struct, error
from typing import Any
from uuid import UUID

from .._errors import EventStreamError


class Int8(int):
    """A number that is sent in one byte."""


class Int16(int):
    """A number that is sent in two bytes."""


class Int32(int):
    """A number that is sent in four bytes, as a plain ``int`` is where it fits."""


class Int64(int):
    """A number that is sent in eight bytes, as a plain ``int`` is where it must."""


HeaderValue = bool | int | bytes | str | datetime | UUID

_LONGEST_VALUE = 32_767  # of bytes and strings: the page above
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_TRUE, _FALSE, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 6, 7, 8, 9
_length = Struct(">H")
_CONSTANTS = {_TRUE: True, _FALSE: False}
_NUMBERS: dict[type[int], tuple[int, Struct]] = {
    Int8: (2, Struct(">b")),
    Int16: (3, Struct(">h")),
    Int32: (4, Struct(">i")),
    Int64: (5, Struct(">q")),
}
_milliseconds = _NUMBERS[Int64][1]


def _timestamp(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


# By the type's number: the form of a value of fixed size, and what makes the value of it.
_FIXED: dict[int, tuple[Struct, Callable[[Any], HeaderValue]]] = {
    **{number: (form, kind) for kind, (number, form) in _NUMBERS.items()},
    _TIMESTAMP: (_milliseconds, _timestamp),
    _UUID: (Struct("16s"), lambda text: UUID(bytes=text)),
}
_VARIABLE: dict[int, Callable[[bytes], HeaderValue]] = {_BYTES: bytes, _STRING: bytes.decode}


def encode_headers(headers: Mapping[str, HeaderValue]) -> bytes:
    """
    Return *headers* as they are sent, in their order.

    Raises:
        EventStreamError: A name or a value is too long, or of no type that can be sent.
    """
    return b"".join([_encoded_name(name) + _encoded(name, headers[name]) for name in headers])


def _encoded_name(name: str) -> bytes:
    text = name.encode()
    if not 1 <= len(text) <= 255:
        raise EventStreamError("the name of a header has 1 to 255 bytes")
    return bytes([len(text)]) + text


def _encoded(name: str, value: HeaderValue) -> bytes:
    """Return the type and the value of the header *name*."""
    if isinstance(value, bool):
        return bytes([_TRUE if value else _FALSE])
    if isinstance(value, int):
        return _number(name, value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise EventStreamError(f"header {name}: an instant must carry a time zone")
        return bytes([_TIMESTAMP]) + _milliseconds.pack((value - _EPOCH) // _MILLISECOND)
    if isinstance(value, UUID):
        return bytes([_UUID]) + value.bytes
    kind, text = (_STRING, value.encode()) if isinstance(value, str) else (_BYTES, value)
    if len(text) > _LONGEST_VALUE:
        raise EventStreamError(f"header {name}: a value has {_LONGEST_VALUE} bytes at most")
    return bytes([kind]) + _length.pack(len(text)) + text


def _number(name: str, value: int) -> bytes:
    """Return the type and the value of a number."""
    smallest = Int32 if -(2**31) <= value < 2**31 else Int64
    number, form = _NUMBERS.get(type(value), _NUMBERS[smallest])
    try:
        return bytes([number]) + form.pack(value)
    except error:
        raise EventStreamError(f"header {name}: the number is too large for its type") from None


def decode_headers(data: bytes) -> dict[str, HeaderValue]:
    """
    Return the headers that *data* is made of.

    Raises:
        EventStreamError: It is made of something else, or a name comes twice.
    """
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            start, at = at + 1, at + 1 + data[at]
            name = data[start:at].decode()
            if not name or name in headers:
                raise EventStreamError("a header has no name, or one that came before")
            headers[name], at = _decoded(data, at)
    except (IndexError, KeyError, OverflowError, UnicodeDecodeError, error):
        raise EventStreamError("a header is cut off or malformed") from None
    return headers


def _decoded(data: bytes, at: int) -> tuple[HeaderValue, int]:
    """Return the value whose type is at *at*, and where the next header begins."""
    kind, start = data[at], at + 1
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], start
    if kind in _FIXED:
        form, make = _FIXED[kind]
        return make(form.unpack_from(data, start)[0]), start + form.size
    start, end = start + 2, start + 2 + _length.unpack_from(data, start)[0]
    if end > len(data) or end - start > _LONGEST_VALUE:
        raise EventStreamError("the value of a header is cut off or too long")
    return _VARIABLE[kind](data[start:end]), end
