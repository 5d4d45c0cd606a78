"""Test responses that arrive before the end of an upload, with and without `Expect: 100-continue`."""

import asyncio
import socket
import ssl
from contextlib import ExitStack, contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread

import boto3
import httpx
import pytest
import trio
from botocore.config import Config

from sagemaker_runtime_client import AccessDeniedError, TransportError
from sagemaker_runtime_client._io.on_asyncio import AsyncioBackend
from sagemaker_runtime_client._io.pool import connection as _connection
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.streams import asyncio_stream, thread_stream, trio_stream
from tests.runtime_client.clients import CREDENTIALS, KINDS, REGION, Driver
from tests.runtime_client.loopback import response
from tests.runtime_client.pools import counts, limited

PATIENCE = 10
SIZE = 5 << 20
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
DENIED = response(b"<Error><Code>AccessDenied</Code></Error>", 403)
MOVED = response(
    b"<Error><Code>PermanentRedirect</Code></Error>", 301, {"x-amz-bucket-region": "eu-central-1"}
)
OK = response()


@pytest.fixture(autouse=True)
def _bare(bare_environment):
    """Before each test, remove the environment variables that a client reads."""


class Exchange:
    """The server's end of a connection. Scripts call its methods to read and write."""

    def __init__(self, connection):
        self._connection = connection
        self.head = b""
        self.size = 0

    def read_head(self):
        """Read a request's head byte by byte, and return it."""
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            byte = self._connection.recv(1)
            if not byte:
                raise EOFError
            self.head += byte
        return self.head

    def read(self, size):
        """Read *size* bytes of the body, or fewer if the connection ends."""
        before = self.size
        while self.size < before + size and (piece := self._connection.recv(1 << 16)):
            self.size += len(piece)

    def write(self, data):
        self._connection.sendall(data)

    def close(self):
        """Stop writing, and read for a while, as servers should (RFC 9112, section 9.6)."""
        self._connection.shutdown(socket.SHUT_WR)
        self.read(SIZE)


@contextmanager
def serving(script, tls=None):
    """Run a server that calls *script* for each connection; yield the URL and all exchanges."""
    exchanges = []

    class Handler(BaseRequestHandler):
        def handle(self):
            with suppress(EOFError, OSError):
                self.request.settimeout(PATIENCE)
                # Without this option, the kernel may hold a response back, and drop it when the
                # connection is reset.
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if tls is not None:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                exchanges.append(Exchange(self.request))
                script(exchanges[-1])
            self.request.close()

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            scheme = "http" if tls is None else "https"
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}", exchanges
        finally:
            server.shutdown()
            thread.join()


class Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def options(url, **changes):
    """Return the arguments that make a client send its S3 requests to *url*."""
    return {
        "region": REGION,
        "credentials": CREDENTIALS,
        "s3_endpoint_url": url,
        "max_attempts": 1,
        **changes,
    }


@pytest.fixture(params=["http", "https"])
def security(request, certificate):
    """A server's TLS context, or None for http, and the arguments of a matching client."""
    if request.param == "http":
        return None, {}
    return certificate[1], {"ca_bundle": certificate[0]}


class TestExpectContinue:
    """With ``Expect: 100-continue``, a server can reject an upload before the body is sent."""

    @pytest.mark.parametrize("lingers", [True, False], ids=["keeps reading", "closes"])
    def test_refused(self, plain_driver, security, lingers):
        """If the server rejects an upload, the call raises the error, no body is sent, and the
        connection is closed.
        """
        tls, client_options = security

        def script(exchange):
            exchange.read_head()
            exchange.write(DENIED)
            if lingers:
                exchange.read(SIZE)

        with serving(script, tls) as (url, exchanges):
            client = plain_driver.client(**options(url, **client_options))
            for _ in range(3):
                with pytest.raises(AccessDeniedError):
                    client.put_object("s3://bucket/key", bytes(SIZE))
        assert [one.size for one in exchanges] == [0, 0, 0]
        assert b"\r\nexpect: 100-continue\r\n" in exchanges[0].head.lower()
        signed = exchanges[0].head.partition(b"SignedHeaders=")[2].partition(b",")[0]
        assert b"expect" not in signed

    def test_another_region(self, plain_driver, security):
        """The body is uploaded only after the bucket's region has been corrected."""
        tls, client_options = security

        def script(exchange):
            if b"/eu-central-1/s3/" not in exchange.read_head():
                exchange.write(MOVED)
                return
            exchange.write(CONTINUE)
            exchange.read(SIZE)
            exchange.write(OK)

        with serving(script, tls) as (url, exchanges):
            client = plain_driver.client(**options(url, **client_options))
            assert client.put_object("s3://bucket/key", bytes(SIZE)).size == SIZE
        assert [one.size for one in exchanges] == [0, SIZE]

    def test_boto3_agrees(self):
        """Like this client, boto3 waits for 100 Continue, and sends no body after an error
        response.
        """

        def script(exchange):
            exchange.read_head()
            exchange.write(DENIED)
            exchange.read(SIZE)

        with serving(script) as (url, exchanges):
            client = boto3.client(
                "s3",
                region_name=REGION,
                endpoint_url=url,
                aws_access_key_id="AKID",
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}),
            )
            with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
                client.put_object(Bucket="bucket", Key="key", Body=bytes(SIZE))
            client.close()
        assert exchanges[0].size == 0

    def test_other_informational_responses(self, plain_driver):
        """If other informational responses precede 100 Continue, they are ignored."""

        def script(exchange):
            exchange.read_head()
            exchange.write(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * 2 + CONTINUE)
            exchange.read(SIZE)
            exchange.write(b"HTTP/1.1 103 Hints\r\n\r\n" + OK)

        with serving(script) as (url, exchanges):
            client = plain_driver.client(**options(url))
            client.put_object("s3://bucket/key", bytes(SIZE))
        assert [one.size for one in exchanges] == [SIZE]

    def test_unsupported(self, plain_driver, monkeypatch):
        """If a server ignores the Expect header, the first upload waits briefly, and later uploads
        do not wait at all.
        """
        monkeypatch.setattr(_connection, "CONTINUE_TIMEOUT", 0.01)

        def script(exchange):
            while exchange.read_head():
                heads.append(exchange.head)
                exchange.read(SIZE)
                exchange.write(OK)

        heads = []
        with serving(script) as (url, exchanges):
            client = plain_driver.client(**options(url))
            for _ in range(3):
                client.put_object("s3://bucket/key", bytes(SIZE))
        assert [b"expect: 100" in head.lower() for head in heads] == [True, False, False]
        assert [one.size for one in exchanges] == [3 * SIZE]

    def test_late_continue(self, plain_driver, monkeypatch):
        """If 100 Continue arrives while the body is already being sent, it is ignored."""
        monkeypatch.setattr(_connection, "CONTINUE_TIMEOUT", 0.01)

        def script(exchange):
            exchange.read_head()
            exchange.read(SIZE // 2)
            exchange.write(CONTINUE)
            exchange.read(SIZE - exchange.size)
            exchange.write(OK)

        with serving(script) as (url, exchanges):
            client = plain_driver.client(**options(url))
            client.put_object("s3://bucket/key", bytes(SIZE))
        assert [one.size for one in exchanges] == [SIZE]

    def test_expectation_failed(self, plain_driver):
        """After a 417 response, the upload is sent again without the Expect header (RFC 9110,
        section 15.5.18).
        """

        def script(exchange):
            if b"expect: 100" in exchange.read_head().lower():
                exchange.write(response(b"", 417))
                return
            exchange.read(SIZE)
            exchange.write(OK)

        with serving(script) as (url, exchanges):
            client = plain_driver.client(**options(url, max_connections=1))
            for _ in range(2):
                client.put_object("s3://bucket/key", bytes(SIZE))
        assert [one.size for one in exchanges] == [0, SIZE, SIZE]

    def test_expectation_failed_without_a_reservation(self, make):
        """After a 417 response, an upload without a reservation is sent again, too."""

        def script(exchange):
            if b"expect: 100" in exchange.read_head().lower():
                exchange.write(response(b"", 417))
                return
            exchange.read(SIZE)
            exchange.write(OK)

        with serving(script) as (url, exchanges):
            pool = make(limits=limited(1))
            extensions = {"expect": True}
            answer = pool.get(url, "PUT", content=bytes(SIZE), extensions=extensions)
            assert (answer.status_code, counts(pool.transport)) == (200, (0, 0, 1, 1))
        assert [one.size for one in exchanges] == [0, SIZE]

    @pytest.mark.parametrize("size", [0, (1 << 20) - 1])
    def test_small(self, plain_driver, size):
        """An upload of less than one mebibyte is sent without the Expect header."""

        def script(exchange):
            while exchange.read_head():
                exchange.read(size)
                exchange.write(OK)

        with serving(script) as (url, exchanges):
            plain_driver.client(**options(url)).put_object("s3://bucket/key", bytes(size))
        assert b"expect" not in exchanges[0].head.lower()

    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("httpx")])
    def test_user_supplied(self, kind, request):
        """Uploads through a user-supplied client have no Expect header, because such a client
        cannot wait for 100 Continue.
        """

        def script(exchange):
            exchange.read_head()
            exchange.read(SIZE)
            exchange.write(OK)

        with serving(script) as (url, exchanges), ExitStack() as stack:
            client = Driver(KINDS[kind], stack).client(**options(url))
            client.put_object("s3://bucket/key", bytes(SIZE))
        assert b"expect" not in exchanges[0].head.lower()

    def test_emulator(self, plain_driver, emulator):
        """The emulator supports uploads with ``Expect: 100-continue``."""
        client = plain_driver.client(**options(emulator.url, credentials=emulator.credentials))
        client.put_object("s3://bucket/key", bytes(SIZE))
        host, _, port = emulator.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            connection.sendall(
                b"PUT /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            )
            assert connection.recv(1 << 16).startswith((b"HTTP/1.1 100 ", b"HTTP/1.1 403 "))


class TestEarlyResponse:
    """Responses that arrive before the end of an upload without an Expect header."""

    @pytest.mark.parametrize("then", ["closes", "stops reading", "keeps reading"])
    def test_early_response(self, make, security, then):
        """If a response arrives during an upload, it is returned, the rest of the body is not sent,
        and the connection is closed.
        """
        tls, client_options = security

        def script(exchange):
            exchange.read_head()
            exchange.read(1 << 16)
            exchange.write(DENIED)
            if then == "closes":
                exchange.close()
            if then == "keeps reading":
                exchange.read(SIZE)
            if then == "stops reading":
                over.wait(PATIENCE)

        over = Event()
        if client_options:
            client_options = {
                "verify": ssl.create_default_context(cafile=client_options["ca_bundle"])
            }
        with serving(script, tls) as (url, exchanges):
            pool = make(limits=limited(1), **client_options)
            for _ in range(5):
                answer = pool.get(url, "PUT", content=bytes(10 * SIZE))
                assert (
                    answer.status_code,
                    answer.content,
                ) == (403, DENIED.partition(b"\r\n\r\n")[2])
                assert counts(pool.transport) == (0, 0, 0, 0)
            over.set()
        assert len(exchanges) == 5
        assert max(one.size for one in exchanges) < 10 * SIZE

    def test_reset(self, make, security):
        """If the server resets the connection just after its response, either the response is
        returned or an error is raised without delay.
        """
        tls, client_options = security

        def script(exchange):
            exchange.read_head()
            exchange.read(1 << 16)
            exchange.write(DENIED)

        if client_options:
            client_options = {
                "verify": ssl.create_default_context(cafile=client_options["ca_bundle"])
            }
        with serving(script, tls) as (url, _):
            pool = make(limits=limited(1), **client_options)
            for _ in range(5):
                with suppress(httpx.NetworkError, httpx.RemoteProtocolError):
                    assert pool.get(url, "PUT", content=bytes(10 * SIZE)).status_code == 403
                assert counts(pool.transport) == (0, 0, 0, 0)

    @pytest.mark.parametrize(
        "data",
        [b"", b"HTTP/1.1 40", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 103 X\r\n\r\n" * 9999],
        ids=["nothing", "half a head", "another protocol", "heads without end"],
    )
    def test_truncated(self, make, data):
        """If an early response is incomplete or invalid, an httpx error is raised."""

        def script(exchange):
            exchange.read_head()
            exchange.read(1 << 16)
            exchange.write(data)

        with serving(script) as (url, _):
            pool = make(limits=limited(1))
            for _ in range(3):
                with pytest.raises((httpx.RemoteProtocolError, httpx.NetworkError)):
                    pool.get(url, "PUT", content=bytes(10 * SIZE))
                assert counts(pool.transport) == (0, 0, 0, 0)

    def test_half_a_head(self, make):
        """If only part of a response head has arrived, the upload continues to its end."""

        def script(exchange):
            exchange.read_head()
            exchange.read(1 << 16)
            for piece in (b"HTTP/1.1 103 X\r\n\r\nHTT", b"P/1.1 20"):
                exchange.write(piece)
                exchange.read(SIZE // 4)
            exchange.read(SIZE - exchange.size)
            exchange.write(b"0 OK\r\nContent-Length: 2\r\n\r\nhi")

        with serving(script) as (url, exchanges):
            pool = make()
            assert pool.get(url, "PUT", content=bytes(SIZE)).content == b"hi"
            assert counts(pool.transport) == (0, 0, 1, 1)
        assert [one.size for one in exchanges] == [SIZE]

    def test_server_that_does_not_read(self, make):
        """If a server neither reads an upload nor responds, a write timeout is raised."""

        def script(exchange):
            exchange.read_head()
            over.wait(PATIENCE)

        over = Event()
        with serving(script) as (url, _):
            pool = make()
            timeout = httpx.Timeout(PATIENCE, write=0.05)
            with pytest.raises(httpx.WriteTimeout):
                pool.get(url, "PUT", content=bytes(10 * SIZE), timeout=timeout)
            assert counts(pool.transport) == (0, 0, 0, 0)
            over.set()

    def test_early_response_cut_off(self, plain_driver):
        """If the body of an early response is cut off, the call raises either the error for its
        status or a TransportError.
        """

        def script(exchange):
            exchange.read_head()
            exchange.write(DENIED.replace(b"Content-Length: ", b"Content-Length: 9"))

        with serving(script) as (url, _):
            client = plain_driver.client(**options(url))
            with pytest.raises((AccessDeniedError, TransportError)):
                client.put_object("s3://bucket/key", bytes(SIZE))


class TestStreams:
    @pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
    @pytest.mark.parametrize("network", [thread_stream, trio_stream])
    def test_write_to_a_server_that_does_not_read(self, network, is_tls, certificate):
        """A write of a thread or trio stream times out if the server does not read."""

        async def main():
            tls = (ssl.create_default_context(cafile=certificate[0]), "127.0.0.1")
            port = int(url.rpartition(":")[2])
            stream = await network.connect("127.0.0.1", port, tls if is_tls else None, 9)
            try:
                with pytest.raises(httpx.WriteTimeout):
                    await stream.write(bytes(1 << 25), 0.05)
            finally:
                stream.close()

        with serving(lambda _: over.wait(PATIENCE), certificate[1] if is_tls else None) as (url, _):
            over = Event()
            run(main()) if network is thread_stream else trio.run(main)
            over.set()

    def test_write_after_the_end(self):
        """On asyncio, writing to a stream whose connection is lost raises an error."""

        async def main():
            stream = asyncio_stream.Stream(None, AsyncioBackend())
            stream.connection_lost(None)
            with pytest.raises(httpx.WriteError, match="the connection is closed"):
                await stream.write(b"x")

        asyncio.run(main())

    def test_write_without_room(self):
        """On asyncio, if a stream's buffer is full, a write times out, and nothing is sent."""

        async def main():
            ours, theirs = socket.socketpair()
            with theirs:
                ours.setblocking(False)
                stream = await asyncio_stream._stream(AsyncioBackend(), ours, None)
                stream.pause_writing()
                with pytest.raises(httpx.WriteTimeout):
                    await stream.write_part(memoryview(b"x"), 0.01)
                stream.close()
                await asyncio.sleep(0)
                assert theirs.recv(9) == b""

        asyncio.run(main())
