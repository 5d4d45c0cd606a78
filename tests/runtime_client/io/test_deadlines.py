"""Test calls to slow and silent servers: which time limit ends a call, and when."""

from contextlib import ExitStack, contextmanager
from threading import Event
from time import monotonic, sleep

import anyio
import pytest

from sagemaker_runtime_client import (
    TransportError,
    WaitTimeoutError,
)
from sagemaker_runtime_client._inference.invocation import Invocation
from sagemaker_runtime_client._io.message import Request
from tests.runtime_client.clients import (
    CREDENTIALS,
    KINDS,
    Driver,
    Kind,
    often,
    pointed_at,
)
from tests.runtime_client.loopback import PATIENCE, Loopback, always


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


@contextmanager
def silent():
    """Run a server that does not respond, and check that the client gives up before the server's
    own time limit.
    """
    is_over = Event()
    gave_up = []

    def respond(_request, _connection):
        if not is_over.wait(PATIENCE):
            gave_up.append(True)

    with Loopback(respond) as server:
        yield server
        is_over.set()
    assert gave_up == []


class TestTime:
    def test_server_that_never_responds(self, driver):
        """If the server does not respond, the call fails after the read timeout, and the error
        states that the job may have been accepted.
        """
        with silent() as server:
            client = driver.client(**pointed_at(server, read_timeout=0.05))
            with pytest.raises(TransportError, match="ReadTimeout") as caught:
                client.invoke_endpoint_async("x", body=b"x")
        assert caught.value.possibly_accepted

    def test_waiting_for_a_server_that_never_responds(self, plain_driver):
        """If the server does not respond, `wait` raises a WaitTimeoutError at its deadline.

        The cause of this error is the last TransportError.
        """
        with silent() as server:
            client = plain_driver.client(**pointed_at(server, read_timeout=0.05))
            invocation = Invocation("id", "s3://bucket/out")
            with pytest.raises(WaitTimeoutError) as caught:
                client.wait(invocation, timeout=0.1, schedule=often)
        assert isinstance(caught.value.__cause__, TransportError)

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_credentials_are_not_cut_off(self, backend):
        """The deadline of `wait` does not cancel the credentials provider, because the provider may
        already have used its single-use refresh token.
        """

        async def slow():
            await anyio.sleep(0.3)
            return CREDENTIALS

        with Loopback(always(b"x")) as server, ExitStack() as stack:
            driver = Driver(Kind(is_async=True, backend=backend), stack)
            client = driver.client(**pointed_at(server, credentials=slow))
            invocation = Invocation("id", "s3://bucket/out")
            assert client.wait(invocation, timeout=0, schedule=often).body == b"x"

    def test_dribbled_body(self, driver):
        """If a body arrives byte by byte, reading stops at the deadline, and the response is marked
        as incomplete.
        """
        response, seconds = self.dribbled(driver, b"HTTP/1.1 200 X\r\nContent-Length: 999\r\n\r\n")
        assert (response.status, response.complete) == (200, False)
        assert 0 < len(response.body) < 999
        assert 0.09 <= seconds < 5

    def test_silence_in_a_body(self, driver):
        """If the rest of a body does not arrive, reading stops at the deadline, even though the
        read timeout is longer.
        """
        response, seconds = self.dribbled(
            driver, b"HTTP/1.1 200 X\r\nContent-Length: 999\r\n\r\nhalf", pace=30
        )
        assert (response.body, response.complete) == (b"half", False)
        assert 0.09 <= seconds < 5

    def test_body_that_comes_after_the_deadline(self, driver):
        """If an output is still arriving at the deadline of `wait`, the rest of the output is read."""

        def respond(_request, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nout")
            sleep(0.3)
            connection.sendall(b"put")

        with Loopback(respond) as server:
            client = driver.client(**pointed_at(server))
            invocation = Invocation("id", "s3://bucket/out")
            assert client.wait(invocation, timeout=0.1, schedule=often).body == b"output"

    # This test excludes blocking user-supplied clients, because they cannot be interrupted.
    @pytest.mark.parametrize(
        "driver",
        [
            pytest.param(kind, id=name)
            for name, kind in KINDS.items()
            if kind.is_async or kind.library is None
        ],
        indirect=True,
    )
    def test_dribbled_head(self, driver):
        """If the head of a response arrives byte by byte, `wait` still ends at its deadline."""
        stop = Event()

        def respond(_request, connection):
            for byte in b"HTTP/1.1 200 OK\r\n" + b"x-slow: 1\r\n" * 1000:
                if stop.wait(0.02):
                    return
                connection.sendall(bytes([byte]))

        with Loopback(respond) as server:
            client = driver.client(**pointed_at(server))
            start = monotonic()
            with pytest.raises(WaitTimeoutError) as caught:
                client.wait(Invocation("id", "s3://bucket/out"), timeout=0.2, schedule=often)
            seconds = monotonic() - start
            stop.set()
        assert isinstance(caught.value.__cause__, TransportError)
        assert seconds < PATIENCE

    def test_too_late(self, driver):
        """If a request is sent after its deadline and the server does not respond, a TransportError
        is raised.
        """
        with silent() as server:
            client = driver.client(**pointed_at(server))
            with pytest.raises(TransportError):
                client.send(server.url, Request("GET", "/"), deadline=monotonic() - 1)

    def dribbled(self, driver, head, pace=0.01):
        """Send a request with a deadline of 0.1 s; return the response and the duration in seconds.

        The server sends *head*, and then one byte every *pace* seconds.
        """
        stop = Event()

        def respond(_request, connection):
            connection.sendall(head)
            while not stop.wait(pace):
                connection.sendall(b"x")

        with Loopback(respond) as server:
            client = driver.client(**pointed_at(server))
            start = monotonic()
            found = client.send(server.url, Request("GET", "/"), deadline=start + 0.1)
            seconds = monotonic() - start
            stop.set()
        return found, seconds
