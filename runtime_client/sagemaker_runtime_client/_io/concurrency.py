"""
How connections are opened, and what differs between threads and tasks: how they wait, read and write.

What is built on a `Colour` is written once, as coroutines; over `Threads` they never suspend.
Connections are opened by `threads_network`, `asyncio_network` and `trio_network`.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from threading import Lock
from time import monotonic
from typing import Any, Protocol, Self, TypeVar, cast

import httpx

from .event_loop import library
from .run import asyncio_loop
from .threads_network import TLS, Backend

# Settings of TLS, or what makes them; and how a pool is told whom to trust.
Trust = ssl.SSLContext | Callable[[], ssl.SSLContext]
Verify = Trust | bool | Sequence[Trust]

# What a connection leads to: scheme, host and port.
Origin = tuple[str, str, int]

# What OpenSSL says where it knows no authority that vouches for a server (x509_vfy.h).
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})


T = TypeVar("T")


class Stream(Protocol):
    """A connection."""

    async def is_readable(self) -> bool: ...
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    async def write(self, buffer: bytes, timeout: float | None = None) -> None: ...
    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int: ...
    def close(self) -> None: ...
    def discard(self) -> None: ...


class Network(Protocol):
    """What opens connections: with TLS from the first byte, or without."""

    async def connect(
        self, host: str, port: int, tls: TLS | None = None, timeout: float | None = None
    ) -> Stream: ...


class Colour(Protocol):
    """What differs."""

    def new_event(self) -> Any: ...
    async def wait(self, event: Any, timeout: float | None) -> None: ...
    def network(self) -> Network: ...
    async def load(self, make: Callable[[], T]) -> T: ...
    def pieces(self, body: Any) -> AsyncIterator[bytes]: ...
    async def write(self, stream: Any, data: bytes, timeout: float | None) -> None: ...
    async def read(self, stream: Any, most: int, timeout: float | None) -> bytes: ...


class Latch:
    """
    An event for one thread.

    That of the standard library is set under a lock, which a signal handler's own thread may hold.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def set(self) -> None:
        with suppress(RuntimeError):  # it was set already
            self._lock.release()

    def wait(self, timeout: float | None) -> None:
        """Return when it is set, or after *timeout* seconds."""
        self._lock.acquire(timeout=-1 if timeout is None else timeout)


class Threads:
    """Threads, which block."""

    def __init__(self, network: Network | None) -> None:
        self._network: Network = network or Backend()

    def new_event(self) -> Latch:
        return Latch()

    async def wait(self, event: Latch, timeout: float | None) -> None:
        event.wait(timeout)

    def network(self) -> Network:
        return self._network

    async def load(self, make: Callable[[], T]) -> T:
        """Return what *make* reads and makes."""
        return make()

    def pieces(self, body: Any) -> AsyncIterator[bytes]:
        return Pieces(iter(body))

    async def write(self, stream: Any, data: bytes, timeout: float | None) -> None:
        await stream.write(data, timeout)

    async def read(self, stream: Any, most: int, timeout: float | None) -> bytes:
        data: bytes = await stream.read(most, timeout)
        return data


class Tasks:
    """
    Tasks, on asyncio or trio.

    On asyncio that is asyncio itself, on trio partly anyio, which takes 20 ms to import.
    """

    def __init__(self, network: Network | None) -> None:
        self._network = network
        self._lock: Any = None  # of the loop whose pool this is for
        if asyncio_loop() is not None:
            self.network()  # is loaded now, not while a request's time is running

    def new_event(self) -> Any:
        if asyncio_loop() is None:
            import anyio

            return anyio.Event()
        from . import asyncio_network

        return asyncio_network.Event()

    async def wait(self, event: Any, timeout: float | None) -> None:
        if asyncio_loop() is not None:
            await event.wait(timeout)
            return
        import anyio

        with anyio.move_on_after(timeout):
            await event.wait()

    def network(self) -> Network:
        if self._network is not None:
            return self._network
        if asyncio_loop() is None:
            from . import trio_network

            return trio_network.Backend()
        from . import asyncio_network

        return asyncio_network.Backend()

    async def load(self, make: Callable[[], T]) -> T:
        """Return what *make* reads and makes, in a thread; of many tasks one after the other."""
        if self._lock is None:
            self._lock = library().Lock()
        lock = self._lock
        await lock.acquire()
        try:
            return cast("T", await library().in_new_thread(make))
        finally:
            lock.release()

    def pieces(self, body: Any) -> AsyncIterator[bytes]:
        iterator: AsyncIterator[bytes] = aiter(body)
        return iterator

    async def write(self, stream: Any, data: bytes, timeout: float | None) -> None:
        await stream.write(data, timeout)

    async def read(self, stream: Any, most: int, timeout: float | None) -> bytes:
        data: bytes = await stream.read(most, timeout)
        return data


class Opener:
    """
    Opens connections.

    Args:
        colour: How.
        verify: TLS settings, or what makes them with the first https URL; True for httpx's own.  Of
            several the next ones serve from the first server on whose authority the one before them
            does not know.
    """

    def __init__(self, colour: Colour, verify: Verify) -> None:
        self._colour = colour
        self._trusts = _trusts(verify)

    async def open(self, origin: Origin, timeout: float | None) -> Stream:
        """Open a connection, with TLS if the scheme says so."""
        scheme, host, port = origin
        network = self._colour.network()
        if scheme == "http":
            return await network.connect(host, port, None, timeout)
        ends = inf if timeout is None else monotonic() + timeout
        # A name in TLS has no dot at its end (RFC 6066, section 3).
        name = host.rstrip(".").encode("ascii")
        while True:
            context = await self._tls()
            left = None if ends == inf else max(0.001, ends - monotonic())
            try:
                return await network.connect(host, port, (context, name), left)
            except httpx.ConnectError as error:
                if not (_is_unknown_authority(error) and await self._trust_more(context)):
                    raise

    async def _tls(self) -> ssl.SSLContext:
        """Return the TLS settings in force, made when they are first needed."""
        trusts = self._trusts
        trust, *more = trusts
        context = trust if isinstance(trust, ssl.SSLContext) else await self._colour.load(trust)
        context.set_alpn_protocols(["http/1.1"])
        if self._trusts is trusts:  # nobody has been faster
            self._trusts = (context, *more)
        return context

    async def _trust_more(self, context: ssl.SSLContext) -> bool:
        """Put the next TLS settings into force in the place of *context*; False if there are none."""
        trust, *more = self._trusts
        if trust is context and more:
            self._trusts = tuple(more)
        return await self._tls() is not context


def _trusts(verify: Verify) -> tuple[Trust, ...]:
    if isinstance(verify, bool):
        return (partial(httpx.create_ssl_context, verify=verify),)
    if isinstance(verify, ssl.SSLContext) or callable(verify):
        return (verify,)
    return tuple(verify)


def _is_unknown_authority(error: BaseException | None) -> bool:
    """Tell whether a handshake failed for want of an authority, not of a valid certificate."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error is not None and error.verify_code in _UNKNOWN_AUTHORITY


class Pieces:
    """An iterator, for those who would await its next."""

    def __init__(self, iterator: Iterator[bytes]) -> None:
        self._iterator = iterator

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._iterator:
            return piece
        raise StopAsyncIteration
