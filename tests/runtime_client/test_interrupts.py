"""Test that a pool loses no connections if Ctrl-C or a signal handler interrupts a call.

Python runs a signal handler in the main thread between two bytecode instructions.  These tests
interrupt the call at its n-th line, for each n, by means of a trace function.
"""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count, islice
from threading import Barrier

import httpx
import pytest

from sagemaker_runtime_client import SageMakerRuntimeClient
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.core.streams import part, whole
from tests.runtime_client.loopback import Loopback, response
from tests.runtime_client.pools import PooledTransport, counts, limited

PATIENCE = 10
# Only lines in files of these packages are counted.
TRACED = ("/sagemaker_runtime_client/", "/sigv4/")

# If a new connection is interrupted before it has an owner, the garbage collector closes it.
collected = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore:Exception ignored in. <(socket|coroutine):pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Remove the environment variables that a client reads, before each test."""


def interrupted(at, call):
    """Make a call, raise KeyboardInterrupt at its *at*-th line, and return True.

    If the call has fewer lines, it is not interrupted, and False is returned.
    """
    left = at

    def trace(frame, event, _argument):
        nonlocal left
        if not any(part in frame.f_code.co_filename for part in TRACED):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


class Meeting:
    """A server function that sends a fixed response.

    A request to the endpoint ``pair`` waits until a second request to this endpoint arrives.
    """

    def __init__(self, data):
        self._data, self._together = data, Barrier(2)

    def __call__(self, request, _connection):
        if "/pair/" in request.target:
            self._together.wait(PATIENCE)
        return self._data


def serves_two(client, threads):
    """Make two calls at the same time, and return whether both get a response."""
    call = partial(client.invoke_endpoint_async, "pair", body=b"x")
    calls = [threads.submit(call) for _ in range(2)]
    return all(one.result() for one in calls)


@collected
@pytest.mark.parametrize(
    "headers", [{}, {"Connection": "close"}], ids=["warm", "with a new connection"]
)
def test_every_line_of_a_call(headers):
    """If a call is interrupted at any line, a pool of two connections can still serve two calls.

    Both calls are made at the same time.
    """
    with (
        Loopback(Meeting(response(b"{}", 202, headers))) as server,
        SageMakerRuntimeClient(**pointed_at(server, max_connections=2, read_timeout=5)) as client,
        ThreadPoolExecutor(2) as threads,
    ):

        def call():
            return client.invoke_endpoint_async("x", body=b"x")

        call()
        for at in count(1):
            was_interrupted = interrupted(at, call)
            assert serves_two(client, threads), at
            if not was_interrupted:
                break
    assert at > 200


@collected
@pytest.mark.parametrize(
    ("kind", "most"),
    [("lines", 1), ("lines", 9), ("events", 9)],
    ids=["left early", "read to its end", "read to its last event"],
)
def test_every_line_of_a_stream(kind, most):
    """If Ctrl-C interrupts a stream at any line of code, two connections can still serve two calls.

    The lines of opening, reading and closing the stream are included.
    """
    meeting = Meeting(response(b"{}", 202))
    data = whole(part(b"data: a\n\n"), part(b"data: [DONE]\n\n"))

    def answer(request, connection):
        return meeting(request, connection) if "/pair/" in request.target else data

    with (
        Loopback(answer) as server,
        SageMakerRuntimeClient(**pointed_at(server, max_connections=2, read_timeout=5)) as client,
        ThreadPoolExecutor(2) as threads,
    ):

        def call():
            with client.stream_endpoint("x", b"x") as stream:
                return list(islice(getattr(stream, kind)(), most))

        call()
        for at in count(1):
            was_interrupted = interrupted(at, call)
            assert serves_two(client, threads), at
            if not was_interrupted:
                break
    assert at > 200


@collected
@pytest.mark.parametrize("is_kept", [True, False], ids=["warm", "with a new connection"])
@pytest.mark.parametrize("has_reservation", [True, False], ids=["reservation", "no reservation"])
def test_every_line_of_the_pool(has_reservation, is_kept):
    """If a request through the pool is interrupted at any line, all its permits are free again.

    Each connection that is counted as open is idle.
    """

    def call():
        request = httpx.Request("PUT", server.url, content=b"x")
        if has_reservation:
            with transport.reserve() as reservation:
                request.extensions["reservation"] = reservation
                transport.handle_request(request).read()
        else:
            answer = transport.handle_request(request)
            try:
                answer.read()
            finally:
                answer.close()

    headers = {} if is_kept else {"Connection": "close"}
    with (
        Loopback(lambda *_: response(b"hi", 200, headers)) as server,
        PooledTransport(limits=limited(2)) as transport,
    ):
        for at in count(1):
            was_interrupted = interrupted(at, call)
            permits, waiting, opened, idle = counts(transport)
            assert (permits, waiting) == (0, 0), at
            assert opened == idle <= 2
            call()
            if not was_interrupted:
                break
    assert at > 30


class TestSignalHandlers:
    """A signal handler may call or close the client that it interrupts, at any line of a call."""

    def handled(self, at, call, handle):
        """Make a call that must succeed, and run a signal handler at its *at*-th line.

        Return whether the handler ran; it does not if the call has fewer lines.
        """
        came = []

        def handler(*_):
            came.append(1)
            handle()

        def trace(frame, event, _argument):
            nonlocal at
            if came or not any(part in frame.f_code.co_filename for part in TRACED):
                return None
            if event == "line":
                at -= 1
                if at == 0:
                    signal.raise_signal(signal.SIGUSR1)
            return trace

        before, handler_before = sys.gettrace(), signal.signal(signal.SIGUSR1, handler)
        sys.settrace(trace)
        try:
            assert call()
        finally:
            sys.settrace(before)
            signal.signal(signal.SIGUSR1, handler_before)
        return bool(came)

    @pytest.mark.parametrize("handle", ["close", "call"])
    def test_at_every_line(self, handle):
        """If a signal handler calls or closes the client at any line of a call, there is no
        deadlock, and the call succeeds.
        """
        with Loopback(lambda *_: response(b"{}", 202)) as server:
            for at in count(1):
                options = pointed_at(server, max_connections=2)
                with SageMakerRuntimeClient(**options) as client:

                    def call(client=client):
                        return client.invoke_endpoint_async("x", body=b"x")

                    call()
                    if not self.handled(at, call, client.close if handle == "close" else call):
                        break
        assert at > 200
