"""Test that calls leave no reference cycles for the garbage collector, however they end."""

import asyncio
import gc
import logging
import mmap
import sys
from functools import partial
from itertools import islice
from types import FrameType

import anyio
import pytest
import trio
from sniffio import current_async_library

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    Invocation,
    SageMakerRuntimeClient,
)
from sigv4 import Credentials
from tests.runtime_client.clients import often, pointed_at
from tests.runtime_client.core.streams import failure, part, whole
from tests.runtime_client.loopback import Loopback, response

BODY = b"payload"
HANDLE = Invocation("i", "s3://b/out", "s3://b/err", endpoint_name="e")
HEADERS = {
    "x-amzn-sagemaker-outputlocation": HANDLE.output_location,
    "x-amzn-sagemaker-failurelocation": HANDLE.failure_location,
}
ACCEPTED = response(b"{}", 202, HEADERS)
THERE = response(b"answer")
STORED = response()
DROPPED = b""


def _s3(status, code):
    return response(f"<Error><Code>{code}</Code></Error>".encode(), status)


MISSING, DENIED, SLOW = _s3(404, "NoSuchKey"), _s3(403, "AccessDenied"), _s3(503, "SlowDown")
STALE = response(b"answer", 200, {"last-modified": "Sun, 22 Nov 1996 12:00:00 GMT"})
CHECKED = response(b"answer", 200, {"x-amz-checksum-crc32": "iLjSPg=="})
REFUSED = response(b'{"__type":"ValidationError","message":"no"}', 400)
FAILED = response(b"{}", 500)
STREAM = whole(part(b"1\n2\n"), part(b"3\n"))


def invoke(client, **arguments):
    """Queue a job."""
    return client.invoke_endpoint_async("e", **{"body": BODY, **arguments})


def submit(client):
    """Queue a job whose payload goes through S3."""
    return client.submit("e", BODY, inline=False, input_prefix="s3://b/in")


def infer(client, **arguments):
    """Queue a job and wait for its output."""
    return client.infer("e", BODY, **{"timeout": 9, "schedule": often, **arguments})


def interrupts(_elapsed):
    """Raise KeyboardInterrupt as a schedule, as if Ctrl-C were pressed between two polls."""
    raise KeyboardInterrupt


def stream(kind, most=None, **arguments):
    """Return a call that reads a stream with the method *kind*, at most *most* items."""

    def read(client):
        context = client.stream_endpoint("e", BODY, **arguments)
        if isinstance(client, AsyncSageMakerRuntimeClient):
            return read_async(context)
        with context as items:
            return sum(1 for _ in islice(getattr(items, kind)(), most))

    async def read_async(context):
        count = 0
        async with context as items:
            async for _ in getattr(items, kind)():
                count += 1
                if count == most:
                    break
        return count

    return read


# For each case: the call, the server's responses (of which the last one is repeated), and the type
# of the call's result or error.
CALLS = {
    "invoke": (invoke, [ACCEPTED], "Invocation"),
    "invoke, refused": (invoke, [REFUSED], "RequestValidationError"),
    "invoke, no answer": (invoke, [DROPPED], "TransportError"),
    "invoke, tried again": (invoke, [FAILED, DROPPED, ACCEPTED], "Invocation"),
    "invoke, wrong argument": (lambda c: invoke(c, accept="\n"), [], "ParamValidationError"),
    "submit": (submit, [STORED, ACCEPTED], "Invocation"),
    "submit, no upload": (submit, [DENIED], "AccessDeniedError"),
    "submit, no job": (submit, [STORED, FAILED], "InternalFailureError"),
    "infer": (infer, [ACCEPTED, *[MISSING] * 6, THERE], "Output"),
    "infer, forbidden for a while": (infer, [ACCEPTED, *[DENIED] * 6, THERE], "Output"),
    "infer, temporary faults": (
        infer,
        [ACCEPTED, SLOW, DROPPED, MISSING, DROPPED, THERE],
        "Output",
    ),
    "infer, failed": (infer, [ACCEPTED, MISSING, THERE, MISSING], "InferenceFailedError"),
    "infer, no bucket": (infer, [ACCEPTED, _s3(404, "NoSuchBucket")], "ObjectNotFoundError"),
    "infer, too late": (lambda c: infer(c, timeout=0.5), [ACCEPTED, MISSING], "WaitTimeoutError"),
    "infer, permanent faults": (
        lambda c: infer(c, timeout=0.5),
        [ACCEPTED, SLOW],
        "WaitTimeoutError",
    ),
    "infer, forbidden": (lambda c: infer(c, timeout=0.5), [ACCEPTED, DENIED], "WaitTimeoutError"),
    "infer, forbidden for too long": (
        lambda c: infer(c, access_denied_grace=0.01),
        [ACCEPTED, DENIED],
        "AccessDeniedError",
    ),
    "infer, interrupted": (
        lambda c: infer(c, schedule=interrupts),
        [ACCEPTED, MISSING],
        "KeyboardInterrupt",
    ),
    "get": (lambda c: c.get_object("s3://b/k"), [THERE], "S3Object"),
    "get, missing": (lambda c: c.get_object("s3://b/k"), [MISSING], "ObjectNotFoundError"),
    "get, broken off": (lambda c: c.get_object("s3://b/k"), [DROPPED], "TransportError"),
    "head": (lambda c: c.head_object("s3://b/k"), [THERE], "S3Object"),
    "put": (lambda c: c.put_object("s3://b/k", BODY), [STORED], "S3Object"),
    "put, slowed down": (
        lambda c: c.put_object("s3://b/k", BODY),
        [SLOW],
        "ThrottlingError",
    ),
    "stream": (stream("json"), [STREAM], "int"),
    "stream, left early": (stream("lines", 1), [STREAM], "int"),
    "stream, refused": (stream("lines"), [REFUSED], "RequestValidationError"),
    "stream, no answer": (stream("lines"), [DROPPED], "TransportError"),
    "stream, tried again": (stream("lines", retry_model=True), [FAILED, DROPPED, STREAM], "int"),
    "stream, failed": (
        stream("lines"),
        [whole(part(b"1\n2"), failure("ModelStreamError"))],
        "ModelStreamError",
    ),
    "stream, failed at first": (
        stream("lines"),
        [whole(failure("ModelStreamError"))],
        "ModelStreamError",
    ),
    "stream, cut off": (stream("lines"), [whole(part(b"1\n")[:-2])], "ResponseStreamError"),
    "stream, not JSON": (stream("json"), [whole(part(b"1\nx\n"))], "ResponseStreamError"),
    "stream, too late": (stream("json", timeout=1e-9), [STREAM], "TransportError"),
}
calls = pytest.mark.parametrize(("call", "answers", "outcome"), CALLS.values(), ids=CALLS.keys())

backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])

# On asyncio, each closed connection leaves its transport in a reference cycle, because the
# transport refers to one of its own methods.  These are the types of the objects in that cycle.
# From Python 3.12 on, the transport's buffer is a deque.
OF_ASYNCIO = {"_SelectorSocketTransport", "TransportSocket", "socket", "dict", "method", "tuple"}
OF_ASYNCIO |= {"deque"} if sys.version_info >= (3, 12) else set()


# `settings(server)` returns the arguments that point a client at a raw server.
settings = partial(pointed_at, credentials=Credentials("AKID", "canary-secret"), max_attempts=3)


class Script:
    """A server function that sends each response once, and then repeats the last one.

    `rewind` makes it start from the first response again.
    """

    def __init__(self, answers):
        self._answers = answers
        self.rewind()

    def rewind(self):
        self._left = list(self._answers)

    def __call__(self, *_):
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


def left_over(seen):
    """Return the names of the types of all objects that are in reference cycles.

    For a frame, the name of its function is returned instead.
    """
    seen.errors.clear()  # the fixture that checks for leaked secrets stores every error
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = [
        one.f_code.co_qualname if isinstance(one, FrameType) else type(one).__name__
        for one in gc.garbage
    ]
    gc.garbage.clear()
    gc.collect()  # this frees the objects that were in `gc.garbage`
    return set(found)


def finished(call, client):
    """Make a call, and return the name of the type of its result or error.

    No reference to the result or error is kept.
    """
    try:
        return type(call(client)).__name__
    except BaseException as error:  # noqa: BLE001 (an interrupt is one of the outcomes)
        return type(error).__name__


async def ended(call, client):
    """Await a call, and return the name of the type of its result or error.

    No reference to the result or error is kept.
    """
    try:
        return type(await call(client)).__name__
    except BaseException as error:  # noqa: BLE001
        return type(error).__name__


@pytest.fixture
def seen(no_secret_shows, bare_environment, shortest_pauses, caplog):  # noqa: ARG001
    """Disable garbage collection, and logging as well, because log records refer to errors."""
    caplog.set_level(logging.CRITICAL, "sagemaker_runtime_client")
    gc.collect()
    gc.disable()
    yield no_secret_shows
    gc.enable()


def in_a_thread(call, answers, seen, **changes):
    """Make a call twice with a blocking client.

    Return the outcome of the second call, and the names of the types that it left in cycles.
    """
    script = Script(answers)
    with (
        Loopback(script) as server,
        SageMakerRuntimeClient(**settings(server, **changes)) as client,
    ):
        for _ in range(2):  # the first call loads modules, which leaves cycles
            script.rewind()
            left_over(seen)
            came = finished(call, client)
            left = left_over(seen)
    return came, left


def in_a_task(backend, call, answers, seen, **changes):
    """Make a call twice with an async client.

    Return the outcome of the second call, and the names of the types that it left in cycles,
    except those that asyncio itself leaves.
    """
    script = Script(answers)

    async def twice():
        async with AsyncSageMakerRuntimeClient(**settings(server, **changes)) as client:
            for _ in range(2):
                script.rewind()
                left_over(seen)
                came = await ended(call, client)
                left = left_over(seen)
        return came, left

    with Loopback(script) as server:
        came, left = anyio.run(twice, backend=backend)
    return came, left - (OF_ASYNCIO if backend == "asyncio" else set())


@calls
def test_blocking_call(call, answers, outcome, seen):
    """A blocking call leaves no reference cycles, so that its payload is freed immediately."""
    assert in_a_thread(call, answers, seen) == (outcome, set())


@backends
@calls
def test_awaited_call(backend, call, answers, outcome, seen):
    """An async call leaves no reference cycles except those that asyncio creates for each
    connection.
    """
    assert in_a_task(backend, call, answers, seen) == (outcome, set())


async def _cancelled(client):
    """Cancel `infer` during a pause between polls, in the way that the running event loop provides."""
    call = infer(client, schedule=lambda _: 60.0)
    if current_async_library() == "trio":
        with trio.move_on_after(0.05):
            await call
        return
    task = asyncio.create_task(call)
    await asyncio.wait([task], timeout=0.05)
    task.cancel()
    await asyncio.wait([task])


@backends
def test_cancelled_call(backend, seen):
    """If `infer` is cancelled during a pause between polls, it leaves no reference cycles."""
    came, left = in_a_task(backend, _cancelled, [ACCEPTED, MISSING], seen)
    assert came == "NoneType"
    assert left == set()


def _keys_fail():
    raise ZeroDivisionError


def _keys_fail_for_a_while():
    raise ConnectionResetError


# Settings with which no credentials are found, and the error that a call then raises.
KEYS = {
    "none": ({"credentials": None}, "NoCredentialsError"),
    "a function that fails": ({"credentials": _keys_fail}, "CredentialProviderError"),
    "a network that fails": ({"credentials": _keys_fail_for_a_while}, "CredentialProviderError"),
}
keys = pytest.mark.parametrize(("changes", "outcome"), KEYS.values(), ids=KEYS.keys())


@keys
@pytest.mark.parametrize("call", [invoke, lambda c: c.wait(HANDLE, timeout=0.02)])
def test_without_keys(call, changes, outcome, seen, monkeypatch, tmp_path):
    """A call that fails for lack of credentials leaves no reference cycles."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    came, left = in_a_thread(call, [MISSING], seen, **changes)
    assert came in {outcome, "WaitTimeoutError"}
    assert left == set()
    came, left = in_a_task("asyncio", call, [MISSING], seen, **changes)
    assert came in {outcome, "WaitTimeoutError"}
    assert left == set()


@pytest.mark.parametrize("last", [THERE, _s3(404, "NoSuchBucket")])
def test_payload_in_a_mapped_file(last, seen):
    """If the payload was a memory-mapped file, the file can be closed immediately after the call."""
    with (
        Loopback(Script([ACCEPTED, MISSING, DENIED, last])) as server,
        SageMakerRuntimeClient(**settings(server)) as client,
        mmap.mmap(-1, 999) as file,
    ):
        finished(lambda c: c.infer("e", memoryview(file), timeout=9, schedule=often), client)
        seen.errors.clear()
        file.close()
        assert file.closed
