"""`SigV4Middleware` for ASGI applications, which may use Starlette, FastAPI, Quart or Litestar.

The module imports no framework and no server.  ``import sigv4`` does not load this module, so
import it explicitly.  A server calls the middleware and passes no time, so the middleware reads the
system clock by default, unlike most of `sigv4`, which takes the time as an argument.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from inspect import isawaitable
from typing import Any, get_args

from ._asgi.event_loop import run_with_timeout
from ._asgi.head import Allowed, check_path, check_query, read_head, required_permissions
from ._asgi.message import (
    ASGIApp,
    Body,
    DisconnectedError,
    Receive,
    RefusedError,
    Scope,
    Send,
    check_size,
    refuse,
)
from ._credentials import Credentials, VerifyingKey
from ._errors import SignatureError
from ._payload import Payload
from ._signing_rules import S3_SERVICES
from ._v4 import SigV4
from ._verifying.candidate import Candidate, read_candidate
from ._verifying.verified import Verified
from ._verifying.verify import check_body, check_key, check_signature, check_unsigned_headers

Secrets = (
    Mapping[str, Credentials]
    | Mapping[str, VerifyingKey]
    | Mapping[str, Credentials | VerifyingKey]
    | Callable[[str], Credentials | VerifyingKey | None]
    | Callable[[str], Awaitable[Credentials | VerifyingKey | None]]
)
IsReplay = Callable[[str, datetime], bool] | Callable[[str, datetime], Awaitable[bool]]

_ALLOWED: tuple[Allowed, ...] = get_args(Allowed)


class SigV4Middleware:
    """Passes a request to an application only if its signature is valid.

    The head of a request is checked first: a request that is unsigned, too old, or for another
    service, region or host is rejected before its body is read.  Then the key is looked up, and the
    signature and the body are verified.  The signature covers the method, the path, the query, the
    signed headers and the body as they arrived.  The application finds a `sigv4.Verified` in
    ``scope["sigv4"]`` (Starlette: ``request.scope["sigv4"]``) and reads the body as usual.  The
    attribute ``signed_headers`` of the `Verified` contains the names of the headers that the
    signature covers; a proxy may have added or changed the other headers.

    Install `SigV4Middleware` outside every middleware that changes a path or a header.  Only a
    middleware that sends responses itself, such as one for CORS, belongs outside `SigV4Middleware`.
    A server's ``root_path`` is signed if the server prepends it to ``scope["raw_path"]``, as
    uvicorn does.

    Args:
        app: The application.
        secrets: Credentials by access key ID, as for `sigv4.verify`: a mapping, or a function that
            takes an access key ID and returns the credentials (or a `VerifyingKey`), or None if the
            ID is unknown.  The function may be async.  A synchronous function is called in the
            event loop: make it async if it waits for a database or a network.
        service: The signing name to which requests must be scoped, such as ``execute-api``.
        region: The region to which requests must be scoped, such as ``eu-west-1``.
        allowed_hosts: The values of the Host header to accept, such as ``api.example.com``.  A
            value includes the port (``localhost:8000``), unless the port is the scheme's default.
            Case does not matter.
        allow: Kinds of requests to accept that are rejected by default.  ``"presigned"``: URLs with
            the signature in the query, which can be passed on and are valid for up to a week.
            ``"sigv4a"``: signatures that are valid in several regions; verifying them requires
            `cryptography`.  ``"unsigned-payload"``: the signature does not cover the body;
            presigned URLs for S3 also require this value, unless the request has an
            ``x-amz-content-sha256`` header with the hash of the body.  ``"streaming"``: the body
            consists of chunks or events (``STREAMING-...``) and is passed on unchanged; the
            application must decode the body with a `sigv4.ChunkDecoder` or `sigv4.EventVerifier`.
            Unsigned chunks also require ``"unsigned-payload"``.
        max_body: The maximum size of a body, in bytes; 10 MiB by default, about as much as API
            Gateway accepts.  A body is held in memory until the application reads it; for a short
            time, there are two copies.  The server's memory may have to hold one body for each
            concurrent request.
        body_timeout: The time within which the whole body must arrive, in seconds; 30 by default.
        tolerance: The maximum difference between the server's clock and the signing time, in
            seconds; 300 by default, 900 for S3.
        unsigned_headers: Names of ``x-amz-*`` headers that a proxy may add, as for `sigv4.verify`.
        is_replay: A synchronous or async function that takes a signature and a time (a datetime
            with a time zone).  In one atomic step, it must store the signature until that time and
            return whether the signature had already been stored: in Redis,
            ``SET signature 1 NX EXAT time``.  The function is called last, and only for valid
            requests.  Without the function, anyone who sees a signed request can send the request
            again within *tolerance* (a presigned URL: until it expires).  With the function, a
            client that sends two equal requests within a second must make them different, for
            example by an ``x-amz-`` header.
        now: The clock, a function that returns a datetime with a time zone; by default the system
            clock.

    The response to a rejected request is JSON, ``{"__type": code, "message": ...}``, and also has
    the code in the header ``x-amzn-errortype``.  The status is one of:

    - 403 for any problem with a signature (including a body that does not match the signature, a
      head that is too large, and a replayed request), and for a kind of request that *allow* does
      not contain;
    - 400 for an invalid request, or a request that can be interpreted in two ways: no Host header
      or several; a path with ``.``, ``..``, empty segments or unnecessary percent-encoding, unless
      the service is S3; a bare ``+`` in the query; repeated parameters whose values are not in
      ascending order, which is the order in which they are signed;
    - 421 for another host;
    - 413 for a body larger than *max_body*;
    - 408 for a body that does not arrive within *body_timeout*.

    If the body of a rejected HTTP/1 request was not read completely, the connection is closed.  All
    WebSocket connections are rejected, without a JSON response.

    Raises:
        TypeError, ValueError: An argument is invalid; the message states which one.
        RuntimeError: The type of the ASGI scope is not supported, or the server does not provide
            ``raw_path``.  The error is raised when a request arrives, not by the constructor.
    """

    def __init__(
        self,
        app: ASGIApp,
        secrets: Secrets,
        *,
        service: str,
        region: str,
        allowed_hosts: Collection[str],
        allow: Collection[Allowed] = (),
        max_body: int = 10 * 1024 * 1024,
        body_timeout: float = 30.0,
        tolerance: float | None = None,
        unsigned_headers: Collection[str] = (),
        is_replay: IsReplay | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        _check_collection("allowed_hosts", allowed_hosts)
        _check_collection("allow", allow)
        if not allowed_hosts:
            raise ValueError("allowed_hosts must not be empty: list the Host headers to accept")
        if unknown := sorted(set(allow) - set(_ALLOWED)):
            raise ValueError(f"allow must contain only {', '.join(_ALLOWED)}, not {unknown[0]!r}")
        if not (callable(secrets) or hasattr(secrets, "get")):
            raise TypeError(
                "secrets must be a mapping from access key ID to credentials, or a function of the "
                f"access key ID, not {type(secrets).__name__}"
            )
        if max_body < 0:
            raise ValueError(f"max_body must be at least 0 bytes, not {max_body}")
        if not body_timeout > 0:
            raise ValueError(f"body_timeout must be more than 0 seconds, not {body_timeout}")
        SigV4(service=service, region=region)  # raises an error if service or region is invalid
        self.app = app
        self._find = secrets if callable(secrets) else secrets.get
        self._service = service
        self._region = region
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._allow = frozenset(allow)
        self._max_body = max_body
        self._body_timeout = body_timeout
        self._tolerance = tolerance
        self._exempt = check_unsigned_headers(unsigned_headers)
        self._is_replay = is_replay
        self._now = now or _utc_now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, reject a WebSocket, or pass lifespan events on to the application."""
        kind = scope["type"]
        if kind == "http":
            await self._serve(scope, Body(receive), send)
        elif kind == "lifespan":
            await self.app(scope, receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            raise RuntimeError(f"SigV4Middleware does not support the ASGI scope type {kind!r}")

    async def _serve(self, scope: Scope, body: Body, send: Send) -> None:
        try:
            verified = await self._verify(scope, body)
        except DisconnectedError:
            return  # the client would not receive a response
        except RefusedError as refusal:
            await refuse(refusal, scope, body, send)
        except SignatureError as error:
            await refuse(RefusedError(403, error.code, error.message), scope, body, send)
        else:
            scope["sigv4"] = verified
            await self.app(scope, body.receive, send)

    async def _verify(self, scope: Scope, body: Body) -> Verified:
        """Verify a request, and return its sender and what the signature covers."""
        candidate = self._check_head(scope)
        credentials = await _maybe_await(self._find(candidate.access_key_id))
        key = check_key(candidate, credentials)
        check = partial(check_signature, candidate, key, unsigned_headers=self._exempt)
        verified = None
        # If the head declares the payload hash, the signature is verified before the body is read.
        if candidate.declared_hash is not None:
            verified = check(candidate.declared_hash, at=self._now())
        payload = await self._read(body)
        if verified is None:
            verified = check(payload.hash, at=self._now())
        check_body(verified, payload)
        candidate.check_age(self._now())
        if self._is_replay is not None:
            # The signature is stored for longer than it is valid, because a body may arrive up to
            # *body_timeout* later than the head.
            until = candidate.valid_until + timedelta(seconds=self._body_timeout)
            if await _maybe_await(self._is_replay(verified.signature, until)):
                message = "this signature was already used: sign each request again"
                raise RefusedError(403, "RequestReplayed", message)
        return verified

    def _check_head(self, scope: Scope) -> Candidate:
        """Check the head of a request, before its body is read, and return a `Candidate`."""
        request = read_head(scope)
        candidate = read_candidate(
            request,
            at=self._now(),
            service=self._service,
            region=self._region,
            tolerance=self._tolerance,
        )
        if denied := sorted(required_permissions(candidate) - self._allow):
            message = f"this server does not accept: {', '.join(denied)}"
            raise RefusedError(403, "AccessDenied", message)
        if request.host.strip(" \t").lower() not in self._hosts:
            raise RefusedError(
                421, "MisdirectedRequest", "this server does not serve the requested host"
            )
        if self._service not in S3_SERVICES:  # S3 keys may contain any segments
            check_path(request.path)
        check_query(request.query)
        length = request.header("content-length") or ""
        if length.isdecimal():
            check_size(int(length[:20]), self._max_body)
        return candidate

    async def _read(self, body: Body) -> Payload:
        """Read the body, and return its payload hash."""
        try:
            return await run_with_timeout(self._body_timeout, lambda: body.read(self._max_body))
        except TimeoutError:
            message = f"the body must arrive within {self._body_timeout:g} seconds"
            raise RefusedError(408, "RequestTimeout", message) from None


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _maybe_await(value: Any) -> Any:
    """Return *value*, or the result of awaiting *value* if it is awaitable."""
    return await value if isawaitable(value) else value


def _check_collection(name: str, given: object) -> None:
    if isinstance(given, str) or not isinstance(given, Collection):
        raise TypeError(f"{name} must be a collection of str, not {type(given).__name__}")
