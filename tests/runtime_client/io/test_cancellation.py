"""Test that the pool loses neither permits nor connections if a call is cancelled at any of its
awaits.
"""

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count
from threading import Event

import anyio
import httpx
import pytest

from sagemaker_runtime_client._io.on_threads import _run_despite_interrupts
from tests.runtime_client.clients import LOOPS, unread_body
from tests.runtime_client.loopback import Loopback
from tests.runtime_client.pools import PATIENCE, async_pool, counts, limited


class Suspensions:
    """An awaitable that wraps another one, and calls given functions when that one suspends.

    Args:
        awaitable: The awaitable to wrap.
        calls: Maps a number n to the functions to call when *awaitable* suspends for the n-th time.

    Attributes:
        number: How often the wrapped awaitable has suspended so far.
    """

    def __init__(self, awaitable, calls):
        self._awaitable, self._calls = awaitable, calls
        self.number = 0

    def __await__(self):
        steps = self._awaitable.__await__()
        step = partial(steps.send, None)
        while True:
            try:
                suspended = step()
            except StopIteration as stop:
                return stop.value
            self.number += 1
            for call in self._calls.get(self.number, ()):
                call()
            try:
                step = partial(steps.send, (yield suspended))
            except BaseException as error:  # noqa: BLE001 (handed on)
                step = partial(steps.throw, error)


@asynccontextmanager
async def scoped():
    """Yield a function that cancels as anyio and trio do: every later await in the scope is
    cancelled.
    """
    with anyio.CancelScope() as scope:
        yield scope.cancel


@asynccontextmanager
async def native():
    """Yield a function that cancels as asyncio does: the current task is cancelled once."""
    task = asyncio.current_task()
    with suppress(asyncio.CancelledError):
        yield task.cancel
    while task.cancelling():
        task.uncancel()


@unread_body
@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    ("loop", "cancelling"),
    [
        *(("asyncio", scoped), ("asyncio", native)),
        *(("uvloop", scoped), ("uvloop", native), ("trio", scoped)),
    ],
    ids=[
        *("asyncio, in a scope", "asyncio, its own"),
        *("uvloop, in a scope", "uvloop, its own", "trio"),
    ],
)
class TestCancellation:
    def run(self, loop, cancelling, certificate, is_tls, prepare, least):
        """Cancel a call at each of its suspensions in turn, and check that the pool loses nothing.

        Also check that the call suspends at least *least* times.
        """
        bundle, tls = certificate
        go_on = Event()  # without this event, a single await might read the whole response

        def respond(request, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi")
            if request.method != "GET":
                assert go_on.wait(PATIENCE)
            return b"ho"

        async def main():
            transport = async_pool(
                limits=limited(2), verify=ssl.create_default_context(cafile=bundle)
            )
            client = httpx.AsyncClient(transport=transport, timeout=PATIENCE)
            for at in count(1):
                go_on.clear()
                async with prepare(client, transport, server.url) as call, cancelling() as cancel:
                    calls = {least: [go_on.set]}
                    calls[at] = [cancel, *calls.get(at, ())]
                    suspensions = Suspensions(call(), calls)
                    await suspensions
                go_on.set()
                granted, queue, opened, idle = counts(transport)
                assert (granted, queue) == (0, 0)
                assert idle == opened
                if suspensions.number < at:
                    break
            await client.aclose()
            assert counts(transport) == (0, 0, 0, 0)
            assert suspensions.number >= least

        with Loopback(respond, tls if is_tls else None) as server:
            anyio.run(main, **LOOPS[loop])

    def test_from_the_start(self, loop, cancelling, certificate, is_tls):
        """If a call that opens a connection is cancelled at any await, no permit and no connection
        is lost.
        """

        @asynccontextmanager
        async def prepare(client, transport, url):
            await transport.aclose()
            yield partial(client.post, url, content=b"body")

        self.run(loop, cancelling, certificate, is_tls, prepare, least=3)

    def test_over_an_idle_connection(self, loop, cancelling, certificate, is_tls):
        """If a call over an idle connection is cancelled at any await, no permit and no connection
        is lost.
        """

        @asynccontextmanager
        async def prepare(client, _transport, url):
            await client.get(url)
            yield partial(client.post, url, content=b"body")

        self.run(loop, cancelling, certificate, is_tls, prepare, least=2)

    def test_in_an_upload(self, loop, cancelling, certificate, is_tls):
        """If a call that sends a large body over an idle connection is cancelled at any await, no
        permit and no connection is lost.
        """

        @asynccontextmanager
        async def prepare(client, _transport, url):
            await client.get(url)
            yield partial(client.put, url, content=bytes(1 << 18), extensions={"expect": True})

        self.run(loop, cancelling, certificate, is_tls, prepare, least=2)

    def test_in_the_queue(self, loop, cancelling, certificate, is_tls):
        """If a call is cancelled while it waits for a permit, the calls that hold the permits still
        succeed, and no permit is lost.
        """

        @asynccontextmanager
        async def prepare(client, transport, url):
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(client.get, url)
                while counts(transport)[0] < 2:
                    await anyio.lowlevel.checkpoint()
                with anyio.CancelScope():
                    yield partial(client.get, url)

        self.run(loop, cancelling, certificate, is_tls, prepare, least=2)


@pytest.mark.parametrize("is_first", [False, True], ids=["after", "before"])
def test_cancelled_when_its_permit_is_granted(is_first):
    """If a task is cancelled just before or just after its permit is granted, the next waiting task
    gets the permit.
    """

    async def main():
        transport = async_pool(limits=limited(1))

        async def use():
            async with transport.reserve(None):
                pass

        async with transport.reserve(None):
            waiting = [asyncio.create_task(use()) for _ in range(2)]
            while counts(transport)[1] < 2:
                await anyio.lowlevel.checkpoint()
            if is_first:
                waiting[0].cancel()
        waiting[0].cancel()
        await waiting[1]
        assert waiting[0].cancelled()
        assert counts(transport) == (0, 0, 0, 0)

    asyncio.run(main())


def test_interrupt_while_a_thread_starts():
    """If Ctrl-C arrives while a thread starts, the end of its work is awaited, despite more Ctrl-C."""
    calls = []

    class Starting:
        def start(self):
            raise KeyboardInterrupt

    class Finished:
        def is_set(self):
            return len(calls) == 2

        def wait(self, _seconds):
            calls.append("wait")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run_despite_interrupts(Starting(), Finished(), 5.0)
    assert calls == ["wait", "wait"]
