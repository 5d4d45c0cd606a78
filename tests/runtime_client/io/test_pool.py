"""The pool and its transports: what comes over raw sockets, storms, cancellation, time limits, TLS."""

import asyncio
import gc
import socket
import ssl
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from itertools import count
from threading import Barrier, Event, Thread
from time import sleep

import anyio
import httpx
import pytest

from sagemaker_runtime_client._io import pool_state
from sagemaker_runtime_client._io.connection import Connection
from sagemaker_runtime_client._io.pooled_transport import AsyncPooledTransport, PooledTransport
from sagemaker_runtime_client._io.run import run
from tests.runtime_client.faces import LOOPS, unread_body
from tests.runtime_client.loopback import Loopback, deliver, response
from tests.runtime_client.networks import Scripted
from tests.runtime_client.pools import PATIENCE, books, limited

each_loop = pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)


def answering(data):
    """Return a function that answers every request with these bytes, and leaves the connection open."""
    return lambda _request, _connection: data


HEAD = b"HTTP/1.1 200 OK\r\n"
# Bytes of an answer; its body; and whether its connection serves the next request.
ANSWERS = {
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
    "another answer behind": (response(b"hi") + response(b"no"), b"hi", False),
}


class TestAnswers:
    @pytest.mark.parametrize(("data", "body", "is_kept"), ANSWERS.values(), ids=ANSWERS)
    def test_framing(self, make, data, body, is_kept):
        """Each framing gives its body, and keeps a connection that is fit for more, and no other."""
        with Loopback(answering(data)) as server:
            pool = make()
            assert [body] * 3 == [pool.get(server.url).content for _ in range(3)]
        assert ([0, 0, 0] if is_kept else [0, 1, 2]) == [one.connection for one in server.requests]

    def test_until_the_end(self, make):
        """A body without a length ends with its connection."""

        def answer(_request, connection):
            connection.sendall(HEAD + b"\r\nhi")

        with Loopback(answer) as server:
            pool = make()
            assert [b"hi", b"hi"] == [pool.get(server.url).content for _ in range(2)]
        assert [0, 1] == [one.connection for one in server.requests]
        assert (0, 0, 0, 0) == books(pool.transport)

    def test_head(self, make):
        """The answer to HEAD has no body, whatever length it states."""
        with Loopback(answering(HEAD + b"Content-Length: 9\r\n\r\n")) as server:
            pool = make()
            for _ in range(2):
                assert b"" == pool.get(server.url, "HEAD").content
        assert 1 == server.connections

    @pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR], ids=["half", "whole"])
    def test_closed_while_idle(self, make, how):
        """A connection that was closed while it was idle, or half of it, is not used again."""
        closed = Event()

        def answer(_request, connection):
            connection.sendall(response(b"hi"))
            connection.shutdown(how)
            closed.set()
            Event().wait(0.2)

        with Loopback(answer) as server:
            pool = make()
            for number in range(3):
                assert b"hi" == pool.get(server.url).content
                assert closed.wait(PATIENCE)
                closed.clear()
                assert number + 1 == server.connections

    def test_written_to_while_idle(self, make):
        """A connection on which something came unasked is not used again."""
        go, written = Event(), Event()

        def answer(_request, connection):
            connection.sendall(response(b"hi"))
            assert go.wait(PATIENCE)
            connection.sendall(response(b"no"))
            deliver(connection)
            written.set()
            return response(b"more")

        with Loopback(answer) as server:
            pool = make()
            for _ in range(3):
                go.clear()
                assert b"hi" == pool.get(server.url).content
                written.clear()
                go.set()
                assert written.wait(PATIENCE)
        assert [0, 1, 2] == [one.connection for one in server.requests]

    @unread_body
    def test_streamed(self, make):
        """Pieces are there as they come; and what is left unread costs its connection."""
        taken = Event()

        def answer(_request, connection):
            connection.sendall(HEAD + b"Content-Length: 99\r\n\r\nhi")
            assert taken.wait(PATIENCE)

        with Loopback(answer) as server:
            pool = make()
            assert [b"hi"] == pool.pieces(server.url, enough=1)
            taken.set()
            assert (0, 0, 0, 0) == books(pool.transport)

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
        """What is no answer is an error of httpx's that names the request, and nothing stays behind."""
        with Loopback(lambda _, connection: connection.sendall(data)) as server:
            pool = make(limits=limited(1))
            for _ in range(2):
                with pytest.raises(error) as caught:
                    pool.get(server.url)
                assert server.url == str(caught.value.request.url)
                assert (0, 0, 0, 0) == books(pool.transport)

    def test_header_that_cannot_be_sent(self, make):
        """A header that HTTP does not allow is refused before anything is sent."""
        with Loopback(answering(response())) as server:
            pool = make()
            with pytest.raises(httpx.LocalProtocolError):
                pool.get(server.url, headers={"a": "b\nc"})
            assert (0, 0, 0, 0) == books(pool.transport)
        assert [] == server.requests


class TestUploads:
    @pytest.mark.parametrize(("size", "writes"), [(0, 1), (9, 1), (1 << 16, 1), (1 << 17, 2)])
    def test_at_hand(self, size, writes):
        """A body that is at hand goes out with its head, unless it is so large that a copy costs more."""
        network = Scripted([response(b"hi")])
        request = httpx.Request("PUT", "http://x/", content=bytes(size))
        assert 200 == PooledTransport(network=network).handle_request(request).status_code
        head, _, body = b"".join(network.written).partition(b"\r\n\r\n")
        assert head.startswith(b"PUT / HTTP/1.1\r\n")
        assert (size, writes) == (len(body), len(network.written))

    def test_streamed(self, make):
        """A body of unknown length goes out in chunks."""
        seen = []

        def answer(_request, connection):
            stream = connection.makefile("rb")
            while size := int(stream.readline(), 16):
                seen.append(stream.read(size + 2)[:-2])
            stream.readline()
            return response(b"hi")

        with Loopback(answer, buffered=False) as server:
            assert b"hi" == make().upload(server.url, [b"one", b"two"]).content
        assert [b"one", b"two"] == seen

    @unread_body
    def test_early_answer(self, make):
        """A server may answer an upload before it has read it; its connection is given up."""

        def answer(_request, connection):
            connection.sendall(response(b"enough", 413, {"Connection": "close"}))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

        with Loopback(answer, buffered=False) as server:
            pool = make()
            for _ in range(2):
                found = pool.upload(server.url, [bytes(1 << 16)] * 32)
                assert (413, b"enough") == (found.status_code, found.content)
            assert 2 == server.connections

    @unread_body
    def test_early_end(self, make):
        """A server that hangs up during an upload is an error of httpx's, or its answer is found."""

        def answer(_request, connection):
            connection.sendall(response(b"enough", 413))

        with Loopback(answer, buffered=False) as server:
            pool = make()
            with suppress(httpx.NetworkError, httpx.RemoteProtocolError):
                assert 413 == pool.upload(server.url, [bytes(1 << 16)] * 64).status_code
            assert (0, 0) == books(pool.transport)[:2]

    @unread_body
    def test_body_that_fails(self, make):
        """What a body raises comes out as it is, and its connection is given up."""

        def pieces():
            yield b"one"
            raise ZeroDivisionError

        def answer(_request, connection):
            while connection.recv(1 << 16):
                pass

        with Loopback(answer, buffered=False) as server:
            pool = make(limits=limited(1))
            for _ in range(2):
                with pytest.raises(ZeroDivisionError):
                    pool.upload(server.url, pieces())
                assert (0, 0, 0, 0) == books(pool.transport)


class TestLimits:
    def test_kept(self, make):
        """Of the idle connections so many are kept as may be."""
        with Loopback(answering(response(b"hi"))) as one, Loopback(answering(response())) as other:
            pool = make(limits=limited(9, kept=1))
            for server in (one, other, one):
                pool.get(server.url)
                assert (0, 0, 1, 1) == books(pool.transport)
        assert (2, 1) == (one.connections, other.connections)

    def test_none_kept(self, make):
        """Where none may be kept, each request has its own."""
        with Loopback(answering(response(b"hi"))) as server:
            pool = make(limits=limited(None, kept=0))
            for _ in range(2):
                pool.get(server.url)
                assert (0, 0, 0, 0) == books(pool.transport)
        assert 2 == server.connections

    def test_expiry(self, make):
        """An idle connection is closed when its time is over, whatever is asked next."""
        with Loopback(answering(response(b"hi"))) as one, Loopback(answering(response())) as other:
            pool = make(limits=limited(9, expiry=0))
            for server in (one, other):
                pool.get(server.url)
                pool.get(server.url)
            assert 1 >= books(pool.transport)[3]
        assert (2, 2) == (one.connections, other.connections)

    def test_displaced(self, make):
        """Where every place is taken, the connection that was idle for longest makes room."""
        with ExitStack() as stack:
            servers = [stack.enter_context(Loopback(answering(response()))) for _ in range(3)]
            pool = make(limits=limited(2))
            for number in (0, 1, 2, 1, 0):
                pool.get(servers[number].url)
                assert books(pool.transport)[2] <= 2
            assert [2, 1, 1] == [server.connections for server in servers]

    def test_close(self, make):
        """After it was closed a pool holds nothing, and may be used again."""
        with Loopback(answering(response(b"hi"))) as server:
            pool = make()
            pool.get(server.url)
            pool.close()
            assert (0, 0, 0, 0) == books(pool.transport)
            assert b"hi" == pool.get(server.url).content
        assert 2 == server.connections

    @pytest.mark.parametrize("url", ["ftp://x/", "file:///etc/passwd", "//x"])
    def test_scheme(self, make, url):
        """What is no address of HTTP is refused."""
        with pytest.raises(httpx.UnsupportedProtocol):
            make().get(url)

    def test_no_host(self):
        """An address without a host is refused by the transport too, past a client."""
        with pytest.raises(httpx.UnsupportedProtocol):
            PooledTransport().handle_request(httpx.Request("GET", "http:///x"))

    def test_after_a_fork(self, make):
        """What a pool holds in another process is not touched, nor counted."""
        with Loopback(answering(response(b"hi"))) as server:
            pool = make()
            pool.get(server.url)
            inherited = pool.transport._pool._ledger
            inherited.process -= 1
            pool.get(server.url)
            assert inherited is not pool.transport._pool._ledger
            for connection in inherited.clear():
                pool.call(connection.stream.close)
        assert 2 == server.connections

    def test_dropped_after_a_fork(self):
        """Nor is it closed where the pool is dropped: it is the parent's."""
        with Loopback(answering(response(b"hi"))) as server:
            transport = PooledTransport()
            transport.handle_request(httpx.Request("GET", server.url)).read()
            inherited = transport._pool._ledger
            inherited.process -= 1
            del transport
            gc.collect()
            (connection,) = inherited.clear()
            assert not run(connection.is_dead())
            connection.stream.close()

    def test_expired_in_the_meantime(self, make, monkeypatch):
        """A connection whose time is over by the next request is closed, not used."""
        with Loopback(answering(response(b"hi"))) as server:
            pool = make(limits=limited(9, expiry=5))
            for seconds in (0.0, 4.9, 10.0):
                monkeypatch.setattr(pool_state, "monotonic", lambda seconds=seconds: seconds)
                pool.get(server.url)
            assert (0, 0, 1, 1) == books(pool.transport)
        assert [0, 0, 1] == [one.connection for one in server.requests]

    def test_network_without_sockets(self):
        """What opens connections may be brought in."""
        transport = PooledTransport(network=Scripted([response(b"hi"), response(b"ho")]))
        request = httpx.Request("GET", "http://x/")
        for body in (b"hi", b"ho"):
            answer = transport.handle_request(request)
            assert body == answer.read()
        assert (0, 0, 1, 1) == books(transport)

    def test_network_of_ones_own(self):
        """On asyncio, too."""
        network = Scripted([response(b"hi"), response(b"ho")])
        transport = AsyncPooledTransport(network=network)

        async def main():
            async with httpx.AsyncClient(transport=transport) as client:
                return [(await client.get("http://x/")).content for _ in range(2)]

        assert [b"hi", b"ho"] == asyncio.run(main())

    def test_closing_fails(self):
        """What goes wrong while an answer is closed is httpx's, and its connection is given up."""

        class Breaking(Scripted):
            def close(self):
                raise httpx.WriteError("broken")

        transport = PooledTransport(network=Breaking([response(b"hello")]))
        answer = transport.handle_request(httpx.Request("GET", "http://x/"))
        with pytest.raises(httpx.WriteError, match="broken"):
            answer.stream.close()
        assert (0, 0, 0, 0) == books(transport)

    def test_read_twice(self):
        """What was read is gone, and nobody waits for it on a connection that may be another's."""
        backend = Scripted([response(b"hi")])
        stream = (
            PooledTransport(network=backend)
            .handle_request(httpx.Request("GET", "http://x/"))
            .stream
        )
        assert ([b"hi"], []) == (list(stream), list(stream))

    def test_left_open(self):
        """What is left open in a slot, by Ctrl-C say, is closed with it; to close it again does nothing."""
        with Loopback(answering(response(b"hi"))) as server:
            transport = PooledTransport()
            with transport.slot() as slot:
                request = httpx.Request("GET", server.url, extensions={"slot": slot})
                answer = transport.handle_request(request)
                assert (1, 0, 1, 0) == books(transport)
            assert (0, 0, 0, 0) == books(transport)
            answer.close()
            assert (0, 0, 0, 0) == books(transport)

    def test_interrupted(self, monkeypatch):
        """Ctrl-C as soon as an idle connection is taken: it is closed, and no longer counted."""

        async def strike(_connection):
            raise KeyboardInterrupt

        with Loopback(answering(response(b"hi"))) as server, PooledTransport() as transport:
            transport.handle_request(httpx.Request("GET", server.url)).read()
            assert (0, 0, 1, 1) == books(transport)
            (connection,) = transport._pool._ledger._idle
            with monkeypatch.context() as patch:
                patch.setattr(Connection, "is_dead", strike)
                with pytest.raises(KeyboardInterrupt):
                    transport.handle_request(httpx.Request("GET", server.url))
            assert (0, 0, 0, 0) == books(transport)
            assert run(connection.is_dead())

    def test_closed_twice(self):
        """An answer may be closed more than once."""
        backend = Scripted([response(b"hi")])
        transport = PooledTransport(network=backend)
        stream = transport.handle_request(httpx.Request("GET", "http://x/")).stream
        for _ in range(2):
            stream.close()
            assert [] == list(stream)  # its connection may be at work for another request
            assert (0, 0, 0, 0) == books(transport)


class TestTime:
    def test_read(self, make):
        """A server that says nothing costs the read timeout."""
        with Loopback(lambda *_: Event().wait(1)) as server:
            pool = make()
            with pytest.raises(httpx.ReadTimeout):
                pool.get(server.url, timeout=httpx.Timeout(PATIENCE, read=0.02))
            assert (0, 0, 0, 0) == books(pool.transport)

    @unread_body
    def test_read_in_a_body(self, make):
        """Silence in the middle of a body costs as much."""

        def answer(_request, connection):
            connection.sendall(HEAD + b"Content-Length: 9\r\n\r\nhi")
            Event().wait(1)

        with Loopback(answer) as server:
            pool = make()
            with pytest.raises(httpx.ReadTimeout):
                pool.get(server.url, timeout=httpx.Timeout(PATIENCE, read=0.02))
            assert (0, 0, 0, 0) == books(pool.transport)

    @unread_body
    def test_write(self, make):
        """A server that does not read costs the write timeout."""
        with deaf() as url:
            pool = make()
            with pytest.raises(httpx.WriteTimeout):
                pool.get(url, "PUT", content=bytes(1 << 25), timeout=httpx.Timeout(9, write=0.02))
            assert (0, 0, 0, 0) == books(pool.transport)

    def test_slow_upload(self, make):
        """The limit is for each piece: a server that reads slowly, but reads, gets the whole."""
        read = 0

        def reads_slowly():
            nonlocal read
            connection, _ = server.accept()
            with connection:
                while read < 1 << 23:
                    sleep(0.01)
                    read += len(connection.recv(1 << 17))
                connection.sendall(response(b"hi"))

        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            thread = Thread(target=reads_slowly)
            thread.start()
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            timeout = httpx.Timeout(PATIENCE, write=0.3)
            assert b"hi" == make().get(url, "PUT", content=bytes(1 << 23), timeout=timeout).content
            thread.join()
        assert read > 1 << 23

    def test_connect(self, make):
        """A server that accepts, and never speaks TLS, costs the connect timeout."""
        with deaf() as url:
            pool = make()
            with pytest.raises(httpx.ConnectTimeout):
                pool.get(url.replace("http", "https"), timeout=httpx.Timeout(9, connect=0.02))
            assert (0, 0, 0, 0) == books(pool.transport)

    def test_refused(self, make):
        """Where nobody listens there is an error, and nothing stays behind."""
        with deaf() as url:
            pass
        pool = make()
        with pytest.raises(httpx.ConnectError):
            pool.get(url)
        assert (0, 0, 0, 0) == books(pool.transport)

    def test_pool(self, make):
        """A wait for a connection ends with the pool timeout, and leaves the queue."""
        busy, over = Event(), Event()

        def answer(_request, _connection):
            busy.set()
            assert over.wait(PATIENCE)
            return response(b"hi")

        with Loopback(answer) as server:
            pool = make(limits=limited(1))
            first = Thread(target=pool.get, args=(server.url,))
            first.start()
            assert busy.wait(PATIENCE)
            with pytest.raises(httpx.PoolTimeout):
                pool.get(server.url, timeout=httpx.Timeout(9, pool=0.02))
            assert (1, 0, 1, 0) == books(pool.transport)
            over.set()
            first.join()
            assert b"hi" == pool.get(server.url).content
        assert 1 == server.connections


@contextmanager
def deaf():
    """Listen, and neither accept nor read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class TestTLS:
    def test_trusted(self, make, certificate):
        """A server is trusted whose certificate is; TLS settings are made once, and for https alone."""
        bundle, tls = certificate
        made = []

        def verify():
            made.append(ssl.create_default_context(cafile=bundle))
            return made[0]

        with (
            Loopback(answering(response(b"hi")), tls) as server,
            Loopback(answering(response())) as plain,
        ):
            pool = make(verify=verify, limits=limited(1))
            pool.get(plain.url)
            assert [] == made
            for url in (server.url, plain.url, server.url):
                pool.get(url)
            assert 1 == len(made)
        assert 2 == server.connections

    @pytest.mark.parametrize(
        ("verify", "url"), [(True, "127.0.0.1"), (None, "localhost")], ids=["unknown", "other name"]
    )
    def test_distrusted(self, make, certificate, verify, url):
        """A certificate that is unknown, or another host's, is refused before a request is sent."""
        bundle, tls = certificate
        with Loopback(answering(response(b"hi")), tls) as server:
            pool = make(verify=verify or ssl.create_default_context(cafile=bundle))
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                pool.get(server.url.replace("127.0.0.1", url))
            assert (0, 0, 0, 0) == books(pool.transport)
        assert [] == server.requests

    def test_unverified(self, make, certificate):
        """False verifies nothing, as in httpx."""
        with Loopback(answering(response(b"hi")), certificate[1]) as server:
            assert b"hi" == make(verify=False).get(server.url).content

    def test_no_http2(self, make, certificate):
        """HTTP/2 is not offered."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[0], certificate[0].replace("ca.pem", "key.pem"))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with Loopback(answering(response(b"hi")), context) as server:
            assert "HTTP/1.1" == make(verify=False).get(server.url).http_version


class TestStorms:
    def test_threads(self):
        """More threads than connections all get their answers, over no more than there may be."""
        with Loopback(answering(response(b"hi"))) as server:
            transport = PooledTransport(limits=limited(4))
            start, answers = Barrier(32), []

            def calls(client):
                start.wait()
                answers.extend(client.get(server.url).content for _ in range(10))

            with httpx.Client(transport=transport, timeout=PATIENCE) as client:
                threads = [Thread(target=calls, args=(client,)) for _ in range(32)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                assert (0, 0, server.connections, server.connections) == books(transport)
        assert [b"hi"] * 320 == answers
        assert server.connections <= 4

    @each_loop
    @pytest.mark.parametrize(("tasks", "calls"), [(64, 4), (800, 1)])
    def test_tasks(self, loop, tasks, calls):
        """As many tasks at once as there may be connections, or more, make just so many."""
        answers = []

        async def main():
            transport = AsyncPooledTransport(limits=limited(64))
            async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as client:

                async def call():
                    for _ in range(calls):
                        answers.append((await client.get(server.url)).content)  # noqa: PERF401

                async with anyio.create_task_group() as group:
                    for _ in range(tasks):
                        group.start_soon(call)
                assert (0, 0, 64, 64) == books(transport)

        with Loopback(answering(response(b"hi"))) as server:
            anyio.run(main, **loop)
        assert [b"hi"] * (tasks * calls) == answers
        assert 64 == server.connections

    @each_loop
    def test_order(self, loop):
        """Who asks first is served first."""

        async def main():
            transport = AsyncPooledTransport(limits=limited(1))
            async with (
                httpx.AsyncClient(transport=transport) as client,
                anyio.create_task_group() as group,
                transport.slot(),
            ):
                for number in range(20):
                    group.start_soon(client.get, f"{server.url}/{number}")
                    while books(transport)[1] <= number:
                        await anyio.lowlevel.checkpoint()

        with Loopback(answering(response(b"hi"))) as server:
            anyio.run(main, **loop)
        assert [f"/{number}" for number in range(20)] == [one.target for one in server.requests]


class TestSlots:
    def test_threads(self):
        """A slot serves requests of its own while no other turn is left; then it is handed on."""
        with Loopback(answering(response(b"hi"))) as server:
            transport = PooledTransport(limits=limited(1))
            with httpx.Client(transport=transport, timeout=PATIENCE) as client:
                with transport.slot() as slot:
                    for _ in range(2):
                        found = client.get(server.url, extensions={"slot": slot})
                        assert b"hi" == found.content
                    with pytest.raises(httpx.PoolTimeout):
                        client.get(server.url, timeout=httpx.Timeout(9, pool=0.01))
                    with pytest.raises(httpx.PoolTimeout), transport.slot(0.01):
                        pass
                assert b"hi" == client.get(server.url).content
                with pytest.raises(RuntimeError, match="inside its context"):
                    client.get(server.url, extensions={"slot": slot})
                assert (0, 0, 1, 1) == books(transport)
        assert 1 == server.connections

    @each_loop
    def test_tasks(self, loop):
        """The same for tasks; after a failure the slot is still its owner's."""

        async def main():
            transport = AsyncPooledTransport(limits=limited(1))
            async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as client:
                async with transport.slot() as slot:
                    with pytest.raises(httpx.ConnectError):
                        await client.get("http://127.0.0.1:1", extensions={"slot": slot})
                    await client.get(server.url, extensions={"slot": slot})
                    with pytest.raises(httpx.PoolTimeout):
                        await transport.slot(0.01).__aenter__()
                await client.get(server.url)
                assert (0, 0, 1, 1) == books(transport)

        with Loopback(answering(response(b"hi"))) as server:
            anyio.run(main, **loop)


class Interrupted:
    """Await something, and interrupt it when it suspends for the *at*-th time."""

    def __init__(self, awaitable, at, interrupt):
        self._awaitable, self._left, self._interrupt = awaitable, at, interrupt
        self.was = False

    def __await__(self):
        steps = self._awaitable.__await__()
        step = partial(steps.send, None)
        while True:
            try:
                suspended = step()
            except StopIteration as stop:
                return stop.value
            self._left -= 1
            if self._left == 0:
                self.was = True
                self._interrupt()
            try:
                step = partial(steps.send, (yield suspended))
            except BaseException as error:  # noqa: BLE001 (handed on)
                step = partial(steps.throw, error)


@asynccontextmanager
async def scoped():
    """Cancel as anyio and trio do: whatever is awaited in the scope."""
    with anyio.CancelScope() as scope:
        yield scope.cancel


@asynccontextmanager
async def native():
    """Cancel as asyncio does: once."""
    task = asyncio.current_task()
    with suppress(asyncio.CancelledError):
        yield task.cancel
    while task.cancelling():
        task.uncancel()


@unread_body
@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    ("loop", "cancelling"),
    [
        *(("asyncio", scoped), ("asyncio", native)),
        *(("uvloop", scoped), ("uvloop", native), ("trio", scoped)),
    ],
    ids=[
        *("asyncio, in a scope", "asyncio, its own"),
        *("uvloop, in a scope", "uvloop, its own", "trio"),
    ],
)
class TestCancellation:
    def run(self, loop, cancelling, certificate, is_tls, prepare):
        """Cancel a call at each of its awaits in turn; return at how many it could be."""
        bundle, tls = certificate

        def answer(_request, connection):
            connection.sendall(HEAD + b"Content-Length: 4\r\n\r\nhi")
            return b"ho"

        async def main():
            transport = AsyncPooledTransport(
                limits=limited(2), verify=ssl.create_default_context(cafile=bundle)
            )
            client = httpx.AsyncClient(transport=transport, timeout=PATIENCE)
            for at in count(1):
                async with prepare(client, transport, server.url) as call, cancelling() as cancel:
                    interrupted = Interrupted(call(), at, cancel)
                    await interrupted
                turns, queue, opened, idle = books(transport)
                assert (0, 0) == (turns, queue)
                assert opened == idle
                if not interrupted.was:
                    await client.aclose()
                    assert (0, 0, 0, 0) == books(transport)
                    return at - 1
            raise AssertionError

        with Loopback(answer, tls if is_tls else None) as server:
            return anyio.run(main, **LOOPS[loop])

    def test_from_the_start(self, loop, cancelling, certificate, is_tls):
        """A call that connects loses no turn and no connection, wherever it is cancelled."""

        @asynccontextmanager
        async def prepare(client, transport, url):
            await transport.aclose()
            yield partial(client.post, url, content=b"body")

        assert self.run(loop, cancelling, certificate, is_tls, prepare) > 2

    def test_over_an_idle_connection(self, loop, cancelling, certificate, is_tls):
        """Nor does one that finds a connection."""

        @asynccontextmanager
        async def prepare(client, _transport, url):
            await client.get(url)
            yield partial(client.post, url, content=b"body")

        assert self.run(loop, cancelling, certificate, is_tls, prepare) > 1

    def test_in_an_upload(self, loop, cancelling, certificate, is_tls):
        """Nor does one that is in the middle of a large body."""

        @asynccontextmanager
        async def prepare(client, _transport, url):
            await client.get(url)
            yield partial(client.put, url, content=bytes(1 << 18), extensions={"expect": True})

        assert self.run(loop, cancelling, certificate, is_tls, prepare) > 1

    def test_in_the_queue(self, loop, cancelling, certificate, is_tls):
        """Nor does one that waits for others, which go on."""

        @asynccontextmanager
        async def prepare(client, transport, url):
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(client.get, url)
                while books(transport)[0] < 2:
                    await anyio.lowlevel.checkpoint()
                with anyio.CancelScope():
                    yield partial(client.get, url)

        assert self.run(loop, cancelling, certificate, is_tls, prepare) > 1


@pytest.mark.parametrize("is_first", [False, True], ids=["after", "before"])
def test_cancelled_when_its_turn_came(is_first):
    """Who is cancelled at the moment of its turn, just before or after, hands it on."""

    async def main():
        transport = AsyncPooledTransport(limits=limited(1))

        async def turn():
            async with transport.slot():
                pass

        async with transport.slot():
            waiting = [asyncio.create_task(turn()) for _ in range(2)]
            while books(transport)[1] < 2:
                await anyio.lowlevel.checkpoint()
            if is_first:
                waiting[0].cancel()
        waiting[0].cancel()
        await waiting[1]
        assert waiting[0].cancelled()
        assert (0, 0, 0, 0) == books(transport)

    asyncio.run(main())
