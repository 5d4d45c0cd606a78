"""
What the pool asks of sockets, for threads: a network of httpcore's kind, with httpx's exceptions.

A socket's time limit is set only where it changes: that is a call into the kernel, and an occasion for
another thread.
"""

import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from math import inf
from time import monotonic
from typing import Any

import httpx

from .._step import run


class Stream:
    """A connection."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, once something has; nothing at the end."""
        try:
            self._limit(timeout)
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
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

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Stream":
        """Go on through TLS."""
        try:
            self._limit(timeout)
            self._socket = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what the pool may ask of a stream, and what httpx's users may."""
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        names = {"client_addr": "getsockname", "server_addr": "getpeername"}
        if info in names:
            return getattr(self._socket, names[info])()
        return self._socket if info == "socket" else None

    def _limit(self, timeout: float | None) -> None:
        """Set the time limit of the next step, if it is another one."""
        if self._socket.gettimeout() != timeout:
            self._socket.settimeout(timeout)


class Backend:
    """Opens connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
    ) -> "Stream":
        """Connect to *host*, whose addresses are tried one after the other."""
        try:
            # In bytes: text would go through a codec that takes 2 ms to import.
            found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
            connected = run(connect_in_turn(found, timeout, _connect))
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, OverflowError, UnicodeError) as error:  # of ports and names that are none
            raise httpx.ConnectError(str(error)) from error
        return Stream(connected)


async def connect_in_turn(
    found: Sequence[Any],
    timeout: float | None,
    connect: Callable[[socket.socket, Any, float | None], Coroutine[Any, Any, None]],
) -> socket.socket:
    """
    Return a socket that is connected to one of a host's addresses.

    Each but the last has half of the time that is left: S3 has eight, and the first is seldom the one
    that does not answer.

    Args:
        found: The addresses, as `socket.getaddrinfo` returns them.
        timeout: Seconds for all of them; None for no limit.
        connect: Connects a socket to an address in so many seconds, or raises OSError.
    """
    ends = inf if timeout is None else monotonic() + timeout
    failure = OSError("the host has no address")
    for left, (family, kind, protocol, _, address) in zip(
        range(len(found), 0, -1), found, strict=True
    ):
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError as error:  # a kernel without IPv6
            failure = error
            continue
        share = (ends - monotonic()) / min(left, 2)
        try:
            await connect(opened, address, None if share == inf else max(share, 0.001))
        except OSError as error:
            opened.close()
            failure = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failure


async def _connect(opened: socket.socket, address: Any, timeout: float | None) -> None:
    """Connect a socket, blocking."""
    opened.settimeout(timeout)
    opened.connect(address)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
