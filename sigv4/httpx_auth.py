"""
`SigV4Auth`, for anyone's httpx or httpx2 client.

The only module of this package that knows httpx, reads a clock, or asks for credentials.
Nothing here imports it; import it yourself.
"""

import re
from collections.abc import AsyncGenerator, Callable, Generator
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

from ._credentials import Credentials, CredentialsSource, as_provider
from ._encoding import canonical_part, percent_encode_path
from ._errors import InvalidRequestError
from ._payload import Payload
from ._request import SignableRequest
from ._signer import Signer

if TYPE_CHECKING:
    from httpx import Auth, Request, Response


def _auth_classes() -> tuple[type, ...]:
    """Return the Auth class of httpx and of httpx2, as far as they are installed."""
    found: list[type] = []
    for name in ("httpx", "httpx2"):
        try:
            found.append(import_module(name).Auth)
        except ModuleNotFoundError:
            continue
    return tuple(found)


if not TYPE_CHECKING:
    # Each library takes only an Auth of its own, and this one works with both.
    Auth = type("Auth", _auth_classes(), {})

_escapes = re.compile(r"(%[0-9A-Fa-f]{2})")


class SigV4Auth(Auth):
    """
    Sign each request that a client sends.

    The URL is brought into canonical percent-encoding first (httpx writes a blank in a query as
    ``+`` and leaves ``*`` in a path), so that what is signed is what is sent.

    Args:
        signer: Knows the service, the region and the rules.
        credentials: The credentials, a `CredentialsProvider`, or a function that returns
            credentials; in an ``AsyncClient`` it may be ``async``.
        unsigned_payload: Leave the body out of the signature, so that a stream need not be read
            first.  S3 takes that over https.
        now: The clock, as a function that returns an aware instant.

    A body is read into memory before it is signed, unless *unsigned_payload* is set or the
    request carries ``x-amz-content-sha256``.  An ``x-amz-date`` of the request is honoured.

    Raises:
        InvalidRequestError: A request cannot be signed as it stands.
        ExpiredCredentialsError: The credentials ended.
    """

    def __init__(
        self,
        signer: Signer,
        credentials: CredentialsSource,
        *,
        unsigned_payload: bool = False,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._signer = signer
        self._provider = as_provider(credentials)
        self._unsigned_payload = unsigned_payload
        self._now = now or _utc_now

    def sync_auth_flow(self, request: "Request") -> "Generator[Request, Response, None]":
        """Sign *request* for a blocking client."""
        if self._needs_body(request):
            request.read()
        self._sign(request, self._provider.get())
        yield request

    async def async_auth_flow(self, request: "Request") -> "AsyncGenerator[Request, Response]":
        """Sign *request* for an async client."""
        if self._needs_body(request):
            await request.aread()
        self._sign(request, await self._provider.aget())
        yield request

    def _needs_body(self, request: "Request") -> bool:
        """Tell whether the signature takes a hash of the body."""
        return not self._unsigned_payload and "x-amz-content-sha256" not in request.headers

    def _sign(self, request: "Request", credentials: Credentials) -> None:
        """Add the signature to *request*."""
        if self._unsigned_payload:
            request.headers.setdefault("x-amz-content-sha256", Payload.UNSIGNED.hash)
        target = _canonical_target(request)
        url = f"{request.url.scheme}://{request.headers['host']}{target}"
        payload = Payload.of(request.content) if self._needs_body(request) else Payload.EMPTY
        signable = SignableRequest(request.method, url, request.headers.raw, payload)
        signature = self._signer.sign(signable, credentials, at=self._date_of(request))
        request.headers.update(signature.headers)

    def _date_of(self, request: "Request") -> datetime:
        """Return the instant that the request carries, or the clock's."""
        given = request.headers.get("x-amz-date")
        if given is None:
            return self._now()
        try:
            return datetime.strptime(given, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise InvalidRequestError("header x-amz-date must be like 20150830T123600Z") from None


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _canonical_target(request: "Request") -> str:
    """Bring path and query of *request* into canonical encoding, and return them."""
    if "target" in request.extensions:  # its sender has taken the wire into his own hands
        return str(request.extensions["target"], "ascii")
    sent = request.url.raw_path.decode("ascii")
    path, mark, query = sent.partition("?")
    path = "".join(
        part.upper() if part.startswith("%") else percent_encode_path(part)
        for part in _escapes.split(path)
    )
    # In a query that httpx made, + is a blank; on the wire %20 is one for everybody.
    pairs = [pair.partition("=") for pair in query.replace("+", "%20").split("&")]
    parts = [canonical_part(name) + equals + canonical_part(value) for name, equals, value in pairs]
    target = path + mark + "&".join(parts)
    if target != sent:
        request.url = request.url.copy_with(raw_path=target.encode("ascii"))
    return target
