"""trio connections over non-blocking sockets.  Their methods raise httpx's exceptions."""

import socket
import ssl
from collections.abc import Awaitable, Callable
from math import inf
from typing import TYPE_CHECKING, TypeVar

import httpx
import trio

from . import thread_stream

if TYPE_CHECKING:
    from ..concurrency import TLS

A = TypeVar("A")
T = TypeVar("T")


class Stream(thread_stream.Stream):
    """A connection like `thread_stream.Stream`, but trio waits until the socket is ready."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for data, and return up to *max_bytes* bytes, or empty bytes at the end."""
        if self._received:
            return await super().read(max_bytes)
        return await self._read(self._socket.recv, max_bytes, timeout)

    async def read_into(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Wait for data, copy them into *buffer*, and return their size in bytes; 0 at the end."""
        if self._received:
            return await super().read_into(buffer)
        return await self._read(self._socket.recv_into, buffer, timeout)

    async def _read(self, step: Callable[[A], T], argument: A, timeout: float | None) -> T:
        try:
            with trio.fail_after(_seconds(timeout)):
                return await self._step(trio.lowlevel.wait_readable, step, argument)
        except trio.TooSlowError as error:
            raise httpx.ReadTimeout("timed out") from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Send a part of *buffer*, and return the number of bytes that were sent.

        Return 0 if a read would not block.  If the socket's send buffer is full, wait until it is writable or
        readable, and return 0.
        """
        await trio.lowlevel.checkpoint()
        return await super().write_part(buffer, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*."""
        left = memoryview(buffer)
        try:
            with trio.fail_after(_seconds(timeout)):
                while left:
                    send = self._socket.send
                    left = left[await self._step(trio.lowlevel.wait_writable, send, left) :]
        except trio.TooSlowError as error:
            raise httpx.WriteTimeout("timed out") from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def _wait(self, timeout: float | None) -> None:
        """Wait until the socket is writable or readable."""
        with trio.move_on_after(_seconds(timeout)) as limit:
            async with trio.open_nursery() as nursery:

                async def wait(wait_one: Callable[[socket.socket], Awaitable[object]]) -> None:
                    await wait_one(self._socket)
                    nursery.cancel_scope.cancel()

                nursery.start_soon(wait, trio.lowlevel.wait_readable)
                nursery.start_soon(wait, trio.lowlevel.wait_writable)
        if limit.cancelled_caught:
            raise httpx.WriteTimeout("timed out")

    async def secure(self, tls: "TLS") -> None:
        """Perform the TLS handshake, which must come before any other data."""
        context, name = tls
        secured = context.wrap_socket(
            self._socket, server_hostname=name, do_handshake_on_connect=False
        )
        self._socket = secured
        await self._step(trio.lowlevel.wait_readable, secured.do_handshake)

    async def _step(
        self,
        wait: Callable[[socket.socket], Awaitable[object]],
        step: Callable[..., T],
        *arguments: object,
    ) -> T:
        """Call *step* again as long as it raises an error because it would block; return its result.

        Between two calls, wait until the socket is ready.  Without TLS, *wait* does this.  With
        TLS, the error shows whether the socket must be readable or writable.
        """
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return step(*arguments)
            except BlockingIOError:
                await wait(self._socket)
            except ssl.SSLWantReadError:
                await trio.lowlevel.wait_readable(self._socket)
            except ssl.SSLWantWriteError:
                await trio.lowlevel.wait_writable(self._socket)


async def connect(host: str, port: int, tls: "TLS | None", timeout: float | None) -> Stream:
    """Connect to *host*.  If *tls* is given, also perform the TLS handshake."""
    try:
        with trio.fail_after(_seconds(timeout)):
            # The name is passed as bytes, so that it is not checked against the IDNA rules for
            # registered names.
            opened = await trio.open_tcp_stream(host.encode("ascii"), port)
            return await _stream(socket.socket(fileno=opened.socket.detach()), tls)
    except trio.TooSlowError as error:
        raise httpx.ConnectTimeout("timed out") from error
    except (OSError, OverflowError, ValueError) as error:
        # OverflowError and ValueError mean that the port or the host name is not valid.
        raise httpx.ConnectError(str(error)) from error


async def _stream(connected: socket.socket, tls: "TLS | None") -> Stream:
    """Return a stream over a connected socket.

    If *tls* is given, perform the TLS handshake first.
    """
    connected.setblocking(False)
    stream = Stream(connected)
    try:
        if tls is not None:
            await stream.secure(tls)
    except BaseException:
        stream.close()
        raise
    return stream


def _seconds(timeout: float | None) -> float:
    return inf if timeout is None else timeout
