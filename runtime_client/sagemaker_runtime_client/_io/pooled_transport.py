"""
Transports for any httpx client, over a pool that costs the same whatever it holds.

    httpx.Client(transport=PooledTransport())
    httpx.AsyncClient(transport=AsyncPooledTransport())  # on asyncio or trio

A `Connection` speaks HTTP/1.1, which h11 writes and reads; `Ledger` knows who may use which.  httpx's own
pool looks at everything it holds for each request, and asks the operating system about every idle
connection.  Proxies and HTTP/2 are left to it, and so are httpcore's trace and log.

This package knows nothing of the rest, but how a coroutine is stepped.
"""

from collections.abc import AsyncIterator, Iterator

import httpx

from .concurrency import Network, Tasks, Threads, Verify
from .pool import Lease, Pool, Slot
from .run import run

__all__ = ["AsyncPooledTransport", "PooledTransport", "Slot"]

# As many as httpx allows by default, all of which may be kept.
_LIMITS = httpx.Limits(max_connections=100, keepalive_expiry=5.0)


class _Body(Lease, httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        while piece := run(self.pool.piece(self)):
            yield piece

    def close(self) -> None:
        self.pool.finish(self)


class _AsyncBody(Lease, httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self.pool.piece(self):
            yield piece

    async def aclose(self) -> None:
        self.pool.finish(self)


class PooledTransport(httpx.BaseTransport):
    """
    A transport for threads; any number may share it.

    Args:
        verify: TLS settings, or what makes them with the first https URL; True for httpx's own.  Of
            several the next ones serve from the first server on whose authority the one before them
            does not know.
        limits: How many connections there may be at once, how many of them idle, and for how long.
        network: What opens connections; None for sockets.
    """

    def __init__(
        self,
        *,
        verify: Verify = True,
        limits: httpx.Limits | None = None,
        network: Network | None = None,
    ) -> None:
        self._pool = Pool(Threads(network), _Body, verify, limits or _LIMITS)

    def slot(self, timeout: float | None = None) -> Slot:
        """Return a context that waits for a permit before a request is made; see `Slot`."""
        return Slot(self._pool, timeout)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """
        Send *request*; its time limits are in its extensions, as httpx puts them there.

        Beside them may be a ``deadline``, on the clock of `time.monotonic`: an answer that is not
        there by then is given up, however small the pieces in which it comes.  And ``expect``: True
        asks the server by the head, with ``Expect: 100-continue``, before a body that is at hand is sent.
        """
        return run(self._pool.send(request))

    def close_idle(self) -> None:
        """Close what is idle, and let what is in use be closed at its end, now and from now on."""
        self._pool.close()

    def close(self) -> None:
        """Do the same."""
        self._pool.close()


class AsyncPooledTransport(httpx.AsyncBaseTransport):
    """
    The same for the tasks of one event loop, of asyncio or trio.

    Args:
        verify: As for `PooledTransport`.
        limits: Likewise.
        network: Likewise.
    """

    def __init__(
        self,
        *,
        verify: Verify = True,
        limits: httpx.Limits | None = None,
        network: Network | None = None,
    ) -> None:
        self._pool = Pool(Tasks(network), _AsyncBody, verify, limits or _LIMITS)

    def slot(self, timeout: float | None = None) -> Slot:
        """Return a context that waits for a permit before a request is made; see `Slot`."""
        return Slot(self._pool, timeout)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, as `PooledTransport.handle_request` does."""
        return await self._pool.send(request)

    def close_idle(self) -> None:
        """Close what is idle, and let what is in use be closed at its end, now and from now on."""
        self._pool.close()

    async def aclose(self) -> None:
        """Do the same."""
        self._pool.close()
