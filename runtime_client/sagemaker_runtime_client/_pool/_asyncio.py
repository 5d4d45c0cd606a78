"""
What the pool asks of asyncio: to wait, and a network of httpcore's kind, with httpx's exceptions.

httpcore's own way to asyncio leads through anyio, which takes 20 ms to import, and costs a call on a
warm connection twice the time.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import httpx

from ._sockets import connect_in_turn

# Beyond so many bytes that nobody has read, the server is made to wait.
_LONGEST_BUFFER = 1 << 18
_EXTRA_INFO = {
    "client_addr": "sockname",
    "server_addr": "peername",
    "socket": "socket",
    "ssl_object": "ssl_object",
}


class Event:
    """An event for one waiter: a fifth of the memory of anyio's, and thousands may wait."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future = asyncio.get_running_loop().create_future()

    def set(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, timeout: float | None) -> None:
        """Return when it is set, or after *timeout* seconds."""
        if timeout is None:
            await self._future
            return
        timer = self._future.get_loop().call_later(timeout, self.set)
        try:
            await self._future
        finally:
            timer.cancel()


class Stream(asyncio.Protocol):
    """A connection: what has come of it and was not read yet, and whether more can be written."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._received = bytearray()
        self._is_over = self._is_lost = self._is_full = self._is_waiting_for_reader = False
        self._error: Exception | None = None
        self._news: Event | None = None  # what a reader waits for
        self._room: Event | None = None  # what a writer waits for

    @property
    def has_news(self) -> bool:
        """Whether there is something to read: bytes, or that there will be no more."""
        return self._is_over or bool(self._received)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, once something has; nothing at the end."""
        if not self.has_news:
            self._news = Event()
            await self._news.wait(timeout)
            if not self.has_news:
                raise httpx.ReadTimeout("")
        if not self._received and self._error is not None:
            raise httpx.ReadError(str(self._error)) from self._error
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        if self._is_waiting_for_reader:
            self._is_waiting_for_reader = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Return when *buffer* is on its way, but for what fits into the transport's own."""
        if not buffer:
            return
        if not self._is_lost:
            self._transport.write(buffer)
            if self._is_full:
                self._room = Event()
                await self._room.wait(timeout)
        if self._is_lost:
            raise httpx.WriteError(str(self._error or "the connection is closed"))
        if self._is_full:
            raise httpx.WriteTimeout("")

    async def aclose(self) -> None:
        """Close the connection.  This never suspends, so that nothing can cancel it."""
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Stream":
        """Go on through TLS."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                self._transport = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what the pool may ask of a stream, and what httpx's users may."""
        name = _EXTRA_INFO.get(info)
        return name and self._transport.get_extra_info(name)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _LONGEST_BUFFER and not self._is_waiting_for_reader:
            self._is_waiting_for_reader = True
            self._transport.pause_reading()
        _tell(self._news)

    def eof_received(self) -> bool:
        self._is_over = True
        _tell(self._news)
        # There may be more to write, but TLS knows no half of a connection.
        return self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = self._is_lost = True
        self._error = exc
        _tell(self._news)
        _tell(self._room)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        _tell(self._room)


def _tell(event: Event | None) -> None:
    if event is not None:
        event.set()


class Backend:
    """Opens connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
    ) -> "Stream":
        """Connect to *host*, whose addresses are tried one after the other."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                connected = await connect_in_turn(await _found(host, port), timeout, _connect)
                _, stream = await loop.create_connection(Stream, sock=connected)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, OverflowError, UnicodeError) as error:  # of ports and names that are none
            raise httpx.ConnectError(str(error)) from error
        return stream


async def _connect(opened: socket.socket, address: Any, timeout: float | None) -> None:
    """Connect a socket; not by asyncio's race of addresses, which leaves sockets open when cancelled."""
    opened.setblocking(False)
    async with asyncio.timeout(timeout):
        await asyncio.get_running_loop().sock_connect(opened, address)


async def _found(host: str, port: int) -> Sequence[Any]:
    """Return a host's addresses; one that is an address is its own answer, without a thread."""
    name, kind = host.encode("ascii"), socket.SOCK_STREAM  # in bytes: see _sockets
    try:
        return socket.getaddrinfo(name, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await asyncio.get_running_loop().getaddrinfo(name, port, type=kind)
