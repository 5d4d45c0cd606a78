"""Messages of the ASGI middleware: errors about its arguments, and its responses to requests."""

import asyncio
import json

from sigv4 import Credentials
from sigv4.asgi import SigV4Middleware
from tests.sigv4.asgi_servers import HOST, KEY, REGION, SERVICE, signed

COVERED = ("sigv4/_asgi",)


def _middleware(**options):
    secrets = options.pop("secrets", {KEY.access_key_id: KEY})
    options = {"service": SERVICE, "region": REGION, "allowed_hosts": [HOST], **options}
    return SigV4Middleware(None, secrets, **options)


def _respond(target="/q", headers=None, receive=None, options=None, **parts):
    """Return the message in the response to a request, which is signed by default."""
    path, _, query = target.partition("?")
    headers = signed("GET", target) if headers is None else headers
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        **parts,
    }
    sent = []

    async def send(message):
        sent.append(message)

    application = _middleware(**(options or {}))
    asyncio.run(application(scope, receive or _no_body, send))
    return json.loads(sent[1]["body"])["message"]


async def _no_body():
    return {"type": "http.request"}


async def _slow_body():
    await asyncio.sleep(60)


MESSAGES = [
    # The arguments of the middleware.
    (
        lambda: _middleware(allowed_hosts="api.example"),
        "allowed_hosts must be a collection of str, not str",
    ),
    (
        lambda: _middleware(allowed_hosts=[]),
        "allowed_hosts must not be empty: list the Host headers to accept",
    ),
    (
        lambda: _middleware(allow={"all"}),
        "allow must contain only presigned, sigv4a, streaming, unsigned-payload, not 'all'",
    ),
    (
        lambda: _middleware(secrets=Credentials("AKID", "secret")),
        (
            "secrets must be a mapping from access key ID to credentials, or a function of the access "
            "key ID, not Credentials"
        ),
    ),
    (lambda: _middleware(max_body=-1), "max_body must be at least 0 bytes, not -1"),
    (lambda: _middleware(body_timeout=0), "body_timeout must be more than 0 seconds, not 0"),
    # What the server must provide.
    (
        lambda: _respond(type="webtransport"),
        "SigV4Middleware does not support the ASGI scope type 'webtransport'",
    ),
    (
        lambda: _respond(raw_path=None),
        (
            "the ASGI server does not provide raw_path, which is needed to verify signatures: use a "
            "server that provides it, such as uvicorn or hypercorn"
        ),
    ),
    # The head of a request.
    (lambda: _respond(headers={}), "the request must have exactly one Host header"),
    (
        lambda: _respond(headers={"host": "other.example", **signed("GET", "/q", {"host": "b"})}),
        "this server does not serve the requested host",
    ),
    (
        lambda: _respond(headers={**signed("GET", "/q"), "host": HOST, "x-amz-a": "1"}),
        "these headers must be signed: x-amz-a",
    ),
    (
        lambda: _respond(raw_path=b"*"),
        "the request target must be a path that starts with /",
    ),
    (
        lambda: _respond(path="/admin"),
        "the server rewrote the path, so its signature cannot be verified",
    ),
    (lambda: _respond("/a//b"), "the path must not have ., .. or empty segments"),
    (
        lambda: _respond("/%41", path="/A"),
        "the path must percent-encode only what needs it, with uppercase hexadecimal digits",
    ),
    (
        lambda: _respond("/q?a=b+c"),
        "the query must not have a bare +, which may mean a space: send %20 or %2B",
    ),
    (
        lambda: _respond("/q?a=2&a=1"),
        "the values of a repeated query parameter must be in ascending order",
    ),
    (
        lambda: _respond(headers=signed("GET", "/q", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})),
        "this server does not accept: unsigned-payload",
    ),
    # The body of a request, and requests that are sent twice.
    (
        lambda: _respond(
            headers={**signed("GET", "/q"), "content-length": "9"}, options={"max_body": 8}
        ),
        "the body must not be larger than 8 bytes",
    ),
    (
        lambda: _respond(receive=_slow_body, options={"body_timeout": 0.001}),
        "the body must arrive within 0.001 seconds",
    ),
    (
        lambda: _respond(options={"is_replay": lambda _signature, _until: True}),
        "this signature was already used: sign each request again",
    ),
]
