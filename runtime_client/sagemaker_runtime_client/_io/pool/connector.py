"""Opens connections.

For an https URL, the TLS handshake is the first exchange on a connection, so no data are sent or
accepted in plain text.  The certificate authorities that most servers do not need are loaded only
if a server needs them.
"""

from __future__ import annotations

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
        contexts: Functions that create TLS contexts, the preferred one first.  The first function
            is called for the first https URL.  If the current context does not include a server's
            certificate authority, the connector permanently changes to the next context.
    """

    def __init__(self, backend: Backend, contexts: Sequence[MakeContext]) -> None:
        self._backend = backend
        # Only the first element of the tuple is used.  If that element is a function, its first use
        # replaces it with the context that it returns.
        self._contexts: tuple[ssl.SSLContext | MakeContext, ...] = tuple(contexts)
        self._loading: Lock | None = None

    async def connect(self, origin: Origin, timeout: float | None) -> Stream:
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
        """Change from *context* to the next TLS context.

        Return whether the current context now differs from *context*, which it does not if
        *context* is the last context.
        """
        first, *more = self._contexts
        if first is context and more:
            self._contexts = tuple(more)
        return await self._context() is not context


def _is_unknown_authority(error: BaseException | None) -> bool:
    """Return whether a handshake failed because the certificate authority is unknown."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error is not None and error.verify_code in _UNKNOWN_AUTHORITY
