"""Test writing request bodies and reading response bodies through user-supplied and proxied httpx
clients.
"""

import gzip
import socket
from contextlib import ExitStack, contextmanager
from importlib import import_module
from threading import Event, Thread
from time import monotonic

import pytest

from sagemaker_runtime_client import ObjectNotFoundError, ServiceError, TransportError
from tests.runtime_client.clients import (
    CREDENTIALS,
    KINDS,
    REGION,
    Driver,
    pointed_at,
    unread_body,
)
from tests.runtime_client.loopback import Loopback, always, response

NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code></Error>"
MOCKED = {"region": REGION, "credentials": CREDENTIALS, "max_attempts": 1}
ZIPPED = gzip.compress(b"x" * 9999)
LIMIT = 1.0  # the time limit of each write in a slow upload, in seconds
# For each case, the names of the blocking and of the async response method with which a hook reads
# the body.
READING = {
    "reads": ("read", "aread"),
    "iterates raw": ("iter_raw", "aiter_raw"),
    "iterates bytes": ("iter_bytes", "aiter_bytes"),
    "iterates lines": ("iter_lines", "aiter_lines"),
}


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


@pytest.fixture(params=[kind for kind in KINDS if kind.startswith("httpx")])
def driver(request):
    """A `Driver`. Each test runs once for every kind of client with a user-supplied HTTP client."""
    with ExitStack() as stack:
        yield Driver(KINDS[request.param], stack)


class TestHooks:
    def with_hook(self, driver, blocking, awaited):
        """Return an httpx client whose response hook is *blocking* or, if the client is async,
        *awaited*.
        """
        hook = awaited if driver.kind.is_async else blocking
        hooks = {"response": [hook]}
        return driver.http_client(driver.kind.library, trust_env=False, event_hooks=hooks)

    @pytest.mark.parametrize("status", [200, 404])
    def test_hook_that_reads(self, driver, status):
        """If a response hook has read the body, for example to log it, the call still returns the
        body or, after a 404 response, raises an ObjectNotFoundError.
        """

        async def aread(response):
            await response.aread()

        http_client = self.with_hook(driver, lambda response: response.read(), aread)
        with Loopback(always(NO_SUCH_KEY, status)) as server:
            client = driver.client(**pointed_at(server), http_client=http_client)
            for _ in range(2):
                if status == 200:
                    assert client.get_object("s3://bucket/key").body == NO_SUCH_KEY
                    continue
                with pytest.raises(ObjectNotFoundError):
                    client.get_object("s3://bucket/key")
        assert len(server.requests) == 2

    def test_hook_that_raises(self, driver):
        """If a response hook raises an exception for an error status, the call still raises a
        ServiceError.
        """

        async def araise(response):
            response.raise_for_status()

        http_client = self.with_hook(driver, lambda response: response.raise_for_status(), araise)
        with Loopback(always(NO_SUCH_KEY, 404)) as server:
            client = driver.client(**pointed_at(server), http_client=http_client)
            with pytest.raises(ServiceError) as caught:
                client.get_object("s3://bucket/key")
        assert (caught.value.status_code, caught.value.code) == (404, "404")

    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    @pytest.mark.parametrize("reading", READING.values(), ids=READING)
    def test_hook_that_reads_all(self, driver, reading, encoding):
        """Regardless of how a response hook reads the body, `get_object` returns the complete body
        without decoding it.
        """
        stored = ZIPPED if encoding == "gzip" else b"x\ny\n" * 99

        def read(response):
            found = getattr(response, reading[0])()
            return None if isinstance(found, bytes) else list(found)

        async def aread(response):
            found = getattr(response, reading[1])()
            return [one async for one in found] if hasattr(found, "__aiter__") else await found

        http_client = self.with_hook(driver, read, aread)
        with Loopback(always(stored, headers={"Content-Encoding": encoding})) as server:
            client = driver.client(**pointed_at(server), http_client=http_client)
            for _ in range(2):
                assert client.get_object("s3://bucket/key").body == stored
        assert len(http_client.event_hooks["response"]) == 1

    @unread_body
    @pytest.mark.parametrize("reads_some", [False, True], ids=["unread", "half read"])
    def test_hook_that_closes(self, driver, reads_some):
        """If a response hook closes the response before the end of its body, `get_object` raises a
        TransportError instead of returning an empty body.
        """

        def close(response):
            if reads_some:
                next(response.iter_raw(1))
            response.close()

        async def aclose(response):
            if reads_some:
                await anext(response.aiter_raw(1))
            await response.aclose()

        http_client = self.with_hook(driver, close, aclose)
        with Loopback(always(b"content" * 99999)) as server:
            client = driver.client(**pointed_at(server), http_client=http_client)
            with pytest.raises(TransportError, match=r"StreamClosed|ResponseNotRead"):
                client.get_object("s3://bucket/key")


class TestMocks:
    @pytest.mark.parametrize("hooked", [False, True], ids=["plain", "hook"])
    @pytest.mark.parametrize("encoded", [False, True], ids=["identity", "gzip"])
    def test_mock(self, driver, encoded, hooked):
        """With a mock transport, `get_object` returns the body unchanged, even if the response has
        a Content-Encoding.
        """
        httpx = import_module(driver.kind.library)
        body = ZIPPED if encoded else b"x"
        headers = {"content-encoding": "gzip"} if encoded else {}
        asked = []

        def respond(request):
            asked.append(request)
            return httpx.Response(200, headers=headers, content=body)

        async def hook(response):
            await response.aread()

        hooks = [hook if driver.kind.is_async else lambda response: response.read()] * hooked
        options = {"transport": httpx.MockTransport(respond), "event_hooks": {"response": hooks}}
        http_client = driver.http_client(driver.kind.library, **options)
        client = driver.client(**MOCKED, http_client=http_client)
        for _ in range(2):
            assert client.get_object("s3://bucket/key").body == body
        assert len(asked) == 2

    def test_transport_that_reads(self, driver):
        """If a transport has already read the body, `get_object` returns the body.

        If the response also has a Content-Encoding, the call raises a TransportError.
        """
        httpx = import_module(driver.kind.library)

        class Reading(httpx.BaseTransport, httpx.AsyncBaseTransport):
            def __init__(self):
                self.headers = {}

            def handle_request(self, _request):
                found = httpx.Response(200, headers=self.headers, stream=Stream())
                found.read()
                return found

            async def handle_async_request(self, _request):
                found = httpx.Response(200, headers=self.headers, stream=Stream())
                await found.aread()
                return found

        class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
            def __iter__(self):
                yield ZIPPED

            async def __aiter__(self):
                yield ZIPPED

        transport = Reading()
        http_client = driver.http_client(driver.kind.library, transport=transport)
        client = driver.client(**MOCKED, http_client=http_client)
        assert client.get_object("s3://bucket/key").body == ZIPPED
        transport.headers = {"content-encoding": "gzip"}
        with pytest.raises(TransportError, match="StreamConsumed"):
            client.get_object("s3://bucket/key")


class TestWrites:
    @pytest.mark.parametrize("is_proxied", [False, True], ids=["user-supplied", "proxied"])
    @pytest.mark.parametrize("kind", ["blocking", "asyncio", "trio"])
    def test_slow_upload(self, kind, is_proxied, bare_environment):
        """Because the time limit applies to each write, not to the whole body, a long upload to a
        slow server succeeds.
        """
        size = 1 << 25
        with slow_reader(size) as url, ExitStack() as stack:
            driver = Driver(KINDS[kind], stack)
            options = {"region": REGION, "credentials": CREDENTIALS, "max_attempts": 1}
            if is_proxied:
                bare_environment.setenv("HTTP_PROXY", url)
                options["s3_endpoint_url"] = "http://bucket.example"
            else:
                options["s3_endpoint_url"] = url
                options["http_client"] = driver.http_client("httpx", trust_env=False)
            client = driver.client(**options, read_timeout=LIMIT)
            assert client.put_object("s3://bucket/key", bytes(size)).size == size


@contextmanager
def slow_reader(size):
    """Run a server that reads one upload so slowly that the upload takes longer than the time limit
    of a single write; yield the URL.
    """

    def serve():
        connection, _ = server.accept()
        with connection:
            read, piece = 0, b"x"
            end = monotonic() + 1.2 * LIMIT
            while read < size and piece:
                Event().wait(0.005 if monotonic() < end else 0.0)
                piece = connection.recv(1 << 17)
                read += len(piece)
            connection.sendall(response())

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()
