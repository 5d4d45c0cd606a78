"""Test shortages of file descriptors or threads: errors are retryable, and no job is lost."""

import json
import resource
import subprocess
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import anyio
import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    RuntimeClientError,
    SageMakerRuntimeClient,
    TransportError,
    WaitTimeoutError,
)
from sagemaker_runtime_client._io import files
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.tls import tls_context
from tests.runtime_client.clients import often
from tests.runtime_client.loopback import Loopback, certify, response
from tests.runtime_client.test_cycles import ACCEPTED, MISSING, THERE, Script, settings

BACKENDS = ["threads", "asyncio", "trio"]
backends = pytest.mark.parametrize("backend", BACKENDS)


class Shortage:
    """A shortage of file descriptors.

    Between `begin` and `end`, no file or socket can be opened.
    """

    def __init__(self):
        self._soft, self._hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def begin(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, self._hard))

    def end(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._soft, self._hard))


@pytest.fixture
def shortage():
    """A shortage that a test can begin.

    It ends after the test, unless the test has ended it before.
    """
    shortage = Shortage()
    yield shortage
    shortage.end()


@contextmanager
def two_servers(*s3):
    """Run an endpoint and a separate S3 server; yield the client's arguments and the endpoint.

    When the job is queued, the client is not yet connected to S3.
    """
    with Loopback(Script([ACCEPTED])) as endpoint, Loopback(Script(s3)) as storage:
        yield settings(endpoint, s3_endpoint_url=storage.url), endpoint


def inferred(backend, arguments, **options):
    """Call `infer` with a blocking client, or with an async client in an event loop."""
    options = {"timeout": 20, "schedule": often, **options}
    if backend == "threads":
        with SageMakerRuntimeClient(**arguments) as client:
            return client.infer("e", b"x", **options)

    async def main():
        async with AsyncSageMakerRuntimeClient(**arguments) as client:
            return await client.infer("e", b"x", **options)

    return anyio.run(main, backend=backend)


def inferred_without_descriptors(backend, arguments, shortage):
    """Call `infer` while no file descriptors are available.

    For an async client, the event loop is started before the shortage begins.
    """

    async def main():
        async with AsyncSageMakerRuntimeClient(**arguments) as client:
            shortage.begin()
            try:
                await client.infer("e", b"x", timeout=20)
            finally:
                shortage.end()

    if backend != "threads":
        anyio.run(main, backend=backend)
        return
    with SageMakerRuntimeClient(**arguments) as client:
        shortage.begin()
        try:
            client.infer("e", b"x", timeout=20)
        finally:
            shortage.end()


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_shortage_that_passes_while_waiting(backend, shortage):
    """If no connection can be opened during a wait, polling continues, and the output is returned
    after the shortage has ended.
    """
    polls = []

    def until_the_third(_elapsed):
        polls.append(1)
        if len(polls) == 3:
            shortage.end()
        return 0.005

    with two_servers(MISSING, THERE) as (arguments, _):
        output = inferred(
            backend,
            arguments,
            schedule=until_the_third,
            on_invocation=lambda _: shortage.begin(),
        )
    assert output.body == b"answer"
    assert len(polls) >= 3


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_shortage_that_stays_while_waiting(backend, shortage):
    """If a shortage of descriptors lasts until the end of a wait, the timeout error reports the
    shortage and contains the job's handle.
    """
    with two_servers(THERE) as (arguments, _), pytest.raises(WaitTimeoutError) as caught:
        inferred(backend, arguments, timeout=0.3, on_invocation=lambda _: shortage.begin())
    shortage.end()
    # On trio, only an error in the chain of causes reports the shortage.
    shown = "".join(traceback.format_exception(caught.value))
    assert "Too many open files" in shown
    assert caught.value.invocation.output_location == "s3://b/out"


@pytest.mark.usefixtures("bare_environment", "shortest_pauses")
@backends
def test_a_shortage_from_the_beginning(backend, shortage, monkeypatch, tmp_path):
    """If descriptors are short before anything was sent, `infer` raises a retryable error that has
    no handle.
    """
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with two_servers(THERE) as (arguments, endpoint):
        inferred(
            backend, arguments
        )  # the first call imports modules, whose files cannot be opened in a shortage
        with pytest.raises(TransportError, match=r"(?i)too many (open )?files") as caught:
            inferred_without_descriptors(backend, arguments, shortage)
        assert len(endpoint.requests) == 1
    assert caught.value.retryable
    assert not caught.value.possibly_accepted
    assert caught.value.invocation is None


def test_a_bundle_that_cannot_be_opened_just_now(shortage, tmp_path):
    """If a CA bundle exists but no descriptor is available to open it, the error is retryable, not
    a ConfigError.
    """
    bundle, _ = certify(tmp_path)
    shortage.begin()
    with pytest.raises(TransportError, match=r"CA bundle.*too many open files") as caught:
        tls_context(bundle)
    shortage.end()
    assert caught.value.retryable
    assert tls_context(bundle)


LATE = """
import os, sys
sys.path[:0] = {path}
late, armed = [], []
sys.addaudithook(lambda event, args: late.append(args[0]) if armed and event == "import" else None)
from tests.runtime_client.io.test_shortage import inferred
from tests.runtime_client.test_cycles import *
answers = {answers}
script = Script([ACCEPTED, *answers])

def answer(*arguments):
    armed.append(True)
    return script(*arguments)

with Loopback(answer) as server:
    try:
        inferred({backend!r}, settings(server), timeout={timeout})
        came = "Output"
    except Exception as error:
        came = type(error).__name__
    armed.clear()
print(came, *late)
"""
OUTCOMES = {
    "[MISSING, DENIED, SLOW, DROPPED, STALE, CHECKED]": ("Output", 20),
    '[MISSING, response(b\'{"message":"no"}\'), MISSING]': ("InferenceFailedError", 20),
    "[MISSING]": ("WaitTimeoutError", 2),
    "[response(b'<Error><Code>NoSuchBucket</Code></Error>', 404)]": ("ObjectNotFoundError", 20),
}


@pytest.mark.usefixtures("bare_environment")
@backends
@pytest.mark.parametrize("answers", OUTCOMES)
def test_nothing_is_loaded_once_the_job_is_queued(backend, answers):
    """Even in the first `infer` of a process, no module is imported after the job was accepted."""
    kind, timeout = OUTCOMES[answers]
    path = [name for name in sys.path if name]
    program = LATE.format(path=path, answers=answers, backend=backend, timeout=timeout)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == f"{kind}\n", done.stderr


MANY = """
import asyncio, json, resource, sys
sys.path[:0] = {path}
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, RuntimeClientError
from tests.runtime_client.test_cycles import Credentials

async def one(client, number):
    name = str(number)
    try:
        output = await client.infer("e", b"x", inference_id=name, timeout=20, schedule=lambda _: 0.05)
        return "answer", output.invocation.inference_id
    except RuntimeClientError as error:
        return type(error).__name__, error.inference_id

async def main():
    where = {{"endpoint_url": {url!r}, "s3_endpoint_url": {url!r}, "region": "eu-west-1"}}
    async with AsyncSageMakerRuntimeClient(credentials=Credentials("A", "b"), **where) as client:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        print(json.dumps(await asyncio.gather(*(one(client, n) for n in range(500)))))

asyncio.run(main())
"""


@pytest.mark.usefixtures("bare_environment")
def test_five_hundred_at_once_under_a_low_limit():
    """If 500 concurrent calls share 64 descriptors, each accepted job leads to an output or to an
    error of this package, with the job's inference ID.
    """

    def answer(request, _):
        if request.method == "POST":
            return ACCEPTED
        return THERE if request.target == "/b/out" else MISSING

    with Loopback(answer) as server:
        program = MANY.format(path=[name for name in sys.path if name], url=server.url)
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        accepted = {
            request.header("x-amzn-sagemaker-inference-id")
            for request in server.requests
            if request.method == "POST"
        }
    ended = json.loads(done.stdout)
    assert len(ended) == 500
    assert {inference_id for _, inference_id in ended if inference_id is not None} == accepted
    assert {kind for kind, _ in ended} <= {"answer", "TransportError", "WaitTimeoutError"}


@pytest.fixture
def reads(bare_environment, monkeypatch, tmp_path):  # noqa: ARG001
    """A list of the names of the shared files, to which a name is added each time that a file is
    read.
    """
    seen = []
    read = files.read

    def counted(path, most):
        seen.append(Path(path).name)
        return read(path, most)

    for name in ("config", "credentials"):
        (tmp_path / name).write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setattr(files, "read", counted)
    return seen


def _answered(*_):
    return response(b"{}", 202)


def test_the_first_calls_of_many_tasks_read_the_files_once(reads):
    """If 500 tasks make their first calls at the same time, each shared file is read once."""

    async def main(arguments):
        async with (
            AsyncSageMakerRuntimeClient(**arguments) as client,
            anyio.create_task_group() as t,
        ):
            for _ in range(500):
                t.start_soon(lambda: client.invoke_endpoint_async("e", body=b"x"))

    with Loopback(_answered) as server:
        anyio.run(main, settings(server))
    assert sorted(reads) == ["config", "credentials"]


def test_the_first_calls_of_many_threads_read_the_files_once(reads):
    """If 30 threads make their first calls at the same time, each shared file is read once."""
    with Loopback(_answered) as server, SageMakerRuntimeClient(**settings(server)) as client:
        threads = [
            Thread(target=client.invoke_endpoint_async, args=["e"], kwargs={"body": b"x"})
            for _ in range(30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(reads) == ["config", "credentials"]


def test_a_failed_reading_is_not_kept(reads, tmp_path):
    """If the shared config file cannot be parsed in one call, the next call reads it again."""
    (tmp_path / "config").write_bytes(b"\xff")
    with Loopback(_answered) as server, SageMakerRuntimeClient(**settings(server)) as client:
        with pytest.raises(RuntimeClientError, match="not valid UTF-8"):
            client.invoke_endpoint_async("e", body=b"x")
        (tmp_path / "config").write_text("[default]\nregion = eu-west-1\n")
        assert client.invoke_endpoint_async("e", body=b"x")
    assert reads.count("config") == 2


def test_group_without_another_thread(monkeypatch):
    """If a task group cannot start another thread, the threads that it has started are ended, and
    then the error is raised.
    """
    ended = []
    original = Thread.start

    def start(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        original(thread)

    async def work():
        try:
            await sync_backend().sleep(60)
        finally:
            ended.append(1)

    async def main():
        async with sync_backend().task_group() as group:
            for _ in range(2):
                group.start(work)

    started = []
    monkeypatch.setattr(Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start"):
        run(main())
    assert ended == [1]
