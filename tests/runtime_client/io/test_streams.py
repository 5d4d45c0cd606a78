"""Test the streams for threads, asyncio and trio over raw sockets: time limits, closed connections
and unread data.
"""

import asyncio
import select
import socket
import ssl
from contextlib import contextmanager
from threading import Event, Thread

import httpx
import pytest
import trio
import trio.testing

from sagemaker_runtime_client._io.on_asyncio import AsyncioBackend
from sagemaker_runtime_client._io.on_trio import TrioBackend
from tests.runtime_client.loopback import shake_hands
from tests.runtime_client.networks import NETWORKS, full

MEGABYTES = 1 << 24

each_network = pytest.mark.parametrize(("network", "drive"), NETWORKS.values(), ids=NETWORKS)


@contextmanager
def serving(serve):
    """Run a server that accepts one connection and calls *serve* with it in a thread; yield the
    server's port.
    """

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
    """Connect to a server that runs *serve*, on asyncio; return the result of calling *use* with
    the stream.
    """

    async def main(port):
        async with asyncio.timeout(30):
            stream = await AsyncioBackend().connect("127.0.0.1", port)
            try:
                return await use(stream)
            finally:
                stream.close()

    with serving(serve) as port:
        return asyncio.run(main(port))


def test_a_slow_reader():
    """On asyncio, if the client does not read for a while, the stream stops receiving.

    Once the client reads again, all data arrive.
    """

    async def use(stream):
        while not stream._is_waiting_for_reader:  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0)
        assert len(stream._received) < MEGABYTES
        pieces = []
        while piece := await stream.read(1 << 16, 10):
            pieces.append(len(piece))
        return sum(pieces)

    assert on_asyncio(lambda connection: connection.sendall(bytes(MEGABYTES)), use) == MEGABYTES


def test_a_slow_server():
    """On asyncio, a write waits until the server has read enough of the data."""
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

    assert on_asyncio(serve, use) == b"0 left"


def test_a_slow_server_on_trio(certificate):
    """On trio, a write through TLS waits until the server has read enough of the data."""
    bundle, tls = certificate
    reading = Event()

    def serve(connection):
        with tls.wrap_socket(connection, server_side=True) as secured:
            assert reading.wait(10)
            left = MEGABYTES
            while left and (piece := secured.recv(1 << 16)):
                left -= len(piece)
            secured.sendall(b"%d left" % left)

    async def use():
        settings = ssl.create_default_context(cafile=bundle), b"127.0.0.1"
        stream = await TrioBackend().connect("127.0.0.1", port, settings, 10)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.write, bytes(MEGABYTES), 10)
            await trio.testing.wait_all_tasks_blocked()
            reading.set()
        said = await stream.read(100, 10)
        stream.close()
        return said

    with serving(serve) as port:
        assert trio.run(use) == b"0 left"


def test_written_after_the_end():
    """On asyncio, reading from and writing to a lost connection raise httpx errors."""

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


@each_network
def test_connecting_takes_too_long(network, drive):
    """If a connection attempt gets no response, a connect timeout is raised."""

    async def connect():
        await network().connect("127.0.0.1", port, None, 0.05)

    with full() as port, pytest.raises(httpx.ConnectTimeout):
        drive(connect)


@each_network
@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 1 << 16), ("a" * 64, 80)])
def test_no_address(network, drive, host, port):
    """An invalid port or host name raises `httpx.ConnectError`."""

    async def connect():
        await network().connect(host, port, None, 10)

    with pytest.raises(httpx.ConnectError):
        drive(connect)


@each_network
def test_session_tickets_are_not_readable(certificate, network, drive):
    """Data that the server sends after the TLS handshake make a connection readable, but session
    tickets do not.
    """
    bundle, tls = certificate
    go = Event()

    def serve(connection):
        secured, outgoing = shake_hands(connection, tls)
        assert outgoing.pending  # these are the session tickets
        for _ in range(2):
            assert go.wait(10)
            go.clear()
            connection.sendall(outgoing.read())
            secured.write(b"data")
        connection.recv(1)

    async def use():
        settings = ssl.create_default_context(cafile=bundle), b"127.0.0.1"
        stream = await network().connect("127.0.0.1", port, settings, 10)
        readable = [await stream.is_readable()]
        for _ in range(2):
            go.set()
            # `select` blocks the event loop, so that the loop cannot read the data before
            # `is_readable`.
            assert select.select([stream._socket], [], [], 10)[0]
            readable.append(await stream.is_readable())
        stream.close()
        return readable

    with serving(serve) as port:
        assert drive(use) == [False, False, True]


@each_network
def test_records_that_have_arrived(certificate, network, drive):
    """If several TLS records have arrived, `read` and then `read_ready` return all their data.

    Afterwards, `read_ready` returns nothing, even if the server has closed the connection.
    """
    bundle, tls = certificate
    go = Event()

    def serve(connection):
        secured, outgoing = shake_hands(connection, tls)
        for record in (b"one", b"two", b"three"):
            secured.write(record)
        assert go.wait(10)
        go.clear()
        connection.sendall(outgoing.read())
        assert go.wait(10)

    async def use():
        settings = ssl.create_default_context(cafile=bundle), b"127.0.0.1"
        stream = await network().connect("127.0.0.1", port, settings, 10)
        go.set()
        assert select.select([stream._socket], [], [], 10)[0]
        first, ready = await stream.read(100, 10), await stream.read_ready()
        nothing = await stream.read_ready()
        go.set()
        assert select.select([stream._socket], [], [], 10)[0]
        at_end = await stream.read_ready()
        stream.close()
        return first + ready, nothing, at_end

    with serving(serve) as port:
        assert drive(use) == (b"onetwothree", b"", b"")


@each_network
@pytest.mark.parametrize("linger", [None, 0], ids=["closed", "reset"])
def test_a_closed_connection_is_readable(network, drive, linger):
    """A connection counts as readable if either end has closed it or the server has reset it."""
    go = Event()

    def serve(connection):
        if linger is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert go.wait(10)

    async def use():
        stream = await network().connect("127.0.0.1", port, None, 10)
        readable = [await stream.is_readable()]
        go.set()
        assert select.select([stream._socket], [], [], 10)[0]
        readable.append(await stream.is_readable())
        stream.close()
        return [*readable, await stream.is_readable()]

    with serving(serve) as port:
        assert drive(use) == [False, True, True]


@each_network
def test_reset(network, drive):
    """If the server resets the connection, reading raises ReadError and writing raises WriteError."""
    go = Event()

    def serve(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert go.wait(10)

    async def use():
        stream = await network().connect("127.0.0.1", port, None, 10)
        go.set()
        with pytest.raises(httpx.ReadError):
            await stream.read(1, 10)
        with pytest.raises(httpx.WriteError):
            await stream.write(b"x", 10)
        stream.close()

    with serving(serve) as port:
        drive(use)


def test_discarded_after_its_loop():
    """A connection can be discarded after the end of its event loop."""

    async def use(stream):
        return stream

    on_asyncio(lambda _connection: None, use).discard()


@each_network
def test_read_into(network, drive):
    """`read_into` copies received data to the caller's buffer, including data that `is_readable`
    has already read.
    """
    go = Event()

    def serve(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert go.wait(10)
        go.clear()
        connection.sendall(b"abcdef")
        assert go.wait(10)

    async def use():
        stream = await network().connect("127.0.0.1", port, None, 10)
        go.set()  # nothing is read until the next await that suspends
        assert select.select([stream._socket], [], [], 10)[0]
        assert await stream.is_readable()
        buffer = bytearray(4)
        sizes = [await stream.read_into(memoryview(buffer), 10) for _ in range(2)]
        with pytest.raises(httpx.ReadTimeout):
            await stream.read_into(memoryview(buffer), 0.01)
        go.set()
        with pytest.raises(httpx.ReadError):
            await stream.read_into(memoryview(buffer), 10)
        stream.close()
        return sizes, bytes(buffer)

    with serving(serve) as port:
        assert drive(use) == ([4, 2], b"efcd")
