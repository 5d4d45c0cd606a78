"""How connections are opened: with TLS from the first byte, and as few certificate authorities as will do."""

import ssl
from collections.abc import Callable, Sequence
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from ..concurrency import Backend, Lock, Stream
    from .exchange import Origin

MakeContext = Callable[[], ssl.SSLContext]

# What OpenSSL says where it knows no authority that vouches for a server (x509_vfy.h).
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})


class Connector:
    """
    Opens connections.

    Args:
        backend: How.
        contexts: What makes TLS settings, with the first https URL.  The next one is used from the first
            server on whose certificate authority is unknown to the one before it.
    """

    def __init__(self, backend: "Backend", contexts: Sequence[MakeContext]) -> None:
        self._backend = backend
        # The first one is in force.  It takes the place of what makes it when it is first needed.
        self._contexts: tuple[ssl.SSLContext | MakeContext, ...] = tuple(contexts)
        self._loading: Lock | None = None

    async def connect(self, origin: "Origin", timeout: float | None) -> "Stream":
        """Open a connection, with TLS if the scheme says so."""
        scheme, host, port = origin
        if scheme == "http":
            return await self._backend.connect(host, port, None, timeout)
        ends = inf if timeout is None else monotonic() + timeout
        # A name in TLS has no dot at its end (RFC 6066, section 3).
        name = host.rstrip(".").encode("ascii")
        while True:
            context = await self._context()
            left = None if ends == inf else max(0.001, ends - monotonic())
            try:
                return await self._backend.connect(host, port, (context, name), left)
            except httpx.ConnectError as error:
                if not (_is_unknown_authority(error) and await self._advance(context)):
                    raise

    async def _context(self) -> ssl.SSLContext:
        """Return the TLS settings in force."""
        contexts = self._contexts
        first, *more = contexts
        context = first if isinstance(first, ssl.SSLContext) else await self._load(first)
        if self._contexts is contexts:  # nobody has been faster
            self._contexts = (context, *more)
        return context

    async def _load(self, make: MakeContext) -> ssl.SSLContext:
        """Make TLS settings; the tasks of an event loop do so one after the other."""
        self._loading = lock = self._loading or self._backend.task_lock()
        await lock.acquire()
        try:
            context = await self._backend.in_new_thread(make)
        finally:
            lock.release()
        context.set_alpn_protocols(["http/1.1"])
        return context

    async def _advance(self, context: ssl.SSLContext) -> bool:
        """Put the next TLS settings into force in place of *context*; False if there are none."""
        first, *more = self._contexts
        if first is context and more:
            self._contexts = tuple(more)
        return await self._context() is not context


def _is_unknown_authority(error: BaseException | None) -> bool:
    """Tell whether a handshake failed for want of an authority, not of a valid certificate."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error is not None and error.verify_code in _UNKNOWN_AUTHORITY
