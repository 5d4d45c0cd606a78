"""Encodes and decodes event-stream messages (``application/vnd.amazon.eventstream``).

    message = total-length headers-length prelude-crc headers payload message-crc

Lengths and CRCs are big-endian numbers of four bytes.  The total length is the length of the whole
message.

Source: https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from struct import Struct
from zlib import crc32

from attrs import field, frozen

from .._errors import EventStreamError
from .._limits import MOST_EVENT_HEADERS, MOST_EVENT_PAYLOAD
from .event_headers import HeaderValue, decode_headers, encode_headers
from .feeding import Bytes

_lengths = Struct(">II")
_crc = Struct(">I")
_prelude = Struct(">III")  # the lengths and their CRC
_PRELUDE_SIZE = _prelude.size


@frozen
class Message:
    """An event-stream message.

    Attributes:
        headers: The header values, keyed by name.  Decoded integers are `Int8`, `Int16`, `Int32` or
            `Int64`, and compare equal to plain integers.  Decoded timestamps are datetimes in UTC
            with millisecond precision.
        payload: The content of the message.
    """

    headers: Mapping[str, HeaderValue] = field(factory=dict[str, HeaderValue])
    payload: bytes = b""

    def encode(self) -> bytes:
        """Encode the message.

        Raises:
            EventStreamError: A header cannot be encoded, or the message is too large.
        """
        headers = encode_headers(self.headers)
        if len(headers) > MOST_EVENT_HEADERS or len(self.payload) > MOST_EVENT_PAYLOAD:
            raise EventStreamError(
                "an event message may have at most 128 KiB of headers and 24 MiB of payload"
            )
        prelude = _lengths.pack(16 + len(headers) + len(self.payload), len(headers))
        text = b"".join([prelude, _crc.pack(crc32(prelude)), headers, self.payload])
        return text + _crc.pack(crc32(text))


class EventDecoder:
    """Decodes a stream of messages.

    Call `feed` with the bytes as they arrive, in pieces of any size, and then `finish`.  At most
    one incomplete message is held in memory.  A message over AWS's limits is rejected as soon as
    its first twelve bytes have arrived.
    """

    __slots__ = ("_buffer", "_error", "_headers", "_needed", "_raw_headers")

    def __init__(self) -> None:
        self._buffer = bytearray()  # the beginning of an incomplete message
        self._needed = _PRELUDE_SIZE  # how many bytes it must have before it can be parsed further
        self._error: EventStreamError | None = None
        # The headers of the last message, because those of the next one are usually the same.
        self._raw_headers = b""
        self._headers: dict[str, HeaderValue] = {}

    def feed(self, data: Bytes) -> list[Message]:
        """Add the next bytes of the stream, and return the messages that are complete.

        Raises:
            EventStreamError: The stream is malformed, so the rest cannot be decoded.  If complete
                messages precede the malformed data, this call returns them, and the next call
                raises the error.
        """
        if self._error:
            # The traceback is removed, because each call would otherwise lengthen it.
            raise self._error.with_traceback(None)
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return []
            data, self._buffer = self._buffer, bytearray()
        messages: list[Message] = []
        try:
            if rest := self._parse(bytes(data), messages):
                self._buffer += rest
        except EventStreamError as error:
            self._error = error
            if not messages:
                raise
        return messages

    def finish(self) -> None:
        """Check that the stream does not end in the middle of a message.

        Raises:
            EventStreamError: The last message is incomplete, or the stream is malformed.
        """
        self.feed(b"")
        if self._buffer:
            raise EventStreamError("the event stream ends in the middle of a message")

    def decode(self, source: Iterable[bytes]) -> Iterator[Message]:
        """Yield the messages of *source*, an iterable of bytes, as they are decoded.

        Raises:
            EventStreamError: The stream is malformed or incomplete.
        """
        for data in source:
            yield from self.feed(data)
        self.finish()

    async def adecode(self, source: AsyncIterable[bytes]) -> AsyncIterator[Message]:
        """Like `decode`, for an asynchronous iterable."""
        async for data in source:
            for message in self.feed(data):
                yield message
        self.finish()

    def _parse(self, data: bytes, messages: list[Message]) -> bytes:
        """Append the messages in *data* to *messages*, and return the beginning of the next one."""
        view, start, size = memoryview(data), 0, len(data)
        self._needed = _PRELUDE_SIZE
        while size - start >= _PRELUDE_SIZE:
            total, length, crc = _prelude.unpack_from(data, start)
            headers = start + _PRELUDE_SIZE
            payload, end = headers + length, start + total
            prelude_crc = crc32(view[start : start + 8])
            if prelude_crc != crc:
                raise EventStreamError("an event message has an incorrect prelude CRC")
            if length > MOST_EVENT_HEADERS or not 0 <= end - 4 - payload <= MOST_EVENT_PAYLOAD:
                raise EventStreamError(
                    "the lengths in an event message are inconsistent or over the limits: "
                    "128 KiB of headers and 24 MiB of payload"
                )
            if end > size:
                self._needed = total
                break
            if crc32(view[start + 8 : end - 4], prelude_crc) != _crc.unpack_from(data, end - 4)[0]:
                raise EventStreamError("an event message has an incorrect message CRC")
            decoded = self._decode_headers(data[headers:payload])
            messages.append(Message(decoded, data[payload : end - 4]))
            start = end
        return data[start:]

    def _decode_headers(self, raw: bytes) -> dict[str, HeaderValue]:
        if raw != self._raw_headers:
            self._headers, self._raw_headers = decode_headers(raw), raw
        return self._headers.copy()
