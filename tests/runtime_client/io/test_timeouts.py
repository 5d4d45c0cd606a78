"""Test the timeout for each step of a request: connecting, writing, reading, and waiting for a
connection.
"""

import socket
from contextlib import contextmanager
from threading import Event, Thread
from time import sleep

import httpx
import pytest

from tests.runtime_client.loopback import Loopback, refusing, response
from tests.runtime_client.pools import PATIENCE, counts, limited


class TestTime:
    def test_read(self, make):
        """If the server does not respond to a request, a read timeout is raised."""
        with Loopback(lambda *_: Event().wait(1)) as server:
            pool = make()
            with pytest.raises(httpx.ReadTimeout):
                pool.get(server.url, timeout=httpx.Timeout(PATIENCE, read=0.02))
            assert counts(pool.transport) == (0, 0, 0, 0)

    def test_read_in_a_body(self, make):
        """If the server stops sending in the middle of a body, a read timeout is raised."""

        def answer(_request, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi")
            Event().wait(1)

        with Loopback(answer) as server:
            pool = make()
            with pytest.raises(httpx.ReadTimeout):
                pool.get(server.url, timeout=httpx.Timeout(PATIENCE, read=0.02))
            assert counts(pool.transport) == (0, 0, 0, 0)

    def test_write(self, make):
        """If the server does not read an upload, a write timeout is raised."""
        with deaf() as url:
            pool = make()
            with pytest.raises(httpx.WriteTimeout):
                pool.get(url, "PUT", content=bytes(1 << 25), timeout=httpx.Timeout(9, write=0.02))
            assert counts(pool.transport) == (0, 0, 0, 0)

    def test_slow_upload(self, make):
        """Because the write timeout applies to each piece of an upload, an upload to a slow server
        succeeds.
        """
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
            assert make().get(url, "PUT", content=bytes(1 << 23), timeout=timeout).content == b"hi"
            thread.join()
        assert read > 1 << 23

    def test_connect(self, make):
        """If a server accepts a connection but does not respond in the TLS handshake, a connect
        timeout is raised.
        """
        with deaf() as url:
            pool = make()
            with pytest.raises(httpx.ConnectTimeout):
                pool.get(url.replace("http", "https"), timeout=httpx.Timeout(9, connect=0.02))
            assert counts(pool.transport) == (0, 0, 0, 0)

    def test_refused(self, make):
        """If a connection is refused, a ConnectError is raised, and the pool is empty afterwards."""
        pool = make()
        with refusing() as port, pytest.raises(httpx.ConnectError):
            pool.get(f"http://127.0.0.1:{port}")
        assert counts(pool.transport) == (0, 0, 0, 0)

    def test_pool(self, make):
        """If a request times out while it waits for a connection, it leaves the queue, and later
        requests succeed.
        """
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
            assert counts(pool.transport) == (1, 0, 1, 0)
            over.set()
            first.join()
            assert pool.get(server.url).content == b"hi"
        assert server.connections == 1


@contextmanager
def deaf():
    """Listen on a port without accepting connections; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
