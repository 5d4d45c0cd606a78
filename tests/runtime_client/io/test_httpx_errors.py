"""Test that httpx exceptions become TransportErrors that state whether the job may have been
accepted.
"""

import asyncio
from importlib import import_module

import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    SageMakerRuntimeClient,
    TransportError,
)
from tests.runtime_client.clients import (
    CREDENTIALS,
    REGION,
)

# Exceptions that httpx raises before anything is sent.
BEFORE_SENDING = {
    "ConnectError",
    "ConnectTimeout",
    "InvalidURL",
    "LocalProtocolError",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
}


# Exceptions after which another attempt may succeed.
RETRYABLE = {
    "CloseError",
    "ConnectError",
    "ConnectTimeout",
    "NetworkError",
    "PoolTimeout",
    "ProtocolError",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "SSEError",
    "TimeoutException",
    "TransportError",
    "WriteError",
    "WriteTimeout",
}


# The message of the error for an incomplete body.
INCOMPLETE = "GET http://127.0.0.1:9/bucket/key: the response ended before it was complete"
WITHOUT_MESSAGE = {"RequestNotRead", "ResponseNotRead", "StreamClosed", "StreamConsumed"}


def exceptions(library):
    """Return the names of all public exception classes of a library."""
    module = import_module(library)
    found = [getattr(module, name) for name in module.__all__]
    return [one.__name__ for one in found if isinstance(one, type) and issubclass(one, Exception)]


def made(httpx, name):
    """Create an httpx exception of the class with this name."""
    kind = getattr(httpx, name)
    if name in WITHOUT_MESSAGE:
        return kind()
    if name == "HTTPStatusError":
        return kind("why", request=httpx.Request("GET", "http://x"), response=httpx.Response(500))
    return kind("why")


def raising(httpx, error, *, in_body=False):
    """Return an httpx transport, both blocking and async, that raises *error*.

    If *in_body* is true, the error is raised only when the body of the response is read.
    """

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            raise error

        async def __aiter__(self):
            yield b"half"
            raise error

    class Raising(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, _request):
            if not in_body:
                raise error
            return httpx.Response(200, stream=Body())

        async def handle_async_request(self, request):
            return self.handle_request(request)

    return Raising()


class TestExceptions:
    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
    @pytest.mark.parametrize(
        ("library", "name"),
        [
            (library, name)
            for library in ("httpx", "httpx2")
            for name in exceptions(library)
            if name != "HTTPStatusError"  # only this exception has a response
        ],
    )
    def test_each(self, library, name, is_async):
        """Every exception of httpx and httpx2 except HTTPStatusError becomes a TransportError that
        states whether the job may have been accepted and whether a retry may help.
        """
        httpx = import_module(library)
        error = self.raised(httpx, raising(httpx, made(httpx, name)), is_async)
        assert isinstance(error, TransportError)
        assert str(error).startswith(f"{name} from http://127.0.0.1:9")
        assert error.possibly_accepted == (name not in BEFORE_SENDING)
        assert error.retryable == (name in RETRYABLE)

    @pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("ReadError", INCOMPLETE),
            ("RemoteProtocolError", INCOMPLETE),
            ("ReadTimeout", INCOMPLETE),
            ("DecodingError", "DecodingError from"),
            ("StreamClosed", "StreamClosed from"),
        ],
    )
    def test_in_the_body(self, name, message, is_async):
        """If httpx raises an exception while the body is read, `get_object` raises a
        TransportError.
        """
        httpx = import_module("httpx")
        transport = raising(httpx, made(httpx, name), in_body=True)
        error = self.raised(httpx, transport, is_async)
        assert isinstance(error, TransportError)
        assert str(error).startswith(message)

    def test_without_a_message(self):
        """If an httpx exception has no message, the error message consists of the exception's name
        and the URL.
        """
        httpx = import_module("httpx")
        error = self.raised(httpx, raising(httpx, httpx.ReadTimeout("")), is_async=False)
        assert str(error) == "ReadTimeout from http://127.0.0.1:9"

    def test_with_a_long_message(self):
        """If an httpx exception has a long message, which may quote a response, the error and its
        traceback show 500 characters of it.
        """
        httpx = import_module("httpx")
        transport = raising(httpx, httpx.RemoteProtocolError("x" * 60_000))
        error = self.raised(httpx, transport, is_async=False)
        message = "RemoteProtocolError from http://127.0.0.1:9: " + "x" * 500 + "..."
        assert str(error) == message
        assert len(str(error.__cause__)) == 503

    def test_of_others(self):
        """An exception that does not come from httpx is raised unchanged."""
        httpx = import_module("httpx")
        error = self.raised(httpx, raising(httpx, ZeroDivisionError()), is_async=False)
        assert type(error) is ZeroDivisionError

    @staticmethod
    def raised(httpx, transport, is_async):
        """Return the exception that `get_object` raises with an HTTP client over *transport*."""
        options = {
            "region": REGION,
            "credentials": CREDENTIALS,
            "s3_endpoint_url": "http://127.0.0.1:9",
            "max_attempts": 1,
        }

        async def awaited():
            async with httpx.AsyncClient(transport=transport, verify=False) as http_client:
                client = AsyncSageMakerRuntimeClient(http_client=http_client, **options)
                await client.get_object("s3://bucket/key")

        with pytest.raises(Exception) as caught:  # noqa: PT012 (which one is the question)
            if is_async:
                asyncio.run(awaited())
            with httpx.Client(transport=transport, verify=False) as http_client:
                client = SageMakerRuntimeClient(http_client=http_client, **options)
                client.get_object("s3://bucket/key")
        return caught.value
