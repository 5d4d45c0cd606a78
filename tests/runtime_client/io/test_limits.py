"""Test how much of a response is read: oversized and endless responses, and `max_size`."""

import tracemalloc
from contextlib import suppress

import pytest

from sagemaker_runtime_client import (
    InferenceFailedError,
    Invocation,
    ParamValidationError,
    ResponseTooLargeError,
    default_chain,
)
from sagemaker_runtime_client import _limits as limits
from sigv4 import Credentials
from tests.runtime_client.clients import often
from tests.runtime_client.loopback import Loopback, response

REGION = "eu-west-1"
CREDENTIALS = Credentials("AKIDEXAMPLE", "secret")
OUT, ERR = "s3://bucket/out", "s3://bucket/err"
HANDLE = {
    "x-amzn-sagemaker-outputlocation": OUT,
    "x-amzn-sagemaker-failurelocation": ERR,
    "x-amzn-requestid": "R1",
}
# The maximum number of bytes that the client and the server together buffer after the client has
# stopped reading.
BUFFERS = 16 << 20


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


class Endless:
    """A server function whose response is practically endless: it ends only after 1 GiB.

    It sends chunks of blanks, which are valid white space in XML and JSON.  `sent` is the number of
    blanks sent so far.
    """

    def __init__(self, status=200, headers=None):
        self.sent = 0
        self._head = response(b"", status, headers or {}).replace(
            b"Content-Length: 0", b"Transfer-Encoding: chunked"
        )

    def __call__(self, _request, connection):
        with suppress(OSError):
            connection.sendall(self._head)
            while self.sent < 1 << 30:
                connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                self.sent += 0x10000
        return b""


def pointed_at(server, **changes):
    """Return the arguments that make a client send all its requests to *server*."""
    return {
        "region": REGION,
        "credentials": CREDENTIALS,
        "endpoint_url": server.url,
        "s3_endpoint_url": server.url,
        "max_attempts": 3,
        **changes,
    }


INVOCATION = Invocation("id", OUT)
ENDLESS = {
    "put_object": (lambda client: client.put_object("s3://bucket/key", b"x"), limits.RESPONSE.size),
    "get_object": (lambda client: client.get_object("s3://bucket/key", max_size=1000), 1000),
    "wait": (
        lambda client: client.wait(INVOCATION, timeout=5, max_size=1000, schedule=often),
        1000,
    ),
}


@pytest.mark.parametrize(("call", "limit"), ENDLESS.values(), ids=ENDLESS)
def test_endless_answer(driver, call, limit):
    """If a successful response does not end, an error with the method, the URL and the limit is
    raised, and the request is not retried.
    """
    endless = Endless()
    with Loopback(endless) as server:
        client = driver.client(**pointed_at(server))
        with pytest.raises(ResponseTooLargeError) as caught:
            call(client)
        error, requests = caught.value, list(server.requests)
    assert (
        error.limit, error.status_code, error.attempts, error.retryable,
    ) == (limit, 200, 1, False)  # fmt: skip
    assert str(error).startswith(f"{requests[0].method} {server.url}: the response is larger than")
    assert f"{limit:,} bytes" in str(error)
    assert len(requests) == 1
    assert endless.sent < limit + BUFFERS


def test_endless_invocation(driver):
    """If the body of a 202 response does not end, `invoke_endpoint_async` and `submit` still return
    a handle, because the locations are in the headers.
    """
    endless = Endless(202, HANDLE)
    with Loopback(endless) as server:
        client = driver.client(**pointed_at(server))
        invocation = client.invoke_endpoint_async("e", body=b"x", inference_id="mine")
        queued = client.submit("e", b"x", inference_id="mine")
    for handle in (invocation, queued):
        assert (
            handle.output_location, handle.failure_location, handle.inference_id,
            handle.request_id, handle.attempts,
        ) == (OUT, ERR, "mine", "R1", 1)  # fmt: skip
    assert endless.sent < 2 * (limits.INVOCATION.size + BUFFERS)


def test_endless_credentials(bare_environment):
    """If the response of a credentials endpoint does not end, an error that contains the size limit
    is raised.
    """
    endless = Endless()
    with Loopback(endless) as server:
        bare_environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/keys")
        with default_chain() as chain, pytest.raises(Exception, match="larger than") as caught:
            chain.get()
    assert "1,048,576 bytes" in str(caught.value)
    assert endless.sent < 8 * (limits.RESPONSE.size + BUFFERS)


@pytest.mark.parametrize(
    "body", [b"x" * 5000, b'"' + b"x" * (4 << 20) + b'"'], ids=["short", "long"]
)
def test_failure_object(driver, body):
    """A failure object is read only up to its size limit, which is enough for the failure reason."""

    def answer(request, _connection):
        return response(body) if request.target == "/bucket/err" else response(b"", 404)

    with Loopback(answer) as server:
        client = driver.client(**pointed_at(server))
        with pytest.raises(InferenceFailedError) as caught:
            client.wait(INVOCATION.replace(failure_location=ERR), timeout=30, schedule=often)
    error = caught.value
    assert error.body == body[: limits.FAILURE_OBJECT.size]
    assert error.reason == body[:2000].decode()


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_max_size(driver, chunked):
    """An object of exactly `max_size` bytes is returned.

    If the object is larger, a ResponseTooLargeError is raised.
    """
    body = b"x" * 100_000
    whole = response(body)
    if chunked:
        whole = whole[: -len(body)].replace(
            b"Content-Length: 100000", b"Transfer-Encoding: chunked"
        )
        whole += b"186a0\r\n" + body + b"\r\n0\r\n\r\n"
    with Loopback(lambda *_: whole) as server:
        client = driver.client(**pointed_at(server))
        for most in (None, 100_000, 1 << 40):
            assert client.get_object("s3://bucket/key", max_size=most).body == body
            assert client.wait(INVOCATION, timeout=5, max_size=most).body == body
        for most in (0, 99_999):
            with pytest.raises(ResponseTooLargeError) as caught:
                client.get_object("s3://bucket/key", max_size=most)
            assert caught.value.limit == most
            with pytest.raises(ResponseTooLargeError) as caught:
                client.wait(INVOCATION, timeout=5, max_size=most)
            assert caught.value.invocation is not None


def test_head_of_a_large_object(driver):
    """No size limit applies to a HEAD response, which has a Content-Length but no body."""
    with Loopback(
        lambda *_: response(b"", headers={"ETag": "e"}).replace(b": 0", b": 9999999")
    ) as server:
        client = driver.client(**pointed_at(server))
        assert client.head_object("s3://bucket/key").size == 9_999_999


@pytest.mark.parametrize("most", [-1, 1.0, "5", True, b""], ids=repr)
def test_invalid_max_size(plain_driver, most):
    """A `max_size` that is negative, a bool or not an integer raises a ParamValidationError."""
    client = plain_driver.client(region=REGION, credentials=CREDENTIALS)
    calls = (
        lambda: client.get_object("s3://bucket/key", max_size=most),
        lambda: client.wait(INVOCATION, timeout=5, max_size=most),
        lambda: client.infer("e", b"x", timeout=5, max_size=most),
    )
    for call in calls:
        with pytest.raises(ParamValidationError, match="max_size must be") as caught:
            call()
        assert caught.value.argument == "max_size"


@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "until the end"])
def test_memory_of_a_large_object(plain_driver, announced):
    """Reading a large body needs less memory than 1.25 times its size, which is enough for one copy
    of the body and for room into which the buffer can grow.
    """
    size = 24 << 20
    whole = response(b"x" * size)
    if not announced:
        whole = whole.replace(f"Content-Length: {size}".encode(), b"Connection: close")
    with Loopback(lambda _request, connection: connection.sendall(whole)) as server:
        client = plain_driver.client(**pointed_at(server))
        tracemalloc.start()
        try:
            body = client.get_object("s3://bucket/key").body
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(body) == size
    assert peak < 1.25 * size
