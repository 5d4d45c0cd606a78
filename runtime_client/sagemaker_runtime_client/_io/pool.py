"""
The pool: permits, connections, answers.

Written once for both colours, as coroutines over a `Colour`; over `Threads` they never suspend.
Whatever happens, at an await or at any line, a connection ends up idle or closed, and a permit is handed
on.
"""

import os
from collections.abc import Iterable
from math import inf
from typing import Any, Self, cast
from weakref import finalize

import httpx

from .concurrency import Colour, Opener, Origin, Verify
from .connection import Connection, raise_as_httpx
from .pool_state import Ledger, Permit
from .run import run

_PORTS = {"http": 80, "https": 443}


class Slot:
    """
    A permit taken before there is a request: what waits is small, and no signature ages in a queue.

    Given as a request's extension ``slot``, it serves one request after another, which wait no more.  What
    the last of them left open, interrupted by Ctrl-C say, is closed with it.
    """

    def __init__(self, pool: "Pool", timeout: float | None) -> None:
        self._pool, self._timeout = pool, timeout
        self._permit = Permit()
        self._ledger: Ledger[Connection, Any] | None = None
        self.lease: Lease | None = None

    @property
    def ledger(self) -> Ledger[Connection, Any]:
        """Where the permit is known."""
        if self._ledger is None or self._permit.is_released:
            raise RuntimeError("a slot serves requests inside its context")
        return self._ledger

    async def acquire(self) -> Self:
        """Wait for the permit; raise httpx.PoolTimeout where it does not come in time."""
        self._ledger = await self._pool.acquire(self._permit, self._timeout)
        return self

    def release(self) -> None:
        """Give the permit back, after what is left open was closed; nothing if that is done."""
        try:
            if self.lease is not None:
                self._pool.give_up(self.lease)
                self.lease = None
        finally:
            if self._ledger is not None:
                self._ledger.release(self._permit)

    async def __aenter__(self) -> Self:
        """Wait for the permit, in a task."""
        return await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        """Give the permit back."""
        self.release()

    def __enter__(self) -> Self:
        """Wait for the permit, in a thread."""
        try:
            return run(self.acquire())
        except BaseException:
            self.release()
            raise

    def __exit__(self, *_: object) -> None:
        """Give the permit back."""
        self.release()


class Lease:
    """
    A connection in use, and the body of the answer that it carries.

    Attributes:
        connection: None before it is there, and after it was closed, or is idle.
        slot: Of a request that came without one: it ends with the answer.
    """

    def __init__(
        self,
        pool: "Pool",
        request: httpx.Request,
        ledger: Ledger[Connection, Any],
        slot: Slot | None,
    ) -> None:
        self.pool, self.request, self.ledger, self.slot = pool, request, ledger, slot
        self.origin = _origin_of(request)
        self.connection: Any = None


class Pool:
    """Both transports' coroutines."""

    def __init__(
        self, colour: Colour, lease: "type[Lease]", verify: Verify, limits: httpx.Limits
    ) -> None:
        self._colour, self._lease = colour, lease
        self._opener = Opener(colour, verify)
        self._limits = limits
        # The servers that do not know ``Expect: 100-continue``.
        self._no_expect: set[Origin] = set()
        self._finalizer: finalize[..., Pool] | None = None
        self._begin()

    def _begin(self) -> None:
        """Hold nothing: at first, after a fork, and after the pool was closed."""
        limits = (
            self._limits.max_connections,
            self._limits.max_keepalive_connections,
            self._limits.keepalive_expiry,
        )
        new_event = self._colour.new_event
        self._ledger: Ledger[Connection, Any] = Ledger(
            new_event, *(inf if one is None else one for one in limits)
        )
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = finalize(self, _discard, self._ledger)

    async def acquire(self, permit: Permit, timeout: float | None) -> Ledger[Connection, Any]:
        """Wait until *permit* is granted; return where it is known."""
        if self._ledger.process != os.getpid():
            # A fork: what it holds is the parent's.  It is not closed, for asyncio would take the
            # sockets out of the selector that both processes share.
            self._begin()
        ledger = self._ledger
        try:
            if not ledger.acquire(permit):
                await self._colour.wait(permit.event, timeout)
        except BaseException:
            ledger.release(permit)
            raise
        if permit.numbers:
            return ledger
        ledger.release(permit)
        raise httpx.PoolTimeout("no connection became free in time")

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, and return the answer's head; its body is still to come."""
        timeouts = request.extensions.get("timeout", {})
        # The request does not keep it: in a circle, it would not be dropped at once with what drops it.
        slot: Slot | None = request.extensions.pop("slot", None)
        if slot is None:
            own = await Slot(self, timeouts.get("pool")).acquire()
            lease = self._lease(self, request, own.ledger, own)
        else:
            lease = slot.lease = self._lease(self, request, slot.ledger, None)
        try:
            if not await self._reuse(lease):
                await self._connect(lease, timeouts.get("connect"))
            expects = (
                request.extensions.get("expect", False) and lease.origin not in self._no_expect
            )
            head = await lease.connection.send(request, expects=expects)
        except BaseException as error:  # noqa: BLE001 (raised again)
            self.give_up(lease)
            raise_as_httpx(error, request)
        if expects and (lease.connection.ignores_expect or head.status_code == 417):
            self._no_expect.add(lease.origin)
            if head.status_code == 417:  # asked for without (RFC 9110, section 15.5.18)
                return await self._again(request, lease, slot)
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=cast("httpx.SyncByteStream", lease),
            extensions={
                "http_version": b"HTTP/" + head.http_version,
                "reason_phrase": head.reason,
            },
        )

    async def _again(
        self, request: httpx.Request, lease: Lease, slot: Slot | None
    ) -> httpx.Response:
        """Send *request* once more, on another connection."""
        self.give_up(lease)
        if slot is not None:
            request.extensions["slot"] = slot
        return await self.send(request)

    async def _reuse(self, lease: Lease) -> bool:
        """Take an idle connection that its server has not closed, nor written to unasked, if there is one."""
        _close_all(lease.ledger.surplus())
        while (connection := lease.ledger.check_out(lease.origin, lease)) is not None:
            if not await connection.is_dead():
                return True
            connection.stream.close()
            lease.connection = None
        return False

    async def _connect(self, lease: Lease, timeout: float | None) -> None:
        """Open a connection, in the place of an idle one if need be."""
        _close_all(lease.ledger.displaced())
        lease.connection = Connection(self._colour, await self._opener.open(lease.origin, timeout))
        if await lease.connection.is_dead():
            raise httpx.ConnectError("the server closed the connection, or wrote to it, unasked")

    async def piece(self, lease: Lease) -> bytes:
        """Return the next piece of an answer's body; nothing at its end."""
        if lease.connection is None:  # it may be at work for another request
            return b""
        try:
            piece: bytes = await lease.connection.piece()
        except Exception as error:  # noqa: BLE001 (raised again)
            raise_as_httpx(error, lease.request)
        return piece

    def finish(self, lease: Lease) -> None:
        """End with an answer, read or not: keep its connection if it may be used again."""
        ledger = lease.ledger
        if ledger is self._ledger and lease.connection is not None and lease.connection.recycle():
            ledger.check_in(lease.origin, lease)
        try:
            self.give_up(lease)
        except Exception as error:  # noqa: BLE001 (raised again)
            raise_as_httpx(error, lease.request)
        # Another thread may have closed the pool in the meantime.
        _close_all(ledger.surplus() if ledger is self._ledger else ledger.clear())

    def give_up(self, lease: Lease) -> None:
        """Close a connection, if there is one, and end the slot that came with it."""
        try:
            if lease.connection is not None:
                lease.connection.stream.close()
                lease.connection = None
        finally:
            if lease.slot is not None:
                lease.slot.release()

    def close(self) -> None:
        """Close what is idle, and let what is in use be closed at its end, now and from now on."""
        self._limits = httpx.Limits(
            max_connections=self._limits.max_connections, max_keepalive_connections=0
        )
        ledger = self._ledger
        self._begin()
        _close_all(ledger.clear())


def _close_all(connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.stream.close()


def _discard(ledger: Ledger[Connection, Any]) -> None:
    """Close what is idle, without a warning, where a client was dropped and never closed."""
    if ledger.process == os.getpid():  # see `Pool.acquire`
        for connection in ledger.clear():
            connection.stream.discard()


def _origin_of(request: httpx.Request) -> Origin:
    """Return where *request* goes to."""
    url = request.url
    if url.scheme not in _PORTS or not url.raw_host:
        raise httpx.UnsupportedProtocol(
            "a URL must begin with http:// or https://", request=request
        )
    host = url.raw_host.decode("ascii")
    return url.scheme, host, url.port or _PORTS[url.scheme]
