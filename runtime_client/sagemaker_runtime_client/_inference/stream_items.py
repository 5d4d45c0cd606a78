"""Converts the parts of a streamed response into items: bytes, lines, events or JSON documents."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from json import JSONDecodeError
from typing import Any, Generic, Protocol, TypeVar

from .._errors import ResponseTooLargeError, RuntimeClientError
from .model_errors import ResponseStreamError
from .response_stream import EventReader
from .text_stream import EventParser, JSONParser, LineDecoder, ServerSentEvent

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound=EventParser | JSONParser)

_MOST_READY = 1000  # decoded in advance; a part may contain millions of short lines


class Decoder(Protocol[T_co]):
    """Converts the parts of a response into items."""

    piece_size: int  # the maximum number of bytes that are added at a time

    @property
    def partial(self) -> bytes:
        """The data that belong to no complete item yet."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the data contained a marker for the end of the response."""
        ...

    def feed(self, part: bytes) -> Iterable[T_co]:
        """Add the next part, and yield the items that it completes."""
        ...

    def finish(self) -> Iterable[T_co]:
        """Yield the last item if only its end is missing."""
        ...


class BytesDecoder:
    """Returns each part unchanged."""

    partial, is_done = b"", False
    piece_size = sys.maxsize

    def feed(self, part: bytes) -> Iterable[bytes]:
        """Return the part."""
        return (part,)

    def finish(self) -> Iterable[bytes]:
        """Return nothing, because every part is complete."""
        return ()


class _ParsedLines(Generic[P]):
    """The base class of decoders that pass each line to a parser."""

    piece_size = LineDecoder.piece_size

    def __init__(self, parser: P) -> None:
        self._lines = LineDecoder(ends_at_return=True)
        self._parser: P = parser

    @property
    def partial(self) -> bytes:
        """The data of the incomplete event, and the incomplete line."""
        return self._parser.partial + self._lines.partial

    @property
    def is_done(self) -> bool:
        """Whether the event ``[DONE]`` was received."""
        return self._parser.is_done


class EventsDecoder(_ParsedLines[EventParser]):
    """Decodes server-sent events."""

    def __init__(self) -> None:
        super().__init__(EventParser())

    def feed(self, part: bytes) -> Iterator[ServerSentEvent]:
        """Add the next part, and yield the events that it completes."""
        return filter(None, map(self._parser.feed, self._lines.feed(part)))

    def finish(self) -> Iterator[ServerSentEvent]:
        """Yield the last event if only the end of its line, or the empty line, is missing."""
        yield from filter(None, map(self._parser.feed, self._lines.finish()))
        yield from filter(None, [self._parser.finish()])


class JSONDecoder(_ParsedLines[JSONParser]):
    """Decodes JSON documents, one in each line or in each server-sent event."""

    def __init__(self) -> None:
        super().__init__(JSONParser())

    def feed(self, part: bytes) -> Iterator[Any]:
        """Add the next part, and yield the documents that it completes.

        Raises:
            ResponseStreamError: A line or an event is not a JSON document.
        """
        return self._documents(self._lines.feed(part))

    def finish(self) -> Iterator[Any]:
        """Yield the last document if only the end of its line, or the empty line, is missing."""
        yield from self._documents(self._lines.finish())
        try:
            yield from self._parser.finish()
        except (ValueError, RecursionError) as error:
            raise _not_json(error) from None

    def _documents(self, lines: Iterable[str]) -> Iterator[Any]:
        for line in lines:
            try:
                yield from self._parser.feed(line)
            except (ValueError, RecursionError) as error:
                raise _not_json(error) from None


def _not_json(error: ValueError | RecursionError) -> ResponseStreamError:
    """Return the error for text that is not a JSON document; its message does not quote the text."""
    if isinstance(error, JSONDecodeError):
        reason = error.msg
    elif isinstance(error, RecursionError):
        reason = "it is nested too deeply"
    else:  # Python limits the digits of an integer
        reason = "an integer in it has too many digits"
    raised = ResponseStreamError(
        f"the response contains text that is not a JSON document: {reason}"
    )
    raised.partial = error.doc.encode() if isinstance(error, JSONDecodeError) else b""
    raised.possibly_accepted = True
    return raised


class ItemReader(Generic[T]):
    """Reads a response, and decodes it into items.

    If the response breaks off, the items before the break are returned, and then the error is
    raised.  Its attribute `partial` contains the data of the incomplete item.

    Args:
        events: Reads the parts of the response.
        decoder: Converts the parts into items.

    Attributes:
        ready: The items that were decoded but not yet returned.
    """

    def __init__(self, events: EventReader, decoder: Decoder[T]) -> None:
        self.ready: deque[T] = deque()
        self._events, self._decoder = events, decoder
        self._items: Iterator[T] = iter(())  # decodes the parts that were received
        self._failure: RuntimeClientError | None = None
        self._is_reading = self._is_at_end = False

    async def fill(self) -> bool:
        """Read until an item is ready, and return True; return False at the end of the response.

        Raises:
            ResponseStreamError: The response broke off, it cannot be decoded, or an earlier read
                was interrupted.
            ResponseTooLargeError: A line or an event is longer than 16 MiB.
            ServiceError: The model or the service failed.
        """
        if self._is_reading:
            raise _interrupted()
        self._is_reading = True
        while not (self.ready or self._is_at_end):
            await self._read()
        self._is_reading = False
        return bool(self.ready)

    async def _read(self) -> None:
        """Decode the next items, or raise an error after which nothing more can be read."""
        if self._decoder.is_done:
            self._failure = None  # the data after the end marker are ignored
            await self._events.drain()
            self._is_at_end = True
        elif self._failure is not None:
            await self._events.aclose()
            self._is_at_end, self._is_reading = True, False
            try:
                raise self._failure
            finally:  # the error, its traceback and this object would form a reference cycle
                self._failure = None
        elif not self._decode():
            await self._receive()

    async def _receive(self) -> None:
        """Receive the next parts, and decode the first items in them."""
        try:
            parts = await self._events.read()
        except RuntimeClientError as error:
            vars(error).setdefault("partial", self._decoder.partial)
            self._is_at_end, self._is_reading = True, False
            raise
        if parts:
            pieces = _divide(parts, self._decoder.piece_size)
            self._items = chain.from_iterable(map(self._decoder.feed, pieces))
            self._decode()
        else:
            self._items = iter(self._decoder.finish())
            self._is_at_end = not self._decode()

    def _decode(self) -> bool:
        """Decode more items, and return whether there are further items or a failure."""
        try:
            self.ready.extend(islice(self._items, _MOST_READY))
        except (ResponseTooLargeError, ResponseStreamError) as error:
            self._failure = error
        return bool(self.ready or self._failure)


def _divide(parts: list[bytes], size: int) -> Iterator[bytes]:
    for part in parts:
        for start in range(0, len(part), size):
            yield part[start : start + size]


def _interrupted() -> ResponseStreamError:
    return ResponseStreamError(
        "the stream cannot be read: an earlier read was interrupted, or is still in progress in "
        "another thread or task"
    )
