"""
What carries requests, over httpx (or httpx2), which is imported with the first of them.

`httpx_bridge` and `senders` are parts of it.
Requests of our own go straight to a pool of our own, past httpx's client; httpx's serves where the
environment names a proxy, or where a client is brought in.  Nothing is followed.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from math import inf
from typing import Any, ClassVar, Protocol

from .._errors import ConfigError, RuntimeClientError
from .._limits import ANSWER, AnswerLimit
from .._value import type_name
from .event_loop import OfEachLoop, library
from .generation import generation, importing
from .httpx_bridge import (
    Collected,
    limit_time,
    message_of,
    proxy_of,
    time_left,
    time_to_answer,
    translated,
)
from .message import Request, Response, TransportOptions
from .senders import Senders, slot_of
from .tls import tls_context

# A read's own limit strikes first, and says how far it came.
_GRACE = 0.1


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


class _Transport(ABC):
    """What both colours have in common: who sends."""

    _client: ClassVar[str]
    _pool: ClassVar[str]

    def __init__(
        self, options: Callable[[], TransportOptions], http_client: HTTPClient | None = None
    ) -> None:
        self._options = options
        self._borrowed = http_client
        self._library = _library_of(http_client, self._client)
        self._is_loaded = False
        self._begin()

    def _begin(self) -> None:
        """Have no connections: at first, and in a new generation, which is noted last."""
        self._generation = generation()

    @abstractmethod
    def _kept(self) -> Senders:
        """Return what was opened here; of an event loop, if there are any."""

    def _load(self) -> None:
        """Load the library that sends, and the pool, if it is not a client of yours that has one."""
        with importing():
            import_module(self._library)
            if self._borrowed is None:
                import_module(".pooled_transport", __package__)
        self._is_loaded = True

    def _senders(
        self, origin: str, options: TransportOptions, *, direct: bool
    ) -> tuple[Any, Any, Any]:
        """Return the library; and the pool and None, or None and the client that serves in its stead."""
        if not self._is_loaded:
            self._load()
        if self._borrowed is not None:
            client = _open(self._borrowed)
            httpx = import_module(self._library)
            if not (direct and proxy_of(client, httpx.URL(origin)).address):
                return httpx, None, client
        httpx = import_module("httpx")
        if self._generation != generation():
            self._begin()  # nothing is closed: a fork's are the parent's, too, a snapshot's are gone
        client = getattr(httpx, self._client)
        return httpx, *self._kept().choose(self._pool, client, origin, options, direct=direct)


class BlockingTransport(_Transport):
    """Sends requests over a blocking client that was brought in, or over connections of our own."""

    _client, _pool = "Client", "PooledTransport"

    def _begin(self) -> None:
        self._own = Senders()
        super()._begin()

    def _kept(self) -> Senders:
        return self._own

    def prepare(self, origin: str, *, direct: bool = False) -> None:
        """Load and make what sends to *origin*."""
        self._senders(origin, self._options(), direct=direct)

    def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
        limit: AnswerLimit = ANSWER,
    ) -> Response:
        """Wait for a connection, send to *origin* what *make* returns, and return the whole answer."""
        options = self._options()
        httpx, pool, client = self._senders(origin, options, direct=direct)
        with translated(httpx, origin, client), slot_of(pool, options, deadline) as slot:
            message = message_of(httpx, client, origin, make())
            limit_time(message, options, deadline)
            if slot is None:
                response = self._sent(httpx, client, message)
            else:
                message.extensions["slot"] = slot
                response = pool.handle_request(message)
            collected = Collected(response, limit, deadline, options.read_timeout)
            try:
                for piece in _body_of(httpx, response, slot):
                    if not collected.add(piece):
                        break
                else:
                    collected.complete = True
            except httpx.TransportError:
                pass
            finally:
                response.close()
        return collected.response(f"{message.method} {origin}")

    @staticmethod
    def _sent(httpx: Any, client: Any, message: Any) -> Any:
        """Send by httpx's client, and return the answer's head."""
        from .bodies import recording

        try:
            return recording(httpx, client).send(
                message, stream=True, auth=None, follow_redirects=False
            )
        except httpx.HTTPStatusError as error:  # of a hook that raises; we judge answers
            return error.response

    def close(self) -> None:
        """Close the connections of our own, idle ones now, others after their requests."""
        for one in self._own.close():
            one.close()


class AsyncTransport(_Transport):
    """The same for tasks; of our own connections there are some for each event loop."""

    _client, _pool = "AsyncClient", "AsyncPooledTransport"

    def _begin(self) -> None:
        self._own: OfEachLoop[Senders] = OfEachLoop(Senders)
        self._loading: OfEachLoop[Any] = OfEachLoop(lambda: library().Lock())
        super()._begin()

    def _kept(self) -> Senders:
        return self._own()

    @property
    def most_at_once(self) -> int:
        """How many requests can be under way; of a client that was brought in only it knows."""
        return sys.maxsize if self._borrowed is not None else self._options().max_connections

    async def prepare(self, origin: str, *, direct: bool = False) -> None:
        """Load and make what sends to *origin*."""
        await self._ready_senders(origin, self._options(), direct=direct)

    async def _ready_senders(
        self, origin: str, options: TransportOptions, *, direct: bool
    ) -> tuple[Any, Any, Any]:
        """Do what `senders` does, with modules and the CA bundle loaded in a thread."""
        if self._is_loaded and not self._reads_bundle(origin, direct=direct):
            return self._senders(origin, options, direct=direct)
        lock = self._loading()
        await lock.acquire()  # of many tasks that begin at once one loads it all
        try:
            if not self._is_loaded:
                await library().in_new_thread(self._load)
            if self._reads_bundle(origin, direct=direct):
                await library().in_new_thread(tls_context, options.ca_bundle)
            return self._senders(origin, options, direct=direct)
        finally:
            lock.release()

    def _reads_bundle(self, origin: str, *, direct: bool) -> bool:
        """Tell whether a client for a proxy is to be opened, with TLS settings of its own."""
        return self._borrowed is None and not direct and self._kept().loads_tls(origin)

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
        limit: AnswerLimit = ANSWER,
    ) -> Response:
        """Wait for a connection, send to *origin* what *make* returns, and return the whole answer."""
        options = self._options()
        httpx, pool, client = await self._ready_senders(origin, options, direct=direct)
        with translated(httpx, origin, client):
            async with slot_of(pool, options, deadline) as slot:
                message = message_of(httpx, client, origin, make())
                limit_time(message, options, deadline)
                if slot is None:
                    response = await self._sent(httpx, client, message, deadline)
                else:
                    message.extensions["slot"] = slot
                    response = await pool.handle_async_request(message)
                collected = Collected(response, limit, deadline, options.read_timeout)
                try:
                    async with _limit(time_left(collected.ends) if slot is None else inf):
                        async for piece in _body_of(httpx, response, slot):
                            if not collected.add(piece):
                                break
                        else:
                            collected.complete = True
                except httpx.TransportError:
                    pass
                finally:
                    await response.aclose()
        return collected.response(f"{message.method} {origin}")

    @staticmethod
    async def _sent(httpx: Any, client: Any, message: Any, deadline: float | None) -> Any:
        """Send by httpx's client, and return the answer's head."""
        from .bodies import recording

        async with _limit(min(time_left(deadline), time_to_answer(message))):
            try:
                return await recording(httpx, client).send(
                    message, stream=True, auth=None, follow_redirects=False
                )
            except httpx.HTTPStatusError as error:  # of a hook that raises; we judge answers
                return error.response
        raise httpx.ReadTimeout("the answer did not come in time", request=message)

    async def close(self) -> None:
        """Close the connections of our own in this event loop; those of others ended with theirs."""
        for one in self._own().close():
            await one.aclose()


def _body_of(httpx: Any, response: Any, slot: Any) -> Any:
    """Return what the body of an answer is read from; hooks of a client may have read it before us."""
    if slot is not None:
        return response.stream
    from .bodies import response_body

    return response_body(httpx, response)


def _limit(seconds: float) -> Any:
    """Return a context that ends after *seconds*: httpx's client knows no limit but that of each read."""
    return nullcontext() if seconds == inf else library().move_on_after(seconds + _GRACE)


def _library_of(client: HTTPClient | None, kind: str) -> str:
    """Return ``httpx`` or ``httpx2``: the library of a brought-in client of this kind."""
    if client is None:
        return "httpx"
    for base in type(client).__mro__:
        library = base.__module__.partition(".")[0]
        if base.__name__ == kind and library in {"httpx", "httpx2"}:
            return library
    raise ConfigError(f"http_client must be httpx.{kind} or httpx2.{kind}, not {type_name(client)}")


def _open(client: HTTPClient) -> HTTPClient:
    """Return a brought-in client, if it is still open."""
    if client.is_closed:
        raise RuntimeClientError("the http_client that was brought in is closed")
    return client
