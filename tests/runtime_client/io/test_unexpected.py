"""What seldom happens: an error of the system where none is expected, and somebody who was faster."""

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
from sagemaker_runtime_client._io.system import Once, System
from sagemaker_runtime_client._io.thread_stream import Stream
from sagemaker_runtime_client.credentials import open_context
from sagemaker_runtime_client.credentials._function import FunctionInThread
from tests.runtime_client.calls import call, caller, refused
from tests.runtime_client.clients import settings
from tests.runtime_client.scripted_io import CREDENTIALS, REGION, ScriptedIO

SHORT = OSError(errno.EMFILE, "Too many open files")
FORBIDDEN = PermissionError(errno.EACCES, "Permission denied")


def test_a_request_without_descriptors():
    """A module that cannot be loaded for want of descriptors is a fault of the network, tried again."""
    error = refused(ScriptedIO([SHORT] * 3))
    assert (type(error), error.retryable, error.attempts) == (TransportError, True, 3)


def test_a_request_that_the_system_forbids():
    """Any other error of the system stays what it is."""
    with pytest.raises(PermissionError):
        run(caller(ScriptedIO([FORBIDDEN])).send(call()))


@pytest.mark.parametrize(("error", "kind"), [(SHORT, TransportError), (FORBIDDEN, PermissionError)])
def test_a_listener_that_fails(plain_driver, emulator, error, kind):
    """What the system says to a listener has the job's handle; a shortage is an error of ours."""

    def listener(_invocation):
        raise error

    client = plain_driver.client(**settings(emulator))
    with pytest.raises(kind) as caught:
        client.infer("e", b"x", timeout=10, on_invocation=listener)
    inference_id = emulator.jobs[0].invocation.request.inference_id
    assert caught.value.invocation.inference_id == inference_id


def test_a_plain_function_is_a_provider_for_threads_too():
    """What an async client makes of a plain function has both ways to ask."""
    assert FunctionInThread(lambda: CREDENTIALS).get() is CREDENTIALS


def test_settings_are_loaded_after_a_fork():
    """A lock that a fork left taken does not stop whoever loads the settings in the child."""
    io = ScriptedIO()
    load = partial(open_context, io, lambda _config: io, {"region": REGION})
    context = Once(io, load)
    run(context._lock.acquire())
    io.life += 1
    assert run(context()).config.region == REGION


def test_settings_of_the_loop_that_was_faster():
    """What another thread's event loop has made in the meantime is kept, for both."""
    made = []

    async def make():
        made.append(None)
        number = len(made)
        if number == 1:
            assert await asyncio.to_thread(lambda: asyncio.run(once())) == 2
        return number

    once = Once(System(async_backend), make)
    assert asyncio.run(once()) == 2


def test_tls_settings_of_whoever_was_faster():
    """Settings that another thread has made in the meantime stay in force."""
    first, second = ssl.create_default_context(), ssl.create_default_context()

    def slow():
        connector._contexts = (first,)
        return second

    connector = Connector(sync_backend(), [slow])
    assert run(connector._context()) is second
    assert connector._contexts == (first,)


def test_a_part_that_cannot_be_sent():
    """A part of a body that the system does not take is a WriteError."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(httpx.WriteError):
            run(Stream(ours).write_part(memoryview(b"x"), 10))
