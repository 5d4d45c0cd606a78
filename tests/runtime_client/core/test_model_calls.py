"""Tests of synchronous model calls by each kind of client, over sockets."""

from threading import Event

import pytest

from sagemaker_runtime_client import (
    ModelError,
    ResponseTooLargeError,
    ServiceError,
    TransportError,
)
from tests.runtime_client.clients import CREDENTIALS, REGION, pointed_at
from tests.runtime_client.core.model_calls import CALLS
from tests.runtime_client.loopback import PATIENCE, Loopback, response


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Hide this machine's settings from the tests."""


def everywhere(server, **changes):
    """Return client arguments that make a test server the endpoint of all services."""
    return pointed_at(server, router_endpoint_url=server.url, max_attempts=3, **changes)


PATHS = {"endpoint": "/endpoints/e/invocations", "router": "/inference-routers/r/invocations"}


@pytest.mark.parametrize("name", CALLS)
def test_call(plain_driver, name):
    """Each kind of client sends a signed request, and returns the model's output."""
    with Loopback(lambda *_: response(b"output", headers={"Content-Type": "text/csv"})) as server:
        output = CALLS[name](plain_driver.client(**everywhere(server)))
    (request,) = server.requests
    request.verify(CREDENTIALS, "sagemaker", REGION)
    assert (request.target, request.body) == (PATHS[name], b"body")
    assert (output.body, output.content_type) == (b"output", "text/csv")


LOST = {
    "lost response": b"",
    "truncated body": response(b"output")[:-1],
    "truncated head": b"HTTP/1.1 200 OK\r\nContent-",
}


@pytest.mark.parametrize("data", LOST.values(), ids=LOST)
def test_lost_response(plain_driver, data):
    """If the response is lost, no client repeats the request, because the model could run again.

    With retry_model=True, the request is repeated.
    """

    def answer(_request, connection):
        connection.sendall(data)
        return b""

    with Loopback(answer) as server:
        client = plain_driver.client(**everywhere(server))
        for arguments, attempts in (({}, 1), ({"retry_model": True}, 3)):
            with pytest.raises(TransportError) as caught:
                client.invoke_endpoint("e", b"body", **arguments)
            assert (caught.value.attempts, caught.value.possibly_accepted) == (attempts, True)
    assert len(server.requests) == 4


def test_slow_response(plain_driver):
    """If the response does not arrive before the client's read timeout, the call raises an error,
    and the request is not repeated.
    """
    ended = Event()
    with Loopback(lambda *_: bytes(ended.wait(PATIENCE) * 0)) as server:
        client = plain_driver.client(**everywhere(server, read_timeout=0.05))
        with pytest.raises(TransportError) as caught:
            client.invoke_endpoint("e", b"body")
        ended.set()
    assert (caught.value.attempts, caught.value.possibly_accepted) == (1, True)
    assert len(server.requests) == 1


def test_large_response(plain_driver):
    """An output of 6,291,456 bytes is returned, and a larger one is rejected without a retry."""
    sizes = iter([6_291_456, 6_291_457])
    with Loopback(lambda *_: response(bytes(next(sizes)))) as server:
        client = plain_driver.client(**everywhere(server))
        assert len(client.invoke_endpoint("e", b"body").body) == 6_291_456
        with pytest.raises(ResponseTooLargeError, match="6,291,456 bytes") as caught:
            client.invoke_endpoint("e", b"body")
    assert (caught.value.attempts, caught.value.possibly_accepted) == (1, True)


def test_model_error_over_http(plain_driver):
    """If the model fails, each kind of client raises the model's error."""
    body = b'{"OriginalStatusCode":500,"OriginalMessage":"boom"}'
    data = response(body, 424, {"x-amzn-errortype": "ModelError"})
    with Loopback(lambda *_: data) as server, pytest.raises(ServiceError) as caught:
        plain_driver.client(**everywhere(server)).invoke_endpoint("e", b"body")
    assert type(caught.value) is ModelError
    assert caught.value.original_message == "boom"
