"""`SigV4Auth` through httpx and httpx2, blocking and not, against a server that checks raw bytes."""

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
from sigv4.httpx_auth import SigV4Auth, _auth_classes
from tests.sigv4.oracles import Unsigned, botocore_signs
from tests.sigv4.wire_server import WireServer

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret")
TEMPORARY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken")
KNOWN = {KEY.access_key_id: KEY, TEMPORARY.access_key_id: TEMPORARY}


class Provider:
    """Credentials by whichever colour is asked."""

    def __init__(self):
        self.asked = []

    def get(self):
        self.asked.append("get")
        return KEY

    async def aget(self):
        self.asked.append("aget")
        return KEY


def blocking(library):
    """Return a way to send with the blocking client of *library*."""

    def send(method, url, **options):
        with library.Client(trust_env=False) as client:
            return client.request(method, url, **options)

    return send


def awaiting(library, backend):
    """Return a way to send with the async client of *library* on *backend*."""

    async def asend(method, url, options):
        async with library.AsyncClient(trust_env=False) as client:
            return await client.request(method, url, **options)

    return lambda method, url, **options: anyio.run(asend, method, url, options, backend=backend)


BLOCKING = {library.__name__: blocking(library) for library in (httpx, httpx2)}
AWAITING = {
    f"{library.__name__} on {backend}": awaiting(library, backend)
    for library in (httpx, httpx2)
    for backend in ("asyncio", "trio")
}


def fixture_of(ways):
    """Return a fixture that runs a test once for each of *ways*."""
    return pytest.fixture(params=ways.values(), ids=ways.keys())(lambda request: request.param)


blocking_send = fixture_of(BLOCKING)
awaiting_send = fixture_of(AWAITING)
send = fixture_of({**BLOCKING, **AWAITING})


@pytest.fixture(params=["sagemaker", "s3"])
def service(request):
    """The signing name: S3's rules, and those of all others."""
    return request.param


@pytest.fixture
def server(service):
    """A server that verifies each request, byte by byte, and answers 200 or 403."""

    def answer(request):
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

    with WireServer(answer) as server:
        yield server


def auth_of(service, credentials=KEY, **options):
    """Return the auth of a client of *service*."""
    options.setdefault("now", lambda: AT)
    return SigV4Auth(Signer(SigV4(service, "us-east-1")), credentials, **options)


def as_botocore_signs(request, service, credentials=KEY):
    """Return botocore's signature of the raw bytes, over the headers that say that they are signed."""
    path, mark, query = request.target.partition("?")
    query = "&".join(filter(None, query.split("&")))  # botocore signs empty pairs, nobody else
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
            url=f"https://{request.header(b'host').decode()}{path}{mark}{query}",
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
    """Assert that the one request was accepted, and that botocore signs its bytes alike."""
    [request] = server.requests
    assert (response.status_code, response.headers.get("x-error")) == (200, None)
    expected = as_botocore_signs(request, service, credentials)
    assert expected == request.header(b"authorization").decode()
    return request


REQUESTS = {
    "plain": ("GET", "/", {}),
    "body": ("POST", "/a", {"content": b"body"}),
    "JSON": ("POST", "/a", {"json": {"a": "ü"}}),
    "form": ("POST", "/a", {"data": {"a": "1 2", "b": "*"}}),
    "file": ("POST", "/a", {"files": {"f": ("name", b"content", "text/plain")}}),
    "parameters with blanks": ("GET", "/a", {"params": {"b": "c d", "a": "1+2"}}),
    "parameters of all kinds": ("GET", "/a", {"params": [("a", "*"), ("a", "~'()"), ("b", "é/")]}),
    "repeated and empty parameters": ("GET", "/a", {"params": [("a", "2"), ("a", ""), ("", "1")]}),
    "query with an asterisk": ("GET", "/a?b=*&a=x*y", {}),
    "query in lower-case escapes": ("GET", "/a?b=%2f%c3%bc", {}),
    "query without values": ("GET", "/a?list&acl", {}),
    "query with empty pairs": ("GET", "/a?&b=1&&a=2&", {}),
    "query with equals signs": ("GET", "/a?token=ab==&a=b=c", {}),
    "path with blanks": ("GET", "/a b/c", {}),
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
    """Whatever httpx makes of a request, what is signed is what is sent."""
    method, target, options = request_made
    url = f"http://{server.address}{target}"
    response = blocking_send(method, url, auth=auth_of(service), **options)
    check(server, response, service)


def test_each_way_of_sending(server, service, send):
    """Blocking and not, on asyncio and trio, the signature is right."""
    url = f"http://{server.address}/a*b%2f"
    response = send("PUT", url, content=b"body", params={"a": "b *"}, auth=auth_of(service))
    request = check(server, response, service)
    assert (request.body, request.target) == (b"body", "/a%2Ab%2F?a=b%20%2A")


def test_session_token(server, service, send):
    """A session token is sent and signed."""
    auth = auth_of(service, TEMPORARY)
    response = send("GET", f"http://{server.address}/", auth=auth)
    request = check(server, response, service, TEMPORARY)
    assert request.header(b"x-amz-security-token") == b"to-ken"


def parts():
    """Give a body in parts."""
    yield b"bo"
    yield b"dy"


async def aparts():
    """Give a body in parts, without blocking."""
    yield b"bo"
    yield b"dy"


def test_streamed_body_blocking(server, service, blocking_send):
    """A streamed body is read and signed."""
    url = f"http://{server.address}/"
    response = blocking_send("PUT", url, content=parts(), auth=auth_of(service))
    assert check(server, response, service).body == b"body"


def test_streamed_body_awaiting(server, service, awaiting_send):
    """A streamed body is read and signed by an async client too."""
    url = f"http://{server.address}/"
    response = awaiting_send("PUT", url, content=aparts(), auth=auth_of(service))
    assert check(server, response, service).body == b"body"


def test_unsigned_payload_blocking(server, service, blocking_send):
    """A body that is left out of the signature is streamed as it comes."""
    url, auth = f"http://{server.address}/", auth_of(service, unsigned_payload=True)
    request = check(server, blocking_send("PUT", url, content=parts(), auth=auth), service)
    assert (request.header(b"transfer-encoding"), request.body) == (b"chunked", b"body")
    assert request.header(b"x-amz-content-sha256") == b"UNSIGNED-PAYLOAD"


def test_unsigned_payload_awaiting(server, service, awaiting_send):
    """A body that is left out of the signature is streamed by an async client too."""
    url, auth = f"http://{server.address}/", auth_of(service, unsigned_payload=True)
    request = check(server, awaiting_send("PUT", url, content=aparts(), auth=auth), service)
    assert (request.header(b"transfer-encoding"), request.body) == (b"chunked", b"body")
    assert request.header(b"x-amz-content-sha256") == b"UNSIGNED-PAYLOAD"


def test_known_hash(server, service, send):
    """A hash that the request carries is what is signed."""
    headers = {"x-amz-content-sha256": Payload.of(b"body").hash}
    url = f"http://{server.address}/"
    response = send("PUT", url, content=b"body", headers=headers, auth=auth_of(service))
    check(server, response, service)


def test_date_of_the_request(server, service, send):
    """A date that the request carries wins over the clock."""
    auth = auth_of(service, now=lambda: AT + timedelta(days=1))
    headers = {"X-Amz-Date": "20261122T120000Z"}
    response = send("GET", f"http://{server.address}/", headers=headers, auth=auth)
    request = check(server, response, service)
    assert request.header(b"x-amz-date") == b"20261122T120000Z"


def test_clock(server, service, send):
    """Without a date the clock is asked."""
    auth = SigV4Auth(Signer(SigV4(service, "us-east-1")), KEY)
    before = datetime.now(UTC)
    send("GET", f"http://{server.address}/", auth=auth)
    [request] = server.requests
    sent = request.header(b"x-amz-date").decode()
    assert f"{before:%Y%m%dT%H%M%SZ}" <= sent <= f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def test_provider_blocking(server, service, blocking_send):
    """A blocking client asks a provider without awaiting."""
    provider = Provider()
    auth = auth_of(service, provider)
    check(server, blocking_send("GET", f"http://{server.address}/", auth=auth), service)
    assert provider.asked == ["get"]


def test_provider_awaiting(server, service, awaiting_send):
    """An async client awaits a provider."""
    provider = Provider()
    auth = auth_of(service, provider)
    check(server, awaiting_send("GET", f"http://{server.address}/", auth=auth), service)
    assert provider.asked == ["aget"]


def test_function(server, service, send):
    """A function that returns credentials serves every client."""
    auth = auth_of(service, lambda: KEY)
    check(server, send("GET", f"http://{server.address}/", auth=auth), service)


async def _aget():
    return KEY


def test_async_function_awaiting(server, service, awaiting_send):
    """An async function serves an async client."""
    auth = auth_of(service, _aget)
    check(server, awaiting_send("GET", f"http://{server.address}/", auth=auth), service)


def test_async_function_blocking(server, service, blocking_send):
    """An async function is refused in a blocking client, before anything is sent."""
    with pytest.raises(TypeError, match="a plain function that returns Credentials"):
        blocking_send("GET", f"http://{server.address}/", auth=auth_of(service, _aget))
    assert server.requests == []


@pytest.mark.parametrize("date", ["2026-11-22", "20261322T120000Z", "noon"])
def test_refused_date(server, service, send, date):
    """A date of another form is refused, before anything is sent."""
    with pytest.raises(InvalidRequestError, match="header x-amz-date must be like"):
        send(
            "GET",
            f"http://{server.address}/",
            headers={"x-amz-date": date},
            auth=auth_of(service),
        )
    assert server.requests == []


def test_expired_credentials(server, service, send):
    """Credentials that have ended sign nothing, and nothing is sent."""
    expired = Credentials("AKIDEXAMPLE", "very-secret", expiration=AT)
    with pytest.raises(ExpiredCredentialsError):
        send("GET", f"http://{server.address}/", auth=auth_of(service, expired))
    assert server.requests == []


def test_wrong_secret(server, service, send):
    """The server of these tests does refuse: it is no rubber stamp."""
    wrong = Credentials(KEY.access_key_id, "wrong")
    response = send("GET", f"http://{server.address}/", auth=auth_of(service, wrong))
    assert (response.status_code, response.headers["x-error"]) == (403, "SignatureDoesNotMatch")


def test_one_library_is_enough(monkeypatch):
    """Where only one of the two libraries is installed, its Auth alone is taken."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    assert (httpx.Auth,) == _auth_classes()
