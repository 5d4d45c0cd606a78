"""Test the limits of the pool, which idle connections it keeps, and how reservations work."""

import asyncio
import gc
from contextlib import ExitStack

import anyio
import httpx
import pytest

from sagemaker_runtime_client._io.pool import state as pool_state
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.streams.thread_stream import Stream
from tests.runtime_client.clients import each_loop
from tests.runtime_client.loopback import Loopback, always, response
from tests.runtime_client.networks import Scripted
from tests.runtime_client.pools import PATIENCE, PooledTransport, async_pool, counts, limited, state


class TestLimits:
    def test_kept(self, make):
        """A pool keeps at most `max_idle` idle connections."""
        with Loopback(always(b"hi")) as one, Loopback(always()) as other:
            pool = make(limits=limited(9, kept=1))
            for server in (one, other, one):
                pool.get(server.url)
                assert counts(pool.transport) == (0, 0, 1, 1)
        assert (one.connections, other.connections) == (2, 1)

    def test_none_kept(self, make):
        """If `max_idle` is 0, each request opens a new connection, which is closed after the
        response.
        """
        with Loopback(always(b"hi")) as server:
            pool = make(limits=limited(9, kept=0))
            for _ in range(2):
                pool.get(server.url)
                assert counts(pool.transport) == (0, 0, 0, 0)
        assert server.connections == 2

    def test_expiry(self, make):
        """If the idle timeout of a connection has expired, the next request closes it, even if that
        request goes to another origin.
        """
        with Loopback(always(b"hi")) as one, Loopback(always()) as other:
            pool = make(limits=limited(9, expiry=0))
            for server in (one, other):
                pool.get(server.url)
                pool.get(server.url)
            assert counts(pool.transport)[3] <= 1
        assert (one.connections, other.connections) == (2, 2)

    def test_displaced(self, make):
        """If the pool is full, the connection that has been idle longest is closed to make room for
        a new one.
        """
        with ExitStack() as stack:
            servers = [stack.enter_context(Loopback(always())) for _ in range(3)]
            pool = make(limits=limited(2))
            for number in (0, 1, 2, 1, 0):
                pool.get(servers[number].url)
                assert counts(pool.transport)[2] <= 2
            assert [server.connections for server in servers] == [2, 1, 1]

    def test_close(self, make):
        """Closing a pool closes its connections, and the pool can be used again."""
        with Loopback(always(b"hi")) as server:
            pool = make()
            pool.get(server.url)
            pool.close()
            assert counts(pool.transport) == (0, 0, 0, 0)
            assert pool.get(server.url).content == b"hi"
        assert server.connections == 2

    @pytest.mark.parametrize("url", ["ftp://x/", "file:///etc/passwd", "//x"])
    def test_scheme(self, make, url):
        """A URL whose scheme is missing or neither http nor https raises UnsupportedProtocol."""
        with pytest.raises(httpx.UnsupportedProtocol):
            make().get(url)

    def test_no_host(self):
        """A URL without a host raises UnsupportedProtocol in the pool itself, even if no client has
        checked it.
        """
        with pytest.raises(httpx.UnsupportedProtocol):
            PooledTransport().handle_request(httpx.Request("GET", "http:///x"))

    def test_after_a_fork(self, make):
        """In a child process, connections that were inherited from the parent are neither used nor
        counted.
        """
        with Loopback(always(b"hi")) as server:
            pool = make()
            pool.get(server.url)
            inherited = state(pool.transport)
            inherited.process -= 1
            pool.get(server.url)
            assert inherited is not state(pool.transport)
            for connection in inherited.clear():
                pool.call(connection.stream.close)
        assert server.connections == 2

    def test_dropped_after_a_fork(self):
        """If a pool is garbage-collected in a child process, the inherited connections stay open,
        because they belong to the parent.
        """
        with Loopback(always(b"hi")) as server:
            transport = PooledTransport()
            transport.handle_request(httpx.Request("GET", server.url)).read()
            inherited = state(transport)
            inherited.process -= 1
            del transport
            gc.collect()
            (connection,) = inherited.clear()
            assert not run(connection.stream.is_readable())
            connection.stream.close()

    def test_expired_in_the_meantime(self, make, monkeypatch):
        """If a connection has been idle for longer than the pool's idle timeout, the next request
        opens a new connection.
        """
        with Loopback(always(b"hi")) as server:
            pool = make(limits=limited(9, expiry=5))
            for seconds in (0.0, 4.9, 10.0):
                monkeypatch.setattr(pool_state, "monotonic", lambda seconds=seconds: seconds)
                pool.get(server.url)
            assert counts(pool.transport) == (0, 0, 1, 1)
        assert [one.connection for one in server.requests] == [0, 0, 1]

    def test_replaced_network(self):
        """A pool for threads opens its connections through the network backend that it is given."""
        transport = PooledTransport(network=Scripted([response(b"hi"), response(b"ho")]))
        request = httpx.Request("GET", "http://x/")
        for body in (b"hi", b"ho"):
            answer = transport.handle_request(request)
            assert answer.read() == body
        assert counts(transport) == (0, 0, 1, 1)

    def test_replaced_network_on_asyncio(self):
        """A pool for asyncio tasks opens its connections through the network backend that it is
        given.
        """
        network = Scripted([response(b"hi"), response(b"ho")])
        transport = async_pool(network=network)

        async def main():
            async with httpx.AsyncClient(transport=transport) as client:
                return [(await client.get("http://x/")).content for _ in range(2)]

        assert asyncio.run(main()) == [b"hi", b"ho"]

    def test_closing_fails(self):
        """If a response is closed and closing its connection fails, the error is raised unchanged,
        and the connection is no longer counted.
        """

        class Breaking(Scripted):
            def close(self):
                raise httpx.WriteError("broken")

        transport = PooledTransport(network=Breaking([response(b"hello")]))
        answer = transport.handle_request(httpx.Request("GET", "http://x/"))
        with pytest.raises(httpx.WriteError, match="broken"):
            answer.stream.close()
        assert counts(transport) == (0, 0, 0, 0)

    def test_read_twice(self):
        """If a body is read a second time, nothing is returned, and nothing is read from the
        connection.
        """
        backend = Scripted([response(b"hi")])
        stream = (
            PooledTransport(network=backend)
            .handle_request(httpx.Request("GET", "http://x/"))
            .stream
        )
        assert (list(stream), list(stream)) == ([b"hi"], [])

    def test_left_open(self):
        """If a response is still open when its reservation ends, for example after Ctrl-C, the end
        of the reservation closes the response.
        """
        with Loopback(always(b"hi")) as server:
            transport = PooledTransport()
            with transport.reserve() as reservation:
                request = httpx.Request("GET", server.url, extensions={"reservation": reservation})
                answer = transport.handle_request(request)
                assert counts(transport) == (1, 0, 1, 0)
            assert counts(transport) == (0, 0, 0, 0)
            answer.close()
            assert counts(transport) == (0, 0, 0, 0)

    def test_interrupted(self, monkeypatch):
        """If Ctrl-C arrives just after an idle connection was taken from the pool, this connection
        is closed and no longer counted.
        """

        async def strike(_connection):
            raise KeyboardInterrupt

        with Loopback(always(b"hi")) as server, PooledTransport() as transport:
            transport.handle_request(httpx.Request("GET", server.url)).read()
            assert counts(transport) == (0, 0, 1, 1)
            (connection,) = state(transport)._idle
            with monkeypatch.context() as patch:
                patch.setattr(Stream, "is_readable", strike)
                with pytest.raises(KeyboardInterrupt):
                    transport.handle_request(httpx.Request("GET", server.url))
            assert counts(transport) == (0, 0, 0, 0)
            assert run(connection.stream.is_readable())

    def test_closed_twice(self):
        """A response can be closed twice, and returns nothing if it is read afterwards."""
        backend = Scripted([response(b"hi")])
        transport = PooledTransport(network=backend)
        stream = transport.handle_request(httpx.Request("GET", "http://x/")).stream
        for _ in range(2):
            stream.close()
            # Nothing is read, because the connection may already be in use for another request.
            assert list(stream) == []
            assert counts(transport) == (0, 0, 0, 0)


class TestReservations:
    def test_threads(self):
        """A reservation that holds the last permit can be used for several requests, while requests
        without it time out. After the end of the reservation, the permit is free again, and the
        reservation cannot be used any more.
        """
        with Loopback(always(b"hi")) as server:
            transport = PooledTransport(limits=limited(1))
            with httpx.Client(transport=transport, timeout=PATIENCE) as client:
                with transport.reserve() as reservation:
                    for _ in range(2):
                        found = client.get(server.url, extensions={"reservation": reservation})
                        assert found.content == b"hi"
                    with pytest.raises(httpx.PoolTimeout):
                        client.get(server.url, timeout=httpx.Timeout(9, pool=0.01))
                    with pytest.raises(httpx.PoolTimeout), transport.reserve(0.01):
                        pass
                assert client.get(server.url).content == b"hi"
                with pytest.raises(RuntimeError, match="inside its `async with` block"):
                    client.get(server.url, extensions={"reservation": reservation})
                assert counts(transport) == (0, 0, 1, 1)
        assert server.connections == 1

    @each_loop
    def test_tasks(self, loop):
        """A task's reservation can still be used after a failed request, and the end of the
        reservation releases the permit.
        """

        async def main():
            transport = async_pool(limits=limited(1))
            async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as client:
                async with transport.reserve(None) as reservation:
                    with pytest.raises(httpx.ConnectError):
                        await client.get(
                            "http://127.0.0.1:1", extensions={"reservation": reservation}
                        )
                    await client.get(server.url, extensions={"reservation": reservation})
                    with pytest.raises(httpx.PoolTimeout):
                        await transport.reserve(0.01).__aenter__()
                await client.get(server.url)
                assert counts(transport) == (0, 0, 1, 1)

        with Loopback(always(b"hi")) as server:
            anyio.run(main, **loop)
