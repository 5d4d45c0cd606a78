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
from .feeding import ByteBuffer, Bytes, Parser

_prelude = Struct(">II")
_crc = Struct(">I")


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
        prelude = _prelude.pack(16 + len(headers) + len(self.payload), len(headers))
        text = b"".join([prelude, _crc.pack(crc32(prelude)), headers, self.payload])
        return text + _crc.pack(crc32(text))


class EventDecoder:
    """Decodes a stream of messages.

    Call `feed` with the bytes as they arrive, in pieces of any size, and then `finish`.  At most
    one incomplete message is held in memory.  A message over AWS's limits is rejected as soon as
    its first twelve bytes have arrived.
    """

    __slots__ = ("_error", "_buffer", "_ready", "_parser", "_in_message")

    def __init__(self) -> None:
        self._buffer = ByteBuffer()
        self._ready: list[Message] = []
        self._error: EventStreamError | None = None
        self._in_message = False
        self._parser = self._parse()

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
        self._buffer.put(data)
        try:
            next(self._parser)
        except EventStreamError as error:
            self._error = error
            if not self._ready:
                raise
        ready, self._ready = self._ready, []
        return ready

    def finish(self) -> None:
        """Check that the stream does not end in the middle of a message.

        Raises:
            EventStreamError: The last message is incomplete, or the stream is malformed.
        """
        self.feed(b"")
        if self._buffer or self._in_message:
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

    def _parse(self) -> Parser:
        """Parse messages, until an error is raised because the stream is malformed."""
        while True:
            start = yield from self._buffer.exactly(12)
            self._in_message = True
            total, headers = _prelude.unpack_from(start)
            if crc32(start[:8]) != _crc.unpack_from(start, 8)[0]:
                raise EventStreamError("an event message has an incorrect prelude CRC")
            payload = total - headers - 16
            if headers > MOST_EVENT_HEADERS or not 0 <= payload <= MOST_EVENT_PAYLOAD:
                raise EventStreamError(
                    "the lengths in an event message are inconsistent or over the limits: "
                    "128 KiB of headers and 24 MiB of payload"
                )
            rest = yield from self._buffer.exactly(total - 12)
            if crc32(rest[:-4], crc32(start)) != _crc.unpack(rest[-4:])[0]:
                raise EventStreamError("an event message has an incorrect message CRC")
            self._ready.append(Message(decode_headers(rest[:headers]), rest[headers:-4]))
            self._in_message = False
