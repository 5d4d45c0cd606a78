"""asyncio connections, based on asyncio's transports.  Their methods raise httpx's exceptions.

httpcore is not used, because it uses asyncio through anyio, which takes 20 ms to import and doubles
the time of a call on an open connection.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from .thread_stream import connect_first

if TYPE_CHECKING:
    from ..concurrency import TLS, AddressInfo, Backend, Event, SocketAddress

# If more unread bytes than this are buffered, reading from the socket pauses.
_MAX_BUFFERED = 1 << 18


class Stream(asyncio.Protocol):
    """The protocol of one connection.  It buffers unread data and tracks whether more can be written.

    Args:
        connected: The connected socket.  It belongs to the asyncio transport as soon as that
            transport exists.
        backend: Creates the events that readers and writers wait for.
    """

    def __init__(self, connected: socket.socket, backend: "Backend") -> None:
        self._socket, self._backend = connected, backend
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._received = bytearray()
        self._is_at_end = self._is_lost = self._is_full = self._is_waiting_for_reader = False
        self._error: Exception | None = None
        self._readable: Event | None = None  # set when a waiting reader can continue
        self._writable: Event | None = None  # set when a waiting writer can continue

    def _has_input(self) -> bool:
        """Return whether there are unread data or the connection has ended."""
        return self._is_at_end or bool(self._received)

    async def is_readable(self) -> bool:
        """Return whether a read would not block: there are data, or the connection has ended.

        Bytes in the socket's buffer do not prove that there are data, because TLS also sends
        messages of its own.  Only the event loop can decrypt the bytes: it notices them in its next
        iteration, and reads them in the iteration after that.  Therefore this method waits for up
        to two iterations.
        """
        for _ in range(2):
            if self._has_input() or not self._has_bytes():
                break
            await asyncio.sleep(0)
        return self._has_input()

    def _has_bytes(self) -> bool:
        """Return whether the socket has unread bytes, has ended, or has failed."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for data, and return up to *max_bytes* bytes, or empty bytes at the end."""
        await self._wait_for_input(timeout)
        data = bytes(self._received[:max_bytes])
        self._consume(len(data))
        return data

    async def read_ready(self) -> bytes:
        """Return no data, because `read` returns all data that have arrived."""
        return b""

    async def read_into(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Wait for data, copy them into *buffer*, and return their size in bytes; 0 at the end."""
        await self._wait_for_input(timeout)
        size = min(len(buffer), len(self._received))
        with memoryview(self._received) as received:
            buffer[:size] = received[:size]
        self._consume(size)
        return size

    async def _wait_for_input(self, timeout: float | None) -> None:
        if not self._has_input():
            self._readable = self._backend.event()
            await self._readable.wait(timeout)
            if not self._has_input():
                raise httpx.ReadTimeout("")
        if not self._received and self._error is not None:
            raise httpx.ReadError(str(self._error)) from self._error

    def _consume(self, size: int) -> None:
        """Remove data that were read, and resume reading from the socket if it was paused."""
        del self._received[:size]
        if self._is_waiting_for_reader:
            self._is_waiting_for_reader = False
            self._transport.resume_reading()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send *buffer*, which must be small, because it may be held in asyncio's write buffer."""
        if self._is_lost:
            raise httpx.WriteError(str(self._error or "the connection is closed"))
        self._transport.write(buffer)

    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Send a part of *buffer*, and return the number of bytes that were sent.

        If a read would not block, send nothing and return 0.  If asyncio's write buffer is full,
        wait until it has space or a read would not block.
        """
        if await self.is_readable():
            return 0
        written = 0
        if not self._is_full:
            written = len(buffer)
            self._transport.write(bytes(buffer))
        if self._is_full:
            self._writable = self._readable = self._backend.event()
            await self._writable.wait(timeout)
            if self._is_stuck():
                raise httpx.WriteTimeout("")
        return written

    def _is_stuck(self) -> bool:
        return self._is_full and not self._has_input()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()

    def discard(self) -> None:
        """Close the connection; any thread may call this method.

        Do nothing if the event loop is closed.
        """
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.close)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _MAX_BUFFERED and not self._is_waiting_for_reader:
            self._is_waiting_for_reader = True
            self._transport.pause_reading()
        _wake(self._readable)

    def eof_received(self) -> bool:
        self._is_at_end = True
        _wake(self._readable)
        # True keeps the connection open, because the client may still have data to write.  A TLS
        # connection cannot be half-closed.
        return self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_at_end = self._is_lost = True
        self._error = exc
        _wake(self._readable)
        _wake(self._writable)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        _wake(self._writable)


def _wake(event: "Event | None") -> None:
    if event is not None:
        event.set()


async def connect(
    backend: "Backend", host: str, port: int, tls: "TLS | None", timeout: float | None
) -> Stream:
    """Connect to *host*.  If *tls* is given, also perform the TLS handshake."""
    try:
        async with asyncio.timeout(timeout):
            found = await _addresses(host, port)
            return await _stream(backend, await connect_first(found, timeout, _Attempts()), tls)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except (OSError, OverflowError, ValueError) as error:
        # OverflowError and ValueError mean that the port or the host name is not valid.
        raise httpx.ConnectError(str(error)) from error


async def _stream(backend: "Backend", connected: socket.socket, tls: "TLS | None") -> Stream:
    """Return a stream over a connected socket.

    TLS starts together with the stream.  If the stream were upgraded later, it would treat plain
    text that arrived before the handshake as data from the server.
    """
    stream = Stream(connected, backend)
    context, name = tls or (None, b"")
    try:
        await asyncio.get_running_loop().create_connection(
            lambda: stream, sock=connected, ssl=context, server_hostname=name.decode() or None
        )
        # uvloop delivers data that came with the end of the handshake one iteration later, so wait
        # for that iteration.
        await asyncio.sleep(0)
    except BaseException:
        stream.close()
        connected.close()
        raise
    return stream


async def _addresses(host: str, port: int) -> "Sequence[AddressInfo]":
    """Resolve a host name in a thread.  An IP address is parsed without a thread."""
    # The comment on `TLS` in `concurrency` explains why the name is passed as bytes.
    name, kind = host.encode("ascii"), socket.SOCK_STREAM
    try:
        return socket.getaddrinfo(name, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await asyncio.get_running_loop().getaddrinfo(name, port, type=kind)


class _Attempts:
    """Attempts to connect, each in a task.

    asyncio's own race between addresses is not used, because it leaves sockets open when it is
    cancelled.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[socket.socket]] = set()

    def start(self, family: int, kind: int, protocol: int, address: "SocketAddress") -> None:
        attempt = _connected(family, kind, protocol, address)
        self._tasks.add(asyncio.create_task(attempt))

    async def outcome(self, timeout: float | None) -> socket.socket | None:
        await asyncio.wait(self._tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                self._tasks.discard(task)
                return task.result()
        return None

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
            task.add_done_callback(_discard)


async def _connected(
    family: int, kind: int, protocol: int, address: "SocketAddress"
) -> socket.socket:
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, address)
    except BaseException:
        opened.close()
        raise
    return opened


def _discard(task: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that lost the race."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
