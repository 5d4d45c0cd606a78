"""Test single requests and their responses over a connection: message framing, errors and uploads."""

import socket
from contextlib import suppress
from threading import Event

import httpx
import pytest

from tests.runtime_client.clients import unread_body
from tests.runtime_client.loopback import Loopback, always, deliver, response
from tests.runtime_client.networks import Scripted
from tests.runtime_client.pools import PATIENCE, PooledTransport, counts, limited


def responding_with(data):
    """Return a server function that sends *data* as each response and keeps the connection open."""
    return lambda _request, _connection: data


HEAD = b"HTTP/1.1 200 OK\r\n"


# For each kind of response, its bytes, its body, and whether the connection can be used again.
RESPONSES = {
    "length": (HEAD + b"Content-Length: 2\r\n\r\nhi", b"hi", True),
    "nothing": (HEAD + b"Content-Length: 0\r\n\r\n", b"", True),
    "no content": (b"HTTP/1.1 204 None\r\n\r\n", b"", True),
    "chunked": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
        b"hi",
        True,
    ),
    "trailers": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n",
        b"hi",
        True,
    ),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + response(b"hi"), b"hi", True),
    "early hints": (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * 3 + response(b"hi"), b"hi", True),
    "close": (HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
    "rubbish behind": (response(b"hi") + b"rubbish", b"hi", False),
    "another response behind": (response(b"hi") + response(b"no"), b"hi", False),
}


class TestResponses:
    @pytest.mark.parametrize(("data", "body", "is_kept"), RESPONSES.values(), ids=RESPONSES)
    def test_framing(self, make, data, body, is_kept):
        """For each kind of response, the complete body is returned, and the connection is used
        again if and only if the response allows it.
        """
        with Loopback(responding_with(data)) as server:
            pool = make()
            assert [pool.get(server.url).content for _ in range(3)] == [body] * 3
        assert [one.connection for one in server.requests] == ([0, 0, 0] if is_kept else [0, 1, 2])

    def test_until_the_end(self, make):
        """If a response has no length, its body ends when the server closes the connection."""

        def respond(_request, connection):
            connection.sendall(HEAD + b"\r\nhi")

        with Loopback(respond) as server:
            pool = make()
            assert [pool.get(server.url).content for _ in range(2)] == [b"hi", b"hi"]
        assert [one.connection for one in server.requests] == [0, 1]
        assert counts(pool.transport) == (0, 0, 0, 0)

    def test_head(self, make):
        """The response to a HEAD request has no body, regardless of its Content-Length."""
        with Loopback(responding_with(HEAD + b"Content-Length: 9\r\n\r\n")) as server:
            pool = make()
            for _ in range(2):
                assert pool.get(server.url, "HEAD").content == b""
        assert server.connections == 1

    @pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR], ids=["half", "whole"])
    def test_closed_while_idle(self, make, how):
        """A connection that the server closed or half-closed while it was idle is not used again."""
        closed = Event()

        def respond(_request, connection):
            connection.sendall(response(b"hi"))
            connection.shutdown(how)
            closed.set()
            Event().wait(0.2)

        with Loopback(respond) as server:
            pool = make()
            for number in range(3):
                assert pool.get(server.url).content == b"hi"
                assert closed.wait(PATIENCE)
                closed.clear()
                assert server.connections == number + 1

    def test_written_to_while_idle(self, make):
        """A connection on which data arrived while it was idle is not used again."""
        go, written = Event(), Event()

        def respond(_request, connection):
            connection.sendall(response(b"hi"))
            assert go.wait(PATIENCE)
            connection.sendall(response(b"no"))
            deliver(connection)
            written.set()
            return response(b"more")

        with Loopback(respond) as server:
            pool = make()
            for _ in range(3):
                go.clear()
                assert pool.get(server.url).content == b"hi"
                written.clear()
                go.set()
                assert written.wait(PATIENCE)
        assert [one.connection for one in server.requests] == [0, 1, 2]

    @unread_body
    def test_streamed(self, make):
        """The pieces of a body are returned as they arrive.

        If some of them are not read, the connection is closed.
        """
        was_read = Event()

        def respond(_request, connection):
            connection.sendall(HEAD + b"Content-Length: 99\r\n\r\nhi")
            assert was_read.wait(PATIENCE)

        with Loopback(respond) as server:
            pool = make()
            assert pool.pieces(server.url, enough=1) == [b"hi"]
            was_read.set()
            assert counts(pool.transport) == (0, 0, 0, 0)

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (b"", httpx.RemoteProtocolError),
            (b"HTTP/1.1 200", httpx.RemoteProtocolError),
            (b"SSH-2.0-OpenSSH\r\n\r\n", httpx.RemoteProtocolError),
            (HEAD + b"Content-Length: 9\r\n\r\nhi", httpx.RemoteProtocolError),
            (b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n", httpx.RemoteProtocolError),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", httpx.RemoteProtocolError),
            (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi", httpx.RemoteProtocolError),
        ],
        ids=[
            "nothing",
            "half a head",
            "another protocol",
            "half a body",
            "an upgrade",
            "no chunk",
            "two lengths",
        ],
    )
    def test_wrong(self, make, data, error):
        """If a response is invalid or incomplete, an httpx error that refers to the request is
        raised, and the connection is closed.
        """
        with Loopback(lambda _, connection: connection.sendall(data)) as server:
            pool = make(limits=limited(1))
            for _ in range(2):
                with pytest.raises(error) as caught:
                    pool.get(server.url)
                assert str(caught.value.request.url) == server.url
                assert counts(pool.transport) == (0, 0, 0, 0)

    def test_header_that_cannot_be_sent(self, make):
        """If HTTP does not allow a request header, an httpx error is raised before anything is
        sent.
        """
        with Loopback(always()) as server:
            pool = make()
            with pytest.raises(httpx.LocalProtocolError):
                pool.get(server.url, headers={"a": "b\nc"})
            assert counts(pool.transport) == (0, 0, 0, 0)
        assert server.requests == []


class TestUploads:
    @pytest.mark.parametrize(("size", "writes"), [(0, 1), (9, 1), (1 << 16, 1), (1 << 17, 2)])
    def test_at_hand(self, size, writes):
        """A small body in memory, such as one of 64 KiB, is sent together with the request head.

        A large body, such as one of 128 KiB, is sent in a second write.
        """
        network = Scripted([response(b"hi")])
        request = httpx.Request("PUT", "http://x/", content=bytes(size))
        assert PooledTransport(network=network).handle_request(request).status_code == 200
        head, _, body = b"".join(network.written).partition(b"\r\n\r\n")
        assert head.startswith(b"PUT / HTTP/1.1\r\n")
        assert (len(body), len(network.written)) == (size, writes)

    def test_streamed(self, make):
        """A request body of unknown length is sent in chunks."""
        seen = []

        def respond(_request, connection):
            stream = connection.makefile("rb")
            while size := int(stream.readline(), 16):
                seen.append(stream.read(size + 2)[:-2])
            stream.readline()
            return response(b"hi")

        with Loopback(respond, buffered=False) as server:
            assert make().upload(server.url, [b"one", b"two"]).content == b"hi"
        assert seen == [b"one", b"two"]

    @unread_body
    def test_early_response(self, make):
        """If the server responds before it has read the whole upload, this response is returned."""

        def respond(_request, connection):
            connection.sendall(response(b"enough", 413, {"Connection": "close"}))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

        with Loopback(respond, buffered=False) as server:
            pool = make()
            for _ in range(2):
                found = pool.upload(server.url, [bytes(1 << 16)] * 32)
                assert (found.status_code, found.content) == (413, b"enough")
            assert server.connections == 2

    @unread_body
    def test_early_end(self, make):
        """If the server hangs up during an upload, either its response is returned or an httpx
        error is raised.
        """

        def respond(_request, connection):
            connection.sendall(response(b"enough", 413))

        with Loopback(respond, buffered=False) as server:
            pool = make()
            with suppress(httpx.NetworkError, httpx.RemoteProtocolError):
                assert pool.upload(server.url, [bytes(1 << 16)] * 64).status_code == 413
            assert counts(pool.transport)[:2] == (0, 0)

    @unread_body
    def test_body_that_fails(self, make):
        """If the iterator of a request body raises an exception, that exception is raised
        unchanged, and the connection is closed.
        """

        def pieces():
            yield b"one"
            raise ZeroDivisionError

        def respond(_request, connection):
            while connection.recv(1 << 16):
                pass

        with Loopback(respond, buffered=False) as server:
            pool = make(limits=limited(1))
            for _ in range(2):
                with pytest.raises(ZeroDivisionError):
                    pool.upload(server.url, pieces())
                assert counts(pool.transport) == (0, 0, 0, 0)
