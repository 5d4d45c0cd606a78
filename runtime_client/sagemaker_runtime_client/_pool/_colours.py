"""
What differs between threads and tasks: how they wait, connect, read and write.

What is built on a `Colour` is written once, as coroutines; over `Threads` they never suspend.
Connections are opened by `_sockets`, `_asyncio` and `_trio`.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from threading import Lock
from typing import Any, Protocol, Self

from .._step import asyncio_loop
from ._sockets import TLS, Backend


class Stream(Protocol):
    """A connection."""

    async def is_readable(self) -> bool: ...
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    async def write(self, buffer: bytes, timeout: float | None = None) -> None: ...
    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int: ...
    def close(self) -> None: ...


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
        if asyncio_loop() is not None:
            self.network()  # is loaded now, not while a request's time is running

    def new_event(self) -> Any:
        if asyncio_loop() is None:
            import anyio

            return anyio.Event()
        from . import _asyncio

        return _asyncio.Event()

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
            from . import _trio

            return _trio.Backend()
        from . import _asyncio

        return _asyncio.Backend()

    def pieces(self, body: Any) -> AsyncIterator[bytes]:
        iterator: AsyncIterator[bytes] = aiter(body)
        return iterator

    async def write(self, stream: Any, data: bytes, timeout: float | None) -> None:
        await stream.write(data, timeout)

    async def read(self, stream: Any, most: int, timeout: float | None) -> bytes:
        data: bytes = await stream.read(most, timeout)
        return data


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
