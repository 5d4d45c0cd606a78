"""
What the pool asks of httpcore: connections for threads and for tasks, requests, exceptions.

Here alone there are two colours of the same, over `_sockets` and `_asyncio`, which are httpcore's
network interface for each: what is built on a `Colour` is written once, as coroutines.
"""

import select
import ssl
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import Any, NoReturn, Protocol, cast

import anyio
import httpcore
import httpx

from .._step import asyncio_loop
from ._sockets import Backend

# Schemes, and whether they speak TLS.
SCHEMES = {b"http": False, b"https": True, b"ws": False, b"wss": True}

# httpcore's exceptions, and httpx's of the same names.
_EXCEPTIONS: dict[type[BaseException], type[httpx.TransportError]] = {
    getattr(httpcore, kind.__name__): kind
    for kind in (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.LocalProtocolError,
        httpx.NetworkError,
        httpx.PoolTimeout,
        httpx.ProtocolError,
        httpx.ProxyError,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        httpx.TimeoutException,
        httpx.UnsupportedProtocol,
        httpx.WriteError,
        httpx.WriteTimeout,
    )
}


class Connection:
    """A connection of httpcore's, and whether its server has something to say."""

    def __init__(self, http: Any, stream: Any) -> None:
        self.http = http
        self._stream = stream
        self._socket = stream.get_extra_info("socket")
        self._poll = None
        if self._socket is not None and hasattr(select, "poll"):  # not on Windows
            self._poll = select.poll()
            self._poll.register(self._socket.fileno(), select.POLLIN)

    def is_dead(self) -> bool:
        """
        Tell whether an idle connection was closed by its server, or written to unasked.

        httpcore knows too, but asks anyio for the peer's name each time, which takes ten times as long.
        """
        if self._poll is None:
            return bool(self.http.has_expired())
        if getattr(self._stream, "has_news", False):
            return True
        return self._socket.fileno() < 0 or bool(self._poll.poll(0))

    def is_reusable(self) -> bool:
        """
        Tell whether it may carry another request, after one.

        Not where more came than the answer, which would be taken for the answer to the next request,
        nor where its end came.  httpcore has no public way to ask its parser.
        """
        if not self.http.is_idle():
            return False
        more, is_at_end = self.http._h11_state.trailing_data  # noqa: SLF001
        return not more and not is_at_end


class Colour(Protocol):
    """What differs between threads and tasks."""

    def new_event(self) -> Any: ...
    async def wait(self, event: Any, timeout: float | None) -> None: ...
    def shield(self) -> AbstractContextManager[object]: ...
    async def connect(self, host: str, port: int, timeout: float | None) -> Any: ...
    async def start_tls(
        self, stream: Any, context: ssl.SSLContext, name: str, timeout: float | None
    ) -> Any: ...
    def connection(self, origin: httpcore.Origin, stream: Any) -> "Connection": ...
    async def send(self, connection: "Connection", request: httpcore.Request) -> Any: ...
    async def close(self, closable: Any) -> None: ...


class Threads:
    """Threads, which block."""

    def __init__(self, backend: httpcore.NetworkBackend | None) -> None:
        self._backend = backend or Backend()

    def new_event(self) -> Event:
        return Event()

    async def wait(self, event: Event, timeout: float | None) -> None:
        event.wait(timeout)

    def shield(self) -> AbstractContextManager[object]:
        return nullcontext()

    async def connect(self, host: str, port: int, timeout: float | None) -> Any:
        return self._backend.connect_tcp(host, port, timeout, socket_options=[])

    async def start_tls(
        self, stream: Any, context: ssl.SSLContext, name: str, timeout: float | None
    ) -> Any:
        return stream.start_tls(context, name, timeout)

    def connection(self, origin: httpcore.Origin, stream: Any) -> "Connection":
        return Connection(httpcore.HTTP11Connection(origin, stream), stream)

    async def send(self, connection: "Connection", request: httpcore.Request) -> Any:
        return connection.http.handle_request(request)

    async def close(self, closable: Any) -> None:
        closable.close()


class Tasks:
    """
    Tasks, on asyncio or trio.

    On asyncio that is asyncio itself; on trio, or over a backend that was brought in, anyio.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend | None) -> None:
        self._backend = backend

    def new_event(self) -> Any:
        if asyncio_loop() is None:
            return anyio.Event()
        from . import _asyncio

        return _asyncio.Event()

    async def wait(self, event: Any, timeout: float | None) -> None:
        if asyncio_loop() is not None:
            await event.wait(timeout)
            return
        with anyio.move_on_after(timeout):
            await event.wait()

    def shield(self) -> AbstractContextManager[object]:
        if self._backend is None and asyncio_loop() is not None:
            return nullcontext()  # closing does not suspend
        return anyio.CancelScope(shield=True)

    async def connect(self, host: str, port: int, timeout: float | None) -> Any:
        return await self._opener().connect_tcp(host, port, timeout)

    def _opener(self) -> httpcore.AsyncNetworkBackend:
        if self._backend is not None:
            return self._backend
        if asyncio_loop() is None:
            return cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        from . import _asyncio

        return _asyncio.Backend()

    async def start_tls(
        self, stream: Any, context: ssl.SSLContext, name: str, timeout: float | None
    ) -> Any:
        return await stream.start_tls(context, name, timeout)

    def connection(self, origin: httpcore.Origin, stream: Any) -> "Connection":
        return Connection(_ExclusiveConnection(origin, stream), stream)

    async def send(self, connection: "Connection", request: httpcore.Request) -> Any:
        return await connection.http.handle_async_request(request)

    async def close(self, closable: Any) -> None:
        await closable.aclose()


class _ExclusiveConnection(httpcore.AsyncHTTP11Connection):
    """httpcore's connection, less its lock: whoever has a turn has the connection to himself."""

    def __init__(self, origin: httpcore.Origin, stream: Any) -> None:
        super().__init__(origin, stream)
        self._state_lock = cast("Any", nullcontext())


def message_of(request: httpx.Request) -> httpcore.Request:
    """Return a request in httpcore's terms."""
    url = request.url
    if url.raw_scheme not in SCHEMES or not url.raw_host:
        raise httpx.UnsupportedProtocol(
            "a URL must begin with http:// or https://", request=request
        )
    message = httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        ),
        content=request.stream,
        extensions=request.extensions,
    )
    message.headers = request.headers.raw  # bytes already, which httpcore would look at once more
    return message


def raise_as_httpx(error: BaseException, request: httpx.Request) -> NoReturn:
    """Raise *error*, in httpx's terms if it is one of httpcore's."""
    for kind in type(error).__mro__:
        if kind in _EXCEPTIONS:
            raise _EXCEPTIONS[kind](str(error), request=request) from error
    raise error
