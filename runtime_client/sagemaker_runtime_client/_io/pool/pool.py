"""
The connection pool: permits, connections, responses.  It is an async transport of httpx.

Over threads its coroutines never suspend.  Whatever happens, at an await or at any line, a connection
ends up idle or closed, and a permit is handed on.

`PoolState` knows who may use which connection, and a `Connection` speaks HTTP/1.1.  httpx's reservation pool
looks at everything it holds for each request, and asks the operating system about every idle connection.
Proxies and HTTP/2 are left to it, and so are httpcore's trace and log.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast
from weakref import finalize

import httpx

from .connection import Connection
from .connector import Connector
from .errors import raise_as_httpx
from .exchange import Exchange, Reservation, ResponseStream
from .state import PoolState

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ..concurrency import Backend
    from .connector import MakeContext
    from .exchange import Origin
    from .state import Permit

_PORTS = {"http": 80, "https": 443}
# For how many seconds a connection may be idle, as in httpx.
_IDLE_TIMEOUT = 5.0
_NO_LIMIT = nullcontext()


class Pool(httpx.AsyncBaseTransport):
    """
    The connections of all threads, or of the tasks of one event loop.

    Args:
        backend: How they wait and connect.
        contexts: What makes TLS settings, with the first https URL.  The next one is used from the first
            server on whose certificate authority is unknown to the one before it.
        max_connections: How many connections there may be at once.
        max_idle: How many of them may be idle; None for all.
        idle_timeout: For how many seconds one may be idle.

    Attributes:
        library: httpx, of which its requests are.
        client: None: no client of httpx is in between.
    """

    library: Any = httpx
    client: None = None

    def __init__(
        self,
        backend: "Backend",
        contexts: Sequence["MakeContext"],
        max_connections: int,
        *,
        max_idle: int | None = None,
        idle_timeout: float = _IDLE_TIMEOUT,
    ) -> None:
        self._backend = backend
        self._connector = Connector(backend, contexts)
        self._max_connections, self._idle_timeout = max_connections, idle_timeout
        self._max_idle = max_connections if max_idle is None else max_idle
        # The servers that do not know ``Expect: 100-continue``.
        self._no_expect: set[Origin] = set()
        self._finalizer: finalize[..., Pool] | None = None
        self._reset()

    def _reset(self) -> None:
        """Hold nothing: at first, after a fork, and after the pool was closed."""
        self.state: PoolState[Connection] = PoolState(
            self._backend.event, self._max_connections, self._max_idle, self._idle_timeout
        )
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = finalize(self, _discard, self.state)

    def reserve(self, timeout: float | None) -> Reservation:
        """Return a context that waits for a permit before there is a request; see `Reservation`."""
        return Reservation(self.acquire, timeout)

    def limit(self, ends: float) -> "AbstractAsyncContextManager[object]":
        """Return a context that does nothing: a body keeps to its request's deadline by itself."""
        return _NO_LIMIT

    async def acquire(self, permit: "Permit", timeout: float | None) -> PoolState[Connection]:
        """Wait until *permit* is granted; return the state that granted it."""
        if self.state.process != os.getpid():
            # A fork: what it holds is the parent's.  It is not closed, for asyncio would take the
            # sockets out of the selector that both processes share.
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
        """Send a request as `send` does, with a permit of its reservation, which it waits for."""
        timeouts = request.extensions.get("timeout", {})
        reservation = await self.reserve(timeouts.get("pool")).__aenter__()
        try:
            response = await self.send(request, reservation)
        except BaseException:
            reservation.release()
            raise
        stream = cast("ResponseStream", response.stream)
        stream.reservation = reservation  # it ends with the response
        return response

    async def send(self, request: httpx.Request, reservation: Reservation) -> httpx.Response:
        """
        Send a request, and return the response's head; its body is still to come.

        The request's extensions may hold, beside httpx's time limits:

        - ``deadline``, on the clock of `time.monotonic`: a response that is not there by then is given up,
          however small the pieces in which it comes.
        - ``expect``: True asks the server by the head, with ``Expect: 100-continue``, before a body that
          is at hand is sent.
        - ``target``: the request's target, where httpx would alter it.

        Args:
            request: What to send.
            reservation: What `reserve` returned, inside its context.
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
            if head.status_code == 417:  # sent again without it (RFC 9110, section 15.5.18)
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
        """Check out an idle connection that its server has neither closed nor written to unasked."""
        state = exchange.state
        _close(state.evict())
        while (connection := state.check_out(exchange.origin, exchange)) is not None:
            if not await connection.stream.is_readable():  # RFC 9112, section 9.2
                return True
            exchange.abort()
        return False

    async def _connect(self, exchange: Exchange, request: httpx.Request) -> None:
        """Open a connection, in place of an idle one if need be."""
        timeout = request.extensions.get("timeout", {}).get("connect")
        _close(exchange.state.displaced())
        stream = await self._connector.connect(exchange.origin, timeout)
        exchange.connection = Connection(stream)
        if await stream.is_readable():
            raise httpx.ConnectError(
                "the server closed the new connection, or wrote to it, before a request was sent"
            )

    def release(self, exchange: Exchange) -> None:
        """End with a response, read or not: keep its connection if it may be used again."""
        state, connection = exchange.state, exchange.connection
        if connection is None:
            return
        if state is self.state and connection.recycle():
            state.check_in(exchange.origin, exchange)
        if exchange.connection is not None:
            exchange.abort()
        if state is not self.state:  # another thread may have closed the pool in the meantime
            _close(state.clear())
        elif state.is_crowded:
            _close(state.evict())

    def close(self) -> None:
        """Close what is idle, and let what is in use be closed at its end, now and from now on."""
        self._max_idle = 0
        state = self.state
        self._reset()
        _close(state.clear())

    async def aclose(self) -> None:
        """Do the same."""
        self.close()


def _close(connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.stream.close()


def _discard(state: PoolState[Connection]) -> None:
    """Close what is idle, without a warning, where a client was dropped and never closed."""
    if state.process == os.getpid():  # see `Pool.acquire`
        for connection in state.clear():
            connection.stream.discard()


def _get_origin(request: httpx.Request) -> "Origin":
    url = request.url
    if url.scheme not in _PORTS or not url.raw_host:
        raise httpx.UnsupportedProtocol(
            "a URL must begin with http:// or https://", request=request
        )
    host = url.raw_host.decode("ascii")
    return url.scheme, host, url.port or _PORTS[url.scheme]
