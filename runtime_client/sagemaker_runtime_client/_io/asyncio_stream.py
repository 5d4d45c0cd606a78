"""
Connections of asyncio, over its transports.  The errors are httpx's.

httpcore's way to asyncio leads through anyio, which takes 20 ms to import, and costs a call on a warm
connection twice the time.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from .thread_stream import AddressInfo, SocketAddress, connect_first

if TYPE_CHECKING:
    from .concurrency import TLS, Backend, Event

# Beyond so many bytes that nobody has read, the server is made to wait.
_MAX_BUFFERED = 1 << 18


class Stream(asyncio.Protocol):
    """
    A connection: what has come of it and was not read yet, and whether more can be written.

    Args:
        connected: The socket, which the transport owns once there is one.
        backend: Makes the events that are waited for.
    """

    def __init__(self, connected: socket.socket, backend: "Backend") -> None:
        self._socket, self._backend = connected, backend
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._received = bytearray()
        self._is_at_end = self._is_lost = self._is_full = self._is_waiting_for_reader = False
        self._error: Exception | None = None
        self._readable: Event | None = None  # what a reader waits for
        self._writable: Event | None = None  # what a writer waits for

    def _has_input(self) -> bool:
        """Tell whether there is something to read: bytes, or the end."""
        return self._is_at_end or bool(self._received)

    async def is_readable(self) -> bool:
        """
        Tell whether a read would return at once, with data or at the end.

        Bytes at the socket are no proof, as TLS sends some of its own; the event loop takes them in.
        It looks at the socket in its first turn, and reads from it in the second.
        """
        for _ in range(2):
            if self._has_input() or not self._has_bytes():
                break
            await asyncio.sleep(0)
        return self._has_input()

    def _has_bytes(self) -> bool:
        """Tell whether the socket has bytes that the event loop has not taken yet, or is at its end."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, once something has; nothing at the end."""
        await self._wait_for_input(timeout)
        data = bytes(self._received[:max_bytes])
        self._consume(len(data))
        return data

    async def read_into(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Fill *buffer* from its start with what has arrived; return the number of bytes, 0 at the end."""
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
        """Forget what was read, and let the server go on if it had to wait."""
        del self._received[:size]
        if self._is_waiting_for_reader:
            self._is_waiting_for_reader = False
            self._transport.resume_reading()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send *buffer*, which is small: it is on its way at once, or as soon as there is room."""
        if self._is_lost:
            raise httpx.WriteError(str(self._error or "the connection is closed"))
        self._transport.write(buffer)

    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Send a part of *buffer*, and return its length; or 0 once there may be something to read."""
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
        """Close the connection, from any thread; nothing if its event loop is closed."""
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
        # There may be more to write, but TLS knows no half of a connection.
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
    """Connect to *host*, with TLS from the first byte if there are settings for it."""
    try:
        async with asyncio.timeout(timeout):
            found = await _addresses(host, port)
            return await _stream(backend, await connect_first(found, timeout, _Attempts()), tls)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except (OSError, OverflowError, ValueError) as error:  # ports and names that are invalid
        raise httpx.ConnectError(str(error)) from error


async def _stream(backend: "Backend", connected: socket.socket, tls: "TLS | None") -> Stream:
    """
    Return the stream over a socket that is connected.

    A stream that went over to TLS later would take what came before the handshake for the server's.
    """
    stream = Stream(connected, backend)
    context, name = tls or (None, b"")
    try:
        await asyncio.get_running_loop().create_connection(
            lambda: stream, sock=connected, ssl=context, server_hostname=name.decode() or None
        )
        await asyncio.sleep(0)  # uvloop tells a turn later what came with the end of the handshake
    except BaseException:
        stream.close()
        connected.close()
        raise
    return stream


async def _addresses(host: str, port: int) -> Sequence[AddressInfo]:
    """Return a host's addresses; one that is an address is its own answer, without a thread."""
    name, kind = host.encode("ascii"), socket.SOCK_STREAM  # in bytes: see `TLS`
    try:
        return socket.getaddrinfo(name, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await asyncio.get_running_loop().getaddrinfo(name, port, type=kind)


class _Attempts:
    """
    Attempts by tasks.

    The race that asyncio has itself leaves sockets open when it is cancelled.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[socket.socket]] = set()

    def start(self, family: int, kind: int, protocol: int, address: SocketAddress) -> None:
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
    family: int, kind: int, protocol: int, address: SocketAddress
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
    """Close the socket of an attempt that came too late."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
