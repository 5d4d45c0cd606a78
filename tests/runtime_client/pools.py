"""Drivers that use every kind of connection pool through an httpx client."""

from functools import partial
from itertools import islice
from math import inf

import httpx
from anyio.from_thread import start_blocking_portal

from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.pool.pool import Pool
from sagemaker_runtime_client._io.run import async_backend, run
from tests.runtime_client.clients import LOOPS
from tests.runtime_client.loopback import PATIENCE


class _Over:
    """A pool backend whose connections are opened by another network backend."""

    def __init__(self, backend, network):
        self._backend, self.connect = backend, network.connect

    def __getattr__(self, name):
        return getattr(self._backend, name)


class _Pool(Pool):
    """A pool that takes a request's reservation from the request's extensions, if there is one."""

    async def handle_async_request(self, request):
        reservation = request.extensions.pop("reservation", None)
        if reservation is None:
            return await super().handle_async_request(request)
        return await self.send(request, reservation)


def _pool(backend, verify=True, limits=None, network=None):
    """Return a connection pool.

    *verify* is a boolean as in httpx, a TLS context, a context factory, or a list of contexts and
    factories; *limits* are keyword arguments from `limited`; *network* replaces the backend's
    network.
    """
    if isinstance(verify, bool):
        verify = partial(httpx.create_ssl_context, verify=verify)
    contexts = verify if isinstance(verify, list) else [verify]
    contexts = [one if callable(one) else partial(lambda context: context, one) for one in contexts]
    return _Pool(
        backend if network is None else _Over(backend, network),
        contexts,
        **(limited(100) if limits is None else limits),
    )


def async_pool(**options):
    """Return a connection pool for tasks on the running event loop."""
    return _pool(async_backend(), **options)


class PooledTransport(httpx.BaseTransport):
    """A transport for httpx's blocking client that sends requests through a connection pool."""

    def __init__(self, **options):
        self.pool = _pool(sync_backend(), **options)

    def handle_request(self, request):
        response = run(self.pool.handle_async_request(request))
        response.stream = _Stream(response.stream)
        return response

    def reserve(self, timeout=None):
        return _Reserved(self.pool.reserve(timeout))

    def close(self):
        self.pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, stream):
        self.stream = stream

    def __iter__(self):
        while piece := run(self.stream.read()):
            yield piece

    def close(self):
        run(self.stream.aclose())


class _Reserved:
    def __init__(self, reservation):
        self._reservation = reservation

    def __enter__(self):
        try:
            return run(self._reservation.__aenter__())
        except BaseException:
            self._reservation.release()
            raise

    def __exit__(self, *details):
        run(self._reservation.__aexit__(*details))


class Blocking:
    """A blocking httpx client that sends through a connection pool."""

    def __init__(self, stack, **options):
        self.transport = PooledTransport(**options)
        self.client = stack.enter_context(httpx.Client(transport=self.transport, timeout=PATIENCE))

    def call(self, function, *args):
        return function(*args)

    def get(self, url, method="GET", **options):
        """Send a request, and return the response with its complete body."""
        return self.client.request(method, url, **options)

    def pieces(self, url, enough=None, **options):
        """Return the pieces of a response body, or only the first *enough* pieces."""
        with self.client.stream("GET", url, **options) as answer:
            return list(islice(answer.iter_raw(), enough))

    def upload(self, url, pieces):
        return self.client.post(url, content=iter(pieces))

    def close(self):
        self.transport.close()


class Tasks:
    """An async httpx client that sends through a connection pool, in an event loop in another
    thread.
    """

    def __init__(self, loop, stack, **options):
        self._portal = stack.enter_context(start_blocking_portal(**LOOPS[loop]))
        self.transport = self.call(partial(_made_in_loop, options))
        self.client = httpx.AsyncClient(transport=self.transport, timeout=PATIENCE)
        stack.callback(self.call, self.client.aclose)

    def call(self, function, *args):
        return self._portal.call(function, *args)

    def get(self, url, method="GET", **options):
        return self.call(partial(self.client.request, method, url, **options))

    def pieces(self, url, enough=None, **options):
        async def read():
            found = []
            async with self.client.stream("GET", url, **options) as answer:
                async for piece in answer.aiter_raw():
                    found.append(piece)
                    if len(found) == enough:
                        break
            return found

        return self.call(read)

    def upload(self, url, pieces):
        async def sent():
            for piece in pieces:
                yield piece

        return self.call(partial(self.client.post, url, content=sent()))

    def close(self):
        self.call(self.transport.aclose)


KINDS = {
    "blocking": Blocking,
    **{loop: partial(Tasks, loop) for loop in LOOPS},
}


async def _made_in_loop(options):
    return async_pool(**options)


def limited(connections, kept=None, expiry=inf):
    """Return the limits of a pool as keyword arguments."""
    return {"max_connections": connections, "max_idle": kept, "idle_timeout": expiry}


def state(transport):
    """Return the state of the pool in *transport*."""
    return getattr(transport, "pool", transport).state


def counts(transport):
    """Return how many permits are granted, how many permits are waiting, how many connections are
    open, and how many of these are idle.
    """
    known = state(transport)
    return len(known._granted), len(waiting(known)), known.open, len(known._idle)


def waiting(known):
    """Return the permits that wait in the queue of a pool state."""
    permits = [one() for one in known._queue]
    return [one for one in permits if one and not (one.is_released or one.numbers)]
