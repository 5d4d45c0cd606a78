"""Test `SigV4Auth` in httpx and httpx2 clients, with a server that verifies the raw bytes."""

import sys
from datetime import UTC, datetime, timedelta

import anyio
import httpx
import httpx2
import pytest

from sigv4 import (
    Credentials,
    ExpiredCredentialsError,
    InvalidRequestError,
    Payload,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    verify,
)
from sigv4.httpx_auth import SigV4Auth, _classes
from tests.sigv4.oracles import Unsigned, botocore_signs
from tests.sigv4.senders import AWAITING, BLOCKING, make_auth, make_fixture, signed_by
from tests.sigv4.wire_server import WireServer

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret")
TEMPORARY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken")
KNOWN = {KEY.access_key_id: KEY, TEMPORARY.access_key_id: TEMPORARY}


class Provider:
    """A provider that records whether `get` or `aget` is called."""

    def __init__(self):
        self.asked = []

    def get(self):
        self.asked.append("get")
        return KEY

    async def aget(self):
        self.asked.append("aget")
        return KEY


blocking_send = make_fixture(BLOCKING)
awaiting_send = make_fixture(AWAITING)
send = make_fixture([*BLOCKING, *AWAITING])


@pytest.fixture(params=["sagemaker", "s3"])
def service(request):
    """Run a test for S3 and for a service with other signing rules."""
    return request.param


@pytest.fixture
def server(service):
    """A server that verifies the bytes of each request and responds with 200 or 403."""

    def respond(request):
        arrived = SignableRequest(
            request.method,
            f"http://{server.address}{request.target}",
            request.headers,
            Payload.of(request.body),
        )
        try:
            verify(arrived, KNOWN, at=AT, service=service, region="us-east-1")
        except SignatureError as error:
            return 403, {"x-error": error.code}
        return 200, {}

    with WireServer(respond) as server:
        yield server


def as_botocore_signs(request, service, credentials=KEY):
    """Return the Authorization header that botocore computes for the raw bytes of a request."""
    authorization = request.header(b"authorization").decode()
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signed = botocore_signs(
        Unsigned(
            service=service,
            region="us-east-1",
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            session_token=credentials.session_token,
            at=AT,
            method=request.method,
            url=f"https://{request.header(b'host').decode()}{request.target}",
            headers=[
                (name.decode(), value.decode())
                for name, value in request.headers
                if name.lower().decode() in names
            ],
            body=request.body,
            unsigned_payload=request.header(b"x-amz-content-sha256") == b"UNSIGNED-PAYLOAD",
        )
    )
    return (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/20261122/us-east-1/{service}"
        f"/aws4_request, SignedHeaders={signed.signed_headers}, Signature={signed.signature}"
    )


def check(server, response, service, credentials=KEY):
    """Check that the only request was accepted and has botocore's signature, and return it."""
    [request] = server.requests
    assert (response.status_code, response.headers.get("x-error")) == (200, None)
    expected = as_botocore_signs(request, service, credentials)
    assert request.header(b"authorization").decode() == expected
    return request


REQUESTS = {
    "plain": ("GET", "/", {}),
    "body": ("POST", "/a", {"content": b"body"}),
    "JSON": ("POST", "/a", {"json": {"a": "ü"}}),
    "form": ("POST", "/a", {"data": {"a": "1 2", "b": "*"}}),
    "file": ("POST", "/a", {"files": {"f": ("name", b"content", "text/plain")}}),
    "parameters with spaces": ("GET", "/a", {"params": {"b": "c d", "a": "1+2"}}),
    "parameters of all kinds": ("GET", "/a", {"params": [("a", "*"), ("a", "~'()"), ("b", "é/")]}),
    "repeated and empty parameters": ("GET", "/a", {"params": [("a", "2"), ("a", ""), ("", "1")]}),
    "query with an asterisk": ("GET", "/a?b=*&a=x*y", {}),
    "query in lower-case escapes": ("GET", "/a?b=%2f%c3%bc", {}),
    "query without values": ("GET", "/a?list&acl", {}),
    "query with empty pairs": ("GET", "/a?&b=1&&a=2&", {}),
    "query with equals signs": ("GET", "/a?token=ab==&a=b=c", {}),
    "path with spaces": ("GET", "/a b/c", {}),
    "path with punctuation": ("GET", "/a*b/(c)/d'e/f+g=h@i:j;k,l!m$n&o", {}),
    "path with escapes": ("GET", "/a%20b%2Fc%2fd%7e", {}),
    "path beyond ASCII": ("GET", "/bücher/本", {}),
    "double slashes": ("GET", "/a//b/", {}),
    "headers": ("GET", "/", {"headers": {"X-Amz-Meta-A": "a  b", "X-Amzn-A": "ü".encode()}}),
    "repeated headers": ("GET", "/", {"headers": [("X-Amz-A", "2"), ("X-Amz-A", "1")]}),
    "host": ("GET", "/", {"headers": {"Host": "h.example:81"}}),
    "cookies": ("GET", "/", {"headers": {"Cookie": "a=b"}}),
    "target": ("GET", "/", {"extensions": {"target": b"/a/./b/../c%20d?x=%2A"}}),
}


@pytest.mark.parametrize("request_made", REQUESTS.values(), ids=REQUESTS.keys())
def test_requests(server, service, blocking_send, request_made):
    """The server accepts the signatures of the many forms of requests that httpx sends."""
    method, target, options = request_made
    url = f"http://{server.address}{target}"
    response = blocking_send(method, url, auth=make_auth(service), **options)
    check(server, response, service)


def test_each_way_of_sending(server, service, send):
    """The signature is valid in blocking clients, and in async clients on asyncio and trio."""
    url = f"http://{server.address}/a*b%2f"
    response = send("PUT", url, content=b"body", params={"a": "b *"}, auth=make_auth(service))
    request = check(server, response, service)
    path = "/a%2Ab/" if service == "s3" else "/a%2Ab%2F"
    assert (request.body, request.target) == (b"body", f"{path}?a=b%20%2A")


def test_session_token(server, service, send):
    """A session token is sent and signed."""
    auth = make_auth(service, TEMPORARY)
    response = send("GET", f"http://{server.address}/", auth=auth)
    request = check(server, response, service, TEMPORARY)
    assert request.header(b"x-amz-security-token") == b"to-ken"


PIECES = [b"bo", b"dy"]


def test_streamed_body(server, service, send):
    """By default, a streamed body is read into memory and signed."""
    url = f"http://{server.address}/"
    response = send("PUT", url, pieces=PIECES, auth=make_auth(service))
    assert check(server, response, service).body == b"body"


def test_unsigned_payload(server, service, send):
    """With *unsigned_payload*, a streamed body is sent without being read into memory first."""
    url, auth = f"http://{server.address}/", make_auth(service, unsigned_payload=True)
    request = check(server, send("PUT", url, pieces=PIECES, auth=auth), service)
    assert (request.header(b"transfer-encoding"), request.body) == (b"chunked", b"body")
    assert request.header(b"x-amz-content-sha256") == b"UNSIGNED-PAYLOAD"


def test_known_hash(server, service, send):
    """If the request has an x-amz-content-sha256 header, the hash in it is signed."""
    headers = {"x-amz-content-sha256": Payload.of(b"body").hash}
    url = f"http://{server.address}/"
    response = send("PUT", url, content=b"body", headers=headers, auth=make_auth(service))
    check(server, response, service)


def test_date_of_the_request(server, service, send):
    """If the request has an x-amz-date header, it is signed for that time, not the current time."""
    auth = make_auth(service, now=lambda: AT + timedelta(days=1))
    headers = {"X-Amz-Date": "20261122T120000Z"}
    response = send("GET", f"http://{server.address}/", headers=headers, auth=auth)
    request = check(server, response, service)
    assert request.header(b"x-amz-date") == b"20261122T120000Z"


def test_clock(server, service, send):
    """If the request has no x-amz-date header, it is signed for the current time."""
    auth = SigV4Auth(Signer(SigV4(service, "us-east-1")), KEY)
    before = datetime.now(UTC)
    send("GET", f"http://{server.address}/", auth=auth)
    [request] = server.requests
    sent = request.header(b"x-amz-date").decode()
    assert f"{before:%Y%m%dT%H%M%SZ}" <= sent <= f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def test_provider_blocking(server, service, blocking_send):
    """In a blocking client, the provider's `get` is called."""
    provider = Provider()
    auth = make_auth(service, provider)
    check(server, blocking_send("GET", f"http://{server.address}/", auth=auth), service)
    assert provider.asked == ["get"]


def test_provider_awaiting(server, service, awaiting_send):
    """In an async client, the provider's `aget` is awaited."""
    provider = Provider()
    auth = make_auth(service, provider)
    check(server, awaiting_send("GET", f"http://{server.address}/", auth=auth), service)
    assert provider.asked == ["aget"]


def test_function(server, service, send):
    """A synchronous function that returns credentials works in every client."""
    auth = make_auth(service, lambda: KEY)
    check(server, send("GET", f"http://{server.address}/", auth=auth), service)


async def _aget():
    return KEY


def test_async_function_awaiting(server, service, awaiting_send):
    """An async function works in an async client."""
    auth = make_auth(service, _aget)
    check(server, awaiting_send("GET", f"http://{server.address}/", auth=auth), service)


def test_async_function_blocking(server, service, blocking_send):
    """An async function raises TypeError in a blocking client, before a request is sent."""
    with pytest.raises(TypeError, match=r"a synchronous function that returns sigv4\.Credentials"):
        blocking_send("GET", f"http://{server.address}/", auth=make_auth(service, _aget))
    assert server.requests == []


@pytest.mark.parametrize("date", ["2026-11-22", "20261322T120000Z", "noon"])
def test_refused_date(server, service, send, date):
    """An x-amz-date header in the wrong form raises an error before a request is sent."""
    with pytest.raises(InvalidRequestError, match="header x-amz-date must have the form"):
        send(
            "GET",
            f"http://{server.address}/",
            headers={"x-amz-date": date},
            auth=make_auth(service),
        )
    assert server.requests == []


@pytest.mark.parametrize(
    "headers", [{b"\xff": b"a"}, {b"x-amz-a": b"a\x00"}], ids=["name", "value"]
)
def test_refused_headers(headers):
    """A header that cannot be sent raises InvalidRequestError."""
    with pytest.raises(InvalidRequestError):
        signed_by(make_auth("s3"), headers=headers)


def test_bytes_of_a_header_stay():
    """Header bytes that are not UTF-8 are sent unchanged."""
    headers = {b"x-amz-content-sha256": b"\xff", b"x-amz-meta-a": b"\xfe"}
    raw = dict(signed_by(make_auth("s3"), headers=headers).headers.raw)
    assert headers == {name: raw[name] for name in headers}


def test_expired_credentials(server, service, send):
    """Expired credentials raise an error before a request is sent."""
    expired = Credentials("AKIDEXAMPLE", "very-secret", expiration=AT)
    with pytest.raises(ExpiredCredentialsError):
        send("GET", f"http://{server.address}/", auth=make_auth(service, expired))
    assert server.requests == []


def test_wrong_secret(server, service, send):
    """The test server rejects a wrong signature, so a 200 in other tests proves a correct one."""
    wrong = Credentials(KEY.access_key_id, "wrong")
    response = send("GET", f"http://{server.address}/", auth=make_auth(service, wrong))
    assert (response.status_code, response.headers["x-error"]) == (403, "SignatureDoesNotMatch")


def test_one_library_is_enough(monkeypatch):
    """If httpx2 is not installed, `SigV4Auth` has only httpx's Auth class as its base class."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    assert _classes("Auth") == (httpx.Auth,)


@pytest.mark.parametrize("credentials", [_aget(), "AKIDEXAMPLE"], ids=["coroutine", "str"])
def test_refused_credentials(credentials):
    """For credentials of the wrong type, the constructor of `SigV4Auth` raises TypeError."""
    with pytest.raises(TypeError, match=r"credentials must be sigv4\.Credentials, a provider"):
        make_auth("s3", credentials)
    getattr(credentials, "close", str)()


def test_known_hash_of_a_stream(server, service, send):
    """If the headers contain the hash of a streamed body, the body is not read before it is sent."""
    url, headers = f"http://{server.address}/", {"x-amz-content-sha256": Payload.of(b"body").hash}
    response = send("PUT", url, pieces=PIECES, headers=headers, auth=make_auth(service))
    request = check(server, response, service)
    assert (request.header(b"transfer-encoding"), request.body) == (b"chunked", b"body")


# Test requests that are redirected.

SECRETS = {
    "x-amz-meta-a": "b",
    "X-Amz-Server-Side-Encryption-Customer-Key": "c2VjcmV0",
    "x-amzn-sagemaker-custom-attributes": "d",
}
START = "https://bucket.example/a"
AWAY = {
    "host": "https://other.example/a",
    "port": "https://bucket.example:8443/a",
    "no TLS": "http://bucket.example/a",
    "subdomain": "https://a.bucket.example/a",
    "without scheme": "//other.example/a",
}
NEAR = {
    "path": (START, "/b"),
    "TLS port": (START, "https://bucket.example:443/b"),
    "TLS now": ("http://bucket.example/a", START),
}


class Copying:
    """Replaces a request's headers with a copy that has one more header, as OpenTelemetry does."""

    def __init__(self, library, respond):
        self.library, self.respond = library, respond

    def __call__(self, request):
        request.headers = self.library.Headers(request.headers)
        request.headers["traceparent"] = "00-0-0-00"
        return self.respond(request)


def record_hops(library, kind, location, status, *, wrap=lambda _, respond: respond, start=START):
    """Send a request that is redirected, and return the header names of both requests."""
    received = []

    def respond(request):
        received.append([(name.lower(), value) for name, value in request.headers.raw])
        headers = {"location": location} if len(received) == 1 else {}
        return library.Response(status if headers else 200, headers=headers)

    options = {"auth": make_auth("s3", TEMPORARY), "follow_redirects": True, "trust_env": False}
    transport = library.MockTransport(wrap(library, respond))

    async def awaiting():
        async with library.AsyncClient(transport=transport, **options) as client:
            await client.put(start, content=b"body", headers=SECRETS)

    if kind == "awaiting":
        anyio.run(awaiting)
    else:
        with library.Client(transport=transport, **options) as client:
            client.put(start, content=b"body", headers=SECRETS)
    return [[name.decode() for name, _ in hop] for hop in received]


def of_aws(names):
    """Return the names that begin with ``x-amz``, and the name ``authorization``, sorted."""
    return sorted(name for name in names if name.startswith("x-amz") or name == "authorization")


SENT = sorted(
    [
        "authorization",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
        *map(str.lower, SECRETS),
    ]
)


@pytest.mark.parametrize("wrap", [lambda _, respond: respond, Copying], ids=["plain", "copying"])
@pytest.mark.parametrize("location", AWAY.values(), ids=AWAY.keys())
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["blocking", "awaiting"])
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_redirect_to_another_origin(library, kind, status, location, wrap):
    """After a redirect to another origin, the request has neither a signature nor any AWS header."""
    first, second = record_hops(library, kind, location, status, wrap=wrap)
    assert of_aws(first) == SENT
    assert of_aws(second) == []


@pytest.mark.parametrize(("start", "location"), NEAR.values(), ids=NEAR.keys())
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_redirect_to_the_same_origin(library, start, location):
    """After a redirect to the same origin, as httpx defines it, the request keeps its AWS headers."""
    first, second = record_hops(library, "blocking", location, 307, start=start)
    assert (of_aws(first), of_aws(second)) == (SENT, SENT)


def test_redirect_over_sockets(server, service, send):
    """After a redirect on real connections, another origin receives the body but no AWS header."""
    with WireServer(lambda _: (307, {"Location": f"http://{server.address}/b"})) as first:
        send(
            "PUT",
            f"http://{first.address}/a",
            content=b"body",
            headers=SECRETS,
            auth=make_auth(service, TEMPORARY),
            follow_redirects=True,
        )
        [signed], [unsigned] = first.requests, server.requests
    assert {"authorization", *map(str.lower, SECRETS)} <= header_names(signed)
    assert of_aws(header_names(unsigned)) == []
    assert unsigned.body == b"body"


def header_names(request):
    """Return the names of the received headers."""
    return {name.decode().lower() for name, _ in request.headers}


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_next_request_is_signed_again(library):
    """If the caller sends a response's `next_request`, it is signed for its own URL and time."""
    times = iter([AT, AT + timedelta(hours=1)])
    received = []

    def respond(request):
        received.append(request)
        return library.Response(307, headers={"location": "/b"})

    auth = make_auth("s3", now=lambda: next(times))
    with library.Client(transport=library.MockTransport(respond), auth=auth) as client:
        client.send(client.get(START, headers=SECRETS).next_request)
    first, second = received
    assert second.headers["x-amz-date"] == "20261122T130000Z"
    assert second.headers["x-amz-meta-a"] == "b"
    assert first.headers["authorization"] != second.headers["authorization"]
