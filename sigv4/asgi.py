"""
`SigV4Middleware`, for ASGI applications: those of Starlette, FastAPI, Quart, Litestar and others.

It imports no framework and no server.  Nothing of this package imports this module; import it
yourself.  `sigv4` itself takes the time as an argument.  Here nobody is there to pass it, as requests
come from a server: so this module reads the clock, unless it is given another one.
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
    """
    Let only signed requests through to an application, and only as they were signed.

    The head of a request is judged first: no byte of a body is read for a request that is unsigned,
    too old, or for another service, region or host.  Then the key is looked up, the body is read, and
    the signature is checked over the method, the path, the query, the signed headers and the body
    as they arrived.  The application finds a `sigv4.Verified` in ``scope["sigv4"]`` (Starlette:
    ``request.scope["sigv4"]``), and reads the body as usual.  Its ``signed_headers`` are the headers
    that the signature covers.  Anyone on the way may have added or changed the others.

    Put it outside of every middleware that changes a path or a header.  Only what answers by itself,
    such as a middleware for CORS, belongs outside of it.  A server's ``root_path`` is signed where the
    server puts it before ``scope["raw_path"]``, as uvicorn does.

    Args:
        app: The application.
        secrets: Credentials by access key id, as for `sigv4.verify`; or a function of the access key
            id, which returns None for an unknown one and may be async.  A plain function is called
            in the event loop: make it async if it waits for a database or a network.
        service: The signing name that requests must be scoped to, such as ``execute-api``.
        region: The region that they must be scoped to, such as ``eu-west-1``.
        allowed_hosts: The Host headers that requests may have, such as ``api.example.com``; with
            the port (``localhost:8000``) unless it is the scheme's own.  Case does not matter.
        allow: What is refused without it.  ``"presigned"``: URLs with the signature in the query,
            which can be passed on and last up to a week.  ``"sigv4a"``: signatures that count in
            several regions; checking them needs `cryptography`.  ``"unsigned-payload"``: the
            signature does not cover the body; presigned URLs for S3 need this, too.  ``"streaming"``: the body
            comes in signed chunks or events (``STREAMING-...``), as it arrived: the application
            must pass it through a `sigv4.ChunkDecoder` or `sigv4.EventVerifier`.
        max_body: The largest body, in bytes; 10 MiB by default, about as much as API Gateway takes.  A
            body is held in memory until the application has it, twice for a moment.  A server
            may hold one for each request that it serves at once.
        body_timeout: How many seconds a body may take to arrive in all; 30 by default.
        tolerance: How many seconds a client's clock may be off; 300 by default, 900 for S3.
        unsigned_headers: Names of ``x-amz-*`` headers that a proxy may add, as for `sigv4.verify`.
        is_replay: A function, plain or async, of a signature and an aware instant.  It must keep the
            signature until that instant and tell whether it had it already, in one step: in
            Redis ``SET signature 1 NX EXAT instant``.  It is asked last, for requests that are
            right.  Without it, whoever sees a signed request can send it again for as long as
            *tolerance* (a presigned URL: until it expires).  With it, a client that sends two equal
            requests within a second must tell them apart, by an ``x-amz-`` header for instance.
        now: The clock, as a function that returns an aware instant; this machine's by default.

    What is refused gets a small answer in JSON, ``{"__type": code, "message": ...}``, with the
    code in ``x-amzn-errortype`` as well: status 403 for whatever is wrong with a signature; 400 for
    a request that can be read in two ways (no Host or several; a path with ``.``, ``..``, empty
    segments or needless percent-encoding, unless the service is S3; a bare ``+`` in the query;
    repeated parameters in another order than that of their values, which is the order that
    signatures know); 421 for another host; 413 for a body over *max_body*; 408 for one that is
    too slow.  Where the body was not read, the connection is closed.  WebSockets are refused (403).

    Raises:
        TypeError, ValueError: An argument cannot be what it must be.
        RuntimeError: When called: the scope is of a type that is not known here, or without the raw path.
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
        SigV4(service=service, region=region)  # refuses what cannot be one
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
        """Serve one request, or start and stop the application."""
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
            return  # nobody waits for an answer
        except RefusedError as refusal:
            await refuse(refusal, scope, body, send)
        except SignatureError as error:
            await refuse(RefusedError(403, error.code, error.message), scope, body, send)
        else:
            scope["sigv4"] = verified
            await self.app(scope, body.receive, send)

    async def _verify(self, scope: Scope, body: Body) -> Verified:
        """Return who sent a request, and what the signature vouches for."""
        candidate = self._check_head(scope)
        credentials = await _maybe_await(self._find(candidate.access_key_id))
        key = check_key(candidate, credentials)
        check = partial(check_signature, candidate, key, unsigned_headers=self._exempt)
        verified = None
        if candidate.declared_hash is not None:  # then the signature does not wait for the body
            verified = check(candidate.declared_hash, at=self._now())
        payload = await self._read(body)
        if verified is None:
            verified = check(payload.hash, at=self._now())
        check_body(verified, payload)
        candidate.check_age(self._now())
        if self._is_replay is not None:
            # The memory of signatures must outlast whoever sends slowly.
            until = candidate.valid_until + timedelta(seconds=self._body_timeout)
            if await _maybe_await(self._is_replay(verified.signature, until)):
                message = "this signature was already used: sign each request again"
                raise RefusedError(403, "RequestReplayed", message)
        return verified

    def _check_head(self, scope: Scope) -> Candidate:
        """Return what is known from the head alone, unless the request is refused for it."""
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
        if self._service not in S3_SERVICES:  # whose keys may hold anything
            check_path(request.path)
        check_query(request.query)
        length = request.header("content-length") or ""
        if length.isdecimal():
            check_size(int(length[:20]), self._max_body)
        return candidate

    async def _read(self, body: Body) -> Payload:
        """Return what stands for the body in the signature, once it has arrived."""
        try:
            return await run_with_timeout(self._body_timeout, lambda: body.read(self._max_body))
        except TimeoutError:
            message = f"the body must arrive within {self._body_timeout:g} seconds"
            raise RefusedError(408, "RequestTimeout", message) from None


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _maybe_await(value: Any) -> Any:
    """Return *value*, awaited if it must be."""
    return await value if isawaitable(value) else value


def _check_collection(name: str, given: object) -> None:
    if isinstance(given, str) or not isinstance(given, Collection):
        raise TypeError(f"{name} must be a collection of str, not {type(given).__name__}")
