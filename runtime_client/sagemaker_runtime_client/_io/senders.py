"""Chooses the sender for an origin: the pool, or an httpx client.

An httpx client is used if the user supplies one, or for a proxy.  Senders are created when they are
first needed.  In an async client, modules and the CA bundle are loaded in a thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .._errors import RuntimeClientError
from .generation import importing
from .httpx_bridge import get_library
from .proxies import get_client_proxy, get_proxy, make_proxied_client
from .tls import context_makers

if TYPE_CHECKING:
    import httpx

    from .concurrency import Backend
    from .httpx_bridge import HTTPClient


T = TypeVar("T")


class Sender(Protocol):
    """The pool or an httpx client.

    Attributes:
        library: The module whose request class the sender uses: httpx or httpx2.
        client: The httpx client; None for the pool.
    """

    @property
    def library(self) -> ModuleType: ...
    @property
    def client(self) -> HTTPClient | None: ...

    def reserve(self, timeout: float, /) -> AbstractAsyncContextManager[Any]:
        """Return a context that may wait for a connection.  Its value must be passed to `send`."""
        ...

    def limit(self, ends: float, /) -> AbstractAsyncContextManager[object]:
        """Return a context for reading a body until *ends*, on the monotonic clock."""
        ...

    async def send(self, request: httpx.Request, reservation: Any, /) -> Any:
        """Send a request, and return the response as soon as its head has arrived.

        The ``stream`` of the response has a method ``read``, which returns the next bytes of the
        body, and a method ``aclose``.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections.  The pool closes those in use only after their requests."""
        ...


class Senders:
    """The senders of one event loop, or of all threads.

    This object can still provide senders after `close`, because a call may be in progress.  From
    then on each connection is closed after its request, because nothing would close it later.

    Args:
        backend: The concurrency backend.
        http_client: A user-supplied client; None for the built-in pool.
        max_connections: The maximum number of connections; a user-supplied client has its own
            limit.
        ca_bundle: The CA bundle, as for `context_makers`.

    Attributes:
        admission: A lock that each call of an event loop holds while it is in progress.  At most
            *max_connections* calls can hold it.  If the user supplied the client, any number of
            calls can hold it.  For threads, the attribute is None, because there is no such lock.
    """

    def __init__(
        self,
        backend: Backend,
        http_client: HTTPClient | None,
        *,
        max_connections: int,
        ca_bundle: str | None,
    ) -> None:
        self._backend, self._http_client = backend, http_client
        self._max_connections, self._ca_bundle = max_connections, ca_bundle
        self._opened: dict[str, Sender] = {}  # keyed by scheme and proxy; the pool's key is empty
        self._proxies: dict[str, str] = {}  # keyed by origin; an empty string means no proxy
        self._user: dict[str, Sender] = {}
        self._loading = backend.task_lock()
        self._is_closed = False
        # Only a user-supplied client itself can limit the number of its requests in progress.
        most = max_connections if http_client is None else sys.maxsize
        self.admission = None if backend.is_blocking else backend.task_lock(most)

    async def get(self, origin: str, *, direct: bool) -> Sender:
        """Return the sender for *origin*.  If *direct* is true, use no proxy."""
        if self._http_client is not None:
            sender = self._user.get("")
            if sender is None:
                sender = await self._find(self._user, "", self._wrap_user)
            if self._http_client.is_closed:
                raise RuntimeClientError(
                    "http_client is closed; create a new client with an open http_client"
                )
            if not (direct and get_client_proxy(sender.client, sender.library.URL(origin)).address):
                return sender
        proxy = "" if direct else self._proxies.get(origin)
        if proxy is None:
            proxy = await self._find(self._proxies, origin, get_proxy)
        key = f"{origin.partition(':')[0]} {proxy}" if proxy else ""
        return self._opened.get(key) or await self._open(key)

    async def _find(self, known: dict[str, T], key: str, make: Callable[[str], T]) -> T:
        """Return the value of *key*, which is created in a thread at the first call.

        If several tasks wait for the value, one of them creates it for all.
        """
        loading = self._loading
        await loading.acquire()
        try:
            if key not in known:
                made = await self._backend.in_new_thread(make, key)
                # If two threads create a value, the first value is kept.
                return known.setdefault(key, made)
            return known[key]
        finally:
            loading.release()

    async def _open(self, key: str) -> Sender:
        """Return the sender for *key*, which is created if necessary.

        If the client is closed meanwhile, make sure that the sender keeps no connections.
        """
        was_closed = self._is_closed
        sender = await self._find(self._opened, key, self._make)
        if self._is_closed and not key:
            await sender.aclose()  # a pool can still send after that
        elif self._is_closed and not was_closed:
            sender = await self._find(self._opened, key, self._make)
        return sender

    def _wrap_user(self, _key: str) -> Sender:
        return self._wrap(self._http_client)

    def _make(self, key: str) -> Sender:
        if key:
            scheme, _, proxy = key.partition(" ")
            with importing():
                import_module("httpx")
            return self._wrap(
                make_proxied_client(
                    self._kind,
                    scheme,
                    proxy,
                    ca_bundle=self._ca_bundle,
                    max_connections=self._max_connections,
                    max_idle=0 if self._is_closed else self._max_connections,
                )
            )
        with importing():
            from .pool.pool import Pool

            self._backend.load()
        return Pool(self._backend, context_makers(self._ca_bundle), self._max_connections)

    @property
    def _kind(self) -> str:
        return "Client" if self._backend.is_blocking else "AsyncClient"

    def _wrap(self, client: Any) -> Sender:
        """Return a sender for an httpx client."""
        with importing():
            from .user_client import AsyncClient, SyncClient

            httpx = import_module(get_library(client, self._kind))
        if self._backend.is_blocking:
            return SyncClient(httpx, client)
        return AsyncClient(httpx, client, self._backend)

    def close(self) -> list[Sender]:
        """Keep no idle connections from now on, and return the senders that must be closed."""
        self._is_closed = True
        opened, self._opened = self._opened, {}
        return list(opened.values())
