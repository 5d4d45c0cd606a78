"""All ways to send a request with httpx and httpx2: blocking, with asyncio, and with trio."""

from datetime import UTC, datetime
from types import ModuleType

import anyio
import httpx
import httpx2
import pytest
from attrs import frozen

from sigv4 import Credentials, Signer, SigV4
from sigv4.httpx_auth import SigV4Auth

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret")


@frozen
class Sender:
    """One way to send a request; a sender is called like ``httpx.request``.

    Attributes:
        library: The module `httpx` or `httpx2`.
        backend: The name of the event loop library; None for the blocking client.
    """

    library: ModuleType
    backend: str | None = None

    def __str__(self):
        return self.library.__name__ + (f" on {self.backend}" if self.backend else "")

    def __call__(self, method, url, *, pieces=None, change=None, **options):
        """Send a request, and return the response.

        Args:
            pieces: An iterable of bytes that is sent as a streamed body.
            change: A function that changes the request after it has been signed.
        """
        if self.backend is not None:
            return anyio.run(
                self._asend, method, url, pieces, change, options, backend=self.backend
            )
        if pieces is not None:
            options["content"] = iter(pieces)
        with self.library.Client(**_settings(change)) as client:
            return client.request(method, url, **options)

    async def _asend(self, method, url, pieces, change, options):
        """Send a request with an async client."""

        async def achange(request):
            change(request)

        async def aiterated():
            for piece in pieces:
                yield piece

        if pieces is not None:
            options["content"] = aiterated()
        async with self.library.AsyncClient(**_settings(change and achange)) as client:
            return await client.request(method, url, **options)


def _settings(hook):
    """Return the client settings: no proxies, no certificate checks, and *hook* for each request."""
    hooks = {"request": [hook]} if hook else {}
    return {"trust_env": False, "verify": False, "event_hooks": hooks}


BLOCKING = [Sender(httpx), Sender(httpx2)]
AWAITING = [
    Sender(library, backend) for library in (httpx, httpx2) for backend in ("asyncio", "trio")
]


def make_fixture(senders):
    """Return a fixture that runs a test once with each of *senders*."""
    return pytest.fixture(params=senders, ids=map(str, senders))(lambda request: request.param)


def make_auth(service, credentials=KEY, **options):
    """Return a `SigV4Auth` for *service*."""
    options.setdefault("now", lambda: AT)
    return SigV4Auth(Signer(SigV4(service, "us-east-1")), credentials, **options)


def signed_by(auth, **options):
    """Create a request, sign it with *auth*, and return it."""
    request = httpx.Request("GET", "https://host.example/a//b", **options)
    return next(auth.sync_auth_flow(request))
