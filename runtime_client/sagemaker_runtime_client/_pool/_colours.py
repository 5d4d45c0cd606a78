"""
What differs between threads and tasks: how they wait, connect, read and write.

What is built on a `Colour` is written once, as coroutines; over `Threads` they never suspend.  The
networks are `_sockets` and `_asyncio`, on trio httpcore's, and any other one of httpcore's kind.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, Self

from .._step import asyncio_loop
from ._sockets import Backend

if TYPE_CHECKING:
    import httpcore


class Colour(Protocol):
    """What differs."""

    def new_event(self) -> Any: ...
    async def wait(self, event: Any, timeout: float | None) -> None: ...
    def shield(self) -> AbstractContextManager[object]: ...
    async def connect(self, host: str, port: int, timeout: float | None) -> Any: ...
    async def start_tls(
        self, stream: Any, context: ssl.SSLContext, name: str, timeout: float | None
    ) -> Any: ...
    def pieces(self, body: Any) -> AsyncIterator[bytes]: ...
    async def write(self, stream: Any, data: bytes, timeout: float | None) -> None: ...
    async def read(self, stream: Any, most: int, timeout: float | None) -> bytes: ...
    def resumed(self, stream: Any, data: bytes) -> Any: ...
    async def close(self, stream: Any) -> None: ...


class Threads:
    """Threads, which block."""

    def __init__(self, backend: "httpcore.NetworkBackend | None") -> None:
        self._backend: Any = backend or Backend()

    def new_event(self) -> Event:
        return Event()

    async def wait(self, event: Event, timeout: float | None) -> None:
        event.wait(timeout)

    def shield(self) -> AbstractContextManager[object]:
        return nullcontext()

    async def connect(self, host: str, port: int, timeout: float | None) -> Any:
        return self._backend.connect_tcp(host, port, timeout)

    async def start_tls(
        self, stream: Any, context: ssl.SSLContext, name: str, timeout: float | None
    ) -> Any:
        return stream.start_tls(context, name, timeout)

    def pieces(self, body: Any) -> AsyncIterator[bytes]:
        return Pieces(iter(body))

    async def write(self, stream: Any, data: bytes, timeout: float | None) -> None:
        stream.write(data, timeout)

    async def read(self, stream: Any, most: int, timeout: float | None) -> bytes:
        data: bytes = stream.read(most, timeout)
        return data

    def resumed(self, stream: Any, data: bytes) -> Any:
        return _Resumed(stream, data)

    async def close(self, stream: Any) -> None:
        stream.close()


class Tasks:
    """
    Tasks, on asyncio or trio.

    On asyncio that is asyncio itself; on trio, or over a backend that was brought in, anyio, which
    takes 20 ms to import.
    """

    def __init__(self, backend: "httpcore.AsyncNetworkBackend | None") -> None:
        self._backend = backend
        if asyncio_loop() is not None:
            self._opener()  # is loaded now, not while a request's time is running

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

    def shield(self) -> AbstractContextManager[object]:
        if self._backend is None and asyncio_loop() is not None:
            return nullcontext()  # closing does not suspend
        import anyio

        return anyio.CancelScope(shield=True)

    async def connect(self, host: str, port: int, timeout: float | None) -> Any:
        return await self._opener().connect_tcp(host, port, timeout)

    def _opener(self) -> Any:
        if self._backend is not None:
            return self._backend
        if asyncio_loop() is None:
            import httpcore

            return httpcore.AnyIOBackend()
        from . import _asyncio

        return _asyncio.Backend()

    async def start_tls(
        self, stream: Any, context: ssl.SSLContext, name: str, timeout: float | None
    ) -> Any:
        return await stream.start_tls(context, name, timeout)

    def pieces(self, body: Any) -> AsyncIterator[bytes]:
        iterator: AsyncIterator[bytes] = aiter(body)
        return iterator

    async def write(self, stream: Any, data: bytes, timeout: float | None) -> None:
        await stream.write(data, timeout)

    async def read(self, stream: Any, most: int, timeout: float | None) -> bytes:
        data: bytes = await stream.read(most, timeout)
        return data

    def resumed(self, stream: Any, data: bytes) -> Any:
        return _AsyncResumed(stream, data)

    async def close(self, stream: Any) -> None:
        await stream.aclose()


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


class _Resumed:
    """A stream of which something was read too much, which is read first."""

    def __init__(self, stream: Any, data: bytes) -> None:
        self._stream, self._data = stream, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _taken(self, most: int) -> bytes:
        data, self._data = self._data[:most], self._data[most:]
        return data

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._taken(max_bytes) or self._stream.read(max_bytes, timeout)


class _AsyncResumed(_Resumed):
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._taken(max_bytes) or await self._stream.read(max_bytes, timeout)
        return data
