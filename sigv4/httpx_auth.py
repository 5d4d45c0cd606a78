"""
`SigV4Auth`, for anyone's httpx or httpx2 client.

The only module of this package that knows httpx.  With `asgi` and the command line, it is the only
one that reads a clock.
Nothing here imports it; import it yourself.
"""

import re
from collections.abc import AsyncGenerator, Callable, Generator
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Union

from ._credentials import Credentials, CredentialsLike, as_provider
from ._encoding import canonical_part, percent_encode_path, reencode_s3_path
from ._errors import InvalidRequestError
from ._payload import Payload
from ._request import SignableRequest
from ._signer import Signature, Signer

if TYPE_CHECKING:
    from httpx import Auth, Request, Response


def _classes(name: str) -> tuple[type, ...]:
    """Return the class of this name of httpx and of httpx2, as far as they are installed."""
    found: list[type] = []
    for library in ("httpx", "httpx2"):
        try:
            found.append(getattr(import_module(library), name))
        except ModuleNotFoundError:
            continue
    return tuple(found)


if not TYPE_CHECKING:  # pragma: no branch
    # Each library takes only an Auth of its own, and this one works with both.
    Auth = type("Auth", _classes("Auth"), {})
    Request, Response = (
        Union[_classes(name) or (object,)]  # noqa: UP007 (of as many as there are)
        for name in ("Request", "Response")
    )

_escapes = re.compile(r"(%[0-9A-Fa-f]{2})")

_Scope = tuple[tuple[str, str], ...]

# Extensions of a request.  In the first its sender names another scope, and finds the signature once
# it is signed.  The others keep that scope and the names of the headers that were added, so that a
# request that is sent again is signed again.
_SIGV4, _SCOPE, _ADDED = "sigv4", "sigv4.scope", "sigv4.added"


class SigV4Auth(Auth):
    """
    Sign each request that a client sends.

    The URL is brought into canonical percent-encoding first (httpx writes a blank in a query as
    ``+`` and leaves ``*`` in a path), so that what is signed is what is sent.  For S3 the path is
    decoded and encoded anew, as S3 does before it checks a signature.

    Args:
        signer: Knows the service, the region and the rules.  A request may name others in its
            extensions: ``client.get(url, extensions={"sigv4": {"region": "eu-west-1"}})``, with
            ``service`` and ``region``, or for SigV4A ``region_set``.
        credentials: The credentials, a `CredentialsProvider`, or a function that returns
            credentials; in an ``AsyncClient`` it may be ``async``.  Nobody knows beforehand which
            client will ask, so that a blocking one refuses an async function when it first would
            call it, before anything is sent; what can serve neither is refused at once.
        unsigned_payload: Leave the body out of the signature, so that a stream need not be read
            first.  S3 takes that over https.
        now: The clock, as a function that returns an aware instant.

    A request that was signed has its `Signature` in the same place, for `explain`:
    ``explain(response.text, response.request.extensions["sigv4"])``.

    A body is read into memory before it is signed, unless *unsigned_payload* is set or the
    request carries ``x-amz-content-sha256``.  An ``x-amz-date`` of the request is honoured.

    Where a client follows a redirect to another origin, the ``x-amz-*`` headers stay behind with
    ``Authorization``, those that the caller set among them.  What httpx takes for the same origin
    (https instead of http, at the same host) gets all of it, and refuses the signature of another URL.

    Raises:
        TypeError: *signer* or *credentials* cannot be what they must be.
        InvalidRequestError: A request cannot be signed as it stands.
        ExpiredCredentialsError: The credentials ended.
    """

    def __init__(
        self,
        signer: Signer,
        credentials: CredentialsLike,
        *,
        unsigned_payload: bool = False,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        _check_signer(signer)
        self._signer = signer
        self._provider = as_provider(credentials)
        self._unsigned_payload = unsigned_payload
        self._now = now or _utc_now

    # `requires_request_body` stays False: whether a body must be read depends on the request.

    def sync_auth_flow(self, request: "Request") -> "Generator[Request, Response, None]":
        """Sign *request* for a blocking client."""
        _remove_signature(request)
        if self._needs_body(request):
            request.read()
        self._sign(request, self._provider.get())
        yield request

    async def async_auth_flow(self, request: "Request") -> "AsyncGenerator[Request, Response]":
        """Sign *request* for an async client."""
        _remove_signature(request)
        if self._needs_body(request):
            await request.aread()
        self._sign(request, await self._provider.aget())
        yield request

    def _needs_body(self, request: "Request") -> bool:
        """Tell whether the signature takes a hash of the body."""
        return not self._unsigned_payload and "x-amz-content-sha256" not in request.headers

    def _sign(self, request: "Request", credentials: Credentials) -> None:
        """Add the signature to *request*."""
        added: dict[str, str] = {}
        if self._unsigned_payload and "x-amz-content-sha256" not in request.headers:
            added["x-amz-content-sha256"] = Payload.UNSIGNED.hash
        signer = _select_signer(request, self._signer)
        target = _canonical_target(request, s3=signer.s3)
        url = f"{request.url.scheme}://{request.headers['host']}{target}"
        headers = [*request.headers.raw, *_encode_headers(added)]
        payload = Payload.of(request.content) if self._needs_body(request) else Payload.EMPTY
        signable = SignableRequest(request.method, url, headers, payload)
        signature = signer.sign(signable, credentials, at=self._signing_time(request))
        _add_signature(request, added | signature.headers, signature)

    def _signing_time(self, request: "Request") -> datetime:
        """Return the instant that the request carries, or the clock's."""
        given = request.headers.get("x-amz-date")
        if given is None:
            return self._now()
        try:
            return datetime.strptime(given, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise InvalidRequestError(
                "header x-amz-date must have the form 20150830T123600Z"
            ) from None


def _check_signer(signer: object) -> None:
    """Refuse what is easily taken for a signer: the algorithm that it is made of."""
    if not isinstance(signer, Signer):
        raise TypeError(
            "signer must be a Signer, such as Signer(SigV4(service, region)), "
            f"not {type(signer).__name__}"
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _select_signer(request: "Request", signer: Signer) -> Signer:
    """Return *signer*, or the one for the scope that *request* names."""
    scope: Any = request.extensions.get(_SIGV4)
    if scope is None:
        return signer
    try:
        return _scoped(signer, tuple(scope.items()))
    except InvalidRequestError as error:
        raise InvalidRequestError(f"extension {_SIGV4}: {error}") from None
    except (AttributeError, TypeError, ValueError):
        raise InvalidRequestError(
            f"extension {_SIGV4} must be a mapping of str to str with the keys service and region, "
            "or service and region_set for SigV4A"
        ) from None


@lru_cache(maxsize=64)  # with each signer the keys that it derived
def _scoped(signer: Signer, scope: _Scope) -> Signer:
    """Return *signer* for another scope; S3's rules go with the service."""
    known: Any = signer.algorithm
    if not hasattr(known, "replace"):
        raise InvalidRequestError(
            f"{type(known).__name__} has no replace method, so the scope cannot be changed"
        )
    algorithm = known.replace(**dict(scope))
    if algorithm.service == known.service:
        return signer.replace(algorithm=algorithm)
    return Signer(
        algorithm,
        signed_headers=signer.signed_headers,
        sign_session_token=signer.sign_session_token,
    )


def _canonical_target(request: "Request", *, s3: bool) -> str:
    """Bring path and query of *request* into canonical encoding, and return them."""
    if "target" in request.extensions:  # its sender has taken the wire into his own hands
        return str(request.extensions["target"], "ascii")
    sent = request.url.raw_path.decode("ascii")
    path, mark, query = sent.partition("?")
    path = reencode_s3_path(path) if s3 else _encode_path(path)
    # In a query that httpx made, + is a blank; on the wire %20 is one for everybody.  Empty pairs
    # go: botocore, and what checks signatures with it, signs them, and nobody else does.
    pairs = [pair.partition("=") for pair in query.replace("+", "%20").split("&") if pair]
    parts = [canonical_part(name) + equals + canonical_part(value) for name, equals, value in pairs]
    target = path + mark + "&".join(parts)
    if target != sent:
        request.url = request.url.copy_with(raw_path=target.encode("ascii"))
    return target


def _encode_path(path: str) -> str:
    """Encode what is bare in *path*, and leave what is encoded."""
    return "".join(
        part.upper() if part.startswith("%") else percent_encode_path(part)
        for part in _escapes.split(path)
    )


class _BoundName(bytes):
    """
    The name of a header that stays behind where ``Authorization`` stays behind.

    A client that redirects a request to another origin deletes ``Authorization`` from a copy of
    the headers, and nothing else; what to delete it finds by comparing ``name.lower()``.  There a
    name of this kind is equal to that one too, and everywhere else only to itself.  So the
    headers of a signature go together, and copies of them are whole: OpenTelemetry, for one,
    sends a copy.
    """

    __slots__ = ()

    def lower(self) -> "_NameOrAuthorization":
        """Return what deletion compares."""
        return _NameOrAuthorization(self)


class _NameOrAuthorization(bytes):
    """Equal to itself, and to ``authorization``."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == b"authorization" or bytes.__eq__(self, other)

    __hash__ = bytes.__hash__


def _encode_headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers of ours as they go on the wire."""
    return [
        (name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in headers.items()
    ]


def _decode_name(header: tuple[bytes, bytes]) -> str:
    return header[0].lower().decode("latin-1")


def _add_signature(request: "Request", headers: dict[str, str], signature: Signature) -> None:
    """Set the headers of a signature, and bind to it whatever is AWS's."""
    added = tuple(name for name in headers if name not in request.headers)
    replaced = {*headers, "x-amz-region-set", "x-amz-security-token"}  # of another signer, maybe
    kept = [pair for pair in request.headers.raw if _decode_name(pair) not in replaced]
    bound = type(request.headers)([*kept, *_encode_headers(headers)])
    bound._list = [  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  (both libraries have it)
        (raw, _BoundName(name) if name.startswith(b"x-amz") else name, value)
        for raw, name, value in bound._list  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    ]
    request.headers = bound
    scope = request.extensions.get(_SIGV4)
    kept_extensions = {_ADDED: added, _SCOPE: scope, _SIGV4: signature}
    request.extensions = {**request.extensions, **kept_extensions}


def _remove_signature(request: "Request") -> None:
    """Remove what an earlier signature added to *request*, and unbind the rest."""
    added = request.extensions.get(_ADDED, ())
    kept = [pair for pair in request.headers.raw if _decode_name(pair) not in added]
    request.headers = type(request.headers)(kept)
    if isinstance(request.extensions.get(_SIGV4), Signature):
        scope = request.extensions.get(_SCOPE)
        request.extensions = {**request.extensions, _SIGV4: scope}
