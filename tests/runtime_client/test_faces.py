"""The two faces agree, and are shared by loops, threads and processes; no secret leaves them."""

import asyncio
import gc
import inspect
import logging
import os
import pickle
import traceback
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Barrier, Event

import anyio
import anyio.lowlevel
import pytest
import trio

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ConfigError,
    NoCredentialsError,
    RuntimeClientError,
    SageMakerRuntimeClient,
)
from sagemaker_runtime_client._io.generation import _generations
from sagemaker_runtime_client._io.message import TransportOptions
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.system import AsyncIO
from sagemaker_runtime_client._io.transport import AsyncTransport
from sagemaker_runtime_client.emulator import Emulator, Faults, ModelFailure
from sigv4 import Credentials
from tests.runtime_client.faces import often, settings, transport_of, unread_body
from tests.runtime_client.loopback import Loopback, response

FACES = (SageMakerRuntimeClient, AsyncSageMakerRuntimeClient)


def operations(face):
    """Return the public names of a face, close aside."""
    return {name for name in dir(face) if not name.startswith("_")} - {"close", "aclose"}


class TestAgreement:
    def test_names(self):
        """The faces have the same operations; closing is spelt as each colour spells it."""
        assert operations(SageMakerRuntimeClient) == operations(AsyncSageMakerRuntimeClient)
        assert hasattr(SageMakerRuntimeClient, "close")
        assert not hasattr(SageMakerRuntimeClient, "aclose")
        assert hasattr(AsyncSageMakerRuntimeClient, "aclose")
        assert not hasattr(AsyncSageMakerRuntimeClient, "close")

    @pytest.mark.parametrize("name", sorted({*operations(SageMakerRuntimeClient), "close"}))
    def test_each(self, name):
        """An operation has the same signature and docstring on both, and is awaited on one."""
        ours = getattr(SageMakerRuntimeClient, name)
        theirs = getattr(AsyncSageMakerRuntimeClient, "aclose" if name == "close" else name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__doc__
        assert ours.__doc__ == theirs.__doc__
        assert (False, True) == tuple(map(inspect.iscoroutinefunction, (ours, theirs)))

    def test_settings(self):
        """Both are made with the same arguments, which one docstring describes."""
        assert inspect.signature(FACES[0]) == inspect.signature(FACES[1])
        described = {line.split(":")[0].strip() for line in FACES[0].__init__.__doc__.splitlines()}
        assert set(inspect.signature(FACES[0]).parameters) <= described

    @pytest.mark.parametrize("face", FACES)
    def test_repr(self, face):
        """A client shows for whom it is, and nothing that could be secret."""
        assert f"{face.__name__}()" == repr(face())
        client = face(region="eu-west-1", profile="p", endpoint_url="https://canary-secret@host")
        assert f"{face.__name__}(profile='p', region='eu-west-1')" == repr(client)

    def test_wrong_calls(self, plain_driver):
        """A wrong call is refused in the caller's words, with the names that boto3 has for ours."""
        client = plain_driver.client(region="eu-west-1")
        kind = plain_driver.kind.face.__name__
        with pytest.raises(TypeError) as caught:
            client.invoke_endpoint_async(EndpointName="e", RequestTTLSeconds=60)
        assert str(caught.value).startswith(f"{kind}.invoke_endpoint_async() got an unexpected")
        hints = "EndpointName is endpoint_name here; RequestTTLSeconds is request_ttl_seconds here"
        assert str(caught.value).endswith(hints)
        with pytest.raises(TypeError, match=f"{kind}.infer.. missing 1 required .*: 'payload'"):
            client.infer("e", timeout=1)
        with pytest.raises(TypeError, match="ContentType is content_type here"):
            client.infer("e", b"x", timeout=1, ContentType="text/csv")
        with pytest.raises(TypeError, match="call invoke_endpoint_async, then wait"):
            client.submit("e", b"x", input_location="s3://b/k")

    def test_context(self, plain_driver, emulator):
        """Either is its own context, and is closed by leaving it."""
        client = plain_driver.client(**settings(emulator)).itself

        async def awaited():
            async with client as entered:
                await entered.put_object("s3://bucket/key", b"")
                return entered

        def blocking():
            with client as entered:
                entered.put_object("s3://bucket/key", b"")
                return entered

        kind = plain_driver.kind
        assert client is plain_driver.call(awaited if kind.is_async else blocking)
        assert 0 == opened(client)

    def test_open_again(self, plain_driver, emulator):
        """A closed client opens new connections when it is used again, and closing twice is fine."""
        client = plain_driver.client(**settings(emulator))
        close = client.aclose if plain_driver.kind.is_async else client.close
        close()
        close()
        client.put_object("s3://bucket/key", b"x")
        close()
        assert b"x" == client.get_object("s3://bucket/key").body


class TestRun:
    def test_coroutine_that_suspends(self):
        """A coroutine that suspends is closed and refused: over blocking I/O none may."""
        ended = []

        async def suspends():
            try:
                await asyncio.sleep(0)
            finally:
                ended.append(True)

        with pytest.raises(RuntimeError, match="this coroutine suspended"):
            run(suspends())
        assert [True] == ended

    def test_coroutine_that_raises(self):
        """What a coroutine raises comes out as it is."""

        async def fails():
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run(fails())


class TestCredentials:
    @pytest.mark.parametrize("how", ["value", "function", "async function", "environment"])
    def test_sources(self, plain_driver, emulator, monkeypatch, how):
        """Credentials come from wherever they are said to; an async client awaits who wants that."""
        if how == "async function" and not plain_driver.kind.is_async:
            expected = pytest.raises(RuntimeClientError, match="async one")
        else:
            expected = ExitStack()

        async def awaited():
            await trio.lowlevel.checkpoint() if plain_driver.kind.backend == "trio" else None
            return emulator.credentials

        sources = {
            "value": emulator.credentials,
            "function": lambda: emulator.credentials,
            "async function": awaited,
            "environment": None,
        }
        if how == "environment":
            for name, value in emulator.environ.items():
                monkeypatch.setenv(name, value)
        with expected:
            client = plain_driver.client(**settings(emulator, credentials=sources[how]))
            client.put_object("s3://bucket/key", b"")

    def test_none(self, plain_driver, emulator):
        """Where nobody has credentials nothing is sent."""
        client = plain_driver.client(**settings(emulator, credentials=None))
        with pytest.raises(NoCredentialsError):
            client.put_object("s3://bucket/key", b"")
        assert () == emulator.requests


class TestLoops:
    def test_two_runs(self, emulator):
        """An async client that is closed in each event loop works in the next one."""
        client = AsyncSageMakerRuntimeClient(**settings(emulator))

        async def use(payload):
            async with client:
                return await client.infer("x", payload, timeout=10, schedule=often)

        assert b"ONE" == asyncio.run(use(b"one")).body
        assert b"TWO" == asyncio.run(use(b"two")).body
        assert b"THREE" == trio.run(use, b"three").body

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    @pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.parametrize(
        "start",
        [asyncio.run, lambda coroutine: trio.run(_identity, coroutine)],
        ids=["asyncio", "trio"],
    )
    def test_runs_without_end(self, emulator, start):
        """Where nobody closes it, what it opened in loops that ended does not pile up."""
        client = AsyncSageMakerRuntimeClient(**settings(emulator))
        counts = []
        for _ in range(10):
            start(client.put_object("s3://bucket/key", b"x"))
            gc.collect()
            counts.append(len(list(Path("/proc/self/fd").iterdir())))
        assert max(counts) - counts[0] <= 4  # one or two a loop otherwise
        assert len(transport_of(client)._own) <= 1

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_loops_end(self, backend):
        """A loop in which calls waited for one another is let go after its end."""
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
        assert len(client._core._io._calls) <= 1

    def test_loop_in_each_thread(self, emulator):
        """Threads with a loop each share an async client, and close what is theirs."""
        client = AsyncSageMakerRuntimeClient(**settings(emulator))
        together = Barrier(4, timeout=10)

        async def use(payload):
            async with client:
                first = await client.infer("x", payload, timeout=10, schedule=often)
                together.wait()  # now there are connections in all loops
                second = await client.infer("x", payload, timeout=10, schedule=often)
                together.wait()
            return first.body + second.body

        with ThreadPoolExecutor(4) as threads:
            payloads = [b"a", b"b", b"c", b"d"]
            answers = list(threads.map(lambda payload: asyncio.run(use(payload)), payloads))
        assert [b"AA", b"BB", b"CC", b"DD"] == answers
        assert 0 == opened(client)

    def test_tasks_share_connections(self):
        """Tasks of one loop share a client's connections, of which there are no more than allowed."""
        with Loopback(lambda *_: response(b"x")) as server:

            async def use():
                options = {"s3_endpoint_url": server.url, "max_connections": 3}
                credentials = Credentials("AKIDEXAMPLE", "canary-secret")
                async with AsyncSageMakerRuntimeClient(
                    region="eu-west-1", credentials=credentials, **options
                ) as client:
                    calls = [client.get_object(f"s3://bucket/{i}") for i in range(20)]
                    return await asyncio.gather(*calls)

            assert {b"x"} == {found.body for found in asyncio.run(use())}
            assert 20 == len(server.requests)
            assert server.connections <= 3


async def _identity(coroutine):
    return await coroutine


class TestManyTasks:
    """Of many calls at once only so many begin as there may be connections."""

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
        """All are answered, over as many connections as may be."""
        with Loopback(lambda *_: response(b"{}", 202)) as server:

            async def main():
                async with self.at_once(server.url, 200, max_connections=3):
                    pass

            anyio.run(main, backend=backend)
        assert 201 == len(server.requests)
        assert server.connections <= 3

    def test_memory(self):
        """Each that waits takes less than 4 KiB, its task and all."""
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
                taken = tracemalloc.get_traced_memory()[0] - before
                tracemalloc.stop()
                answered.set()
            return taken / count

        with Loopback(answer) as server:
            assert 256 < asyncio.run(main()) < 4096

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_cancelled(self, backend):
        """Who is cancelled in the queue leaves it, and the rest goes on."""
        with Loopback(lambda *_: response(b"{}", 202)) as server:

            async def main():
                async with self.at_once(server.url, 20, max_connections=1) as client:
                    await anyio.lowlevel.checkpoint()  # the others stand in the queue
                    with anyio.move_on_after(0):
                        await client.invoke_endpoint_async("e", input_location="s3://bucket/key")

            anyio.run(main, backend=backend)
        assert 21 == len(server.requests)


class TestThreads:
    def test_many(self, emulator):
        """32 threads share a blocking client, from its first request on."""
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
        assert [f"PAYLOAD {number}".encode() for number in range(threads)] == answers
        assert threads == len(emulator.jobs)
        assert all(request.status != 403 for request in emulator.requests)


class TestFork:
    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
    def test_child(self, is_async):
        """A child opens connections of its own, and leaves its parent's alone."""
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
                    stack.callback(lambda: loop.run(client.aclose()))
                else:
                    client = stack.enter_context(SageMakerRuntimeClient(**options))

                def get(key):
                    if is_async:
                        return loop.run(client.get_object(f"s3://bucket/{key}")).body
                    return client.get_object(f"s3://bucket/{key}").body

                assert b"/bucket/parent" == get("parent")
                child = self.forked(lambda: get("child") == b"/bucket/child")
                assert (child, 0) == os.waitpid(child, 0)
                assert b"/bucket/parent" == get("parent")
        assert [0, 1, 0] == [request.connection for request in server.requests]

    @staticmethod
    def forked(check):
        """Fork, and return the child's id; it ends with 0 where the check holds."""
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
        """A client that finds itself restored from a snapshot opens new connections."""
        client = plain_driver.client(**settings(emulator))
        client.put_object("s3://bucket/key", b"x")
        transport = transport_of(client.itself)
        before = transport._own
        _generations.begin()
        assert b"x" == client.get_object("s3://bucket/key").body
        assert transport._own is not before
        transport._own, after = before, transport._own  # both are closed by the test's end
        (client.aclose if plain_driver.kind.is_async else client.close)()
        transport._own = after


def opened(client):
    """Return how many senders a client has open, in all its loops."""
    own = transport_of(client)._own
    return sum(map(len, own._made.values())) if hasattr(own, "_made") else len(own)


class TestSecrets:
    """No secret shows in a log, an error, a repr or a pickle, at any level of logging."""

    TOKEN = "CANARY-TOKEN-b3f1"
    SECRET = "CANARY-SECRET-77aa"
    ATTRIBUTES = "CANARY-ATTRIBUTES-09cd"

    @unread_body
    def test_anywhere(self, driver, caplog):
        """The whole job, and each way to fail, leaves no trace of what is secret."""
        caplog.set_level(logging.DEBUG)
        credentials = Credentials("AKIDEXAMPLE", self.SECRET, self.TOKEN)
        attributes = {"custom_attributes": self.ATTRIBUTES}

        def model(request):
            if request.body == b"fail":
                raise ModelFailure("failed")
            return request.body

        with Emulator(model=model, credentials=credentials) as emulator:
            client = driver.client(**settings(emulator, max_attempts=1))
            output = client.infer("x", b"x", timeout=10, schedule=often, **attributes)
            stored = client.put_object("s3://bucket/key", b"x")
            failures = [
                self.failure(emulator, client, fault, attributes)
                for fault in (Faults.THROTTLED, Faults.RESET_BEFORE_READ, Faults.RESET_IN_HEAD)
            ]
            failures += [self.failure(emulator, client, None, attributes, b"fail")]
            wrong = Credentials("AKIDEXAMPLE", self.SECRET + "-wrong", self.TOKEN)
            client = driver.client(**settings(emulator, credentials=wrong))
            failures += [self.failure(emulator, client, None, attributes)]
        shown = [caplog.text, repr(output), output.invocation.to_json(), repr(stored)]
        shown += [repr(client.itself), repr(credentials), repr(client.itself._core)]
        for error in failures:
            shown += [str(error), repr(error), repr(vars(error)), str(pickle.dumps(error))]
            shown += ["".join(traceback.format_exception(error))]
        assert "x/async-invocations, attempt 1" in caplog.text
        assert "" == "".join(text for text in shown if "CANARY" in text)

    @staticmethod
    def failure(emulator, client, fault, attributes, payload=b"x"):
        """Return the error of an inference that a fault befalls."""
        if fault is not None:
            emulator.faults.once(fault)
        with pytest.raises(RuntimeClientError) as caught:
            client.infer("x", payload, timeout=10, schedule=often, **attributes)
        return caught.value


def test_time_and_chance():
    """What the world gives: an aware instant, a clock, numbers from 0 up to 1, ids; all different."""
    io = AsyncIO(AsyncTransport(TransportOptions))
    assert io.now().tzinfo is not None
    assert io.monotonic() <= io.monotonic()
    numbers = {io.random() for _ in range(100)}
    assert 100 == len(numbers)
    assert all(0 <= number < 1 for number in numbers)
    assert io.uuid() != io.uuid()
    assert os.environ is io.environ


class TestCredentialsArgument:
    async def _credentials(self):
        return Credentials("AKIDEXAMPLE", "canary-secret")

    def test_async_function(self):
        """An async function is refused where nobody would await it, when the client is made."""
        with pytest.raises(ConfigError, match="async"):
            SageMakerRuntimeClient(credentials=self._credentials)
        AsyncSageMakerRuntimeClient(credentials=self._credentials)

    @pytest.mark.parametrize("face", FACES)
    def test_neither(self, face):
        """What can give no credentials at all is refused by both."""
        with pytest.raises(ConfigError, match="not str"):
            face(credentials="AKIDEXAMPLE")


class TestClock:
    MANY = 16

    def test_threads(self, emulator):
        """Calls that began at once with a clock that is off are each tried again with the right one."""
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
        """Likewise of tasks."""
        emulator.faults.clock_skew = -1200

        async def use():
            async with AsyncSageMakerRuntimeClient(**settings(emulator)) as client:
                return await asyncio.gather(
                    *[client.invoke_endpoint_async("x", body=b"x") for _ in range(self.MANY)]
                )

        assert {1, 2} >= {invocation.attempts for invocation in asyncio.run(use())}
