"""Test `SigV4Middleware` in real servers: uvicorn and hypercorn."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from threading import Event

import anyio
import anyio.to_thread
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded

from sigv4 import Payload, SignableRequest, Signer, SigV4A
from sigv4.asgi import SigV4Middleware
from tests.sigv4.asgi_servers import (
    HOST,
    KEY,
    REGION,
    SERVERS,
    SERVICE,
    SIGNER,
    Connection,
    Inner,
    head,
    serving,
    signed,
)

CAP = 100_000
LOOKED_UP = []
REPLAYS = set()


def get_key(access_key_id):
    """Record the lookup, and return the key, or None if it is unknown."""
    LOOKED_UP.append(access_key_id)
    return {KEY.access_key_id: KEY}.get(access_key_id)


async def is_replay(signature, until):
    """Store *signature*, and return whether it was already stored."""
    assert until > datetime.now(UTC) + timedelta(seconds=300)
    known = signature in REPLAYS
    REPLAYS.add(signature)
    return known


@pytest.fixture(scope="module", params=SERVERS)
def server(request):
    """Run each test with each of `SERVERS`."""
    return request.param


@pytest.fixture(scope="module")
def guarded(server):
    """The port of a server that runs the middleware, and the application behind the middleware."""
    inner = Inner()
    app = SigV4Middleware(
        inner,
        get_key,
        service=SERVICE,
        region=REGION,
        allowed_hosts=[HOST],
        max_body=CAP,
        is_replay=is_replay,
    )
    with serving(server, app) as port:
        yield port, inner


@pytest.fixture
def inner(guarded):
    """The application behind the middleware, after all recorded data has been cleared."""
    guarded[1].seen.clear()
    LOOKED_UP.clear()
    REPLAYS.clear()
    return guarded[1]


@pytest.fixture
def connection(guarded, inner):  # noqa: ARG001 (it forgets)
    """A connection to a server with the middleware."""
    with Connection(guarded[0]) as connection:
        yield connection


@pytest.fixture
def lenient(server):
    """A connection to a server whose middleware allows all kinds of requests."""
    app = SigV4Middleware(
        Inner(),
        {KEY.access_key_id: KEY},
        service=SERVICE,
        region=REGION,
        allowed_hosts=[HOST],
        allow=["presigned", "sigv4a", "streaming", "unsigned-payload"],
    )
    with serving(server, app) as port, Connection(port) as connection:
        yield connection


def refusal(response):
    """Check that a response is in AWS's format for errors, and return its status and error code."""
    assert set(response.body) == {"__type", "message"}
    assert response.headers["x-amzn-errortype"] == response.body["__type"]
    assert response.headers["content-type"] == "application/json"
    return response.status, response.body["__type"]


def test_signed_requests_reach_the_application(connection, inner):
    """The application receives the body, the decoded path and the access key ID of each request."""
    for target in ("/q", "/files/a%20b:c?x=%2B&y=", "/a%2Fb?x=1&x=2"):
        for body in (b"", b"body", b"x" * CAP):
            response = connection.request("POST", target, signed("POST", target, (), body), body)
            assert (response[0], response[2]) == (
                200,
                {"body": body.decode(), "key": "AKIDEXAMPLE"},
            )
    assert inner.started
    assert inner.seen[3]["path"] == "/files/a b:c"
    assert inner.seen[0]["sigv4"].signed_headers == ("host", "x-amz-date")


def test_requests_of_botocore_are_accepted(connection):
    """A request signed by botocore, which also signs custom headers, is accepted."""
    request = AWSRequest("PUT", f"http://{HOST}/a%20b?b=2&a=1", {"X-Custom": "a  b"}, b"body")
    SigV4Auth(BotocoreCredentials("AKIDEXAMPLE", "very-secret"), SERVICE, REGION).add_auth(request)
    headers = {"Host": HOST, **dict(request.headers.items())}
    assert connection.request("PUT", "/a%20b?b=2&a=1", headers, b"body").status == 200


def test_chunks_with_a_declared_hash(connection, inner):
    """A body with Transfer-Encoding: chunked is accepted only if it has the declared hash."""
    for body, status in ((b"body", 200), (b"bodx", 403)):
        declared = {"x-amz-content-sha256": Payload.of(b"body").hash}
        headers = {**signed("POST", "/q", declared), "transfer-encoding": "chunked"}
        connection.socket.sendall(head("POST", "/q", headers))
        for piece in (body[:2], body[2:], b""):
            connection.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        assert connection.receive_response("POST").status == status
    assert len(inner.seen) == 1


def test_unsigned_without_a_body(connection):
    """An unsigned request without a body causes no key lookup, and the connection stays open."""
    for method in ("GET", "DELETE"):
        response = connection.request(method, "/q", {"host": HOST})
        assert refusal(response) == (403, "MissingAuthenticationToken")
        assert "connection" not in response.headers
    assert connection.request("HEAD", "/q", {"host": HOST}).body is None
    assert connection.request("GET", "/q", signed()).status == 200
    assert LOOKED_UP == ["AKIDEXAMPLE"]


def test_unsigned_with_a_body_that_does_not_arrive(connection, inner):
    """An unsigned request is rejected before its body arrives, and the connection is closed."""
    connection.socket.sendall(head("PUT", "/q", {"host": HOST, "content-length": 10**9}))
    response = connection.receive_response()
    assert refusal(response) == (403, "MissingAuthenticationToken")
    assert response.headers["connection"] == "close"
    assert connection.is_closed()
    assert inner.seen == []


@pytest.mark.parametrize("piece", [b"10000\r\n" + b"x" * 65536 + b"\r\n", b"1\r\nx\r\n" * 10_000])
def test_unsigned_with_an_endless_body(connection, inner, piece):
    """An unsigned request with an endless body is rejected, and the connection is closed."""
    connection.socket.sendall(head("PUT", "/q", {"host": HOST, "transfer-encoding": "chunked"}))
    connection.flood(piece)
    assert connection.receive_response().status == 403
    assert connection.is_closed()
    assert inner.seen == []


def test_a_refusal_after_a_slow_lookup(server):
    """If a long body arrives while an unknown key is looked up, the connection is closed."""
    found = Event()

    async def unknown(access_key_id):  # noqa: ARG001
        await anyio.to_thread.run_sync(found.wait)

    app = SigV4Middleware(Inner(), unknown, service=SERVICE, region=REGION, allowed_hosts=[HOST])
    headers = {**signed("PUT", "/q", (), b"body"), "transfer-encoding": "chunked"}
    with serving(server, app) as port, Connection(port) as connection:
        connection.socket.sendall(head("PUT", "/q", headers))
        connection.fill(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        found.set()
        assert refusal(connection.receive_response()) == (403, "InvalidAccessKeyId")
        assert connection.is_closed()


def test_a_body_over_the_cap(connection, inner):
    """A body whose Content-Length is over the limit is rejected before any of its bytes arrive."""
    headers = {**signed("PUT", "/q", (), b"x"), "content-length": CAP + 1}
    connection.socket.sendall(head("PUT", "/q", headers))
    response = connection.receive_response()
    assert refusal(response) == (413, "EntityTooLarge")
    assert response.headers["connection"] == "close"
    assert connection.is_closed()
    assert inner.seen + LOOKED_UP == []


def test_a_body_over_the_cap_without_a_length(connection, inner):
    """A body without a Content-Length is rejected when it exceeds the limit, even if it never ends."""
    headers = {**signed("PUT", "/q", (), b"x"), "transfer-encoding": "chunked"}
    connection.socket.sendall(head("PUT", "/q", headers))
    connection.flood(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    assert refusal(connection.receive_response()) == (413, "EntityTooLarge")
    assert connection.is_closed()
    assert inner.seen == []


@pytest.mark.parametrize(
    "target",
    ["/files/../q", "/./q", "//q", "/q/.", "/%2e/q", "/files/%2E%2E/q", "/files%2F..%2Fq", "/%71"],
)
def test_a_path_that_is_not_normalized(connection, inner, target):
    """A path that is not normalized is rejected, whether it or its normalized form was signed."""
    for for_target in ("/q", target):
        assert refusal(connection.request("GET", target, signed("GET", for_target))) == (
            400,
            "InvalidURI",
        )
    assert inner.seen == []


@pytest.mark.parametrize(
    ("sent", "signed_for"),
    [("/q?a=1+1", "/q?a=1%2B1"), ("/q?a+b=1", "/q?a%2Bb=1"), ("/q?a=2&a=1", "/q?a=1&a=2")],
)
def test_a_query_with_two_meanings(connection, inner, sent, signed_for):
    """A query is rejected if it has an unencoded ``+`` or unsorted values of a parameter."""
    response = connection.request("GET", sent, signed("GET", signed_for))
    assert refusal(response) == (400, "InvalidURI")
    assert inner.seen + LOOKED_UP == []


def test_another_host(connection):
    """A valid signature for another host is rejected."""
    response = connection.request("GET", "/q", signed("GET", "/q", {"host": "other.example"}))
    assert refusal(response) == (421, "MisdirectedRequest")
    assert (
        connection.request("GET", "/q", signed("GET", "/q", {"host": "API.example"})).status == 200
    )


@pytest.mark.parametrize("hosts", [[], [HOST, HOST], [HOST, "other.example"]])
def test_no_host_and_more_than_one(connection, inner, hosts):
    """A request with no Host header or with several is rejected by the server or the middleware."""
    pairs = [(name, value) for name, value in signed().items() if name != "host"]
    pairs += [("host", host) for host in hosts]
    connection.socket.sendall(head("GET", "/q", pairs))
    assert connection.socket.recv(100).startswith(b"HTTP/1.1 400 ")
    assert inner.seen == []


def test_a_target_that_is_a_url(connection, inner):
    """A request whose target is a complete URL, as for a proxy, is rejected."""
    connection.socket.sendall(head("GET", f"http://{HOST}/x", signed("GET", "/q")))
    assert connection.receive_response().status in {
        400,
        403,
    }  # 403 with httptools, which passes only the path
    assert inner.seen == []


def presigned():
    """Return the target and the headers of a presigned request."""
    request = SignableRequest("GET", f"http://{HOST}/q")
    url = SIGNER.presign(request, KEY, at=datetime.now(UTC), expires=60)
    return url.removeprefix(f"http://{HOST}"), {"host": HOST}


def sigv4a():
    """Return the target and the headers of a request with a SigV4A signature for all regions."""
    return "/q", signed(signer=Signer(SigV4A(SERVICE, "*")))


def declaring(payload_hash):
    """Return a function that returns the target and headers of a request with this payload hash."""
    return lambda: ("/q", signed("GET", "/q", {"x-amz-content-sha256": payload_hash}))


NEED_LEAVE = {
    "presigned": presigned,
    "sigv4a": sigv4a,
    "streaming": declaring("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    "streaming, unsigned-payload": declaring("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    "unsigned-payload": declaring("UNSIGNED-PAYLOAD"),
}


@pytest.mark.parametrize("name", NEED_LEAVE)
def test_requests_that_must_be_allowed(connection, inner, lenient, name):
    """A request of a kind that is not in *allow* is rejected without a key lookup."""
    target, headers = NEED_LEAVE[name]()
    response = connection.request("GET", target, headers)
    assert refusal(response) == (403, "AccessDenied")
    assert response.body["message"].endswith(f": {name}")
    assert inner.seen + LOOKED_UP == []
    assert lenient.request("GET", target, headers).status == 200


def test_another_method(connection, inner):
    """A request is rejected if its method is not the signed method."""
    response = connection.request("DELETE", "/q", signed("GET", "/q"))
    assert refusal(response) == (403, "SignatureDoesNotMatch")
    assert inner.seen == []


def test_a_replay(connection, inner):
    """A request is accepted only once; an earlier attempt with a wrong body does not count."""
    headers = signed("POST", "/q", (), b"body")
    assert refusal(connection.request("POST", "/q", headers, b"bodx")) == (
        403,
        "SignatureDoesNotMatch",
    )
    assert connection.request("POST", "/q", headers, b"body").status == 200
    assert refusal(connection.request("POST", "/q", headers, b"body")) == (403, "RequestReplayed")
    assert len(inner.seen) == 1


def test_a_slow_body(server):
    """If a body does not arrive completely within *body_timeout*, the request is rejected."""
    inner = Inner()
    app = SigV4Middleware(
        inner,
        {KEY.access_key_id: KEY},
        service=SERVICE,
        region=REGION,
        allowed_hosts=[HOST],
        body_timeout=0.1,
    )
    with serving(server, app) as port, Connection(port) as connection:
        headers = {**signed("PUT", "/q", (), b"body"), "content-length": "4"}
        connection.socket.sendall(head("PUT", "/q", headers) + b"bod")
        assert refusal(connection.receive_response()) == (408, "RequestTimeout")
        assert connection.is_closed()
    assert inner.seen == []


def test_a_client_that_leaves(guarded, inner):
    """If a client disconnects before its body is complete, the application is not called.

    If the client disconnects after the body, the application receives ``http.disconnect``.
    """
    port, _ = guarded
    headers = {**signed("PUT", "/wait", (), b"body"), "content-length": "4"}
    with Connection(port) as connection:
        connection.socket.sendall(head("PUT", "/wait", headers) + b"bod")
    with Connection(port) as connection:
        connection.socket.sendall(head("PUT", "/wait", headers) + b"body")
        connection.socket.shutdown(1)
    assert inner.is_gone.wait(30)
    assert (len(inner.seen), inner.last) == (1, ["http.disconnect"])


def test_a_websocket(connection, inner):
    """A WebSocket handshake is rejected even if it is signed."""
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-version": "13",
    }
    connection.socket.sendall(head("GET", "/q", {**signed(), **upgrade}))
    assert b" 403 " in connection.socket.recv(100)
    assert inner.seen == []


ON_HTTP_2 = pytest.mark.parametrize(
    "server", ["hypercorn", "hypercorn, trio"], indirect=True, scope="module"
)


@ON_HTTP_2
def test_http_2(connection):
    """On HTTP/2, a signed request is accepted, and a rejection has no ``connection`` header."""
    http2 = Http2(connection)
    http2.begin(1, signed("POST", "/q", (), b"body"))
    http2.send(1, b"body", end=True)
    http2.begin(3, {"host": HOST})
    http2.send(3, b"body", end=True)
    assert http2.receive_response(1)[b":status"] == b"200"
    refused = http2.receive_response(3)
    assert (refused[b":status"], b"connection" in refused) == (b"403", False)
    assert b"MissingAuthenticationToken" in http2.bodies[3]


@ON_HTTP_2
def test_http_2_with_a_body_after_the_response(connection):
    """On HTTP/2, a rejection is sent before the body arrives, and other streams remain usable."""
    http2 = Http2(connection)
    http2.begin(1, {"host": HOST})
    http2.wait_for(lambda: b"MissingAuthenticationToken" in http2.bodies[1])
    for _ in range(30):
        http2.send(1, b"late")
    http2.send(1, b"", end=True)
    assert http2.receive_response(1)[b":status"] == b"403"
    http2.begin(3, signed("POST", "/q", (), b"body"))
    http2.send(3, b"body", end=True)
    assert http2.receive_response(3)[b":status"] == b"200"


class Http2:
    """A minimal HTTP/2 client."""

    def __init__(self, connection):
        self.socket, self.protocol = connection.socket, H2Connection()
        self.heads, self.bodies, self.ended = {}, defaultdict(bytes), set()
        self.protocol.initiate_connection()

    def begin(self, stream, headers):
        """Send the head of a POST request on a stream."""
        first = {":method": "POST", ":scheme": "http", ":path": "/q", ":authority": HOST}
        others = [(name, value) for name, value in headers.items() if name != "host"]
        self.protocol.send_headers(stream, [*first.items(), *others])
        self.socket.sendall(self.protocol.data_to_send())

    def send(self, stream, piece, *, end=False):
        """Send a piece of a body on a stream."""
        self.protocol.send_data(stream, piece, end_stream=end)
        self.socket.sendall(self.protocol.data_to_send())

    def wait_for(self, condition):
        """Receive data until a condition is true."""
        while not condition():
            data = self.socket.recv(65536)
            assert data, "closed"
            for event in self.protocol.receive_data(data):
                if isinstance(event, ResponseReceived):
                    self.heads[event.stream_id] = dict(event.headers)
                elif isinstance(event, DataReceived):
                    self.bodies[event.stream_id] += event.data
                elif isinstance(event, StreamEnded):
                    self.ended.add(event.stream_id)

    def receive_response(self, stream):
        """Wait for the end of a response, and return its head."""
        self.wait_for(lambda: stream in self.ended)
        return self.heads[stream]


@pytest.mark.parametrize(
    ("server", "signed_for"),
    [("uvicorn, h11", "/api/q"), ("uvicorn, httptools", "/api/q"), ("hypercorn", "/q")],
    indirect=["server"],
    scope="module",
)
def test_a_root_path(server, signed_for):
    """With uvicorn, the signed path must include the ``root_path``; with hypercorn, it must not."""
    app = SigV4Middleware(
        Inner(), {KEY.access_key_id: KEY}, service=SERVICE, region=REGION, allowed_hosts=[HOST]
    )
    with serving(server, app, root_path="/api") as port, Connection(port) as connection:
        assert connection.request("GET", "/q", signed("GET", signed_for)).status == 200
        other = "/q" if signed_for == "/api/q" else "/api/q"
        assert connection.request("GET", "/q", signed("GET", other)).status == 403
