"""Test opening connections: TLS from the first byte, unsolicited responses, and server names."""

import gc
import json
import select
import socket
import ssl
from threading import Event

import anyio
import httpx
import pytest

from sagemaker_runtime_client import TransportError
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.tls import tls_context
from tests.runtime_client.certificates import issue
from tests.runtime_client.clients import settings
from tests.runtime_client.loopback import (
    Loopback,
    deliver,
    man_in_the_middle,
    raw_server,
    response,
    shake_hands,
)
from tests.runtime_client.pools import PATIENCE, counts, limited

FORGED = response(b"forged")


def trusting(bundle):
    """Return a client's TLS context that trusts the certificates in *bundle*."""
    return ssl.create_default_context(cafile=bundle)


class TestFirstByte:
    """Test that TLS starts with the first byte, so that data that arrive before the handshake are
    not taken for a response.
    """

    def test_plaintext_before_the_handshake(self, make, certificate):
        """If plain text arrives before the TLS handshake, each of 200 requests raises a
        ConnectError, and the server gets no request.
        """
        bundle, tls = certificate
        with (
            Loopback(lambda *_: response(b"real"), tls) as server,
            raw_server(man_in_the_middle(server.address, FORGED)) as address,
        ):
            pool = make(verify=trusting(bundle))
            for _ in range(200):
                with pytest.raises(httpx.ConnectError):
                    pool.get(f"https://{address}")
            assert counts(pool.transport) == (0, 0, 0, 0)
        assert server.requests == []

    def test_nothing_before_the_handshake(self, make, certificate):
        """If a relay between client and server only forwards bytes, TLS requests succeed."""
        bundle, tls = certificate
        with (
            Loopback(lambda *_: response(b"real"), tls) as server,
            raw_server(man_in_the_middle(server.address, b"")) as address,
        ):
            pool = make(verify=trusting(bundle), limits=limited(9, kept=0))
            assert {pool.get(f"https://{address}").content for _ in range(9)} == {b"real"}

    def test_the_whole_client(self, driver, emulator, certificate):
        """If a response with a forged output location arrives before the TLS handshake, every kind
        of client raises a TransportError.
        """
        bundle, tls = certificate
        location = {"OutputLocation": "s3://forged/output", "InferenceId": "forged"}
        forged = response(
            json.dumps(location).encode(), 202, {"x-amzn-sagemaker-outputlocation": "s3://forged/o"}
        )
        options = {"ca_bundle": bundle}
        if driver.kind.library is not None:
            theirs = driver.http_client(driver.kind.library, verify=trusting(bundle))
            options = {"http_client": theirs}
        with (
            Loopback(lambda *_: response(b"{}", 202), tls) as server,
            raw_server(man_in_the_middle(server.address, forged)) as address,
        ):
            url = f"https://{address}"
            client = driver.client(
                **settings(emulator, endpoint_url=url, max_attempts=1), **options
            )
            for _ in range(20):
                with pytest.raises(TransportError):
                    client.invoke_endpoint_async("endpoint", input_location="s3://bucket/key")
        assert server.requests == []


@pytest.fixture
def tls12(certificate):
    """A TLS 1.2 context for a server.

    In this version of TLS, the server sends the last message of the handshake.
    """
    bundle, _ = certificate
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(bundle, bundle.replace("ca.pem", "key.pem"))
    return tls


class TestUnsolicited:
    """Data that arrive before a request is sent are not its response (RFC 9112, section 9.2)."""

    def test_on_a_new_connection(self, make, certificate, tls12):
        """If a server sends a response before it has received a request, connecting fails, and
        no request is sent.
        """
        asked = []

        def serve(connection):
            secured, outgoing = shake_hands(connection, tls12)
            secured.write(FORGED)
            connection.sendall(outgoing.read())
            asked.append(connection.recv(65536))

        with raw_server(serve) as address:
            pool = make(verify=trusting(certificate[0]))
            for _ in range(20):
                with pytest.raises(httpx.ConnectError, match="before a request was sent"):
                    pool.get(f"https://{address}")
            assert counts(pool.transport) == (0, 0, 0, 0)
        assert set(asked) <= {b""}

    def test_closed_at_once(self, make):
        """If the server closes each new connection immediately, the request fails with an httpx
        error.
        """
        with raw_server(lambda _connection: None) as address:
            pool = make()
            for _ in range(20):
                with pytest.raises(
                    (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError)
                ):
                    pool.get(f"http://{address}")

    @pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
    def test_at_once_behind_the_response(self, make, certificate, is_tls):
        """If a second response immediately follows the response to a request, the second one is
        discarded, and the connection is closed.
        """
        bundle, tls = certificate

        def respond(_request, connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            connection.sendall(response(b"real"))
            connection.sendall(FORGED)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            connection.recv(1)

        with Loopback(respond, tls if is_tls else None) as server:
            pool = make(verify=trusting(bundle))
            assert [pool.get(server.url).content for _ in range(200)] == [b"real"] * 200
        assert server.connections == 200

    @pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
    def test_while_idle(self, make, certificate, is_tls):
        """If the server sends a response while a connection is idle, the response is discarded, and
        the connection is closed.
        """
        bundle, tls = certificate
        go, sent = Event(), Event()

        def respond(_request, connection):
            connection.sendall(response(b"real"))
            assert go.wait(PATIENCE)
            go.clear()
            connection.sendall(FORGED)
            deliver(connection)
            sent.set()
            return response(b"late")

        with Loopback(respond, tls if is_tls else None) as server:
            pool = make(verify=trusting(bundle))
            for _ in range(20):
                assert pool.get(server.url).content == b"real"
                go.set()
                assert sent.wait(PATIENCE)
                sent.clear()
        assert server.connections == 20

    def test_closed_where_there_is_no_poll(self, make, monkeypatch):
        """If `select.poll` is missing, as on Windows and with gevent, the pool still detects that
        an idle connection was closed.
        """
        monkeypatch.delattr(select, "poll")
        closed = Event()

        def respond(_request, connection):
            connection.sendall(response(b"real"))
            connection.shutdown(socket.SHUT_RDWR)
            closed.set()

        with Loopback(respond) as server:
            pool = make()
            for _ in range(20):
                assert pool.get(server.url).content == b"real"
                assert closed.wait(PATIENCE)
                closed.clear()
        assert server.connections == 20


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_upload_to_a_server_that_resets(make, certificate, caplog, is_tls):
    """If the server resets the connection during an upload, an httpx error is raised, and asyncio
    logs nothing.
    """
    bundle, tls = certificate

    def serve(connection):
        secured = tls.wrap_socket(connection, server_side=True) if is_tls else connection
        secured.recv(1)
        secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        secured.close()

    with raw_server(serve) as address:
        pool = make(verify=trusting(bundle))
        for _ in range(5):
            with pytest.raises(httpx.TransportError):
                pool.get(f"http{'s' * is_tls}://{address}", "PUT", content=bytes(1 << 25))
        assert counts(pool.transport) == (0, 0, 0, 0)
    assert [one.getMessage() for one in caplog.records if one.name == "asyncio"] == []


@pytest.mark.usefixtures("all_names_here")
def test_name_with_a_dot_at_its_end(driver, emulator, tmp_path):
    """The trailing dot of a host name is sent in the Host header, but is omitted from the TLS
    server name (RFC 6066, section 3).
    """
    bundle, tls = issue(tmp_path)
    asked = []
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    options = {"ca_bundle": bundle}
    if driver.kind.library is not None:
        theirs = driver.http_client(driver.kind.library, verify=tls_context(bundle))
        options = {"http_client": theirs}
    with Loopback(lambda *_: response(b"{}", 202), tls) as server:
        host = server.address.replace("127.0.0.1", "host.example.")
        chosen = settings(emulator, endpoint_url=f"https://{host}", max_attempts=1)
        client = driver.client(**chosen, **options)
        client.invoke_endpoint_async("endpoint", input_location="s3://bucket/key")
    assert (server.requests[0].header("host"), asked) == (host, ["host.example"])


def test_address_in_capitals(driver, emulator):
    """The Host header has the spelling that was signed, even for an IPv6 address in capital
    letters.
    """
    with Loopback(lambda *_: response(b"{}", 202)) as server:
        url = server.url.replace("127.0.0.1", "[::FFFF:127.0.0.1]")
        client = driver.client(**settings(emulator, endpoint_url=url, max_attempts=1))
        client.invoke_endpoint_async("endpoint", input_location="s3://bucket/key")
    (request,) = server.requests
    request.verify(emulator.credentials, "sagemaker", emulator.region)


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_dropped_and_never_closed(plain_driver, emulator, certificate, is_tls):
    """If a client is garbage-collected without being closed, its idle connections are closed
    immediately, and no warning is issued, as in boto3.
    """
    bundle, tls = certificate
    closed = Event()

    def serve(connection):
        with tls.wrap_socket(connection, server_side=True) if is_tls else connection as secured:
            secured.recv(65536)
            secured.sendall(response(b"{}", 202))
            assert secured.recv(1) == b""
        closed.set()

    async def drop():
        client = plain_driver.kind.client_class(**options)
        sent = client.invoke_endpoint_async("endpoint", input_location="s3://bucket/key")
        if plain_driver.kind.is_async:
            await sent
        del client, sent
        gc.collect()
        if plain_driver.kind.is_async:
            await anyio.to_thread.run_sync(closed.wait, PATIENCE)

    with raw_server(serve) as address:
        url = f"http{'s' * is_tls}://{address}"
        options = settings(emulator, endpoint_url=url, ca_bundle=bundle)
        if plain_driver.kind.is_async:
            plain_driver.call(drop)
        else:
            run(drop())
        assert closed.wait(PATIENCE)
