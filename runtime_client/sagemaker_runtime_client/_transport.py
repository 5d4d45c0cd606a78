"""
The only module that knows httpx (or httpx2), which it imports with the first request.

A request goes out as it is: no headers, cookies or parameters of the client are added, nothing is
followed, nothing decoded.  Every exception of httpx becomes a `TransportError`.
"""

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from attrs import frozen

from ._errors import ConfigError, RuntimeClientError, TransportError
from ._http import Request, Response

# An error's body is read up to here.  S3's are below 1 KiB, and nobody reads more of a wrong one.
ERROR_BODY_LIMIT = 1 << 20

_Kind = tuple[str, bool]

# Raised before anything of the request is on the wire; after any other, it may have arrived.
_BEFORE_SENDING = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "InvalidURL",
        "LocalProtocolError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
    }
)
# Raised for what will be the same at the next attempt.
_LASTING = frozenset({"InvalidURL", "LocalProtocolError", "UnsupportedProtocol"})


class HTTPClient(Protocol):
    """A client of httpx or httpx2, blocking or async."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        ...

    def send(
        self, request: Any, *, stream: bool = ..., auth: Any = ..., follow_redirects: Any = ...
    ) -> Any:
        """Send a request of its own library."""
        ...


@frozen
class TransportOptions:
    """
    What a client of our own is opened with.

    Attributes:
        connect_timeout: Seconds to connect, TLS included, and to wait for a free connection.
        read_timeout: Seconds between two pieces of what is sent or received.
        max_connections: How many connections are open at once at the most.
        ca_bundle: Path of the certificates to trust; None takes SSL_CERT_FILE or httpx's own.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_connections: int = 64
    ca_bundle: str | None = None


class BlockingTransport:
    """Sends requests over a blocking client: the one brought in, or one of our own for each kind."""

    def __init__(
        self, options: Callable[[], TransportOptions], http_client: HTTPClient | None = None
    ) -> None:
        self._options = options
        self._borrowed = http_client
        self._library = _library_of(http_client, "Client")
        self._own: dict[_Kind, Any] = {}
        self._process = os.getpid()

    def send(self, origin: str, request: Request, deadline: float | None) -> Response:
        """Send *request* to *origin*, and return the whole answer."""
        httpx = import_module(self._library)
        client = self._client(httpx, _kind(origin, request))
        with _translated(httpx, origin):
            message = _message(httpx, client, origin + request.path, request)
            _limit_time(message, self._options(), deadline)
            response = client.send(message, stream=True, auth=None, follow_redirects=False)
            collected = _Collected(response, deadline)
            try:
                for piece in response.iter_raw():
                    if not collected.add(piece):
                        break
            except httpx.TransportError:
                collected.complete = False
            finally:
                response.close()
        return collected.response()

    def close(self) -> None:
        """Close the clients of our own."""
        own, self._own = self._own, {}
        for client in own.values():
            client.close()

    def _client(self, httpx: Any, kind: _Kind) -> Any:
        if self._borrowed is not None:
            return _open(self._borrowed)
        if self._process != os.getpid():  # a fork: its connections are the parent's
            self._own, self._process = {}, os.getpid()
        if kind in self._own:
            return self._own[kind]
        client = httpx.Client(**_client_arguments(httpx, kind, self._options()))
        return self._own.setdefault(kind, client)  # the first of two threads wins


class AsyncTransport:
    """The same over async clients; of our own there is one for each event loop and kind."""

    def __init__(
        self, options: Callable[[], TransportOptions], http_client: HTTPClient | None = None
    ) -> None:
        self._options = options
        self._borrowed = http_client
        self._library = _library_of(http_client, "AsyncClient")
        self._own: WeakKeyDictionary[Any, dict[_Kind, Any]] = WeakKeyDictionary()
        self._process = os.getpid()

    async def send(self, origin: str, request: Request, deadline: float | None) -> Response:
        """Send *request* to *origin*, and return the whole answer."""
        httpx = import_module(self._library)
        client = self._client(httpx, _kind(origin, request))
        with _translated(httpx, origin):
            message = _message(httpx, client, origin + request.path, request)
            _limit_time(message, self._options(), deadline)
            response = await client.send(message, stream=True, auth=None, follow_redirects=False)
            collected = _Collected(response, deadline)
            try:
                async for piece in response.aiter_raw():
                    if not collected.add(piece):
                        break
            except httpx.TransportError:
                collected.complete = False
            finally:
                await response.aclose()
        return collected.response()

    async def close(self) -> None:
        """Close the clients of our own in this event loop; those of others ended with theirs."""
        for client in self._own.pop(event_loop(), {}).values():
            await client.aclose()

    def _client(self, httpx: Any, kind: _Kind) -> Any:
        if self._borrowed is not None:
            return _open(self._borrowed)
        if self._process != os.getpid():
            self._own, self._process = WeakKeyDictionary(), os.getpid()
        loop = event_loop()
        if loop not in self._own:
            self._drop_closed_loops()
        clients = self._own.setdefault(loop, {})
        if kind not in clients:
            clients[kind] = httpx.AsyncClient(**_client_arguments(httpx, kind, self._options()))
        return clients[kind]

    def _drop_closed_loops(self) -> None:
        """
        Let go of clients whose loop was closed before they were.

        asyncio's connections hold on to their loop, so that no key here would ever die of itself.
        """
        for reference in self._own.keyrefs():
            loop = reference()
            if getattr(loop, "is_closed", bool)():
                self._own.pop(loop, None)


class _Collected:
    """An answer while it comes in."""

    def __init__(self, response: Any, deadline: float | None) -> None:
        self._status: int = response.status_code
        self._headers = [
            (name.decode("latin-1"), _text(value)) for name, value in response.headers.raw
        ]
        self._limit = None if response.is_success else ERROR_BODY_LIMIT
        self._deadline = deadline
        self._pieces: list[bytes] = []
        self._size = 0
        self.complete = True

    def add(self, piece: bytes) -> bool:
        """Keep a piece, and tell whether to go on."""
        self._pieces.append(piece)
        self._size += len(piece)
        too_late = self._deadline is not None and time.monotonic() > self._deadline
        too_much = self._limit is not None and self._size > self._limit
        self.complete = not (too_late or too_much)
        return self.complete

    def response(self) -> Response:
        return Response(self._status, self._headers, b"".join(self._pieces), self.complete)


def _library_of(client: HTTPClient | None, kind: str) -> str:
    """Return ``httpx`` or ``httpx2``: the library of a brought-in client of this kind."""
    if client is None:
        return "httpx"
    for base in type(client).__mro__:
        library = base.__module__.partition(".")[0]
        if base.__name__ == kind and library in {"httpx", "httpx2"}:
            return library
    raise ConfigError(
        f"http_client must be a {kind} of httpx or httpx2, not {type(client).__name__}"
    )


@lru_cache(maxsize=8)
def tls_context(ca_bundle: str | None) -> Any:
    """Return the TLS settings for a bundle of certificates; making them takes 20 ms, so once."""
    import ssl

    try:
        if ca_bundle is not None:
            return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise ConfigError(f"the CA bundle {ca_bundle} cannot be read: {error.strerror}") from error
    return import_module("httpx").create_ssl_context()


def _kind(origin: str, request: Request) -> _Kind:
    """Return which of the clients of our own sends *request*: scheme, and whether past proxies."""
    return origin.partition(":")[0], request.direct


def _client_arguments(httpx: Any, kind: _Kind, options: TransportOptions) -> dict[str, Any]:
    """Return the arguments of a client of one kind."""
    scheme, direct = kind
    limits = httpx.Limits(
        max_connections=options.max_connections,
        # httpcore compares this with all connections, so a smaller one closes busy pools.
        max_keepalive_connections=options.max_connections,
    )
    verify = False if scheme == "http" else tls_context(options.ca_bundle)
    return {"verify": verify, "limits": limits, "trust_env": not direct}


def _open(client: HTTPClient) -> HTTPClient:
    """Return a brought-in client, if it is still open."""
    if client.is_closed:
        raise RuntimeClientError("the http_client that was brought in is closed")
    return client


def _message(httpx: Any, client: Any, url: str, request: Request) -> Any:
    """Return the request in httpx's terms, made without the client, which would add to it."""
    headers = [(name.encode(), value.encode()) for name, value in request.headers]
    message = httpx.Request(request.method, url, headers=headers, content=request.body)
    target = _target(url)
    if (
        message.url.raw_path != target
    ):  # httpx drops dot segments, and what is signed is what is sent
        pool = getattr(client._transport_for_url(message.url), "_pool", None)  # noqa: SLF001
        if "HTTPProxy" in type(pool).__name__:
            raise ConfigError("a key with a dot segment cannot be sent through a proxy")
        message.extensions["target"] = target
    return message


def _target(url: str) -> bytes:
    """Return path and query of *url*, as they stand there."""
    return ("/" + url.split("/", 3)[3]).encode("ascii")


def _limit_time(message: Any, options: TransportOptions, deadline: float | None) -> None:
    """Give *message* its time limits: the usual ones, or what is left until *deadline*."""
    left = float("inf") if deadline is None else max(0.001, deadline - time.monotonic())
    connect, read = min(options.connect_timeout, left), min(options.read_timeout, left)
    message.extensions["timeout"] = {
        "connect": connect,
        "read": read,
        "write": read,
        "pool": connect,
    }


@contextmanager
def _translated(httpx: Any, origin: str) -> Generator[None]:
    """Turn what httpx raises into a TransportError that says whether the request may have arrived."""
    # A client that was brought in may have hooks, and a transport of its own, that raise anything.
    kinds = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
    try:
        yield
    except kinds as error:
        name, reason = type(error).__name__, _reason(error)
        translated = TransportError(f"{name} from {origin}" + (f": {reason}" if reason else ""))
        translated.may_have_been_taken = name not in _BEFORE_SENDING
        lasting = name in _LASTING or "CERTIFICATE_VERIFY" in reason
        translated.retryable = isinstance(error, httpx.TransportError) and not lasting
        raise translated from error


def _reason(error: BaseException | None) -> str:
    """Return what an exception says; one that says nothing, as trio's do, leaves it to its cause."""
    while error is not None and not str(error):
        error = error.__cause__ or error.__context__
    return str(error or "")


def _text(value: bytes) -> str:
    """Return a header's value as text, whatever its bytes."""
    return value.decode("utf-8", "replace")


def event_loop() -> Any:
    """Return the running event loop, of asyncio or trio."""
    from anyio.lowlevel import current_token

    token: Any = current_token()
    return getattr(token, "native_token", token)  # anyio 4.11 wraps it anew at each call
