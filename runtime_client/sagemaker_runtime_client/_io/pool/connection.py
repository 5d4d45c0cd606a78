"""An HTTP/1.1 connection, which carries one exchange after another.

h11 writes and parses the messages.  h11 is used directly and not through httpcore, which would add
12 ms to the first call and slow down every call.  As in httpcore, informational responses are
skipped, and a response is read even if its request could not be written completely.
"""

from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

import h11
import httpx

from ..._limits import HEADS_SIZE
from ..generation import importing
from ..httpx_bridge import checked_headers, seconds_left

if TYPE_CHECKING:
    from ..concurrency import Stream
    from .chunked_body import ChunkedBody

# The maximum size of one read or write in bytes, as in httpcore; each write has its own timeout.
_MAX_READ_SIZE = _MAX_WRITE_SIZE = 64 * 1024
CONTINUE_TIMEOUT = 1.0  # how many seconds to wait for ``100 Continue``

# h11's class for checked headers, which has no public name.
_Headers = type(h11.Request(method="GET", target="/", headers=[("host", "")]).headers)
_new_protocol = partial(h11.Connection, h11.CLIENT, max_incomplete_event_size=HEADS_SIZE)


class Connection:
    """An open HTTP/1.1 connection to a server.

    Args:
        stream: The byte stream to the server.

    Attributes:
        deadline: When the whole response must have arrived, on the monotonic clock.
    """

    def __init__(self, stream: "Stream") -> None:
        self.stream = stream
        self._timeout: float | None = None  # the read timeout in seconds
        self.deadline = inf
        self._ends = inf  # when the current head or piece of the body must have arrived
        self._left_of_heads = HEADS_SIZE
        self._response: h11.Response | None = None  # the final head; may precede the request's end
        self.ignores_expect = False  # whether the server did not respond to "Expect: 100-continue"
        self._protocol = _new_protocol()
        self._received = 0  # how many bytes of the response body have arrived
        self._rest = b""  # the rest of the last piece, which did not fit into the caller's buffer
        self._bypasses = False  # whether the rest of the body bypasses h11
        self._chunked: "ChunkedBody | None" = None  # decodes a body in chunks that bypasses h11

    async def send(self, request: httpx.Request, *, expects: bool = False) -> h11.Response:
        """Send *request*, and return the head of the response.

        Args:
            request: The request to send.
            expects: Whether to send ``Expect: 100-continue`` and wait before sending the body.
        """
        extensions = request.extensions
        timeouts = extensions.get("timeout", {})
        self._timeout, self.deadline = timeouts.get("read"), extensions.get("deadline", inf)
        self._response, self._left_of_heads, self._received, self._rest = None, HEADS_SIZE, 0, b""
        # A server may respond and close the connection early.  Then a write fails, but not a read.
        with suppress(httpx.WriteError):
            await self._write(request, timeouts.get("write"), expects=expects)
        return await self._head()

    async def read(self) -> bytes:
        """Return the next piece of the response body, or empty bytes at its end."""
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        self._ends = inf
        if self._chunked is not None:
            return await self._chunked.read(self._read_past_h11, self.stream.read_ready)
        if self._bypasses:
            left = self._left_of_body()
            return await self._read_past_h11(min(_MAX_READ_SIZE, left)) if left else b""
        if self._protocol.their_state is not h11.SEND_BODY:
            return b""
        response = None if self._received else self._response
        if response is not None:
            # Iterating over h11's headers themselves would take three times as long.
            names = map(bytes.lower, dict(response.headers.raw_items()))
            if b"transfer-encoding" in names:
                return await self._read_chunked()
        event = await self._event()
        data = bytes(event.data) if isinstance(event, h11.Data) else b""
        self._received += len(data)
        return data

    async def _read_chunked(self) -> bytes:
        """Return the first bytes of a body in chunks; the body does not pass through h11."""
        with importing():
            from .chunked_body import ChunkedBody
        self._bypasses, self._chunked = True, ChunkedBody(self._protocol.trailing_data[0])
        return await self._chunked.read(self._read_past_h11, self.stream.read_ready)

    async def _read_past_h11(self, max_bytes: int = _MAX_READ_SIZE) -> bytes:
        piece = await self.stream.read(max_bytes, self._time_to_read())
        self._note_received(len(piece), max_bytes)
        return piece

    async def read_into(self, buffer: memoryview) -> int:
        """Read the next bytes of the body into *buffer*, and return their number; 0 at the end.

        If the response has a Content-Length, all data after the first piece bypass h11, which would
        copy them.  They fill the buffer unless the body ends first.
        """
        left = min(len(buffer), self._left_of_body()) if self._received else 0
        if self._rest or not left:
            piece = await self.read()
            size = min(len(piece), len(buffer))
            buffer[:size], self._rest = piece[:size], piece[size:]
            return size
        self._bypasses, size = True, 0
        while size < left:
            self._ends = inf
            received = await self.stream.read_into(buffer[size:left], self._time_to_read())
            self._note_received(received, left)
            size += received
        return size

    def _left_of_body(self) -> int:
        """Return how many bytes of the body are still to come, or 0 if the number is unknown."""
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
        """Prepare for another request, and return whether the connection can carry one.

        The connection cannot be reused if the request or the response is incomplete, if either side
        ends the connection, or if more data follow the response.  Otherwise, these data would be
        read as the response to the next request.
        """
        if self._bypasses:
            return self._recycle_bypassed()
        protocol = self._protocol
        is_done = protocol.our_state is protocol.their_state is h11.DONE
        if not is_done or any(protocol.trailing_data):
            return False
        protocol.start_next_cycle()
        return True

    def _recycle_bypassed(self) -> bool:
        """Do the same as `recycle` for a connection whose last response body bypassed h11.

        If data follow the body, they are still unread.  `Pool` finds them before the next request.
        """
        chunked, self._chunked = self._chunked, None
        is_at_end = not self._left_of_body() if chunked is None else chunked.is_at_end
        if not is_at_end or self._protocol.our_state is not h11.DONE:
            return False  # the state is MUST_CLOSE if either head ends the connection
        self._protocol, self._bypasses = _new_protocol(), False
        return True

    async def _write(self, request: httpx.Request, timeout: float | None, *, expects: bool) -> None:
        """Write *request*.  If possible, send its head and the start of its body together."""
        headers, stream = request.headers.raw, request.stream
        if expects:
            headers = [*headers, (b"expect", b"100-continue")]
        target = request.extensions.get("target") or request.url.raw_path
        send = self._protocol.send
        items = checked_headers(headers)
        fields = headers if items is None else _Headers(items)
        head = send(h11.Request(method=request.method, target=target, headers=fields))
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
        """Write *head* and *piece*.  If the server responds first, stop and return True."""
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
        """Wait for ``100 Continue``, and return whether to send the body.

        If a final response arrives first, the body is not sent.  If the server does not respond
        within `CONTINUE_TIMEOUT` (or a shorter read timeout), the body is sent, because the server
        may not support ``Expect``.

        Source: RFC 9110, section 10.1.1; botocore 1.44, awsrequest.py, also waits for one second.
        """
        ends = monotonic() + min(CONTINUE_TIMEOUT, self._timeout or inf)
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
        """Write *part* of a body, but stop if the server responds before all of it is written.

        Return whether the server has responded (RFC 9112, section 9.5).
        """
        left = memoryview(part)
        while left:
            written = await self.stream.write_part(left, self._time_to_write(timeout))
            if not written and await self._is_answered():
                return True
            left = left[written:]
        return False

    async def _is_answered(self) -> bool:
        """Return whether the final response has arrived.  Skip informational responses."""
        while self._response is None:
            event = self._protocol.next_event()
            if isinstance(event, h11.Response):
                self._response = event
            elif event is h11.NEED_DATA:
                if not await self.stream.is_readable():
                    return False
                self._ends = inf  # the data have arrived, so this read does not wait
                await self._receive()
        return True

    async def _head(self) -> h11.Response:
        """Return the head of the final response.  All heads share one timeout and one size limit."""
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
        """Read the next bytes from the stream into h11."""
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
        """Return the timeout of the next read.  All reads of one head, or of one piece, share it."""
        if self._ends == inf and self._timeout is not None:
            self._ends = monotonic() + self._timeout
            if self._ends <= self.deadline:
                # If the timeout is unchanged, `thread_stream` need not set it on the socket again.
                return self._timeout
        return seconds_left(self._ends, self.deadline, httpx.ReadTimeout)

    def _time_to_write(self, timeout: float | None) -> float | None:
        if self.deadline == inf:
            return timeout
        left = seconds_left(inf, self.deadline, httpx.WriteTimeout)
        return timeout if left is None else left if timeout is None else min(timeout, left)
