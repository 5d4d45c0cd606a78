"""Opens connections.

TLS starts with the first byte.  As few certificate authorities as possible are loaded.
"""

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

# OpenSSL's error codes for a chain without a trusted certificate authority (x509_vfy.h).
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})


class Connector:
    """Opens connections.

    Args:
        backend: The concurrency backend that opens the sockets.
        contexts: Functions that create TLS contexts, the preferred one first.  The first is called
            for the first https URL.  If a server's certificate authority is unknown to the current
            context, the connector permanently changes to the next context.
    """

    def __init__(self, backend: "Backend", contexts: Sequence[MakeContext]) -> None:
        self._backend = backend
        # The first element is the one in use.  When a function is first used, it is replaced by the
        # context that it returns.
        self._contexts: tuple[ssl.SSLContext | MakeContext, ...] = tuple(contexts)
        self._loading: Lock | None = None

    async def connect(self, origin: "Origin", timeout: float | None) -> "Stream":
        """Open a connection, with TLS if the scheme is https."""
        scheme, host, port = origin
        if scheme == "http":
            return await self._backend.connect(host, port, None, timeout)
        ends = inf if timeout is None else monotonic() + timeout
        # A server name in TLS has no trailing dot (RFC 6066, section 3).
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
        """Return the current TLS context."""
        contexts = self._contexts
        first, *more = contexts
        context = first if isinstance(first, ssl.SSLContext) else await self._load(first)
        if self._contexts is contexts:  # no other task or thread has replaced the tuple meanwhile
            self._contexts = (context, *more)
        return context

    async def _load(self, make: MakeContext) -> ssl.SSLContext:
        """Create a TLS context.  The tasks of one event loop create contexts one at a time."""
        self._loading = lock = self._loading or self._backend.task_lock()
        await lock.acquire()
        try:
            context = await self._backend.in_new_thread(make)
        finally:
            lock.release()
        context.set_alpn_protocols(["http/1.1"])
        return context

    async def _advance(self, context: ssl.SSLContext) -> bool:
        """Replace *context* with the next TLS context, or return False if there is none."""
        first, *more = self._contexts
        if first is context and more:
            self._contexts = tuple(more)
        return await self._context() is not context


def _is_unknown_authority(error: BaseException | None) -> bool:
    """Return whether a handshake failed because the certificate authority is unknown."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error is not None and error.verify_code in _UNKNOWN_AUTHORITY
