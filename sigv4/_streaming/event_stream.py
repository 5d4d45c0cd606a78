"""
Event-stream messages, ``application/vnd.amazon.eventstream``: framing, encode and decode.

    message = total-length headers-length prelude-crc headers payload message-crc

Lengths and CRCs are four bytes each, big-endian; the total length counts all of the message.

Source: https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from struct import Struct
from zlib import crc32

from attrs import field, frozen

from .._errors import EventStreamError
from .._limits import MOST_EVENT_HEADERS, MOST_EVENT_PAYLOAD
from .event_headers import HeaderValue, decode_headers, encode_headers
from .feeding import Bytes, Inbox, Waiting

_prelude = Struct(">II")
_crc = Struct(">I")


@frozen
class Message:
    """
    One message.

    Attributes:
        headers: Values by name.  Numbers that were decoded are `Int8` to `Int64`, which equal
            plain ones; instants are aware, to the millisecond.
        payload: The rest.
    """

    headers: Mapping[str, HeaderValue] = field(factory=dict[str, HeaderValue])
    payload: bytes = b""

    def encode(self) -> bytes:
        """
        Return the message as it is sent.

        Raises:
            EventStreamError: A header cannot be sent, or the message is too large.
        """
        headers = encode_headers(self.headers)
        if len(headers) > MOST_EVENT_HEADERS or len(self.payload) > MOST_EVENT_PAYLOAD:
            raise EventStreamError("a message has 128 KiB of headers and 24 MiB of payload at most")
        prelude = _prelude.pack(16 + len(headers) + len(self.payload), len(headers))
        text = b"".join([prelude, _crc.pack(crc32(prelude)), headers, self.payload])
        return text + _crc.pack(crc32(text))


class EventDecoder:
    """
    Decodes a stream of messages: feed it what arrives, in pieces of any size, and then finish.

    Never holds more than a message; one over AWS's limits is refused by its first bytes.
    """

    __slots__ = ("_broken", "_inbox", "_outbox", "_parser", "_within")

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._outbox: list[Message] = []
        self._broken: EventStreamError | None = None
        self._within = False
        self._parser = self._messages()

    def feed(self, data: Bytes) -> list[Message]:
        """
        Take the next bytes that arrived, and return the messages that are whole by now.

        Raises:
            EventStreamError: They are not a message; nothing behind them can be decoded.  What came
                before is returned first, and the error raised by the next call.
        """
        if self._broken:
            raise self._broken.with_traceback(None)  # it would grow with each time
        self._inbox.put(data)
        try:
            next(self._parser)
        except EventStreamError as broken:
            self._broken = broken
            if not self._outbox:
                raise
        ready, self._outbox = self._outbox, []
        return ready

    def finish(self) -> None:
        """
        Check that the stream ends where a message does.

        Raises:
            EventStreamError: It ends within one.
        """
        self.feed(b"")
        if self._inbox or self._within:
            raise EventStreamError("the stream ends within a message")

    def decode(self, source: Iterable[bytes]) -> Iterator[Message]:
        """Yield the messages of *source*, as they come."""
        for data in source:
            yield from self.feed(data)
        self.finish()

    async def adecode(self, source: AsyncIterable[bytes]) -> AsyncIterator[Message]:
        """Do what `decode` does with a source that must be awaited."""
        async for data in source:
            for message in self.feed(data):
                yield message
        self.finish()

    def _messages(self) -> Waiting:
        """Parse one message after the other."""
        while True:
            start = yield from self._inbox.exactly(12)
            self._within = True
            total, headers = _prelude.unpack_from(start)
            if crc32(start[:8]) != _crc.unpack_from(start, 8)[0]:
                raise EventStreamError("the checksum of a prelude is wrong")
            payload = total - headers - 16
            if headers > MOST_EVENT_HEADERS or not 0 <= payload <= MOST_EVENT_PAYLOAD:
                raise EventStreamError("the lengths of a message are beyond the limits")
            rest = yield from self._inbox.exactly(total - 12)
            if crc32(rest[:-4], crc32(start)) != _crc.unpack(rest[-4:])[0]:
                raise EventStreamError("the checksum of a message is wrong")
            self._outbox.append(Message(decode_headers(rest[:headers]), rest[headers:-4]))
            self._within = False
