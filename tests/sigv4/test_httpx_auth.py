"""`SigV4Auth` through httpx and httpx2, blocking and not, against a server that checks raw bytes."""

import pickle
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
    SigV4A,
    verify,
)
from sigv4.httpx_auth import SigV4Auth, _auth_classes, _BoundName, _scoped
from tests.sigv4.oracles import Unsigned, botocore_signs
from tests.sigv4.senders import AWAITING, BLOCKING, fixture_of
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


blocking_send = fixture_of(BLOCKING)
awaiting_send = fixture_of(AWAITING)
send = fixture_of([*BLOCKING, *AWAITING])


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
    path = "/a%2Ab/" if service == "s3" else "/a%2Ab%2F"
    assert (request.body, request.target) == (b"body", f"{path}?a=b%20%2A")


def test_session_token(server, service, send):
    """A session token is sent and signed."""
    auth = auth_of(service, TEMPORARY)
    response = send("GET", f"http://{server.address}/", auth=auth)
    request = check(server, response, service, TEMPORARY)
    assert request.header(b"x-amz-security-token") == b"to-ken"


PIECES = [b"bo", b"dy"]


def test_streamed_body(server, service, send):
    """A streamed body is read and signed."""
    url = f"http://{server.address}/"
    response = send("PUT", url, pieces=PIECES, auth=auth_of(service))
    assert check(server, response, service).body == b"body"


def test_unsigned_payload(server, service, send):
    """A body that is left out of the signature is streamed as it comes."""
    url, auth = f"http://{server.address}/", auth_of(service, unsigned_payload=True)
    request = check(server, send("PUT", url, pieces=PIECES, auth=auth), service)
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


@pytest.mark.parametrize(
    "headers", [{b"\xff": b"a"}, {b"x-amz-a": b"a\x00"}], ids=["name", "value"]
)
def test_refused_headers(headers):
    """A header that cannot be sent is refused by an error of this package."""
    with pytest.raises(InvalidRequestError):
        signed_by(auth_of("s3"), headers=headers)


def test_bytes_of_a_header_stay():
    """Bytes that are no text go to the wire as they came."""
    headers = {b"x-amz-content-sha256": b"\xff", b"x-amz-meta-a": b"\xfe"}
    raw = dict(signed_by(auth_of("s3"), headers=headers).headers.raw)
    assert headers == {name: raw[name] for name in headers}


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


@pytest.mark.parametrize("credentials", [_aget(), "AKIDEXAMPLE"], ids=["coroutine", "str"])
def test_refused_credentials(credentials):
    """What can serve no client is refused when the auth is made."""
    with pytest.raises(TypeError, match="credentials must be Credentials, a provider"):
        auth_of("s3", credentials)
    getattr(credentials, "close", str)()


def test_known_hash_of_a_stream(server, service, send):
    """A streamed body whose hash the request carries is not read before it is sent."""
    url, headers = f"http://{server.address}/", {"x-amz-content-sha256": Payload.of(b"body").hash}
    response = send("PUT", url, pieces=PIECES, headers=headers, auth=auth_of(service))
    request = check(server, response, service)
    assert (request.header(b"transfer-encoding"), request.body) == (b"chunked", b"body")


# Scopes of a single request.


def signed_by(auth, **options):
    """Return the request that *auth* signs, as it is sent."""
    request = httpx.Request("GET", "https://host.example/a//b", **options)
    return next(auth.sync_auth_flow(request))


def scope_of(request):
    """Return the scope of a signature, less the day."""
    credential = request.headers["authorization"].partition("Credential=")[2].partition(",")[0]
    return credential.split("/", 2)[2]


SCOPES = {
    "service": ({"service": "es"}, "us-east-1/es/aws4_request"),
    "region": ({"region": "eu-west-1"}, "eu-west-1/sagemaker/aws4_request"),
    "both": ({"service": "s3", "region": "eu-west-1"}, "eu-west-1/s3/aws4_request"),
    "none": ({}, "us-east-1/sagemaker/aws4_request"),
}


@pytest.mark.parametrize(("scope", "expected"), SCOPES.values(), ids=SCOPES.keys())
def test_scope_of_a_request(scope, expected):
    """A request names its own service and region in its extensions; the next one has the auth's."""
    auth = auth_of("sagemaker")
    assert expected == scope_of(signed_by(auth, extensions={"sigv4": scope}))
    assert scope_of(signed_by(auth)) == "us-east-1/sagemaker/aws4_request"


@pytest.mark.parametrize("service", ["s3", "execute-api"])
def test_rules_of_a_scope(service):
    """A request for another service is signed by that service's rules."""
    signed = signed_by(auth_of("sagemaker"), extensions={"sigv4": {"service": service}})
    expected = signed_by(auth_of(service))
    assert expected.headers == signed.headers
    assert (service == "s3") == ("x-amz-content-sha256" in signed.headers)


def test_rules_that_the_caller_set():
    """A request for another region keeps the rules that the signer was given."""
    auth = SigV4Auth(Signer(SigV4("mine", "us-east-1"), s3=True), KEY, now=lambda: AT)
    signed = signed_by(auth, extensions={"sigv4": {"region": "eu-west-1"}})
    assert "x-amz-content-sha256" in signed.headers


def test_region_set_of_a_request():
    """With SigV4A a request names its region set."""
    auth = SigV4Auth(Signer(SigV4A("s3", "*")), KEY, now=lambda: AT)
    signed = signed_by(auth, extensions={"sigv4": {"region_set": "eu-*"}})
    assert signed.headers["x-amz-region-set"] == "eu-*"


def test_keys_of_a_scope_are_kept():
    """The signer of a scope is made once, with the keys that it derives."""
    signer = Signer(SigV4("sagemaker", "us-east-1"))
    scope = (("region", "eu-west-1"),)
    assert _scoped(signer, scope) is _scoped(Signer(SigV4("sagemaker", "us-east-1")), scope)


@pytest.mark.parametrize(
    "scope",
    ["eu-west-1", {"regoin": "eu-west-1"}, {"region_set": "*"}, {"region": ["eu-west-1"]}],
    ids=["no mapping", "misspelt", "of the other algorithm", "a list"],
)
def test_refused_scope(scope):
    """A scope that is none is refused, before anything is sent."""
    with pytest.raises(InvalidRequestError, match="extension sigv4: a mapping"):
        signed_by(auth_of("s3"), extensions={"sigv4": scope})


@pytest.mark.parametrize("scope", [{"service": "a/b"}, {"region": "us east\n1"}], ids=repr)
def test_impossible_scope(scope):
    """A service or region that cannot be one is refused by its name, before anything is sent."""
    (name,) = scope
    with pytest.raises(InvalidRequestError, match=f"extension sigv4: {name} must be printable"):
        signed_by(auth_of("s3"), extensions={"sigv4": scope})


def test_algorithm_without_scopes():
    """An algorithm of somebody's own that has no other scope is named."""

    class Fixed:
        """An algorithm, as far as it gets."""

        service = "s3"

    with pytest.raises(InvalidRequestError, match=r"extension sigv4: Fixed has no replace\(\)"):
        signed_by(SigV4Auth(Signer(Fixed()), KEY), extensions={"sigv4": {"region": "r"}})


# Redirects.

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
    """A transport's middle layer that replaces the headers by a copy, as OpenTelemetry does."""

    def __init__(self, library, answer):
        self.library, self.answer = library, answer

    def __call__(self, request):
        request.headers = self.library.Headers(request.headers)
        request.headers["traceparent"] = "00-0-0-00"
        return self.answer(request)


def hops_of(library, colour, location, status, *, wrap=lambda _, answer: answer, start=START):
    """Return what each of two hops received, the second being where the first one redirects to."""
    received = []

    def answer(request):
        received.append([(name.lower(), value) for name, value in request.headers.raw])
        headers = {"location": location} if len(received) == 1 else {}
        return library.Response(status if headers else 200, headers=headers)

    options = {"auth": auth_of("s3", TEMPORARY), "follow_redirects": True, "trust_env": False}
    transport = library.MockTransport(wrap(library, answer))

    async def awaiting():
        async with library.AsyncClient(transport=transport, **options) as client:
            await client.put(start, content=b"body", headers=SECRETS)

    if colour == "awaiting":
        anyio.run(awaiting)
    else:
        with library.Client(transport=transport, **options) as client:
            client.put(start, content=b"body", headers=SECRETS)
    return [[name.decode() for name, _ in hop] for hop in received]


def of_aws(names):
    """Return the names that are AWS's, or the signature."""
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


@pytest.mark.parametrize("wrap", [lambda _, answer: answer, Copying], ids=["plain", "copying"])
@pytest.mark.parametrize("location", AWAY.values(), ids=AWAY.keys())
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("colour", ["blocking", "awaiting"])
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_redirect_to_another_origin(library, colour, status, location, wrap):
    """What goes to another origin has no signature, no token and no other header of AWS."""
    first, second = hops_of(library, colour, location, status, wrap=wrap)
    assert SENT == of_aws(first)
    assert [] == of_aws(second)


@pytest.mark.parametrize(("start", "location"), NEAR.values(), ids=NEAR.keys())
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_redirect_to_the_same_origin(library, start, location):
    """What stays with the origin, as httpx sees it, is left to httpx."""
    first, second = hops_of(library, "blocking", location, 307, start=start)
    assert (SENT, SENT) == (of_aws(first), of_aws(second))


def test_redirect_over_sockets(server, service, send):
    """On the wire too, another origin gets the body at most."""
    with WireServer(lambda _: (307, {"Location": f"http://{server.address}/b"})) as first:
        send(
            "PUT",
            f"http://{first.address}/a",
            content=b"body",
            headers=SECRETS,
            auth=auth_of(service, TEMPORARY),
            follow_redirects=True,
        )
        [signed], [unsigned] = first.requests, server.requests
    assert {"authorization", *map(str.lower, SECRETS)} <= names_of(signed)
    assert [] == of_aws(names_of(unsigned))
    assert unsigned.body == b"body"


def names_of(request):
    """Return the names of the headers that arrived."""
    return {name.decode().lower() for name, _ in request.headers}


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_next_request_is_signed_anew(library):
    """A redirect that the caller follows is signed for its own URL and time."""
    times = iter([AT, AT + timedelta(hours=1)])
    received = []

    def answer(request):
        received.append(request)
        return library.Response(307, headers={"location": "/b"})

    auth = auth_of("s3", now=lambda: next(times))
    with library.Client(transport=library.MockTransport(answer), auth=auth) as client:
        client.send(client.get(START, headers=SECRETS).next_request)
    first, second = received
    assert second.headers["x-amz-date"] == "20261122T130000Z"
    assert second.headers["x-amz-meta-a"] == "b"
    assert first.headers["authorization"] != second.headers["authorization"]


# Signing a request twice.


@pytest.mark.parametrize("service", ["s3", "sagemaker"])
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_request_that_is_sent_again(library, service):
    """A request that is sent again is signed again, as if it were the first time."""
    request = library.Request("PUT", START, headers=SECRETS, content=b"body")
    fresh = library.Request("PUT", START, headers=SECRETS, content=b"body")
    later = {"now": lambda: AT + timedelta(hours=1)}
    next(auth_of(service, TEMPORARY, unsigned_payload=True).sync_auth_flow(request))
    next(auth_of(service, **later).sync_auth_flow(request))
    next(auth_of(service, **later).sync_auth_flow(fresh))
    assert fresh.headers == request.headers
    assert fresh.headers.raw == request.headers.raw


def test_what_the_caller_set_is_honoured_again():
    """A date and a hash of the caller's own stay when the request is sent again."""
    own = {"x-amz-date": "20261122T110000Z", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    request = httpx.Request("PUT", START, headers=own, content=b"body")
    for _ in range(2):
        next(auth_of("s3").sync_auth_flow(request))
        assert own == {name: request.headers[name] for name in own}


def test_a_token_of_somebody_else():
    """A token in the headers goes, where the credentials have none."""
    headers = {"x-amz-security-token": "old", "x-amz-region-set": "*"}
    assert not headers.keys() & signed_by(auth_of("s3"), headers=headers).headers.keys()


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_signed_headers_are_read_as_others_are(library):
    """Names, values and membership are what they say; a deletion of one deletes that one."""
    request = library.Request("GET", START, headers={"X-Amz-Meta-A": "b"})
    headers = next(auth_of("s3").sync_auth_flow(request)).headers
    assert headers["x-amz-date"] == "20261122T120000Z"
    assert headers.get_list("X-AMZ-META-A") == ["b"]
    assert headers["authorization"].count(",") == 2
    assert {*headers} == {name.lower().decode() for name, _ in headers.raw}
    assert pickle.loads(pickle.dumps(request)).headers == headers
    assert len({*headers.keys(), *(name for name, _ in headers.items())}) == len(headers)
    del headers["x-amz-meta-a"]
    assert ("x-amz-meta-a" in headers, "x-amz-date" in headers) == (False, True)
    assert {hash(key.lower()) for key in [_BoundName(b"x-amz-date")]} == {hash(b"x-amz-date")}
