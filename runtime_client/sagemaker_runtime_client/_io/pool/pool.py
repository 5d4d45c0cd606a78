"""The connection pool, an async httpx transport.  For threads, its coroutines never suspend.

**How a connection is acquired.**  `Pool.reserve` returns a `Reservation`.  Entering it waits for a
*permit*, the right to use one connection.  Permits are granted in the order in which they were
requested.  When the permit is granted, the caller builds and signs the request, and passes it to
`Pool.send`.  `send` checks out the most recently used idle connection to the request's origin.  If
the server has closed that connection, or has sent data without a request, `send` closes it and
tries the next one.  If no idle connection to the origin is left, `send` opens a new connection.  If
the pool is full, `send` first closes the connection that has been idle longest.

**How a connection is used and released.**  `send` returns the head of the response and a
`ResponseStream` for its body.  Closing that stream calls `Pool.release`, which makes the connection
idle again if both the request and the response are complete, and closes it otherwise.  Leaving the
reservation releases the permit.

**Who owns a connection.**  An idle connection belongs to the `PoolState`, and a connection in use
belongs to exactly one `Exchange`.  The new owner is recorded before the connection leaves the old
owner, so that a connection may have two owners for a moment, but is never without an owner.

**What an interrupt does.**  Ctrl-C may interrupt any line, and a cancellation may interrupt any
await.  In both cases the `Reservation` still refers to its exchange, and leaving the reservation
closes the connection of an unfinished request.  If nobody releases a permit, it becomes free when
the `Permit` object is garbage-collected.

**What a fork does.**  The connections belong to the parent process.  The child notices the new
process id at its next `acquire`, and starts with an empty state.  It leaves the parent's
connections open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast
from weakref import finalize

import httpx

from .connection import Connection
from .connector import Connector
from .exchange import Exchange, Reservation, ResponseStream, raise_as_httpx
from .state import PoolState

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ..concurrency import Backend
    from .connector import MakeContext
    from .exchange import Origin
    from .state import Permit

_PORTS = {"http": 80, "https": 443}
# How many seconds a connection may be idle, as in httpx.
_IDLE_TIMEOUT = 5.0
_NO_LIMIT = nullcontext()


class Pool(httpx.AsyncBaseTransport):
    """The connections that all threads, or all tasks of one event loop, share.

    Args:
        backend: The concurrency backend, which waits and connects.
        contexts: Functions that create TLS contexts, as for `Connector`.
        max_connections: The maximum number of connections.
        max_idle: The maximum number of idle connections; None for no separate limit.
        idle_timeout: How many seconds a connection may be idle.

    Attributes:
        library: The module httpx, whose request and response classes this transport uses.
        client: Always None, because the pool sends requests without an httpx client.
    """

    library: Any = httpx
    client: None = None

    def __init__(
        self,
        backend: Backend,
        contexts: Sequence[MakeContext],
        max_connections: int,
        *,
        max_idle: int | None = None,
        idle_timeout: float = _IDLE_TIMEOUT,
    ) -> None:
        self._backend = backend
        self._connector = Connector(backend, contexts)
        self._max_connections, self._idle_timeout = max_connections, idle_timeout
        self._max_idle = max_connections if max_idle is None else max_idle
        # The servers that do not support ``Expect: 100-continue``.
        self._no_expect: set[Origin] = set()
        self._finalizer: finalize[..., Pool] | None = None
        self._reset()

    def _reset(self) -> None:
        """Start with an empty state: initially, after a fork, and when the pool is closed."""
        self.state: PoolState[Connection] = PoolState(
            self._backend.event, self._max_connections, self._max_idle, self._idle_timeout
        )
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = finalize(self, _discard, self.state)

    def reserve(self, timeout: float | None) -> Reservation:
        """Return a context that waits for a permit before the request is built.

        See `Reservation`.
        """
        return Reservation(self.acquire, timeout)

    def limit(self, ends: float) -> AbstractAsyncContextManager[object]:
        """Return a context that does nothing, because `Connection` enforces a body's deadline."""
        return _NO_LIMIT

    async def acquire(self, permit: Permit, timeout: float | None) -> PoolState[Connection]:
        """Wait until *permit* is granted, and return the pool state that granted it.

        If *timeout* seconds pass first, raise httpx.PoolTimeout.
        """
        if self.state.process != os.getpid():
            # After a fork the connections belong to the parent.  They are not closed here, because
            # asyncio would then remove the sockets from the selector that both processes share.
            self._reset()
        state = self.state
        try:
            if not state.acquire(permit):
                await permit.event.wait(timeout)
        except BaseException:
            state.release(permit)
            raise
        if permit.numbers:
            return state
        state.release(permit)
        raise httpx.PoolTimeout(
            f"no connection became free in time: all {self._max_connections} (max_connections) are in use"
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait for a permit, and send a request as `send` does.

        Closing the response releases the permit.
        """
        timeouts = request.extensions.get("timeout", {})
        reservation = await self.reserve(timeouts.get("pool")).__aenter__()
        try:
            response = await self.send(request, reservation)
        except BaseException:
            reservation.release()
            raise
        stream = cast("ResponseStream", response.stream)
        stream.reservation = reservation  # closing the response releases the reservation
        return response

    async def send(self, request: httpx.Request, reservation: Reservation) -> httpx.Response:
        """Send a request, and return the response as soon as its head has arrived.

        In addition to httpx's timeouts, the extensions of the request may contain:

        - ``deadline``: when the complete response must have arrived, on the clock of
          `time.monotonic`, even if pieces of it keep arriving.
        - ``expect``: True to send ``Expect: 100-continue`` and wait before sending the body, which
          must be readable twice.
        - ``target``: the request target, if httpx would change it.

        Args:
            request: The request to send.
            reservation: A reservation from `reserve`, inside its ``async with`` block.
        """
        exchange = reservation.exchange = Exchange(reservation.granted(), _get_origin(request))
        expects = request.extensions.get("expect", False) and exchange.origin not in self._no_expect
        try:
            if not await self._reuse(exchange):
                await self._connect(exchange, request)
            head = await exchange.connection.send(request, expects=expects)
        except BaseException as error:
            exchange.abort()
            raise_as_httpx(error, request)
            raise
        if expects and (exchange.connection.ignores_expect or head.status_code == 417):
            self._no_expect.add(exchange.origin)
            if head.status_code == 417:  # RFC 9110, section 15.5.18: send it again without "Expect"
                exchange.abort()
                return await self.send(request, reservation)
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=ResponseStream(request, exchange, self.release),
            extensions={
                "http_version": b"HTTP/" + head.http_version,
                "reason_phrase": head.reason,
            },
        )

    async def _reuse(self, exchange: Exchange) -> bool:
        """Check out an idle connection to the origin, and return whether there was a usable one.

        If the server has closed an idle connection or written to it, close the connection and try
        the next one.
        """
        state = exchange.state
        _close(state.evict())
        while (connection := state.check_out(exchange.origin, exchange)) is not None:
            if not await connection.stream.is_readable():  # RFC 9112, section 9.2
                return True
            exchange.abort()
        return False

    async def _connect(self, exchange: Exchange, request: httpx.Request) -> None:
        """Open a connection.  If the pool is full, close an idle one first."""
        timeout = request.extensions.get("timeout", {}).get("connect")
        _close(exchange.state.displaced())
        stream = await self._connector.connect(exchange.origin, timeout)
        exchange.connection = Connection(stream)
        if await stream.is_readable():
            raise httpx.ConnectError(
                "the server closed the new connection, or wrote to it, before a request was sent"
            )

    def release(self, exchange: Exchange) -> None:
        """End an exchange: make its connection idle if it can be reused, and close it otherwise."""
        state, connection = exchange.state, exchange.connection
        if connection is None:
            return
        if state is self.state and connection.recycle():
            state.check_in(exchange.origin, exchange)
        if exchange.connection is not None:
            exchange.abort()
        if state is not self.state:  # another thread may have closed the pool meanwhile
            _close(state.clear())
        elif state.is_crowded:
            _close(state.evict())

    def close(self) -> None:
        """Close the idle connections now, and each other connection at the end of its request."""
        self._max_idle = 0
        state = self.state
        self._reset()
        _close(state.clear())

    async def aclose(self) -> None:
        """Close the pool as `close` does."""
        self.close()


def _close(connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.stream.close()


def _discard(state: PoolState[Connection]) -> None:
    """Close the idle connections of a pool that was garbage-collected without being closed."""
    if state.process == os.getpid():  # a forked child must not close them: see `Pool.acquire`
        for connection in state.clear():
            connection.stream.discard()


def _get_origin(request: httpx.Request) -> Origin:
    url = request.url
    if url.scheme not in _PORTS or not url.raw_host:
        raise httpx.UnsupportedProtocol(
            "a URL must begin with http:// or https://", request=request
        )
    host = url.raw_host.decode("ascii")
    return url.scheme, host, url.port or _PORTS[url.scheme]
