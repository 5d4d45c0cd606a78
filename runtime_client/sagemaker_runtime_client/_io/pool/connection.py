"""
A connection, which carries one exchange after the other: HTTP/1.1, as h11 writes and reads it.

h11 is driven here, not through httpcore, which takes 12 ms of a first call's to import, and its part of
each.  What httpcore does at the edges is done here too: informational answers are passed over, and an
answer is read even where its request could not be written.
"""

from contextlib import suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

import h11
import httpx

from ..._limits import HEADS_SIZE

if TYPE_CHECKING:
    from ..concurrency import Stream

# What is read at once, as httpcore has it.
_MAX_READ_SIZE = 64 * 1024
# For so many seconds a server is waited for that may refuse a request by its head.
CONTINUE_TIMEOUT = 1.0
# What is written at once, each time with the whole time limit; the first piece goes out with the head.
_MAX_WRITE_SIZE = 64 * 1024


class Connection:
    """
    A connection that is open.

    Args:
        stream: What is read from and written to.
    """

    def __init__(self, stream: "Stream") -> None:
        self.stream = stream
        # Of one read, and of the whole response.
        self._limits: tuple[float | None, float] = (None, inf)
        self._ends = inf  # of what is being read: a head with those before it, or a piece of a body
        self._left_of_heads = HEADS_SIZE
        self._response: h11.Response | None = (
            None  # it may come before the whole request is written
        )
        self.ignores_expect = False  # whether the server did not say whether to send a body
        self._protocol = _new_protocol()
        self._received = 0  # of the response's body
        self._rest = b""  # of a piece of it, for `read_into`
        self._bypasses = False  # whether the rest of the body goes past h11

    async def send(self, request: httpx.Request, *, expects: bool = False) -> h11.Response:
        """
        Send *request*, and return the head of the response.

        Args:
            request: What to send.
            expects: Whether to ask before its body is sent, which then must be at hand.
        """
        extensions = request.extensions
        timeouts = extensions.get("timeout", {})
        self._limits = timeouts.get("read"), extensions.get("deadline", inf)
        self._response, self._left_of_heads = None, HEADS_SIZE
        self._received, self._rest = 0, b""
        with suppress(
            httpx.WriteError
        ):  # a server may respond, and close, before it has read the whole of a request
            await self._write(request, timeouts.get("write"), expects=expects)
        return await self._head()

    async def read(self) -> bytes:
        """Return the next piece of the response's body; nothing at its end."""
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        self._ends = inf
        if self._bypasses:
            max_bytes = min(_MAX_READ_SIZE, self._left_of_body())
            piece = await self.stream.read(max_bytes, self._time_to_read()) if max_bytes else b""
            self._note_received(len(piece), max_bytes)
            return piece
        if self._protocol.their_state is not h11.SEND_BODY:
            return b""
        event = await self._event()
        if not isinstance(event, h11.Data):
            return b""
        self._received += len(event.data)
        return bytes(event.data)

    async def read_into(self, buffer: memoryview) -> int:
        """
        Fill *buffer* from its start with the next bytes of the body; return their number, 0 at the end.

        Where the head states the body's length, all but the first piece goes past h11, which would copy it.
        """
        left = self._left_of_body() if self._received else 0
        if not (self._rest or left):
            self._rest = await self.read()
        if self._rest or not left:
            piece = self._rest[: len(buffer)]
            buffer[: len(piece)], self._rest = piece, self._rest[len(piece) :]
            return len(piece)
        self._ends, self._bypasses = inf, True
        max_bytes = min(len(buffer), left)
        size = await self.stream.read_into(buffer[:max_bytes], self._time_to_read())
        self._note_received(size, max_bytes)
        return size

    def _left_of_body(self) -> int:
        """Return how much of the body is still to come; 0 where its head does not say."""
        headers = {} if self._response is None else dict(self._response.headers)
        if b"transfer-encoding" in headers:
            return 0
        return max(0, int(headers.get(b"content-length", b"0")) - self._received)

    def _note_received(self, size: int, max_bytes: int) -> None:
        self._received += size
        if max_bytes and not size:
            raise httpx.RemoteProtocolError(
                "the connection was closed before the end of the response body"
            )

    def recycle(self) -> bool:
        """
        Get ready for another request, and tell whether there may be one.

        There may not where something of the exchange is still to come, nor where more came than the
        response, which would be piece for the next one, nor where the end came.
        """
        protocol = self._protocol
        if self._bypasses:
            return self._recycle_bypassed()
        if not (protocol.our_state is protocol.their_state is h11.DONE):
            return False
        more, is_at_end = protocol.trailing_data
        if more or is_at_end:
            return False
        protocol.start_next_cycle()
        return True

    def _recycle_bypassed(self) -> bool:
        """Do the same where h11 has not seen the end of the body; what may follow it was not read."""
        if self._left_of_body() or self._protocol.our_state is not h11.DONE:
            return False  # h11 is not done after a head that ends the connection, either
        self._protocol, self._bypasses = _new_protocol(), False
        return True

    async def _write(self, request: httpx.Request, timeout: float | None, *, expects: bool) -> None:
        """Write *request*: the head of a body that is at hand together with its first part."""
        headers, stream = request.headers.raw, request.stream
        if expects:
            headers = [*headers, (b"expect", b"100-continue")]
        target = request.extensions.get("target") or request.url.raw_path
        send = self._protocol.send
        head = send(h11.Request(method=request.method, target=target, headers=headers))
        if expects or not isinstance(stream, httpx.ByteStream):
            await self.stream.write(head, self._time_to_write(timeout))
            head = b""
        if expects and not await self._may_continue():
            return
        if isinstance(stream, httpx.SyncByteStream):
            for piece in filter(None, stream):
                if await self._write_body(head, piece, timeout):
                    return
                head = b""
        else:
            async for piece in stream:
                if await self._write_body(b"", piece, timeout):
                    return
        if end := head + send(h11.EndOfMessage()):
            await self.stream.write(end, self._time_to_write(timeout))

    async def _write_body(self, head: bytes, piece: bytes, timeout: float | None) -> bool:
        """Write a piece of a body, with what goes before it; tell whether the server has responded by now."""
        data = self._protocol.send(h11.Data(piece))
        for start in range(0, len(data), _MAX_WRITE_SIZE):
            part = data[start : start + _MAX_WRITE_SIZE]
            if head:
                await self.stream.write(head + part, self._time_to_write(timeout))
                head = b""
            elif await self._is_answered_before(part, timeout):
                return True
        return False

    async def _may_continue(self) -> bool:
        """
        Wait for the server's leave to send the body; tell whether to send it, or there is an answer.

        A server that says nothing is not waited for any longer: it may not know of this.

        Source: RFC 9110, section 10.1.1; botocore 1.44, awsrequest.py, waits as long.
        """
        timeout, _ = self._limits
        ends = monotonic() + min(CONTINUE_TIMEOUT, inf if timeout is None else timeout)
        status = 0
        try:
            while status != 100:
                self._ends = ends
                event: Any = await self._event()
                status = event.status_code
                if isinstance(event, h11.Response):
                    self._response = event
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
        while self._response is None:
            event = self._protocol.next_event()
            if isinstance(event, h11.Response):
                self._response = event
            elif event is h11.NEED_DATA:
                if not await self.stream.is_readable():
                    return False
                self._ends = inf  # what is there already has no time to wait for
                await self._receive()
        return True

    async def _head(self) -> h11.Response:
        """Return the answer's head; with those before it, it has the time of one read, and a size."""
        self._ends = inf
        while self._response is None:
            event = await self._event()
            if isinstance(event, h11.Response):
                self._response = event
        return self._response

    async def _event(self) -> object:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            await self._receive()
        return event

    async def _receive(self) -> None:
        """Wait for the next bytes."""
        is_in_head = self._protocol.their_state is h11.SEND_RESPONSE
        if is_in_head and self._left_of_heads < 0:
            raise httpx.RemoteProtocolError(
                f"the response headers are larger than {HEADS_SIZE:,} bytes"
            )
        data = await self.stream.read(_MAX_READ_SIZE, self._time_to_read())
        if is_in_head and not data:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        self._left_of_heads -= len(data)
        self._protocol.receive_data(data)

    def _time_to_read(self) -> float | None:
        """Return for how long the next bytes are waited for; those of one event share the time."""
        timeout, deadline = self._limits
        if self._ends == inf and timeout is not None:
            self._ends = monotonic() + timeout
            if self._ends <= deadline:
                return timeout  # always the same one, for to set it takes time: see `thread_stream`
        return _left(min(self._ends, deadline), httpx.ReadTimeout)

    def _time_to_write(self, timeout: float | None) -> float | None:
        """Return for how long the next bytes may take to go out."""
        _, deadline = self._limits
        left = None if deadline == inf else _left(deadline, httpx.WriteTimeout)
        return timeout if left is None else left if timeout is None else min(timeout, left)


def _new_protocol() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADS_SIZE)


def _left(ends: float, kind: type[httpx.TimeoutException]) -> float | None:
    """Return the seconds until *ends*; None for no limit."""
    if ends == inf:
        return None
    left = ends - monotonic()
    if left <= 0:
        raise kind("the timeout or the deadline of the call has expired")
    return left
