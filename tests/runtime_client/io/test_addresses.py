"""Test connecting to a host that has several addresses (Happy Eyeballs, RFC 8305), with scripted
attempts and over real sockets.
"""

import asyncio
import gc
import os
import signal
import socket
from contextlib import suppress
from threading import Timer
from weakref import ref

import anyio
import httpx
import pytest

from sagemaker_runtime_client._io.on_threads import SyncBackend
from sagemaker_runtime_client._io.run import run
from sagemaker_runtime_client._io.streams import asyncio_stream, thread_stream
from tests.runtime_client.clients import LOOPS
from tests.runtime_client.loopback import raw_server, refusing
from tests.runtime_client.networks import NETWORKS, full

each_network = pytest.mark.parametrize(("network", "drive"), NETWORKS.values(), ids=NETWORKS)


class Script:
    """Scripted connection attempts.

    `steps` records the address of each attempt, the timeout of each wait for an outcome, and
    "closed" when the attempts are closed.
    """

    def __init__(self, outcomes):
        self._outcomes = iter(outcomes)
        self.steps = []

    def start(self, _family, _kind, _protocol, address):
        self.steps.append(address)

    async def outcome(self, timeout):
        self.steps.append(timeout)
        outcome = next(self._outcomes)
        if isinstance(outcome, OSError):
            raise type(outcome)(*outcome.args)
        return outcome

    def close(self):
        self.steps.append("closed")


def addresses(*names):
    """Return one address tuple for each name, in the format of `socket.getaddrinfo`.

    A name that begins with 6 stands for an IPv6 address, any other name for an IPv4 address.
    """
    return [
        (socket.AF_INET6 if name[0] == "6" else socket.AF_INET, socket.SOCK_STREAM, 6, "", name)
        for name in names
    ]


class TestScript:
    """Test the order in which `connect_first` tries addresses, and the time between the attempts."""

    def test_next_address(self):
        """If an attempt gets no response within 250 ms, the next address is tried in parallel.

        IPv6 and IPv4 addresses alternate.
        """
        found = addresses("61", "62", "41", "42")
        with socket.socket() as connected:
            attempts = Script([None, None, ConnectionRefusedError(), connected])
            assert run(thread_stream.connect_first(found, None, attempts)) is connected
        assert attempts.steps == ["61", 0.25, "41", 0.25, "62", 0.25, "42", None, "closed"]

    def test_refused(self):
        """If an attempt is refused, the next address is tried immediately; if all attempts fail,
        the last error is raised.
        """
        last = ConnectionRefusedError("last")
        attempts = Script([OSError("first"), last])
        with pytest.raises(ConnectionRefusedError, match="last"):
            run(thread_stream.connect_first(addresses("41", "42"), None, attempts))
        assert attempts.steps == ["41", 0.25, "42", None, "closed"]

    def test_refused_late(self):
        """If one of two attempts is refused while both are in progress, the other attempt is still
        awaited, and its socket is returned.
        """
        with socket.socket() as connected:
            attempts = Script([None, OSError("first"), connected])
            assert (
                run(thread_stream.connect_first(addresses("41", "42"), None, attempts)) is connected
            )
        assert attempts.steps == ["41", 0.25, "42", None, None, "closed"]

    @pytest.mark.parametrize("is_connected", [False, True])
    def test_no_cycle(self, is_connected):
        """After a failed attempt, no reference cycle keeps the attempts in memory, whether or not
        the next attempt succeeds.
        """
        with socket.socket() as connected:
            attempts = Script([OSError("first"), connected if is_connected else OSError("last")])
            kept = ref(attempts)
            gc.disable()
            try:
                with suppress(OSError):
                    run(thread_stream.connect_first(addresses("41", "42"), None, attempts))
                del attempts
                assert kept() is None
            finally:
                gc.enable()

    def test_limit(self, monkeypatch):
        """The time limit applies to all attempts together, and after it has expired, a TimeoutError
        is raised.
        """
        clock = iter([0.0, 0.0, 0.25, 0.5, 1.0])
        monkeypatch.setattr(thread_stream, "monotonic", lambda: next(clock))
        attempts = Script([None, None, None])
        with pytest.raises(TimeoutError):
            run(thread_stream.connect_first(addresses("41", "42", "43"), 1.0, attempts))
        assert attempts.steps == ["41", 0.25, "42", 0.25, "43", 0.5, "closed"]

    def test_no_address(self):
        """If there is no address to connect to, `connect_first` raises an OSError that states this."""
        with pytest.raises(OSError, match="no IP address"):
            run(thread_stream.connect_first([], None, Script([])))


@pytest.fixture
def lead_to(monkeypatch):
    """A function that makes every host name resolve to one address for each given port: 127.0.0.1
    with that port.
    """

    def lead(*ports, family=socket.AF_INET):
        found = [(family, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return lead


def record_sockets(monkeypatch):
    """Return a list to which each new socket is added, unless it is created from a file descriptor."""
    made = []

    class Recorded(socket.socket):
        def __init__(self, family=-1, kind=-1, proto=-1, fileno=None):
            super().__init__(family, kind, proto, fileno)
            if fileno is None:
                made.append(self)

    monkeypatch.setattr(socket, "socket", Recorded)
    return made


def are_closed(sockets):
    """Return whether *sockets* contains at least one socket and all of them are closed."""
    return {-1} == {one.fileno() for one in sockets}


@each_network
@pytest.mark.parametrize("first", [full, refusing], ids=["dead", "refusing"])
def test_next_address(network, drive, lead_to, monkeypatch, first):
    """If the first of two addresses refuses the connection or does not respond, the second one is
    used. After the stream is closed, no socket is open.
    """

    async def connect():
        stream = await network().connect("host", 80)  # without a timeout
        peer = stream._socket.getpeername()
        stream.close()
        return peer

    with raw_server(lambda connection: connection.recv(1)) as address, first() as port:
        other = int(address.rpartition(":")[2])
        lead_to(port, other)
        opened = record_sockets(monkeypatch)
        assert drive(connect) == ("127.0.0.1", other)
    assert are_closed(opened)


@each_network
def test_wrong_address(monkeypatch, network, drive):
    """If an IPv4 address is listed with the IPv6 family, that attempt fails, and the next address
    is tried.
    """

    async def connect():
        (await network().connect("host", 80)).close()

    with raw_server(lambda connection: connection.recv(1)) as address:
        own = "127.0.0.1", int(address.rpartition(":")[2])
        found = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (*own, 0, 0)),  # an IPv4 address
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", own),
        ]
        opened = record_sockets(monkeypatch)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        drive(connect)
    assert are_closed(opened)


def test_too_late(monkeypatch):
    """On asyncio, if two attempts have both connected, one socket is returned, and the other one is
    closed.
    """

    async def connect():
        attempts = asyncio_stream._Attempts()
        for _ in range(2):
            attempts.start(socket.AF_INET, socket.SOCK_STREAM, 6, own)
        await asyncio.wait(attempts._tasks)
        connected = await attempts.outcome(None)
        attempts.close()
        return connected

    with raw_server(lambda connection: connection.recv(1)) as address:
        own = "127.0.0.1", int(address.rpartition(":")[2])
        opened = record_sockets(monkeypatch)
        connected = asyncio.run(connect())
        assert sorted(one.fileno() for one in opened) == [-1, connected.fileno()]
        connected.close()


@each_network
def test_no_time_left(network, drive, lead_to, monkeypatch):
    """If none of several addresses responds before the timeout, a ConnectTimeout is raised, and all
    sockets are closed.
    """

    async def connect():
        await network().connect("host", 80, None, 0.3)

    with full() as port:
        lead_to(port, port, port)
        opened = record_sockets(monkeypatch)
        with pytest.raises(httpx.ConnectTimeout):
            drive(connect)
    assert are_closed(opened)


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_cancelled(loop, lead_to, monkeypatch):
    """If a task is cancelled while it tries several addresses, all sockets are closed."""
    name = {"trio": "trio"}.get(loop["backend"], "asyncio")
    network, _ = NETWORKS[name]

    async def connect():
        with anyio.move_on_after(0.3) as scope:
            await network().connect("host", 80)
        return scope.cancelled_caught

    with full() as port:
        lead_to(port, port, port)
        opened = record_sockets(monkeypatch)
        assert anyio.run(connect, **loop)
    assert are_closed(opened)


def test_interrupted(lead_to, monkeypatch):
    """If Ctrl-C interrupts a thread while it tries several addresses, KeyboardInterrupt is raised,
    and all sockets are closed.
    """
    with full() as port:
        lead_to(port, port, port)
        opened = record_sockets(monkeypatch)
        striking = Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        striking.start()
        with pytest.raises(KeyboardInterrupt):
            run(SyncBackend().connect("host", 80))
        striking.join()
    assert are_closed(opened)


@each_network
def test_a_family_that_the_kernel_does_not_know(monkeypatch, network, drive):
    """If the kernel does not support IPv6, the attempt fails, and the next address, an IPv4 one, is
    used.
    """

    class Old(socket.socket):
        def __init__(self, family=-1, *arguments, **options):
            if family == socket.AF_INET6:
                raise OSError(97, "Address family not supported by protocol")
            super().__init__(family, *arguments, **options)

    async def connect():
        (await network().connect("host", 80)).close()

    with raw_server(lambda connection: connection.recv(1)) as address:
        port = int(address.rpartition(":")[2])
        found = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
        monkeypatch.setattr(socket, "socket", Old)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        drive(connect)
