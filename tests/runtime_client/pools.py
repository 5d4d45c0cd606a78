"""Every way to drive a pool, behind one, through a client of httpx."""

from functools import partial
from itertools import islice

import httpx
from anyio.from_thread import start_blocking_portal

from sagemaker_runtime_client._io.pooled_transport import AsyncPooledTransport, PooledTransport
from tests.runtime_client.clients import LOOPS
from tests.runtime_client.loopback import PATIENCE


class Blocking:
    """A client of httpx over a pool, for threads."""

    def __init__(self, stack, **options):
        self.transport = PooledTransport(**options)
        self.client = stack.enter_context(httpx.Client(transport=self.transport, timeout=PATIENCE))

    def call(self, function, *args):
        return function(*args)

    def get(self, url, method="GET", **options):
        """Return an answer, with all of its body."""
        return self.client.request(method, url, **options)

    def pieces(self, url, enough=None, **options):
        """Return the pieces of an answer's body, or the first of them."""
        with self.client.stream("GET", url, **options) as answer:
            return list(islice(answer.iter_raw(), enough))

    def upload(self, url, pieces):
        return self.client.post(url, content=iter(pieces))

    def close(self):
        self.transport.close()


class Tasks:
    """The same for tasks, in an event loop of another thread."""

    def __init__(self, loop, stack, **options):
        self._portal = stack.enter_context(start_blocking_portal(**LOOPS[loop]))
        self.transport = AsyncPooledTransport(**options)
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


def limited(connections, kept=None, expiry=None):
    """Return limits."""
    return httpx.Limits(
        max_connections=connections, max_keepalive_connections=kept, keepalive_expiry=expiry
    )


def state(transport):
    """Return the bookkeeping of the pool that is in use."""
    return transport._pool._ledger


def books(transport):
    """Return how many permits are granted, how many wait, how many connections are open, and idle."""
    ledger = state(transport)
    return len(ledger._granted), len(waiting(ledger)), ledger.open, len(ledger._idle)


def waiting(ledger):
    """Return the permits that wait."""
    permits = [one() for one in ledger._queue]
    return [one for one in permits if one and not (one.is_released or one.numbers)]
