"""Test cancelling and interrupting an upload at each of its requests."""

import asyncio
import signal
from contextlib import suppress
from threading import Event

import pytest
import trio

from sagemaker_runtime_client._io.on_asyncio import AsyncioBackend
from sagemaker_runtime_client._io.on_trio import TrioBackend
from tests.runtime_client.clients import LOOPS, each_loop
from tests.runtime_client.networks import NETWORKS
from tests.runtime_client.scripted_io import ScriptedIO, core, run
from tests.runtime_client.uploads.store import CONTENT, LOCATION, PART, Store

# The positions of the five requests of an upload of three parts.
REQUESTS = range(5)
COMPLETE = 4
SECONDS = 5


class AsyncIO(ScriptedIO):
    """Scripted I/O for an event loop, which calls a function before or after one request.

    Args:
        answers: The responses, as `ScriptedIO` accepts them.
        backend: The backend of the event loop.
        position: The position of the request, counted from 0.
        early: Whether to call the function before the request instead of after it.
        act: The async function.
    """

    def __init__(self, answers, backend, position, *, early, act):
        super().__init__(answers, random=0.0)
        self._backend, self._position, self._early, self._act = backend, position, early, act
        self._requests = 0

    def backend(self):
        return self._backend

    async def send(self, *arguments, **options):
        is_chosen, self._requests = self._requests == self._position, self._requests + 1
        if is_chosen and self._early:
            await self._act()
        answer = await super().send(*arguments, **options)
        if is_chosen and not self._early:
            await self._act()
        return answer


async def upload_slowly(io, sleep):
    """Upload `CONTENT`, and then sleep, so that a cancellation after the last request still
    arrives.
    """
    await core(io).upload(LOCATION, CONTENT, part_size=PART, concurrency=2)
    await sleep(SECONDS)


@pytest.mark.parametrize("early", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("position", REQUESTS)
class TestCancellation:
    """A cancelled upload leaves no parts, unless it may have been completed; then it is not
    aborted.
    """

    def check(self, store, position, *, early):
        """Check the state of the store after a cancellation at one request.

        The upload must not be aborted after a request to complete it may have been sent.
        """
        if position == COMPLETE and not early:
            assert "abort" not in store.kinds
            assert store.object == CONTENT
        else:
            assert store.object is None
        assert store.uploads == {}

    def test_asyncio(self, position, early):
        """On asyncio, cancelling the task at a request leaves the store in the expected state."""
        store = Store()

        async def main():
            task = asyncio.current_task()

            async def act():
                task.cancel()
                await asyncio.sleep(0.01)

            io = AsyncIO(store, AsyncioBackend(), position, early=early, act=act)
            with pytest.raises(asyncio.CancelledError):
                await upload_slowly(io, asyncio.sleep)
            task.uncancel()

        asyncio.run(main())
        self.check(store, position, early=early)

    def test_anyio(self, position, early):
        """An anyio scope, which repeats its cancellation, does not prevent the upload from being
        aborted.
        """
        import anyio

        store = Store()

        async def main():
            with anyio.CancelScope() as scope:

                async def act():
                    scope.cancel()
                    await asyncio.sleep(0.01)

                io = AsyncIO(store, AsyncioBackend(), position, early=early, act=act)
                await upload_slowly(io, anyio.sleep)
            assert scope.cancelled_caught

        asyncio.run(main())
        self.check(store, position, early=early)

    def test_trio(self, position, early):
        """On trio, cancelling the scope around the call leaves the store in the expected state."""
        store = Store()

        async def main():
            with trio.CancelScope() as scope:

                async def act():
                    scope.cancel()
                    await trio.sleep(0.01)

                io = AsyncIO(store, TrioBackend(), position, early=early, act=act)
                await upload_slowly(io, trio.sleep)
            assert scope.cancelled_caught

        trio.run(main)
        self.check(store, position, early=early)

    def test_interrupt(self, position, early):
        """Ctrl-C during an upload of a blocking client leaves the store in the expected state."""
        store = Store()

        async def act():
            signal.raise_signal(signal.SIGINT)

        class IO(AsyncIO):
            def backend(self):
                return ScriptedIO.backend(self)

        io = IO(store, None, position, early=early, act=act)
        with pytest.raises(KeyboardInterrupt):
            run(upload_slowly(io, ScriptedIO().sleep))
        self.check(store, position, early=early)


@pytest.mark.parametrize(("kind", "drive"), NETWORKS.values(), ids=NETWORKS)
class TestUninterrupted:
    """`uninterrupted` calls a function, which can continue for a while after a cancellation."""

    def test_result(self, kind, drive):
        """`uninterrupted` returns the result of the function, or raises its error."""
        backend = kind()

        async def work(number):
            await backend.sleep(0)
            return 10 // number

        async def main():
            assert await backend.uninterrupted(SECONDS, work, 5) == 2
            with pytest.raises(ZeroDivisionError):
                await backend.uninterrupted(SECONDS, work, 0)

        drive(main)

    @pytest.mark.parametrize("seconds", [SECONDS, 0.01], ids=["ends", "takes too long"])
    def test_cancelled_group(self, kind, drive, seconds):
        """If a group is cancelled, a function that ends within the time limit is not interrupted."""
        backend, ended, went_on = kind(), [], []

        async def work():
            await backend.sleep(0.1)
            ended.append(1)

        async def task():
            await backend.uninterrupted(seconds, work)
            await backend.sleep(0)
            went_on.append(1)

        async def main():
            async with backend.task_group() as group:
                group.start(task)
                await backend.sleep(0.02)
                group.cancel()

        drive(main)
        assert went_on == []
        if seconds == SECONDS:
            assert ended == [1]


def test_interrupt_that_does_not_wait():
    """After Ctrl-C, `uninterrupted` waits for the function only until the time limit."""
    backend, stop = ScriptedIO().backend(), Event()

    async def work():
        signal.raise_signal(signal.SIGINT)
        stop.wait(SECONDS)

    with pytest.raises(KeyboardInterrupt):
        run(backend.uninterrupted(0.01, work))
    stop.set()


@each_loop
def test_cancelled_before_it_starts(loop):
    """If an upload is cancelled before its first request, nothing is sent."""
    import anyio

    store = Store()
    backend = TrioBackend() if loop is LOOPS["trio"] else AsyncioBackend()

    async def main():
        with anyio.CancelScope() as scope:
            scope.cancel()
            io = AsyncIO(store, backend, -1, early=True, act=None)
            with suppress(TypeError):
                await anyio.lowlevel.checkpoint()
                await core(io).upload(LOCATION, CONTENT, part_size=PART)

    anyio.run(main, **loop)
    assert store.kinds == []
