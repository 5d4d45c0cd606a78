"""Calls leave no reference cycles for the garbage collector, regardless of how they end."""

import asyncio
import gc
import logging
import mmap
import sys
from functools import partial
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
from tests.runtime_client.clients import often, pointed_at, unread_body
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
    """Interrupt a wait during its pause, as Ctrl-C does."""
    raise KeyboardInterrupt


# For each case: the call, the server's responses (the last one is repeated), and the outcome.
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
}
calls = pytest.mark.parametrize(("call", "answers", "outcome"), CALLS.values(), ids=CALLS.keys())

backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])

# asyncio leaves a transport in a cycle for each closed connection, because the transport refers to
# a method of its own.  From Python 3.12 on its buffer is a deque.
OF_ASYNCIO = {"_SelectorSocketTransport", "TransportSocket", "socket", "dict", "method", "tuple"}
OF_ASYNCIO |= {"deque"} if sys.version_info >= (3, 12) else set()


# Returns the arguments that point a client at a raw server.
settings = partial(pointed_at, credentials=Credentials("AKID", "canary-secret"), max_attempts=3)


class Script:
    """Sends each response once, then repeats the last one; `rewind` starts from the first one
    again.
    """

    def __init__(self, answers):
        self._answers = answers
        self.rewind()

    def rewind(self):
        self._left = list(self._answers)

    def __call__(self, *_):
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


def left_over(seen):
    """Return the type names of all objects in reference cycles; for frames, the function names."""
    seen.errors.clear()  # the check for leaked secrets keeps every error
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found = [
        one.f_code.co_qualname if isinstance(one, FrameType) else type(one).__name__
        for one in gc.garbage
    ]
    gc.garbage.clear()
    gc.collect()  # frees the objects found above
    return set(found)


def finished(call, client):
    """Return the type name of a call's result or error, without keeping either."""
    try:
        return type(call(client)).__name__
    except BaseException as error:  # noqa: BLE001 (an interrupt is one of the outcomes)
        return type(error).__name__


async def ended(call, client):
    """Return the type name of an awaited call's result or error, without keeping either."""
    try:
        return type(await call(client)).__name__
    except BaseException as error:  # noqa: BLE001
        return type(error).__name__


@pytest.fixture
def seen(no_secret_shows, bare_environment, shortest_pauses, caplog):  # noqa: ARG001
    """Disable automatic garbage collection, and also logging, because log records refer to errors."""
    caplog.set_level(logging.CRITICAL, "sagemaker_runtime_client")
    gc.collect()
    gc.disable()
    yield no_secret_shows
    gc.enable()


def in_a_thread(call, answers, seen, **changes):
    """Call a blocking client twice; return the outcome and the cycles of the second call."""
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
    """Call an async client twice; return the outcome and the cycles of the second call."""
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
    """A blocking call leaves no cycles, so its payload is freed immediately."""
    assert in_a_thread(call, answers, seen) == (outcome, set())


@unread_body
@backends
@calls
def test_awaited_call(backend, call, answers, outcome, seen):
    """An async call leaves no cycles except those that asyncio creates for each connection."""
    assert in_a_task(backend, call, answers, seen) == (outcome, set())


async def _cancelled(client):
    """Cancel a wait during its pause, in the way that is usual on the running event loop."""
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
    """A cancelled call leaves no cycles."""
    came, left = in_a_task(backend, _cancelled, [ACCEPTED, MISSING], seen)
    assert came == "NoneType"
    assert left == set()


def _keys_fail():
    raise ZeroDivisionError


def _keys_fail_for_a_while():
    raise ConnectionResetError


# Settings that provide no credentials, and the outcome of a call with them.
KEYS = {
    "none": ({"credentials": None}, "NoCredentialsError"),
    "a function that fails": ({"credentials": _keys_fail}, "CredentialProviderError"),
    "a network that fails": ({"credentials": _keys_fail_for_a_while}, "CredentialProviderError"),
}
keys = pytest.mark.parametrize(("changes", "outcome"), KEYS.values(), ids=KEYS.keys())


@keys
@pytest.mark.parametrize("call", [invoke, lambda c: c.wait(HANDLE, timeout=0.02)])
def test_without_keys(call, changes, outcome, seen, monkeypatch, tmp_path):
    """A call that gets no credentials leaves no cycles."""
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
    """A memory-mapped file that was the payload can be closed immediately after the call."""
    with (
        Loopback(Script([ACCEPTED, MISSING, DENIED, last])) as server,
        SageMakerRuntimeClient(**settings(server)) as client,
        mmap.mmap(-1, 999) as file,
    ):
        finished(lambda c: c.infer("e", memoryview(file), timeout=9, schedule=often), client)
        seen.errors.clear()
        file.close()
        assert file.closed
