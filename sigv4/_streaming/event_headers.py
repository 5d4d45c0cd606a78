"""The headers of event-stream messages.  Each header has a name, one of ten types, and a value.

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
    """An integer that is sent in one byte."""


class Int16(int):
    """An integer that is sent in two bytes."""


class Int32(int):
    """An integer that is sent in four bytes.

    A plain ``int`` is also sent in this way if it fits in four bytes.
    """


class Int64(int):
    """An integer that is sent in eight bytes.

    A plain ``int`` that does not fit in four bytes is also sent in this way.
    """


HeaderValue = bool | int | bytes | str | datetime | UUID

_LONGEST_VALUE = 32_767  # in bytes, for byte strings and strings (see the source above)
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


# Maps the number of each type whose values have a fixed size, except booleans, to its binary format
# and to a function that converts the unpacked value.
_FIXED: dict[int, tuple[Struct, Callable[[Any], HeaderValue]]] = {
    **{number: (form, kind) for kind, (number, form) in _NUMBERS.items()},
    _TIMESTAMP: (_milliseconds, _timestamp),
    _UUID: (Struct("16s"), lambda text: UUID(bytes=text)),
}
_VARIABLE: dict[int, Callable[[bytes], HeaderValue]] = {_BYTES: bytes, _STRING: bytes.decode}


def encode_headers(headers: Mapping[str, HeaderValue]) -> bytes:
    """Encode *headers* in the order of the mapping.

    Raises:
        EventStreamError: A name is empty, a name or a value is too long, a number is out of range,
            or a datetime has no time zone.
    """
    return b"".join([_encode_name(name) + _encode_value(name, headers[name]) for name in headers])


def _encode_name(name: str) -> bytes:
    text = name.encode()
    if not 1 <= len(text) <= 255:
        raise EventStreamError(
            f"the name of an event header must have 1 to 255 bytes of UTF-8, not {len(text)}"
        )
    return bytes([len(text)]) + text


def _encode_value(name: str, value: HeaderValue) -> bytes:
    """Return the encoded type and value of the header *name*."""
    if isinstance(value, bool):
        return bytes([_TRUE if value else _FALSE])
    if isinstance(value, int):
        return _encode_number(name, value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise EventStreamError(f"event header {name}: a datetime must have a time zone")
        return bytes([_TIMESTAMP]) + _milliseconds.pack((value - _EPOCH) // _MILLISECOND)
    if isinstance(value, UUID):
        return bytes([_UUID]) + value.bytes
    kind, text = (_STRING, value.encode()) if isinstance(value, str) else (_BYTES, value)
    if len(text) > _LONGEST_VALUE:
        raise EventStreamError(
            f"event header {name}: the value has {len(text)} bytes; at most {_LONGEST_VALUE} are allowed"
        )
    return bytes([kind]) + _length.pack(len(text)) + text


def _encode_number(name: str, value: int) -> bytes:
    """Return the encoded type and value of an integer."""
    smallest = Int32 if -(2**31) <= value < 2**31 else Int64
    kind = type(value) if type(value) in _NUMBERS else smallest
    number, form = _NUMBERS[kind]
    try:
        return bytes([number]) + form.pack(value)
    except error:
        raise EventStreamError(
            f"event header {name}: the number does not fit into {kind.__name__}"
        ) from None


def decode_headers(data: bytes) -> dict[str, HeaderValue]:
    """Decode the headers of a message.

    Raises:
        EventStreamError: *data* is malformed, or a name is empty or repeated.
    """
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            start, at = at + 1, at + 1 + data[at]
            name = data[start:at].decode()
            if not name or name in headers:
                raise EventStreamError("the name of an event header is empty or repeated")
            headers[name], at = _decode_value(data, at)
    except (IndexError, KeyError, OverflowError, UnicodeDecodeError, error):
        raise EventStreamError("the headers of an event are truncated or malformed") from None
    return headers


def _decode_value(data: bytes, at: int) -> tuple[HeaderValue, int]:
    """Return the value whose type is at offset *at* in *data*, and the offset of the next header."""
    kind, start = data[at], at + 1
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], start
    if kind in _FIXED:
        form, make = _FIXED[kind]
        return make(form.unpack_from(data, start)[0]), start + form.size
    start, end = start + 2, start + 2 + _length.unpack_from(data, start)[0]
    if end > len(data) or end - start > _LONGEST_VALUE:
        raise EventStreamError(
            f"the value of an event header is truncated or longer than {_LONGEST_VALUE} bytes"
        )
    return _VARIABLE[kind](data[start:end]), end
