"""
Connections for threads, over blocking sockets, with httpx's exceptions.

Their methods are coroutines that never suspend.  A socket's time limit is set only where it changes:
that is a call into the kernel, and an occasion for another thread.
"""

import os
import select
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from itertools import zip_longest
from math import inf
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import Any, Protocol

import httpx

# What is read at once by a look whether there is something to read.
_MOST_READ = 1 << 16

# The settings of TLS, and the server's name.  In bytes, and so is a host: text would go through a codec
# that takes 2 ms to import.
TLS = tuple[ssl.SSLContext, bytes]

# The next address is tried after so many seconds ("Connection Attempt Delay", RFC 8305, section 5).
ATTEMPT_DELAY = 0.25


class Stream:
    """
    A connection over a socket, which may speak TLS.

    Args:
        connected: The socket; with TLS, after the handshake.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = b""  # by `is_readable`, for the next read
        self._poll = None
        if hasattr(select, "poll"):  # not on Windows
            self._poll = select.poll()
            self._poll.register(connected.fileno(), select.POLLIN)

    async def is_readable(self) -> bool:
        """
        Tell whether a read would return at once, with data or at the end.

        It is tried, for bytes at the socket are no proof: TLS sends some of its own, such as the
        session tickets that follow a handshake (RFC 8446, section 4.6.1).
        """
        if self._received:
            return True
        if self._is_quiet():
            return False
        try:
            self._limit(0)
            self._received = self._socket.recv(_MOST_READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def _is_quiet(self) -> bool:
        """Tell whether neither the socket nor TLS has any bytes: eight times as fast as to read."""
        pending = getattr(self._socket, "pending", int)
        return self._poll is not None and not self._poll.poll(0) and not pending()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, once something has; nothing at the end."""
        if self._received:
            received, self._received = self._received[:max_bytes], self._received[max_bytes:]
            return received
        try:
            self._limit(timeout)
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*; each part of it has so much time."""
        try:
            self._limit(timeout)
            left = memoryview(buffer)
            while left:
                left = left[self._socket.send(left) :]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Send a part of *buffer*, and return its length; or 0 once there may be something to read."""
        if await self.is_readable():
            return 0
        try:
            self._limit(0)
            return self._socket.send(buffer)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            await self._wait(timeout)
            return 0
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def _wait(self, timeout: float | None) -> None:
        """Wait until something can be sent, or read."""
        with DefaultSelector() as selector:
            selector.register(self._socket, EVENT_READ | EVENT_WRITE)
            if not selector.select(timeout):
                raise httpx.WriteTimeout("timed out")

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def discard(self) -> None:
        """Close the connection, from any thread."""
        self._socket.close()

    def _limit(self, timeout: float | None) -> None:
        """Set the time limit of the next step, if it is another one."""
        if self._socket.gettimeout() != timeout:
            self._socket.settimeout(timeout)


class Backend:
    """Opens connections."""

    async def connect(
        self, host: str, port: int, tls: TLS | None = None, timeout: float | None = None
    ) -> Stream:
        """Connect to *host*, with TLS from the first byte if there are settings for it."""
        ends = inf if timeout is None else monotonic() + timeout
        try:
            found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
            connected = await connect_first(found, timeout, _Attempts())
            return Stream(_secured(connected, tls, ends))
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, OverflowError, ValueError) as error:  # of ports and names that are none
            raise httpx.ConnectError(str(error)) from error


def _secured(connected: socket.socket, tls: TLS | None, ends: float) -> socket.socket:
    """Return the socket after the handshake; close it where that fails."""
    if tls is None:
        return connected
    context, name = tls
    try:
        connected.settimeout(None if ends == inf else max(0.001, ends - monotonic()))
        return context.wrap_socket(connected, server_hostname=name)
    except BaseException:
        connected.close()
        raise


class Attempts(Protocol):
    """Attempts to connect, several of which may be under way."""

    def start(self, family: int, kind: int, protocol: int, address: Any) -> None:
        """Begin to connect to an address; an OSError may be raised here or by `outcome`."""
        ...

    async def outcome(self, timeout: float | None) -> socket.socket | None:
        """
        Wait for one of them to end: return its socket, or raise its OSError.

        Return None where none has ended after *timeout* seconds.
        """
        ...

    def close(self) -> None:
        """Give up what is still under way, and close its sockets."""
        ...


async def connect_first(
    found: Sequence[Any], timeout: float | None, attempts: Attempts
) -> socket.socket:
    """
    Return a socket that is connected to one of a host's addresses, the first that answers.

    An address that fails, or has not answered after a moment, is joined by the next one.

    Args:
        found: The addresses, as `socket.getaddrinfo` returns them.
        timeout: Seconds for all of them; None for no limit.
        attempts: How to connect.

    Source: RFC 8305, section 5.
    """
    ends = inf if timeout is None else monotonic() + timeout
    waiting, running = deque(_interleaved(found)), 0
    failure = OSError("the host has no address")
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
        del failure  # a frame that holds the error whose traceback holds the frame is a cycle


def _interleaved(found: Sequence[Any]) -> list[Any]:
    """Return addresses with their families in turn, that of the first one first (RFC 8305, section 4)."""
    families: dict[int, list[Any]] = {}
    for one in found:
        families.setdefault(one[0], []).append(one)
    rows = zip_longest(*families.values())
    return [one for row in rows for one in row if one is not None]


class _Attempts:
    """Attempts by sockets that do not block."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()

    def start(self, family: int, kind: int, protocol: int, address: Any) -> None:
        opened = socket.socket(family, kind, protocol)
        self._selector.register(opened, EVENT_WRITE)
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
            opened: Any = key.fileobj
            error = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._drop(opened)
                raise OSError(error, os.strerror(error))
            self._selector.unregister(opened)
            return opened  # type: ignore[no-any-return]
        return None

    def _drop(self, opened: socket.socket) -> None:
        self._selector.unregister(opened)
        opened.close()

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            opened: Any = key.fileobj
            opened.close()
        self._selector.close()
