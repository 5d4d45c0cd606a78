"""Connections for threads, over blocking sockets, and the race between the addresses of a host.

The connections raise httpx's exceptions.  Their coroutines never suspend.  The timeout of a socket
is set only if it changes, because setting it takes a system call, which lets other threads run.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import zip_longest
from math import inf
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import httpx

from ..cancellation import CancelScope

if TYPE_CHECKING:
    from ..concurrency import TLS, AddressInfo, Attempts, SocketAddress

# The maximum number of bytes that `is_readable` reads, and of TLS records that `read_ready` reads.
_MAX_READ_SIZE, _MAX_RECORDS = 1 << 16, 16

# How many seconds to wait before the next address is tried ("Connection Attempt Delay", RFC 8305,
# section 5).
ATTEMPT_DELAY = 0.25

A = TypeVar("A")
T = TypeVar("T")


class Stream:
    """A connection over a socket, with or without TLS.

    Args:
        connected: The connected socket; with TLS, after the handshake.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = b""  # data that `is_readable` has read for the next `read`
        self._poll = None
        if hasattr(select, "poll"):  # not on Windows
            self._poll = select.poll()
            self._poll.register(connected.fileno(), select.POLLIN)

    async def is_readable(self) -> bool:
        """Return whether a read would not block: there are data, or the connection has ended.

        This method tries to read, because bytes in the socket's buffer need not be data: TLS also
        sends messages of its own, such as the session tickets after a handshake (RFC 8446, section
        4.6.1).
        """
        if self._received:
            return True
        # If neither the socket nor TLS has any bytes, polling the socket shows this in an eighth of
        # the time that a read would take.
        pending = getattr(self._socket, "pending", int)
        if self._poll is not None and not self._poll.poll(0) and not pending():
            return False
        try:
            self._received = self._do(0, self._socket.recv, _MAX_READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for data, and return up to *max_bytes* bytes, or empty bytes at the end."""
        if self._received:
            received, self._received = self._received[:max_bytes], self._received[max_bytes:]
            return received
        try:
            return self._do(timeout, self._socket.recv, max_bytes)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def read_ready(self) -> bytes:
        """Return data that follow those of the last `read` and have arrived; possibly none.

        Only TLS can have such data, because a read returns at most one TLS record.
        """
        if not hasattr(self._socket, "pending") or not await self.is_readable():
            return b""
        received, self._received = [self._received], b""
        with suppress(OSError):  # no more data have arrived, or the next `read` raises the error
            while received[-1] and len(received) < _MAX_RECORDS:
                received.append(self._do(0, self._socket.recv, _MAX_READ_SIZE))
        return b"".join(received)

    async def read_into(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Wait for data, copy them into *buffer*, and return their size in bytes; 0 at the end."""
        if self._received:
            data = await self.read(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        try:
            return self._do(timeout, self._socket.recv_into, buffer)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*.  The timeout applies separately to each part that is sent."""
        try:
            left = memoryview(buffer)
            while left:
                left = left[self._do(timeout, self._socket.send, left) :]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Send a part of *buffer*, and return the number of bytes that were sent.

        Return 0 if a read would not block.  If the socket's send buffer is full, wait until the
        socket is writable or readable, and return 0.
        """
        if await self.is_readable():
            return 0
        try:
            return self._do(0, self._socket.send, buffer)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            await self._wait(timeout)
            return 0
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def _wait(self, timeout: float | None) -> None:
        """Wait until the socket is writable or readable."""
        with DefaultSelector() as selector:
            selector.register(self._socket, EVENT_READ | EVENT_WRITE)
            if not self._do(0, selector.select, timeout):
                raise httpx.WriteTimeout("timed out")

    def _do(self, timeout: float | None, step: Callable[[A], T], argument: A) -> T:
        """Call *step* with a socket timeout.  A thread group can interrupt the call."""
        if self._socket.gettimeout() != timeout:
            self._socket.settimeout(timeout)
        scope: CancelScope | None = getattr(CancelScope.local, "scope", None)
        if scope is None:
            return step(argument)
        return scope.wait_for(self, step, argument)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    discard = close

    def interrupt(self) -> None:
        """End a read or write in another thread."""
        with suppress(OSError):
            # `SSLSocket.shutdown` is bypassed, because it discards the TLS state that the other
            # thread is using.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


async def connect(host: str, port: int, tls: TLS | None, timeout: float | None) -> Stream:
    """Connect to *host*.  If *tls* is given, also perform the TLS handshake."""
    ends = inf if timeout is None else monotonic() + timeout
    try:
        found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
        connected = await connect_first(found, timeout, _Attempts())
        return Stream(_wrap_tls(connected, tls, ends))
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except (OSError, OverflowError, ValueError) as error:
        # OverflowError and ValueError mean that the port or the host name is not valid.
        raise httpx.ConnectError(str(error)) from error


def _wrap_tls(connected: socket.socket, tls: TLS | None, ends: float) -> socket.socket:
    """If *tls* is given, perform the TLS handshake; if that fails, close the socket."""
    if tls is None:
        return connected
    context, name = tls
    try:
        connected.settimeout(None if ends == inf else max(0.001, ends - monotonic()))
        return context.wrap_socket(connected, server_hostname=name)
    except BaseException:
        connected.close()
        raise


async def connect_first(
    found: Sequence[AddressInfo], timeout: float | None, attempts: Attempts
) -> socket.socket:
    """Connect to the address of a host that responds first, and return the socket.

    If an address fails, or does not respond within `ATTEMPT_DELAY`, the next address is tried as
    well.

    Args:
        found: The addresses, as `socket.getaddrinfo` returns them.
        timeout: The seconds for all attempts together; None for no limit.
        attempts: Connects to single addresses.

    Source: RFC 8305, section 5.
    """
    ends = inf if timeout is None else monotonic() + timeout
    waiting, running = deque(_interleaved(found)), 0
    failure = OSError("no IP address was found for the host")
    try:
        while waiting or running:
            left = ends - monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            try:
                if waiting:
                    family, kind, protocol, _, address = waiting.popleft()
                    running += 1
                    attempts.start(family, kind, protocol, address)
                delay = min(left, ATTEMPT_DELAY if waiting else inf)
                connected = await attempts.outcome(None if delay == inf else delay)
            except OSError as error:
                failure = error
                running -= 1
                continue
            if connected is not None:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connected
        raise failure
    finally:
        attempts.close()
        del failure  # the traceback of the error refers to this frame: avoid a reference cycle


def _interleaved(found: Sequence[AddressInfo]) -> list[AddressInfo]:
    """Return the addresses with alternating families (RFC 8305, section 4)."""
    families: dict[int, list[AddressInfo]] = {}
    for one in found:
        families.setdefault(one[0], []).append(one)
    rows = zip_longest(*families.values())
    return [one for row in rows for one in row if one is not None]


class _Attempts:
    """Attempts to connect with non-blocking sockets."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()

    def start(self, family: int, kind: int, protocol: int, address: SocketAddress) -> None:
        opened = socket.socket(family, kind, protocol)
        self._selector.register(opened, EVENT_WRITE, opened)
        opened.setblocking(False)
        try:
            opened.connect(address)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(opened)
            raise

    async def outcome(self, timeout: float | None) -> socket.socket | None:
        for key, _ in self._selector.select(timeout):
            opened: socket.socket = key.data
            error = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._drop(opened)
                raise OSError(error, os.strerror(error))
            self._selector.unregister(opened)
            return opened
        return None

    def _drop(self, opened: socket.socket) -> None:
        self._selector.unregister(opened)
        opened.close()

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.close()
        self._selector.close()
