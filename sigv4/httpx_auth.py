"""`SigV4Auth`, which signs the requests of an httpx or httpx2 client.

Within `sigv4`, only this module uses httpx, and only this module, `asgi` and the command-line tool
read a clock.  ``import sigv4`` does not load this module, so import it explicitly.
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
    """Return the classes named *name* from those of httpx and httpx2 that are installed."""
    found: list[type] = []
    for library in ("httpx", "httpx2"):
        try:
            found.append(getattr(import_module(library), name))
        except ModuleNotFoundError:
            continue
    return tuple(found)


if not TYPE_CHECKING:  # pragma: no branch
    # Each library accepts only subclasses of its own Auth class, so `Auth` is a subclass of both.
    Auth = type("Auth", _classes("Auth"), {})
    Request, Response = (
        Union[_classes(name) or (object,)]  # noqa: UP007 (the number of classes varies)
        for name in ("Request", "Response")
    )

_escapes = re.compile(r"(%[0-9A-Fa-f]{2})")

_Scope = tuple[tuple[str, str], ...]

# Keys of request extensions.  Before signing, the first extension may contain a scope that replaces
# the signer's scope; after signing, it contains the signature.  The other two extensions store that
# scope and the names of the added headers, so that a request that is sent again can be signed
# again.
_SIGV4, _SCOPE, _ADDED = "sigv4", "sigv4.scope", "sigv4.added"


class SigV4Auth(Auth):
    """Signs each request of an httpx or httpx2 client.

    Before signing, the URL is converted to canonical percent-encoding, because httpx writes a space
    in a query as ``+`` and keeps ``*`` in a path.  The converted URL is the one that is signed and
    sent.  For S3, the path is decoded and encoded again, as S3 does before it verifies a signature.

    Args:
        signer: The signer for the service and region.  A request can override the service and the
            region in its extensions:
            ``client.get(url, extensions={"sigv4": {"region": "eu-west-1"}})``, with the keys
            ``service`` and ``region``, or ``region_set`` for SigV4A.
        credentials: The credentials, a `CredentialsProvider`, or a function that returns
            credentials.  The function may be ``async`` for an ``AsyncClient``.  A blocking client
            raises TypeError for an async function when it sends its first request, because the kind
            of client is not known earlier.  Any other value raises TypeError in the constructor.
        unsigned_payload: Whether to leave the body out of the signature, so that a streamed body
            need not be read before it is sent.  S3 accepts unsigned bodies over https.
        now: The clock, a function that returns a datetime with a time zone; by default the system
            clock.

    After signing, the request's extension ``sigv4`` contains the `Signature`, which `explain`
    accepts: ``explain(response.text, response.request.extensions["sigv4"])``.

    A body is read into memory before it is signed, unless *unsigned_payload* is set or the request
    has an ``x-amz-content-sha256`` header.  If the request has an ``x-amz-date`` header, its value
    is the signing time.

    When a client follows a redirect to another origin, it removes ``Authorization`` and all
    ``x-amz-*`` headers, including those that the caller set.  However, httpx treats a redirect from
    http to https on the same host as one within the origin: it sends all headers, and the server
    rejects the signature if the path or the query has changed, because the signature was made for
    the first URL.

    Raises:
        TypeError: *signer* or *credentials* has the wrong type.
        InvalidRequestError: A request cannot be signed; the message states the reason.
        ExpiredCredentialsError: The credentials have expired.
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

    # `requires_request_body` stays False, because whether a body must be read depends on the
    # request.

    def sync_auth_flow(self, request: "Request") -> "Generator[Request, Response, None]":
        """Sign *request* in a blocking client, and yield it."""
        _remove_signature(request)
        if self._needs_body(request):
            request.read()
        self._sign(request, self._provider.get())
        yield request

    async def async_auth_flow(self, request: "Request") -> "AsyncGenerator[Request, Response]":
        """Sign *request* in an async client, and yield it."""
        _remove_signature(request)
        if self._needs_body(request):
            await request.aread()
        self._sign(request, await self._provider.aget())
        yield request

    def _needs_body(self, request: "Request") -> bool:
        """Return whether the body must be read, so that its hash can be signed."""
        return not self._unsigned_payload and "x-amz-content-sha256" not in request.headers

    def _sign(self, request: "Request", credentials: Credentials) -> None:
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
        """Return the time in the request's ``x-amz-date`` header, or else the current time."""
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
    """Raise TypeError if *signer* is not a `Signer`, for example if it is a `SigV4`."""
    if not isinstance(signer, Signer):
        raise TypeError(
            "signer must be a Signer, such as Signer(SigV4(service, region)), "
            f"not {type(signer).__name__}"
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _select_signer(request: "Request", signer: Signer) -> Signer:
    """Return a signer for the scope in the request's extensions, or *signer* if there is no scope."""
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


@lru_cache(maxsize=64)  # each cached signer is used for all requests with its scope
def _scoped(signer: Signer, scope: _Scope) -> Signer:
    """Return a copy of *signer* with another scope.

    If *scope* changes the service, the default signing rules of the new service apply.
    """
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
    """Convert the path and the query of *request* to canonical encoding, and return the result."""
    if "target" in request.extensions:  # the caller has set the exact bytes to send
        return str(request.extensions["target"], "ascii")
    sent = request.url.raw_path.decode("ascii")
    path, mark, query = sent.partition("?")
    path = reencode_s3_path(path) if s3 else _encode_path(path)
    # httpx writes a space in a query as +, but only %20 means a space to every server.  Empty pairs
    # are removed, because only botocore signs them, and only servers that verify with botocore
    # expect them in the signature.
    pairs = [pair.partition("=") for pair in query.replace("+", "%20").split("&") if pair]
    parts = [canonical_part(name) + equals + canonical_part(value) for name, equals, value in pairs]
    target = path + mark + "&".join(parts)
    if target != sent:
        request.url = request.url.copy_with(raw_path=target.encode("ascii"))
    return target


def _encode_path(path: str) -> str:
    """Percent-encode *path*, except for existing escapes, which are converted to uppercase."""
    return "".join(
        part.upper() if part.startswith("%") else percent_encode_path(part)
        for part in _escapes.split(path)
    )


class _BoundName(bytes):
    """A header name that a redirect removes together with ``Authorization``.

    When a client follows a redirect to another origin, it deletes only ``Authorization`` from a
    copy of the headers, and finds it by comparing each header's ``name.lower()`` with
    ``authorization``.  In that comparison, a name of this class is equal to ``authorization``, too.
    In any other comparison, it is equal only to itself.  Therefore, a redirect removes all headers
    of a signature together, whereas a copy that is made for another purpose keeps them:
    OpenTelemetry, for example, sends a copy of the headers.
    """

    __slots__ = ()

    def lower(self) -> "_NameOrAuthorization":
        """Return an object that is also equal to ``authorization`` when a client compares names."""
        return _NameOrAuthorization(self)


class _NameOrAuthorization(bytes):
    """A header name that is equal to itself and to ``authorization``."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == b"authorization" or bytes.__eq__(self, other)

    __hash__ = bytes.__hash__


def _encode_headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in headers.items()
    ]


def _decode_name(header: tuple[bytes, bytes]) -> str:
    return header[0].lower().decode("latin-1")


def _add_signature(request: "Request", headers: dict[str, str], signature: Signature) -> None:
    """Set a signature's headers, all of which a redirect to another origin will remove."""
    added = tuple(name for name in headers if name not in request.headers)
    replaced = {
        *headers,
        "x-amz-region-set",
        "x-amz-security-token",
    }  # the last two headers may be left from another signer
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
    """Remove the headers that an earlier signature added, and restore the request's own scope."""
    added = request.extensions.get(_ADDED, ())
    kept = [pair for pair in request.headers.raw if _decode_name(pair) not in added]
    request.headers = type(request.headers)(kept)
    if isinstance(request.extensions.get(_SIGV4), Signature):
        scope = request.extensions.get(_SCOPE)
        request.extensions = {**request.extensions, _SIGV4: scope}
