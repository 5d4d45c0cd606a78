"""Test one client that event loops, tasks, threads or processes share."""

import asyncio
import gc
import os
import sys
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from threading import Barrier, Event

import anyio
import anyio.lowlevel
import pytest
import trio

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from sagemaker_runtime_client._io.generation import _generations
from sigv4 import Credentials
from tests.runtime_client.clients import get_transport, often, opened, settings
from tests.runtime_client.loopback import Loopback, response


class TestLoops:
    def test_two_runs(self, emulator):
        """An async client that is closed at the end of one event loop works in the next event loop."""
        client = AsyncSageMakerRuntimeClient(**settings(emulator))

        async def use(payload):
            async with client:
                return await client.infer("x", payload, timeout=10, schedule=often)

        assert asyncio.run(use(b"one")).body == b"ONE"
        assert asyncio.run(use(b"two")).body == b"TWO"
        assert trio.run(use, b"three").body == b"THREE"

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    @pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.parametrize(
        "start",
        [asyncio.run, lambda coroutine: trio.run(_identity, coroutine)],
        ids=["asyncio", "trio"],
    )
    def test_runs_without_end(self, emulator, start):
        """If an async client is used in many consecutive event loops and never closed, it does not
        accumulate open descriptors.
        """
        client = AsyncSageMakerRuntimeClient(**settings(emulator))
        counts = []
        for _ in range(10):
            start(client.put_object("s3://bucket/key", b"x"))
            gc.collect()
            counts.append(len(list(Path("/proc/self/fd").iterdir())))
        # If descriptors accumulated, there would be one or two more after each event loop.
        assert max(counts) - counts[0] <= 4
        assert len(get_transport(client).senders) <= 1

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_loops_end(self, backend):
        """An ended event loop can be freed even if its calls had to wait for connections."""
        location = {"input_location": "s3://bucket/key"}
        with Loopback(lambda *_: response(b"{}", 202)) as server:
            client = AsyncSageMakerRuntimeClient(
                region="eu-west-1",
                credentials=Credentials("AKIDEXAMPLE", "secret"),
                endpoint_url=server.url,
                max_connections=1,
            )

            async def main():
                async with client, anyio.create_task_group() as tasks:
                    for _ in range(3):
                        tasks.start_soon(partial(client.invoke_endpoint_async, "e", **location))

            for _ in range(5):
                anyio.run(main, backend=backend)
                gc.collect()
        assert len(get_transport(client).senders) <= 1

    def test_loop_in_each_thread(self, emulator):
        """Threads with an event loop each can share an async client.

        When all loops have closed the client, no connection is left open.
        """
        client = AsyncSageMakerRuntimeClient(**settings(emulator))
        together = Barrier(4, timeout=10)

        async def use(payload):
            async with client:
                first = await client.infer("x", payload, timeout=10, schedule=often)
                together.wait()  # from this point on, all loops have connections
                second = await client.infer("x", payload, timeout=10, schedule=often)
                together.wait()
            return first.body + second.body

        with ThreadPoolExecutor(4) as threads:
            payloads = [b"a", b"b", b"c", b"d"]
            answers = list(threads.map(lambda payload: asyncio.run(use(payload)), payloads))
        assert answers == [b"AA", b"BB", b"CC", b"DD"]
        assert opened(client) == 0

    def test_tasks_share_connections(self):
        """Tasks that share a client in one event loop use at most `max_connections` connections
        together.
        """
        with Loopback(lambda *_: response(b"x")) as server:

            async def use():
                options = {"s3_endpoint_url": server.url, "max_connections": 3}
                credentials = Credentials("AKIDEXAMPLE", "canary-secret")
                async with AsyncSageMakerRuntimeClient(
                    region="eu-west-1", credentials=credentials, **options
                ) as client:
                    calls = [client.get_object(f"s3://bucket/{i}") for i in range(20)]
                    return await asyncio.gather(*calls)

            assert {found.body for found in asyncio.run(use())} == {b"x"}
            assert len(server.requests) == 20
            assert server.connections <= 3


async def _identity(coroutine):
    return await coroutine


@contextmanager
def untraced():
    """Disable coverage in this thread, because coverage uses 1.5 KiB for each coroutine that waits."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


class TestManyTasks:
    """Many concurrent calls of one client, of which at most `max_connections` are in progress."""

    @staticmethod
    @asynccontextmanager
    async def at_once(url, count, **options):
        credentials = Credentials("AKIDEXAMPLE", "secret")
        async with AsyncSageMakerRuntimeClient(
            region="eu-west-1", credentials=credentials, endpoint_url=url, **options
        ) as client:
            location = {"input_location": "s3://bucket/key"}
            await client.invoke_endpoint_async("e", **location)
            async with anyio.create_task_group() as tasks:
                for _ in range(count):
                    tasks.start_soon(partial(client.invoke_endpoint_async, "e", **location))
                yield client

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_all_succeed(self, backend):
        """If 200 calls share 3 connections, all calls succeed, and no more connections are opened."""
        with Loopback(lambda *_: response(b"{}", 202)) as server:

            async def main():
                async with self.at_once(server.url, 200, max_connections=3):
                    pass

            anyio.run(main, backend=backend)
        assert len(server.requests) == 201
        assert server.connections <= 3

    def test_memory(self):
        """A call that waits for a connection uses less than 4 KiB of memory, including its task."""
        count, answered = 1000, Event()

        def answer(_request, _connection):
            if len(server.requests) > 1:
                answered.wait(10)
            return response(b"{}", 202)

        async def main():
            async with self.at_once(server.url, count, max_connections=1):
                tracemalloc.start()
                before = tracemalloc.get_traced_memory()[0]
                while len(server.requests) < 2:
                    await anyio.lowlevel.checkpoint()
                memory = tracemalloc.get_traced_memory()[0] - before
                tracemalloc.stop()
                answered.set()
            return memory / count

        with Loopback(answer) as server, untraced():
            assert 256 < asyncio.run(main()) < 4096

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_cancelled(self, backend):
        """If a call is cancelled while it waits for a connection, the other waiting calls still
        succeed.
        """
        with Loopback(lambda *_: response(b"{}", 202)) as server:

            async def main():
                async with self.at_once(server.url, 20, max_connections=1) as client:
                    await anyio.lowlevel.checkpoint()  # this lets the other calls join the queue
                    with anyio.move_on_after(0):
                        await client.invoke_endpoint_async("e", input_location="s3://bucket/key")

            anyio.run(main, backend=backend)
        assert len(server.requests) == 21


class TestThreads:
    def test_many(self, emulator):
        """A blocking client that has not yet made a request can be shared by 32 threads."""
        threads, together = 32, Barrier(32, timeout=10)
        emulator.set_concurrency(threads)

        def use(number):
            together.wait()
            payload = f"payload {number}".encode()
            return client.infer("x", payload, timeout=30, schedule=often).body

        with (
            SageMakerRuntimeClient(**settings(emulator, max_connections=8)) as client,
            ThreadPoolExecutor(threads) as pool,
        ):
            answers = list(pool.map(use, range(threads)))
        assert answers == [f"PAYLOAD {number}".encode() for number in range(threads)]
        assert len(emulator.jobs) == threads
        assert all(request.status != 403 for request in emulator.requests)


class TestFork:
    @pytest.mark.parametrize("is_derived", [False, True], ids=["original", "with options"])
    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
    def test_child(self, is_async, is_derived):
        """After a fork, a client in the child process opens a connection of its own.

        The connection of the parent stays usable.
        """
        with Loopback(lambda request, _: response(request.target.encode())) as server:
            options = {
                "region": "eu-west-1",
                "credentials": Credentials("AKIDEXAMPLE", "canary-secret"),
                "s3_endpoint_url": server.url,
            }
            with ExitStack() as stack:
                if is_async:
                    loop = stack.enter_context(asyncio.Runner())
                    client = AsyncSageMakerRuntimeClient(**options)
                    stack.callback(lambda close: loop.run(close()), client.aclose)
                else:
                    client = stack.enter_context(SageMakerRuntimeClient(**options))
                if is_derived:
                    client = client.with_options(timeout=60)

                def get(key):
                    if is_async:
                        return loop.run(client.get_object(f"s3://bucket/{key}")).body
                    return client.get_object(f"s3://bucket/{key}").body

                assert get("parent") == b"/bucket/parent"
                child = self.forked(lambda: get("child") == b"/bucket/child")
                assert os.waitpid(child, 0) == (child, 0)
                assert get("parent") == b"/bucket/parent"
        assert [request.connection for request in server.requests] == [0, 1, 0]

    @staticmethod
    def forked(check):
        """Fork, and return the child's process ID.

        The child calls *check*, and exits with status 0 if the result is true.
        """
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            child = os.fork()
        if child == 0:
            passed = False
            try:
                passed = check()
            finally:
                os._exit(0 if passed else 1)
        return child

    def test_in_another_generation(self, plain_driver, emulator):
        """After the process is restored from a snapshot, a client uses new connections."""
        client = plain_driver.client(**settings(emulator))
        client.put_object("s3://bucket/key", b"x")
        transport = get_transport(client.itself)
        before = transport.senders
        _generations.advance()
        assert client.get_object("s3://bucket/key").body == b"x"
        assert transport.senders is not before
        # Close both sets of senders: the old one here, the new one at the end of the test.
        transport.senders, after = before, transport.senders
        (client.aclose if plain_driver.kind.is_async else client.close)()
        transport.senders = after


class TestClock:
    MANY = 16

    def test_threads(self, emulator):
        """If the clock is wrong, concurrent calls in threads need at most one retry each."""
        emulator.faults.clock_skew = 600
        with (
            SageMakerRuntimeClient(**settings(emulator)) as client,
            ThreadPoolExecutor(self.MANY) as threads,
        ):
            calls = [
                threads.submit(client.invoke_endpoint_async, "x", body=b"x")
                for _ in range(self.MANY)
            ]
            assert {1, 2} >= {call.result().attempts for call in calls}

    def test_tasks(self, emulator):
        """If the clock is wrong, concurrent calls in tasks need at most one retry each."""
        emulator.faults.clock_skew = -1200

        async def use():
            async with AsyncSageMakerRuntimeClient(**settings(emulator)) as client:
                return await asyncio.gather(
                    *[client.invoke_endpoint_async("x", body=b"x") for _ in range(self.MANY)]
                )

        assert {1, 2} >= {invocation.attempts for invocation in asyncio.run(use())}
