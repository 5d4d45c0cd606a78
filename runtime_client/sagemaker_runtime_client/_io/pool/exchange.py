"""The pool's objects for one request: a reservation, an exchange, a response stream and errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

import httpx

from .connection import Connection
from .state import Permit, PoolState

# The destination of a connection: scheme, host and port.
Origin = tuple[str, str, int]
Acquire = Callable[[Permit, float | None], Awaitable[PoolState[Connection]]]
# These h11 exceptions have the same names as the corresponding httpx exceptions.
_EXCEPTIONS: dict[str, type[httpx.TransportError]] = {
    "LocalProtocolError": httpx.LocalProtocolError,
    "ProtocolError": httpx.ProtocolError,
    "RemoteProtocolError": httpx.RemoteProtocolError,
}


class Reservation:
    """A permit for one connection, acquired before the request is built.

    Therefore a call that waits for its permit holds little memory, and the request is signed
    immediately before it is sent.  A reservation can be passed to `Pool.send` several times, for
    one request after another, and only the first one has to wait.  If the last request left a
    connection in use, for example after Ctrl-C, `release` closes this connection.

    Attributes:
        exchange: The exchange of the last request; None before the first request and after the
            release.
    """

    __slots__ = ("_acquire", "_permit", "_state", "_timeout", "exchange")

    def __init__(self, acquire: Acquire, timeout: float | None) -> None:
        self._acquire, self._timeout = acquire, timeout
        self._permit = Permit()
        self._state: PoolState[Connection] | None = None
        self.exchange: Exchange | None = None

    def granted(self) -> PoolState[Connection]:
        """Return the pool state that granted the permit."""
        if self._state is None or self._permit.is_released:
            raise RuntimeError("a reservation can be used only inside its `async with` block")
        return self._state

    async def __aenter__(self) -> Self:
        """Wait for the permit, and raise httpx.PoolTimeout if it is not granted within the timeout."""
        self._state = await self._acquire(self._permit, self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release the permit."""
        self.release()

    def release(self) -> None:
        """Close the connection if it is still in use, then release the permit.

        A second call does nothing.
        """
        try:
            if self.exchange is not None and self.exchange.connection is not None:
                self.exchange.abort()
            self.exchange = None
        finally:
            if self._state is not None:
                self._state.release(self._permit)


class Exchange:
    """A connection that is checked out for a request and its response.

    Attributes:
        connection: The connection; None before it is open, and after it was closed or checked in.
    """

    __slots__ = ("connection", "origin", "state")

    def __init__(self, state: PoolState[Connection], origin: Origin) -> None:
        self.state, self.origin = state, origin
        self.connection: Any = None

    def abort(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.stream.close()
            self.connection = None


class ResponseStream(httpx.AsyncByteStream):
    """The body of a response, without decoding its Content-Encoding.

    Attributes:
        reservation: A reservation to release together with the response; None if the caller of
            `Pool.send` releases it.
    """

    def __init__(
        self,
        request: httpx.Request,
        exchange: Exchange,
        release: Callable[[Exchange], None],
    ) -> None:
        self._request, self._exchange, self._release = request, exchange, release
        self.reservation: Reservation | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the stream itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece of the body."""
        if piece := await self.read():
            return piece
        raise StopAsyncIteration

    async def read(self) -> bytes:
        """Return the next piece of the body, or empty bytes at its end."""
        connection = self._exchange.connection
        if connection is None:  # the response was closed
            return b""
        try:
            piece: bytes = await connection.read()
        except Exception as error:
            raise_as_httpx(error, self._request)
            raise
        return piece

    async def read_into(self, buffer: memoryview) -> int:
        """Read the next bytes of the body into *buffer*; return their number, 0 at the end."""
        connection = self._exchange.connection
        if connection is None:
            return 0
        try:
            size: int = await connection.read_into(buffer)
        except Exception as error:
            raise_as_httpx(error, self._request)
            raise
        return size

    def end_by(self, ends: float) -> bool:
        """Bring the deadline of the response forward, on the monotonic clock, and return True."""
        connection = self._exchange.connection
        connection.deadline = min(connection.deadline, ends)
        return True

    async def aclose(self) -> None:
        """End the response, even if its body was not read completely, and release its connection."""
        try:
            self._release(self._exchange)
        finally:
            if self.reservation is not None:
                self.reservation.release()


def raise_as_httpx(error: BaseException, request: httpx.Request) -> None:
    """Raise an h11 exception as the corresponding httpx exception.

    If *error* is an `httpx.TransportError`, only set its request.  Ignore all other errors.
    """
    try:
        if isinstance(error, httpx.TransportError):
            error.request = request
            return
        for kind in type(error).__mro__:
            library, name = kind.__module__.partition(".")[0], kind.__name__
            if library == "h11" and name in _EXCEPTIONS:
                raise _EXCEPTIONS[name](str(error), request=request) from error
    finally:
        del error  # the traceback of the error refers to this frame: avoid a reference cycle
