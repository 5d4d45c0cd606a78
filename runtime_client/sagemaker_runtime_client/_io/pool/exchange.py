"""What a request has of the pool: a permit, then a connection, then the body of its response."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

import httpx

from .connection import Connection
from .errors import raise_as_httpx
from .state import Permit, PoolState

# What a connection leads to: scheme, host and port.
Origin = tuple[str, str, int]
Acquire = Callable[[Permit, float | None], Awaitable[PoolState[Connection]]]


class Reservation:
    """
    A permit for one connection, which is acquired before there is a request.

    So what waits is small, and no signature grows old in a queue.  Passed to `Pool.send`, it
    serves one request after another, which wait no more.  A connection that the last
    of them left in use, interrupted by Ctrl-C say, is closed with it.

    Attributes:
        exchange: The connection in use, of the last request.
    """

    __slots__ = ("_acquire", "_permit", "_state", "_timeout", "exchange")

    def __init__(self, acquire: Acquire, timeout: float | None) -> None:
        self._acquire, self._timeout = acquire, timeout
        self._permit = Permit()
        self._state: PoolState[Connection] | None = None
        self.exchange: Exchange | None = None

    def granted(self) -> PoolState[Connection]:
        """Return the state that granted the permit."""
        if self._state is None or self._permit.is_released:
            raise RuntimeError("a reservation can be used only inside its `async with` block")
        return self._state

    async def __aenter__(self) -> Self:
        """Wait for the permit; raise httpx.PoolTimeout where it does not come in time."""
        self._state = await self._acquire(self._permit, self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release the permit."""
        self.release()

    def release(self) -> None:
        """Release the permit, after a connection in use was closed; nothing if that is done."""
        try:
            if self.exchange is not None and self.exchange.connection is not None:
                self.exchange.abort()
            self.exchange = None
        finally:
            if self._state is not None:
                self._state.release(self._permit)


class Exchange:
    """
    A connection that is checked out for a request and its response.

    Attributes:
        connection: None before it is there, and after it was closed or is idle again.
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
    """
    The body of a response, undecoded.

    Attributes:
        reservation: What ends with the response; None where it goes on.
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
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece."""
        if piece := await self.read():
            return piece
        raise StopAsyncIteration

    async def read(self) -> bytes:
        """Return the next piece; nothing at the end."""
        connection = self._exchange.connection
        if connection is None:  # it may be in use for another request
            return b""
        try:
            piece: bytes = await connection.read()
        except Exception as error:
            raise_as_httpx(error, self._request)
            raise
        return piece

    async def read_into(self, buffer: memoryview) -> int:
        """Fill *buffer* from its start with the next bytes; return their number, 0 at the end."""
        connection = self._exchange.connection
        if connection is None:
            return 0
        try:
            size: int = await connection.read_into(buffer)
        except Exception as error:
            raise_as_httpx(error, self._request)
            raise
        return size

    async def aclose(self) -> None:
        """End the response, read or not."""
        try:
            self._release(self._exchange)
        finally:
            if self.reservation is not None:
                self.reservation.release()
