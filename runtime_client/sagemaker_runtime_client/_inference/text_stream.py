"""Decodes a response that arrives in parts into lines, server-sent events or JSON documents.

A part can end anywhere, even in the middle of a line, a line end or a UTF-8 character.  Between two
parts, a `LineDecoder` stores at most one incomplete line, whose length is limited.  Bytes that are
not valid UTF-8 become U+FFFD, as the specification of server-sent events requires.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html and https://jsonlines.org
"""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any, NamedTuple

from .._errors import ResponseTooLargeError
from .._limits import LINE_SIZE

_BYTE_ORDER_MARK = "\ufeff"
# This is the data of the last event in OpenAI's protocol, which many model servers implement.
_DONE = "[DONE]"


class LineDecoder:
    r"""Splits bytes into lines of text that end with ``\n`` or ``\r\n``, and removes the line ends.

    Args:
        limit: The maximum length of a line, in bytes.
        ends_at_return: Whether ``\r`` alone also ends a line, as in server-sent events.
    """

    is_done = False  # lines contain no marker for the end of the response
    # How many bytes to add at a time.  Each line becomes a separate object, so all lines of a large
    # part would occupy many times as much memory.
    piece_size = 64 * 1024

    def __init__(self, limit: int = LINE_SIZE, *, ends_at_return: bool = False) -> None:
        self._limit = limit
        self._ends_at_return = ends_at_return
        # The incomplete line.  A list of its pieces could occupy many times as much memory.
        self._rest = bytearray()
        # Whether a carriage return at the end of the last part has ended a line.
        self._follows_return = False

    def feed(self, part: bytes) -> Iterator[str]:
        """Add the next bytes of the response, and yield the lines that they complete.

        The iterator must be exhausted before the next bytes are added.

        Raises:
            ResponseTooLargeError: A line is longer than the limit.
        """
        if self._follows_return and part:
            part = part.removeprefix(b"\n")
            self._follows_return = False
        if self._ends_at_return and b"\r" in part:
            self._follows_return = part.endswith(b"\r")
            part = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = part.split(b"\n")
        if lines and self._rest:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += rest
        for line in lines:
            if len(line) > self._limit:
                raise self._too_long()
            yield self._text(line)
        if len(self._rest) > self._limit:
            raise self._too_long()

    def _too_long(self) -> ResponseTooLargeError:
        return ResponseTooLargeError(
            f"a line of the response is longer than {self._limit:,} bytes", limit=self._limit
        )

    def finish(self) -> list[str]:
        """Return a list with the last line if it has no line end, and otherwise an empty list."""
        rest = self.partial
        self._rest.clear()
        return [self._text(rest)] if rest else []

    @property
    def partial(self) -> bytes:
        """The incomplete line."""
        return bytes(self._rest)

    def _text(self, line: bytes) -> str:
        if not self._ends_at_return:
            line = line.removesuffix(b"\r")
        return line.decode("utf-8", "replace")


class ServerSentEvent(NamedTuple):
    r"""A server-sent event.

    Attributes:
        data: The ``data`` lines of the event, joined by ``\n``.
        event: The type of the event; ``message`` if the server does not specify one.
        id: The id of the event, or of the last event that had an id; empty if there was none.
        retry: The reconnection time in milliseconds; None if the event does not set one.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None

    def json(self) -> Any:
        """Return `data`, parsed as JSON."""
        return json.loads(self.data)


class EventParser:
    """Parses lines into server-sent events.

    Attributes:
        is_done: Whether the event ``[DONE]`` was received.  Neither this event nor any later event
            is returned.
    """

    def __init__(self) -> None:
        self.is_done = False
        self._is_first_line = True
        self._data = StringIO()  # the data, with a line break after each line
        self._event = ""
        self._id = ""
        self._retry: int | None = None

    def feed(self, line: str) -> ServerSentEvent | None:
        """Add a line, and return the event that it completes; None if it completes no event.

        Raises:
            ResponseTooLargeError: The data of an event is longer than `LINE_SIZE` characters.
        """
        if self.is_done:
            return None
        if self._is_first_line:
            line, self._is_first_line = line.removeprefix(_BYTE_ORDER_MARK), False
        if not line:
            return self._complete()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            # Each line break counts, so that the number of empty lines is limited, too.
            if self._data.tell() + len(value) + 1 > LINE_SIZE:
                raise ResponseTooLargeError(
                    f"an event of the response is longer than {LINE_SIZE:,} characters",
                    limit=LINE_SIZE,
                )
            self._data.write(value + "\n")
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) < 10:
            self._retry = int(value)
        return None

    def finish(self) -> ServerSentEvent | None:
        """Return the last event if only the empty line that ends it is missing; otherwise None.

        The specification requires such an event to be discarded.  It is returned nevertheless,
        because a model server that ends its stream without the empty line has sent the entire
        event.
        """
        return self._complete()

    @property
    def partial(self) -> bytes:
        """The data of the incomplete event, encoded in UTF-8."""
        return self._data.getvalue()[:-1].encode()

    def _complete(self) -> ServerSentEvent | None:
        data, event, retry = self._data.getvalue(), self._event, self._retry
        self._event, self._retry = "", None
        if not data:
            return None
        self._data = StringIO()
        text = data[:-1]
        if text == _DONE:
            self.is_done = True
            return None
        return ServerSentEvent(text, event or "message", self._id, retry)


class JSONParser:
    """Parses lines, in JSON Lines format or from server-sent events, into JSON documents.

    The first non-empty line determines the format of the response, because no JSON document begins
    with a colon, or with the name of an event field.
    """

    def __init__(self) -> None:
        self._events: EventParser | None = None
        self._is_known = False

    @property
    def is_done(self) -> bool:
        """Whether the event ``[DONE]`` was received."""
        return self._events is not None and self._events.is_done

    @property
    def partial(self) -> bytes:
        """The data of the incomplete event, encoded in UTF-8."""
        return b"" if self._events is None else self._events.partial

    def feed(self, line: str) -> Iterator[Any]:
        """Add a line, and yield the document that it completes, if any.

        Raises:
            json.JSONDecodeError: The line, or the data of the event, is not a JSON document.
            ResponseTooLargeError: The data of an event is longer than `LINE_SIZE` characters.
        """
        if not self._is_known and line.strip(_BYTE_ORDER_MARK + " \t"):
            self._is_known = True
            field = line.removeprefix(_BYTE_ORDER_MARK).partition(":")[0]
            if field in {"", "data", "event", "id", "retry"}:
                self._events = EventParser()
        if self._events is not None:
            if event := self._events.feed(line):
                yield event.json()
        elif line := line.strip(_BYTE_ORDER_MARK + " \t"):
            yield json.loads(line)

    def finish(self) -> Iterator[Any]:
        """Yield the last event's document if only the empty line that ends the event is missing."""
        if self._events is not None and (event := self._events.finish()):
            yield event.json()
