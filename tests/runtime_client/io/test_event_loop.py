"""Test that an async client blocks its event loop neither by system calls nor by long computations."""

import contextvars
import subprocess
import sys
import threading
from threading import Event, get_ident

import anyio
import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    CredentialProviderError,
    RuntimeClientError,
)
from sagemaker_runtime_client._core import base
from sagemaker_runtime_client._s3 import checksums
from sigv4 import Credentials, Payload
from tests.runtime_client.loopback import Loopback, certify, response
from tests.runtime_client.test_cycles import settings

backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])
KEYS = Credentials("AKID", "canary-secret")

# A program that makes its first calls while blockbuster is active, which raises an error if a
# function blocks the event loop.
PROGRAM = """
import asyncio, sys, time
sys.path[:0] = {path}
from blockbuster import BlockBuster
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient
from sigv4 import Credentials

def keys():
    time.sleep(0.001)
    return Credentials("AKID", "canary-secret")

async def main():
    detector = BlockBuster()
    detector.activate()
    try:
        async with AsyncSageMakerRuntimeClient(
            endpoint_url={url!r}, s3_endpoint_url={url!r}, ca_bundle={bundle!r}, credentials={keys}
        ) as client:
            large = bytearray(3_000_000)
            await client.put_object("s3://b/k", large)
            await client.head_object("s3://b/k")
            output = await client.infer(
                "e", large, input_prefix="s3://b/in", timeout=20, schedule=lambda _: 0.01
            )
            try:
                await client.get_object("s3://b/none")
            except Exception as error:
                return len(output.body), type(error).__name__
    finally:
        detector.deactivate()

print(*asyncio.run(main()))
"""
OUTPUT = bytes(3_000_000)
ACCEPTED = {"x-amzn-sagemaker-outputlocation": "s3://b/out"}


def _serve():
    polls = []

    def respond(request, _):
        if request.method == "POST":
            return response(b"{}", 202, ACCEPTED)
        if request.method != "GET":
            return response()
        if request.target == "/b/none" or not polls:
            polls.append(1)
            return response(b"<Error><Code>NoSuchKey</Code></Error>", 404)
        checksum = checksums.upload_checksum(OUTPUT)
        return response(OUTPUT, headers=dict([checksum]))

    return respond


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("source", ["None", "keys"])
def test_nothing_blocks_the_loop(is_secure, source, bare_environment, tmp_path):
    """The first calls of a process do not block the event loop, because operations that could
    block, such as reading files, run in threads.
    """
    bundle, tls = certify(tmp_path)
    (tmp_path / "config").write_text("[default]\nregion = eu-west-1\n")
    keys = f"aws_access_key_id = {KEYS.access_key_id}\naws_secret_access_key = canary-secret\n"
    (tmp_path / "credentials").write_text(f"[default]\n{keys}")
    bare_environment.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    bare_environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with Loopback(_serve(), tls if is_secure else None) as server:
        path = [name for name in sys.path if name]
        program = PROGRAM.format(path=path, url=server.url, bundle=bundle, keys=source)
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.stdout == f"{len(OUTPUT)} ObjectNotFoundError\n", done.stderr


@pytest.fixture
def work(monkeypatch):
    """A dict that records in which thread a body was last copied, hashed, summed (a checksum was
    computed) and checked.
    """
    seen = {}

    def noted(name, function):
        def call(*arguments):
            seen[name] = get_ident()
            return function(*arguments)

        return call

    monkeypatch.setattr(base, "as_bytes", noted("copied", base.as_bytes))
    monkeypatch.setattr(Payload, "of", noted("hashed", Payload.of))
    monkeypatch.setattr(checksums, "upload_checksum", noted("summed", checksums.upload_checksum))
    monkeypatch.setattr(checksums, "check_download", noted("checked", checksums.check_download))
    return seen


@pytest.mark.usefixtures("bare_environment")
@backends
@pytest.mark.parametrize(("size", "is_long"), [(1 << 20, True), (1 << 10, False)])
def test_long_work_is_done_in_threads(backend, size, is_long, work):
    """A large body is copied and hashed, and its checksum is computed and checked, in another
    thread. A small body is processed in the event loop's thread.
    """
    body = bytes(size)
    checksum = dict([checksums.upload_checksum(body)])
    here = []

    async def main(arguments):
        here.append(get_ident())
        async with AsyncSageMakerRuntimeClient(**arguments) as client:
            await client.put_object("s3://b/k", bytearray(body))
            hashed = work.pop("hashed")
            await client.get_object("s3://b/k")
            work["hashed"] = hashed

    def respond(request, _):
        return response() if request.method == "PUT" else response(body, headers=checksum)

    with Loopback(respond) as server:
        anyio.run(main, settings(server), backend=backend)
    assert set(work) == {"copied", "hashed", "summed", "checked"}
    assert [thread in here for thread in work.values()] == [not is_long] * 4


def _accepts(*_):
    return response(b"{}", 202)


def invoked(backend, credentials, calls=1, during=None):
    """Queue *calls* jobs concurrently with *credentials*, run *during* meanwhile, and return the
    number of requests that the server got.
    """

    async def main(arguments):
        async with (
            AsyncSageMakerRuntimeClient(**arguments) as client,
            anyio.create_task_group() as t,
        ):
            for _ in range(calls):
                t.start_soon(lambda: client.invoke_endpoint_async("e", body=b"x"))
            if during is not None:
                await during()

    with Loopback(_accepts) as server:
        anyio.run(main, settings(server, credentials=credentials), backend=backend)
        return len(server.requests)


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_function_for_credentials_may_block(backend):
    """A credentials function may block until another task of the same event loop unblocks it."""
    asked, answered = Event(), Event()

    def keys():
        asked.set()
        assert answered.wait(20)
        return KEYS

    async def during():
        await anyio.to_thread.run_sync(asked.wait)
        answered.set()

    assert invoked(backend, keys, during=during) == 1


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_function_for_credentials_is_called_once_at_a_time(backend):
    """A credentials function is not called concurrently, so that it does not have to be
    thread-safe.
    """
    at_once, threads = threading.Lock(), set()

    def keys():
        assert at_once.acquire(blocking=False)
        threads.add(get_ident())
        at_once.release()
        return KEYS

    assert invoked(backend, keys, calls=30) == 30
    assert get_ident() not in threads


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_function_for_credentials_sees_the_context(backend):
    """A credentials function runs in a thread, but sees the context variables of the caller."""
    tenant = contextvars.ContextVar("tenant")
    seen = []

    def keys():
        seen.append(tenant.get())
        return KEYS

    async def main(arguments):
        tenant.set("mine")
        async with AsyncSageMakerRuntimeClient(**arguments) as client:
            await client.invoke_endpoint_async("e", body=b"x")

    with Loopback(_accepts) as server:
        anyio.run(main, settings(server, credentials=keys), backend=backend)
    assert seen == ["mine"]


class _Provider:
    def __init__(self):
        self.threads = set()

    def get(self):
        raise NotImplementedError

    async def aget(self):
        self.threads.add(get_ident())
        return KEYS

    async def __call__(self):
        return await self.aget()


@pytest.mark.usefixtures("bare_environment")
@backends
@pytest.mark.parametrize("form", ["provider", "method", "lambda"])
def test_what_is_async_is_awaited_in_the_loop(backend, form):
    """Coroutines are awaited in the event loop, whether an async provider, an async function or a
    plain function has returned them.
    """
    provider = _Provider()
    forms = {"provider": provider, "method": provider.aget, "lambda": lambda: provider.aget()}  # noqa: PLW0108
    assert invoked(backend, forms[form]) == 1
    assert provider.threads == {get_ident()}


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_function_for_credentials_that_fails(backend):
    """If a credentials function raises an exception, the call raises a CredentialProviderError that
    mentions the exception's type and has the exception as its cause.
    """

    def keys():
        raise LookupError("no vault")

    async def main(arguments):
        async with AsyncSageMakerRuntimeClient(**arguments) as client:
            with pytest.raises(CredentialProviderError, match="LookupError") as caught:
                await client.invoke_endpoint_async("e", body=b"x")
            return caught.value

    with Loopback(_accepts) as server:
        error = anyio.run(main, settings(server, credentials=keys), backend=backend)
    assert str(error.__cause__) == "no vault"


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_file_that_is_read_for_a_cancelled_call(backend, tmp_path, monkeypatch):
    """If a call is cancelled while it waits for a thread that reads a file, the next call succeeds."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path))  # a directory cannot be read as a file
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))

    async def main(arguments):
        async with AsyncSageMakerRuntimeClient(**arguments) as client:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.invoke_endpoint_async("e", body=b"x")
            return await client.invoke_endpoint_async("e", body=b"x")

    with Loopback(_accepts) as server:
        assert anyio.run(main, settings(server), backend=backend)


@pytest.mark.usefixtures("bare_environment")
@backends
def test_a_bundle_that_cannot_be_read(backend, tmp_path):
    """If a thread cannot read the CA bundle, the call that waits for it raises a
    RuntimeClientError.
    """

    async def main():
        async with AsyncSageMakerRuntimeClient(
            region="eu-west-1",
            credentials=KEYS,
            endpoint_url="https://127.0.0.1:9",
            ca_bundle=tmp_path / "none.pem",
        ) as client:
            with pytest.raises(RuntimeClientError, match=r"none\.pem cannot be read"):
                await client.invoke_endpoint_async("e", body=b"x")

    anyio.run(main, backend=backend)
