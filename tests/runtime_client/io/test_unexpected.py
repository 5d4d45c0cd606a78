"""Test rare events: operating system errors, and races between threads."""

import asyncio
import errno
import socket
import ssl
from functools import partial

import httpx
import pytest

from sagemaker_runtime_client import TransportError
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.pool.connector import Connector
from sagemaker_runtime_client._io.run import async_backend, run
from sagemaker_runtime_client._io.streams.thread_stream import Stream
from sagemaker_runtime_client._io.system import Once, System
from sagemaker_runtime_client.credentials import open_context
from sagemaker_runtime_client.credentials._function import FunctionInThread
from tests.runtime_client.calls import call, caller, refused
from tests.runtime_client.clients import settings
from tests.runtime_client.scripted_io import CREDENTIALS, REGION, ScriptedIO

SHORT = OSError(errno.EMFILE, "Too many open files")
FORBIDDEN = PermissionError(errno.EACCES, "Permission denied")


def test_a_request_without_descriptors():
    """If a request fails because no file descriptor is available, it is retried, and then a
    TransportError is raised.
    """
    error = refused(ScriptedIO([SHORT] * 3))
    assert (type(error), error.retryable, error.attempts) == (TransportError, True, 3)


def test_a_request_that_the_system_forbids():
    """If the operating system forbids a request, the PermissionError is raised unchanged."""
    with pytest.raises(PermissionError):
        run(caller(ScriptedIO([FORBIDDEN])).send(call()))


@pytest.mark.parametrize(("error", "kind"), [(SHORT, TransportError), (FORBIDDEN, PermissionError)])
def test_a_listener_that_fails(plain_driver, emulator, error, kind):
    """If an `on_invocation` listener raises an OSError, the call's error has the job's handle.

    The error is a TransportError if no descriptor was available, and otherwise the OSError itself.
    """

    def listener(_invocation):
        raise error

    client = plain_driver.client(**settings(emulator))
    with pytest.raises(kind) as caught:
        client.infer("e", b"x", timeout=10, on_invocation=listener)
    inference_id = emulator.jobs[0].invocation.request.inference_id
    assert caught.value.invocation.inference_id == inference_id


def test_a_plain_function_is_a_provider_for_threads_too():
    """A credentials function that was wrapped for an async client can also be called from a thread."""
    assert FunctionInThread(lambda: CREDENTIALS).get() is CREDENTIALS


def test_settings_are_loaded_after_a_fork():
    """If the lock of the settings was held during a fork, the child process can still load the
    settings.
    """
    io = ScriptedIO()
    load = partial(open_context, io, lambda _config: io, {"region": REGION})
    context = Once(io, load)
    run(context._lock.acquire())
    io.life += 1
    assert run(context()).config.region == REGION


def test_another_loop_loads_the_settings_first():
    """If the event loop of another thread completes a `Once` value first, both event loops use that
    value.
    """
    made = []

    async def make():
        made.append(None)
        number = len(made)
        if number == 1:
            assert await asyncio.to_thread(lambda: asyncio.run(once())) == 2
        return number

    once = Once(System(async_backend), make)
    assert asyncio.run(once()) == 2


def test_another_thread_creates_the_context_first():
    """If another thread creates a TLS context first, the connector keeps the context of that thread
    for later connections.
    """
    first, second = ssl.create_default_context(), ssl.create_default_context()

    def slow():
        connector._contexts = (first,)
        return second

    connector = Connector(sync_backend(), [slow])
    assert run(connector._context()) is second
    assert connector._contexts == (first,)


def test_a_part_that_cannot_be_sent():
    """If the operating system rejects a part of a body, the stream raises a WriteError."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(httpx.WriteError):
            run(Stream(ours).write_part(memoryview(b"x"), 10))
