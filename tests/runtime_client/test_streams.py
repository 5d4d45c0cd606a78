"""The pool's own connections, of threads and of asyncio, over raw sockets: limits, ends, facts."""

import asyncio
import socket
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import httpx
import pytest

from sagemaker_runtime_client._pool import _asyncio, _sockets

MEGABYTES = 1 << 24


@contextmanager
def serving(serve):
    """Serve one connection in a thread, and give its port."""

    def accept():
        connection, _ = listener.accept()
        with connection:
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def on_asyncio(serve, use):
    """Return what *use* makes of a connection to *serve*."""

    async def main(port):
        async with asyncio.timeout(30):
            stream = await _asyncio.Backend().connect_tcp("127.0.0.1", port, 10)
            try:
                return await use(stream)
            finally:
                await stream.aclose()

    with serving(serve) as port:
        return asyncio.run(main(port))


def test_a_slow_reader():
    """While nobody reads, the server is made to wait; in the end all is there."""

    async def use(stream):
        while not stream._is_waiting_for_reader:  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0)
        assert len(stream._received) < MEGABYTES
        pieces = []
        while piece := await stream.read(1 << 16, 10):
            pieces.append(len(piece))
        return sum(pieces)

    assert MEGABYTES == on_asyncio(lambda connection: connection.sendall(bytes(MEGABYTES)), use)


def test_a_slow_server():
    """A writer waits until there is room."""
    reading = Event()

    def serve(connection):
        reading.wait(10)
        left = MEGABYTES + 1
        while left and (piece := connection.recv(1 << 16)):
            left -= len(piece)
        connection.sendall(b"%d left" % left)

    async def use(stream):
        await stream.write(b"")
        writing = asyncio.create_task(stream.write(bytes(MEGABYTES), 10))
        while not stream._is_full:  # noqa: ASYNC110
            await asyncio.sleep(0)
        reading.set()
        await writing
        await stream.write(b"x", 10)
        return await stream.read(100, 10)

    assert b"0 left" == on_asyncio(serve, use)


def test_written_after_the_end():
    """A connection that is lost takes nothing more."""

    def serve(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    async def use(stream):
        await stream.write(b"x", 10)
        while not stream._is_lost:  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(httpx.WriteError):
            await stream.write(b"x", 10)
        with pytest.raises(httpx.ReadError):
            await stream.read(1, 10)

    on_asyncio(serve, use)


@contextmanager
def full():
    """Give the port of a server that accepts nobody, and whose queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_connecting_takes_too_long():
    """Who is not let in gives up in time."""
    with full() as port:
        with pytest.raises(httpx.ConnectTimeout):
            _sockets.Backend().connect_tcp("127.0.0.1", port, 0.05)
        with pytest.raises(httpx.ConnectTimeout):
            asyncio.run(_asyncio.Backend().connect_tcp("127.0.0.1", port, 0.05))


def test_facts():
    """Httpx's users may ask a stream for its socket and its addresses."""
    with serving(lambda connection: connection.recv(1)) as port:
        stream = _sockets.Backend().connect_tcp("127.0.0.1", port, 10)
        own = stream.get_extra_info("socket")
        assert own.getsockname() == stream.get_extra_info("client_addr")
        assert ("127.0.0.1", port) == stream.get_extra_info("server_addr")
        assert stream.get_extra_info("ssl_object") is None
        assert stream.get_extra_info("is_readable") is None
        stream.close()


def test_facts_on_asyncio():
    """So they may on asyncio."""

    async def use(stream):
        names = ("socket", "client_addr", "server_addr", "ssl_object", "is_readable")
        return [stream.get_extra_info(name) is not None for name in names]

    assert [True, True, True, False, False] == on_asyncio(lambda _connection: None, use)
