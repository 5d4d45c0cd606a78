"""
A connection, which carries one exchange after the other: HTTP/1.1, as h11 writes and reads it.

h11 is driven here, not through httpcore, which takes 12 ms of a first call's to import, and its part of
each.  What httpcore does at the edges is done here too: informational answers are passed over, and an
answer is read even where its request could not be written.
"""

from collections.abc import AsyncIterator
from math import inf
from time import monotonic
from typing import Any, NoReturn

import h11
import httpx

from .._limits import HEADS_SIZE
from .concurrency import Colour, Pieces, Stream

# What is read at once, as httpcore has it.
_MOST_READ = 64 * 1024
# For so many seconds a server is waited for that may refuse a request by its head.
LONGEST_WAIT = 1.0
# What is written at once, each time with the whole time limit; the first piece goes out with the head.
_MOST_WRITTEN = 64 * 1024

# The exceptions of h11 bear the names of httpx's.
_EXCEPTIONS: dict[str, type[httpx.TransportError]] = {
    kind.__name__: kind
    for kind in (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.LocalProtocolError,
        httpx.NetworkError,
        httpx.PoolTimeout,
        httpx.ProtocolError,
        httpx.ProxyError,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        httpx.TimeoutException,
        httpx.UnsupportedProtocol,
        httpx.WriteError,
        httpx.WriteTimeout,
    )
}


class Connection:
    """
    A connection that is open.

    Args:
        colour: How threads or tasks read and write.
        stream: What they read from and write to.
    """

    def __init__(self, colour: Colour, stream: Stream) -> None:
        self.stream = stream
        self._colour = colour
        self._limits: tuple[float | None, float] = (
            None,
            inf,
        )  # of one read, and of the whole answer
        self._ends = inf  # of what is being read: a head with those before it, or a piece of a body
        self._left_of_heads = HEADS_SIZE
        self._answer: h11.Response | None = None  # that came before the whole request was written
        self.ignores_expect = False  # whether the server did not say whether to send a body
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADS_SIZE)

    async def is_dead(self) -> bool:
        """Tell whether its server has closed it, or written to it unasked (RFC 9112, section 9.2)."""
        return await self.stream.is_readable()

    async def send(self, request: httpx.Request, *, expects: bool = False) -> h11.Response:
        """
        Send *request*, and return the head of the answer.

        Args:
            request: What to send.
            expects: Whether to ask before its body is sent, which then must be at hand.
        """
        timeouts = request.extensions.get("timeout", {})
        self._limits = timeouts.get("read"), request.extensions.get("deadline", inf)
        self._answer, self._left_of_heads = None, HEADS_SIZE
        try:
            await self._write(request, timeouts.get("write"), expects=expects)
        except Exception as error:
            # A server may answer, and close, before it has read the whole of a request.
            if type(error).__name__ != "WriteError":
                raise
        return await self._head()

    async def piece(self) -> bytes:
        """Return the next piece of the answer's body; nothing at its end."""
        if self._protocol.their_state is not h11.SEND_BODY:
            return b""
        self._ends = inf
        event = await self._event()
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    def recycle(self) -> bool:
        """
        Get ready for another request, and tell whether there may be one.

        There may not where something of the exchange is still to come, nor where more came than the
        answer, which would be taken for the answer to the next request, nor where the end came.
        """
        protocol = self._protocol
        if not (protocol.our_state is protocol.their_state is h11.DONE):
            return False
        more, is_at_end = protocol.trailing_data
        if more or is_at_end:
            return False
        protocol.start_next_cycle()
        return True

    async def _write(self, request: httpx.Request, timeout: float | None, *, expects: bool) -> None:
        """Write *request*: the head of a body that is at hand together with its first piece."""
        send, url = self._protocol.send, request.url
        headers = request.headers.raw
        waiting = send(
            h11.Request(
                method=request.method,
                target=request.extensions.get("target") or url.raw_path,
                headers=[*headers, (b"expect", b"100-continue")] if expects else headers,
            )
        )
        if isinstance(request.stream, httpx.ByteStream):
            pieces: AsyncIterator[bytes] = Pieces(iter(request.stream))
        else:
            pieces = self._colour.pieces(request.stream)
        if expects or not isinstance(pieces, Pieces):
            await self._colour.write(self.stream, waiting, self._time_to_write(timeout))
            waiting = b""
        if expects and not await self._may_continue():
            return
        async for piece in pieces:
            data = send(h11.Data(piece))
            for start in range(0, len(data), _MOST_WRITTEN):
                part = data[start : start + _MOST_WRITTEN]
                if waiting:
                    await self._colour.write(
                        self.stream, waiting + part, self._time_to_write(timeout)
                    )
                    waiting = b""
                elif await self._is_answered_before(part, timeout):
                    return
        waiting += send(h11.EndOfMessage())
        await self._colour.write(self.stream, waiting, self._time_to_write(timeout))

    async def _may_continue(self) -> bool:
        """
        Wait for the server's leave to send the body; tell whether to send it, or there is an answer.

        A server that says nothing is not waited for any longer: it may not know of this.

        Source: RFC 9110, section 10.1.1; botocore 1.44, awsrequest.py, waits as long.
        """
        timeout, _ = self._limits
        ends = monotonic() + min(LONGEST_WAIT, inf if timeout is None else timeout)
        status = 0
        try:
            while status != 100:
                self._ends = ends
                event = await self._event()
                status = event.status_code
                if isinstance(event, h11.Response):
                    self._answer = event
                    return False
        except httpx.ReadTimeout:
            self.ignores_expect = True
        return True

    async def _is_answered_before(self, part: bytes, timeout: float | None) -> bool:
        """Write *part* of a body; tell whether the server has answered by now (RFC 9112, section 9.5)."""
        left = memoryview(part)
        while left:
            written = await self.stream.write_part(left, self._time_to_write(timeout))
            if not written and await self._is_answered():
                return True
            left = left[written:]
        return False

    async def _is_answered(self) -> bool:
        """Tell whether an answer has come; others than the final one are passed over."""
        while self._answer is None:
            event = self._protocol.next_event()
            if isinstance(event, h11.Response):
                self._answer = event
            elif event is h11.NEED_DATA:
                if not await self.stream.is_readable():
                    return False
                self._ends = inf  # what is there already has no time to wait for
                await self._receive()
        return True

    async def _head(self) -> h11.Response:
        """Return the answer's head; with those before it, it has the time of one read, and a size."""
        self._ends = inf
        while self._answer is None:
            event = await self._event()
            if isinstance(event, h11.Response):
                self._answer = event
        return self._answer

    async def _event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            await self._receive()
        return event

    async def _receive(self) -> None:
        """Wait for the next bytes."""
        is_in_head = self._protocol.their_state is h11.SEND_RESPONSE
        if is_in_head and self._left_of_heads < 0:
            raise httpx.RemoteProtocolError(f"the head is larger than {HEADS_SIZE:,} bytes")
        data = await self._colour.read(self.stream, _MOST_READ, self._time_to_read())
        if is_in_head and not data:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        self._left_of_heads -= len(data)
        self._protocol.receive_data(data)

    def _time_to_read(self) -> float | None:
        """Return for how long the next bytes are waited for; those of one event share the time."""
        timeout, deadline = self._limits
        if self._ends == inf and timeout is not None:
            self._ends = monotonic() + timeout
            if deadline == inf:
                return (
                    timeout  # always the same one, for to set it takes time: see `threads_network`
                )
        return _left(min(self._ends, deadline), httpx.ReadTimeout)

    def _time_to_write(self, timeout: float | None) -> float | None:
        """Return for how long the next bytes may take to go out."""
        left = _left(self._limits[1], httpx.WriteTimeout)
        return timeout if left is None else left if timeout is None else min(timeout, left)


def _left(ends: float, kind: type[httpx.TimeoutException]) -> float | None:
    """Return the seconds until *ends*; None for no limit."""
    if ends == inf:
        return None
    left = ends - monotonic()
    if left <= 0:
        raise kind("the call's time, or that of an answer's head, is over")
    return left


def raise_as_httpx(error: BaseException, request: httpx.Request) -> NoReturn:
    """Raise *error*, which came of *request*, in httpx's terms if it is of the network or of HTTP."""
    try:
        if isinstance(error, httpx.TransportError):
            error.request = request
            raise error
        for kind in type(error).__mro__:
            library, name = kind.__module__.partition(".")[0], kind.__name__
            if library == "h11" and name in _EXCEPTIONS:
                raise _EXCEPTIONS[name](str(error), request=request) from error
        raise error
    finally:
        del error  # a frame that holds the error whose traceback holds the frame is a cycle
