"""Sends requests through the pool or an httpx (or httpx2) client.

The pool and httpx's client are each imported for the first request that needs them.

Usually requests go directly to the pool, without an httpx client.  An httpx client is used if the
environment configures a proxy, or if the user supplies the client.  Redirects are not followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from math import inf
from typing import TYPE_CHECKING

from .._errors import ResponseTooLargeError, TransportError
from .._limits import ERROR, RESPONSE
from .generation import generation, importing
from .httpx_bridge import (
    build_request,
    library_errors,
    make_transport_error,
    set_time_limits,
    time_left,
)
from .message import Response, parse_length
from .run import PerLoop
from .senders import Senders

if TYPE_CHECKING:
    import httpx

    from .._limits import ResponseLimit
    from .concurrency import Backend, Lock
    from .httpx_bridge import HTTPClient
    from .message import Request
    from .open_response import OpenResponse


class Transport:
    """Sends requests through the pool or an httpx client.

    Args:
        backend: Returns the concurrency backend.
        http_client: A user-supplied client, which is never closed here; None for the built-in pool.
        connect_timeout: The maximum number of seconds to connect, including the TLS handshake.
        read_timeout: The maximum number of seconds between two pieces of data that are sent or
            received.  The sum of both timeouts limits the wait for a free connection.
        max_connections: The maximum number of open connections.
        ca_bundle: The path of the certificates to trust.  None means SSL_CERT_FILE, SSL_CERT_DIR or
            certifi's.

    Attributes:
        senders: Returns the senders of the running event loop, or of threads.
    """

    def __init__(
        self,
        backend: Callable[[], Backend],
        http_client: HTTPClient | None = None,
        *,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        max_connections: int = 64,
        ca_bundle: str | None = None,
    ) -> None:
        self._backend, self._http_client = backend, http_client
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._max_connections, self._ca_bundle = max_connections, ca_bundle
        self._reset()

    def _reset(self) -> None:
        """Start without connections.

        The number of the generation is stored last, so that an interrupted reset is repeated.
        """
        self.senders: PerLoop[Senders] = PerLoop(self._backend, self._make_senders)
        self._generation = generation()

    def _make_senders(self, backend: Backend) -> Senders:
        return Senders(
            backend,
            self._http_client,
            max_connections=self._max_connections,
            ca_bundle=self._ca_bundle,
        )

    def _get_senders(self) -> Senders:
        """Return the senders of the running event loop, or of threads."""
        if self._generation != generation():  # the previous connections must not be closed
            self._reset()
        return self.senders()

    async def prepare(self, origin: str, *, direct: bool = False) -> None:
        """Load the sender for *origin*, so that loading does not count towards a time limit."""
        await self._get_senders().get(origin, direct=direct)

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
        limit: ResponseLimit = RESPONSE,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
    ) -> Response:
        """Send a request, and return the response with its body.

        Args:
            origin: Scheme and host of the server, and the port unless it is the default of the
                scheme.
            make: Builds the request.  It is called as soon as a connection is free, so that a
                waiting call holds little memory and the signature is new.
            deadline: When to stop waiting, on the monotonic clock; None for no limit except the
                timeouts.
            direct: Whether to use no proxy, for example for an agent on this machine.
            limit: The size limit of the body of a successful response.
            connect_timeout: The connect timeout for this request; None for that of the transport.
            read_timeout: The read timeout for this request; None for that of the transport.

        Raises:
            TransportError: The request failed, or no response head arrived within the time limits.
            ResponseTooLargeError: The body is larger than *limit* allows.
        """
        sender = await self._get_senders().get(origin, direct=direct)
        connect_timeout = connect_timeout or self._connect_timeout
        read_timeout = read_timeout or self._read_timeout
        httpx, wait = sender.library, connect_timeout + read_timeout
        if deadline is not None:
            wait = min(wait, time_left(deadline))
        try:
            async with sender.reserve(wait) as reservation:
                request = build_request(httpx, sender.client, origin, make())
                set_time_limits(
                    request, connect=connect_timeout, read=read_timeout, deadline=deadline
                )
                response = await sender.send(request, reservation)
                reader = ResponseReader(response, limit, deadline, read_timeout)
                body = response.stream
                try:
                    async with sender.limit(reader.ends):
                        while piece := await body.read():
                            if not reader.add(piece):
                                break
                        else:
                            reader.complete = True
                except httpx.TransportError:
                    pass  # the response is then marked as incomplete
                finally:
                    await body.aclose()
        except library_errors(httpx) as error:
            raise make_transport_error(httpx, sender.client, origin, error) from error
        return reader.response(f"{request.method} {origin}")

    async def open(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        connect_timeout: float | None,
        read_timeout: float | None,
    ) -> OpenResponse:
        """Send a request, and return the response as soon as its head has arrived.

        The arguments and errors are those of `send`.  The body of an error response is read before
        this method returns.  The caller reads and closes a successful response.
        """
        with importing():
            from .open_response import OpenResponse
        sender = await self._get_senders().get(origin, direct=False)
        opened = OpenResponse(sender, origin, deadline)
        connect, read = connect_timeout or self._connect_timeout, read_timeout or self._read_timeout
        response = await opened.send(make, connect=connect, read=read)
        if not opened.head.ok:
            reader = ResponseReader(response, ERROR, deadline, read)
            reader.complete = await opened.pass_to(reader.add)
            opened.head = reader.response(origin)
        return opened

    async def wait(self, lock: Lock, deadline: float) -> None:
        """Acquire *lock*, or raise TransportError at the *deadline*."""
        async with self._backend().move_on_after(time_left(deadline)):
            await lock.acquire()
            return
        raise TransportError(
            "the timeout elapsed before the call could start: "
            f"{self._max_connections} calls (max_connections) are in progress"
        )

    async def close(self) -> None:
        """Close the connections of this event loop, or of threads.

        The pool closes idle connections now, and other connections after their requests.
        """
        for sender in self._get_senders().close():
            await sender.aclose()


class Admission:
    """A context that limits the calls in progress to the number of connections.

    If thousands of tasks make calls, most wait here, where they hold little memory.  Neither
    threads, whose memory is held anyway, nor calls through a user-supplied client wait here.

    Args:
        transport: The transport that sends the call.
        deadline: When to raise TransportError, on the monotonic clock; None for never.
    """

    __slots__ = ("_deadline", "_lock", "_transport")

    def __init__(self, transport: Transport, deadline: float | None) -> None:
        self._transport, self._deadline = transport, deadline
        self._lock: Lock | None = None

    async def __aenter__(self) -> None:
        """Wait until the call may start."""
        lock = self._transport.senders().admission
        if lock is not None and not lock.acquire_nowait():
            if self._deadline is None:
                await lock.acquire()
            else:
                await self._transport.wait(lock, self._deadline)
        self._lock = lock

    async def __aexit__(self, *_: object) -> None:
        """Allow another call to start."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    acquire, release = __aenter__, __aexit__


class ResponseReader:
    """Collects a response while it arrives.

    Attributes:
        complete: Whether the whole body arrived.  The caller sets it to True at the end.
        ends: When the whole body must have arrived, on the monotonic clock.
    """

    def __init__(
        self,
        response: httpx.Response,
        limit: ResponseLimit,
        deadline: float | None,
        read_timeout: float,
    ) -> None:
        self._status: int = response.status_code
        self._headers: list[tuple[bytes, bytes]] = response.headers.raw
        self._limit = limit if response.is_success else ERROR
        self.ends = inf if deadline is None else deadline
        if self._limit.within_read_timeout:
            self.ends = min(self.ends, time.monotonic() + read_timeout)
        self._announced = parse_length(response.headers.get("content-length")) or 0
        # `getvalue` returns the buffer without a copy, but joining pieces would need twice the
        # memory.
        self._body = BytesIO()
        self._is_too_large = False
        self.complete = False

    def add(self, piece: bytes) -> bool:
        """Store a piece of the body, and return whether to continue reading."""
        self._body.write(piece)
        size = (
            self._body.tell()
            if self._limit.is_truncated
            else max(self._body.tell(), self._announced)
        )
        self._is_too_large = size > self._limit.size
        return not (self._is_too_large or time.monotonic() > self.ends)

    def response(self, label: str) -> Response:
        """Return the response, with the part of its body that has arrived.

        Args:
            label: The method and origin of the request, for the error message.

        Raises:
            ResponseTooLargeError: The body is larger than the limit.
        """
        body, limit = self._body.getvalue(), self._limit
        if not self._is_too_large:
            return Response(self._status, self._headers, body, self.complete)
        response = Response(self._status, self._headers, body[: limit.size])
        if limit.is_truncated:
            return response
        error = ResponseTooLargeError(
            f"{label}: the response is larger than {limit.size:,} bytes, the limit for {limit.description}",
            limit=limit.size,
            status_code=response.status,
            request_id=response.request_id,
        )
        error.possibly_accepted = True
        raise error
