"""
What the pool asks of httpcore: connections for threads and for tasks, requests, exceptions.

The only module of the pool that knows more of httpcore than its exceptions' names, and the only one
with two colours of the same: what is built on a `Colour` is written once, as coroutines.
"""

import select
import ssl
import sys
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import Any, NoReturn, Protocol, cast

import anyio
import httpcore
import httpx

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


class _Awaited:
    """An event of asyncio for one waiter: a fifth of the memory of anyio's, and thousands may wait."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future = sys.modules["asyncio"].get_running_loop().create_future()

    def set(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, timeout: float | None) -> None:
        """Return when it is set, or after *timeout* seconds."""
        if timeout is None:
            await self._future
            return
        timer = self._future.get_loop().call_later(timeout, self.set)
        try:
            await self._future
        finally:
            timer.cancel()


def _is_asyncio() -> bool:
    """Tell whether this runs in a task of asyncio; what is not loaded does not run."""
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.current_task() is not None
    except RuntimeError:  # no loop of asyncio's
        return False


class Connection:
    """A connection of httpcore's, and whether its server has something to say."""

    def __init__(self, http: Any, stream: Any) -> None:
        self.http = http
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
        self._backend = backend or httpcore.SyncBackend()

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

    anyio's backend serves both.  httpcore's choice between two of them would look for sniffio, which
    takes 20 us where it is not installed.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend | None) -> None:
        self._backend = backend or cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    def new_event(self) -> "anyio.Event | _Awaited":
        return _Awaited() if _is_asyncio() else anyio.Event()

    async def wait(self, event: "anyio.Event | _Awaited", timeout: float | None) -> None:
        if isinstance(event, _Awaited):
            await event.wait(timeout)
            return
        with anyio.move_on_after(timeout):
            await event.wait()

    def shield(self) -> AbstractContextManager[object]:
        return anyio.CancelScope(shield=True)

    async def connect(self, host: str, port: int, timeout: float | None) -> Any:
        return await self._backend.connect_tcp(host, port, timeout)

    async def start_tls(
        self, stream: Any, context: ssl.SSLContext, name: str, timeout: float | None
    ) -> Any:
        return await stream.start_tls(context, name, timeout)

    def connection(self, origin: httpcore.Origin, stream: Any) -> "Connection":
        return Connection(httpcore.AsyncHTTP11Connection(origin, stream), stream)

    async def send(self, connection: "Connection", request: httpcore.Request) -> Any:
        return await connection.http.handle_async_request(request)

    async def close(self, closable: Any) -> None:
        await closable.aclose()


def message_of(request: httpx.Request) -> httpcore.Request:
    """Return a request in httpcore's terms."""
    url = request.url
    if url.raw_scheme not in SCHEMES or not url.raw_host:
        raise httpx.UnsupportedProtocol(
            "a URL must begin with http:// or https://", request=request
        )
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def raise_as_httpx(error: BaseException, request: httpx.Request) -> NoReturn:
    """Raise *error*, in httpx's terms if it is one of httpcore's."""
    for kind in type(error).__mro__:
        if kind in _EXCEPTIONS:
            raise _EXCEPTIONS[kind](str(error), request=request) from error
    raise error
