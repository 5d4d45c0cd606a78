"""
The only module that knows httpx (or httpx2), which it imports with the first request.

A request goes out as it is: no headers, cookies or parameters of the client are added, nothing is
followed, nothing decoded.  Every exception of httpx becomes a `TransportError`.

Requests of our own go straight to a pool of our own, past httpx's client; httpx's serves where the
environment names a proxy, or where a client is brought in.
"""

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from attrs import frozen

from ._errors import ConfigError, RuntimeClientError, TransportError
from ._http import Request, Response

# An error's body is read up to here.  S3's are below 1 KiB, and nobody reads more of a wrong one.
ERROR_BODY_LIMIT = 1 << 20

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
# Methods whose requests state the length of their body, even of none (RFC 9110, section 8.6).
_WITH_LENGTH = frozenset({"PATCH", "POST", "PUT"})
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
        connect_timeout: Seconds to connect, TLS included.
        read_timeout: Seconds between two pieces of what is sent or received.  Both together limit
            the wait for a free connection.
        max_connections: How many connections are open at once at the most.
        ca_bundle: Path of the certificates to trust; None takes SSL_CERT_FILE or httpx's own.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_connections: int = 64
    ca_bundle: str | None = None


class BlockingTransport:
    """Sends requests over a blocking client that was brought in, or over connections of our own."""

    def __init__(
        self, options: Callable[[], TransportOptions], http_client: HTTPClient | None = None
    ) -> None:
        self._options = options
        self._borrowed = http_client
        self._library = _library_of(http_client, "Client")
        self._own: dict[str, Any] = {}
        self._process = os.getpid()

    def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
    ) -> Response:
        """Wait for a connection, send to *origin* what *make* returns, and return the whole answer."""
        httpx = import_module(self._library)
        options = self._options()
        pool, client = self._senders(httpx, origin, options, direct)
        with _translated(httpx, origin), _slot(pool, options, deadline) as slot:
            message = _message(httpx, client, origin, make())
            _limit_time(message, options, deadline)
            if slot is None:
                response = client.send(message, stream=True, auth=None, follow_redirects=False)
            else:
                message.extensions["slot"] = slot
                response = pool.handle_request(message)
            collected = _Collected(response, deadline)
            try:
                for piece in response.stream:
                    if not collected.add(piece):
                        break
            except httpx.TransportError:
                collected.complete = False
            finally:
                response.close()
        return collected.response()

    def close(self) -> None:
        """Close the connections of our own."""
        own, self._own = self._own, {}
        for one in own.values():
            if one is not None:
                one.close()

    def _senders(
        self, httpx: Any, origin: str, options: TransportOptions, direct: bool
    ) -> tuple[Any, Any]:
        """Return the pool and None, or None and the client that serves in its stead."""
        if self._borrowed is not None:
            return None, _open(self._borrowed)
        if self._process != os.getpid():  # a fork: its connections are the parent's
            self._own, self._process = {}, os.getpid()
        return _senders(self._own, "PooledTransport", httpx.Client, origin, options, direct=direct)


class AsyncTransport:
    """The same for tasks; of our own connections there are some for each event loop."""

    def __init__(
        self, options: Callable[[], TransportOptions], http_client: HTTPClient | None = None
    ) -> None:
        self._options = options
        self._borrowed = http_client
        self._library = _library_of(http_client, "AsyncClient")
        self._own: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
        self._process = os.getpid()

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
    ) -> Response:
        """Wait for a connection, send to *origin* what *make* returns, and return the whole answer."""
        httpx = import_module(self._library)
        options = self._options()
        pool, client = self._senders(httpx, origin, options, direct)
        with _translated(httpx, origin):
            async with _slot(pool, options, deadline) as slot:
                message = _message(httpx, client, origin, make())
                _limit_time(message, options, deadline)
                if slot is None:
                    response = await client.send(
                        message, stream=True, auth=None, follow_redirects=False
                    )
                else:
                    message.extensions["slot"] = slot
                    response = await pool.handle_async_request(message)
                collected = _Collected(response, deadline)
                try:
                    async for piece in response.stream:
                        if not collected.add(piece):
                            break
                except httpx.TransportError:
                    collected.complete = False
                finally:
                    await response.aclose()
        return collected.response()

    async def close(self) -> None:
        """Close the connections of our own in this event loop; those of others ended with theirs."""
        for one in self._own.pop(event_loop(), {}).values():
            if one is not None:
                await one.aclose()

    def _senders(
        self, httpx: Any, origin: str, options: TransportOptions, direct: bool
    ) -> tuple[Any, Any]:
        """Return the pool and None, or None and the client that serves in its stead."""
        if self._borrowed is not None:
            return None, _open(self._borrowed)
        if self._process != os.getpid():
            self._own, self._process = WeakKeyDictionary(), os.getpid()
        loop = event_loop()
        if loop not in self._own:
            self._drop_closed_loops()
        own = self._own.setdefault(loop, {})
        return _senders(
            own, "AsyncPooledTransport", httpx.AsyncClient, origin, options, direct=direct
        )

    def _drop_closed_loops(self) -> None:
        """
        Let go of connections whose loop was closed before they were.

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


def _senders(
    own: dict[str, Any],
    pool: str,
    client: Callable[..., Any],
    origin: str,
    options: TransportOptions,
    *,
    direct: bool,
) -> tuple[Any, Any]:
    """
    Return the pool and None; or None and the client, where the environment has a proxy for *origin*.

    An agent of this machine is spoken to *direct*, whatever the environment says.

    Both are made when they are first needed, and kept in *own*.  Of two threads the first wins.
    """
    scheme = origin.partition(":")[0]
    if scheme not in own:
        own.setdefault(scheme, _proxied_client(client, scheme, options))
    proxied = None if direct else own[scheme]
    if proxied is not None and _is_proxied(proxied, origin):
        return None, proxied
    if "pool" not in own:
        from . import _pool

        verify = partial(tls_context, options.ca_bundle)
        made = getattr(_pool, pool)(verify=verify, limits=_limits(options))
        own.setdefault("pool", made)
    return own["pool"], None


def _proxied_client(
    client: Callable[..., Any], scheme: str, options: TransportOptions
) -> Any | None:
    """Return a client that reads the environment for its proxies; None if it would find none."""
    from urllib.request import getproxies  # which is what httpx asks

    if getproxies().keys().isdisjoint(("all", scheme)):
        return None
    verify = False if scheme == "http" else tls_context(options.ca_bundle)
    return client(verify=verify, limits=_limits(options))


def _is_proxied(client: Any, origin: str) -> bool:
    """Tell whether *client* has a proxy for *origin*; NO_PROXY may have taken it out."""
    url = import_module("httpx").URL(origin)
    return client._transport_for_url(url) is not client._transport  # noqa: SLF001


def _limits(options: TransportOptions) -> Any:
    """Return how many connections there may be."""
    return import_module("httpx").Limits(
        max_connections=options.max_connections,
        # httpcore's pool compares this with all connections, so a smaller one closes busy pools.
        max_keepalive_connections=options.max_connections,
        keepalive_expiry=5.0,
    )


def _slot(pool: Any, options: TransportOptions, deadline: float | None) -> Any:
    """
    Return a context that waits for a connection of the pool; of no pool, one that does nothing.

    Those in front have a request each, so the wait is not given up before one of theirs would be.
    """
    if pool is None:
        return nullcontext()
    return pool.slot(min(options.connect_timeout + options.read_timeout, _left(deadline)))


def _open(client: HTTPClient) -> HTTPClient:
    """Return a brought-in client, if it is still open."""
    if client.is_closed:
        raise RuntimeClientError("the http_client that was brought in is closed")
    return client


def _message(httpx: Any, client: Any, origin: str, request: Request) -> Any:
    """Return the request in httpx's terms, made without the client, which would add to it."""
    url = _url(httpx, origin + request.path)
    headers = [(b"host", url.netloc)]
    if request.body or request.method in _WITH_LENGTH:
        headers.append((b"content-length", b"%d" % len(request.body)))
    headers += [(name.encode(), value.encode()) for name, value in request.headers]
    message = httpx.Request(
        request.method, url, headers=headers, stream=httpx.ByteStream(request.body)
    )
    target = _target(origin + request.path)
    if url.raw_path != target:  # httpx drops dot segments, and what is signed is what is sent
        if client is not None and _is_through_proxy(client, url):
            raise ConfigError("a key with a dot segment cannot be sent through a proxy")
        message.extensions["target"] = target
    return message


def _target(url: str) -> bytes:
    """Return path and query of *url*, as they stand there."""
    return ("/" + url.split("/", 3)[3]).encode("ascii")


@lru_cache(maxsize=64)
def _url(httpx: Any, url: str) -> Any:
    """Return a URL in httpx's terms; a client's are few, and one takes as long as the signature."""
    return httpx.URL(url)


def _is_through_proxy(client: Any, url: Any) -> bool:
    """Tell whether *client* sends what is for *url* to a proxy."""
    pool = getattr(client._transport_for_url(url), "_pool", None)  # noqa: SLF001
    return "HTTPProxy" in type(pool).__name__


def _limit_time(message: Any, options: TransportOptions, deadline: float | None) -> None:
    """Give *message* its time limits: the usual ones, or what is left until *deadline*."""
    left = _left(deadline)
    connect, read = min(options.connect_timeout, left), min(options.read_timeout, left)
    message.extensions["timeout"] = {
        "connect": connect,
        "read": read,
        "write": read,
        "pool": connect,
    }


def _left(deadline: float | None) -> float:
    """Return the seconds until *deadline*: a moment at least, for what comes at once."""
    return float("inf") if deadline is None else max(0.001, deadline - time.monotonic())


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
