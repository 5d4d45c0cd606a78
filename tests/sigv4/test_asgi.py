"""Test `SigV4Middleware` without a server: scopes, arguments and event loops."""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote

import anyio.lowlevel
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from sigv4 import (
    AwsChunked,
    ChunkDecoder,
    Credentials,
    SeedSignature,
    SignableRequest,
    Signer,
    SigV4,
    SigV4A,
)
from sigv4._asgi.event_loop import run_beside, run_with_timeout
from sigv4.asgi import SigV4Middleware
from tests.sigv4.asgi_servers import HOST, KEY, REGION, SERVICE, SIGNER, Inner, signed

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
# The order of the curve P-256 (source: SEC 2, version 2.0, section 2.4.2).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KNOWN = {KEY.access_key_id: KEY}
LOOPS = {"asyncio": asyncio.run, "trio": lambda coroutine: trio.run(lambda: coroutine)}


def make_scope(target="/q", headers=None, method="GET", **parts):
    """Return the ASGI scope of a request, which is signed unless *headers* are given."""
    path, _, query = target.partition("?")
    headers = signed(method, target, at=AT) if headers is None else headers
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), str(value).encode()) for name, value in headers.items()],
        **parts,
    }


def request(*pieces):
    """Return the ASGI messages for a body in *pieces*."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    return [*messages, {"type": "http.request"}]


def serve(scope, messages=None, app=None, **options):
    """Call the middleware; return the response's status and body, and the number of messages read.

    The status and the body are None if no response was sent.
    """
    messages = iter(request() if messages is None else messages)
    sent, received = [], []

    async def receive():
        received.append(next(messages))
        return received[-1]

    async def send(message):
        sent.append(message)

    settings = {"secrets": KNOWN, "service": SERVICE, "region": REGION, "allowed_hosts": [HOST]}
    options = {**settings, "now": lambda: AT, **options}
    asyncio.run(SigV4Middleware(app or Inner(), **options)(scope, receive, send))
    if not sent:
        return None, None, len(received)
    return sent[0]["status"], json.loads(sent[1]["body"]), len(received)


def refusal(scope, messages=(), **options):
    """Return the status and the error code of a rejection.

    By default, there are no messages, so the test fails if the middleware reads the body.
    """
    status, response, _ = serve(scope, messages, **options)
    return status, response["__type"]


def test_a_body_in_pieces():
    """The middleware joins the pieces of a body, even if the server omits optional message keys."""
    scope = make_scope("/q", signed("GET", "/q", (), b"body", at=AT))
    status, response, received = serve(scope, request(b"b", b"", b"ody"))
    assert (status, response["body"], received) == (200, "body", 4)


def test_after_the_body():
    """After the body, the application receives the next message from the server."""
    last = []

    async def app(scope, receive, send):  # noqa: ARG001
        last.extend([await receive(), await receive()])
        assert scope["sigv4"].access_key_id == "AKIDEXAMPLE"

    serve(make_scope(), [*request(), {"type": "http.disconnect"}], app)
    assert [message["type"] for message in last] == ["http.request", "http.disconnect"]


def test_a_client_that_leaves():
    """If the client disconnects before the body ends, nothing is sent or passed to the application."""
    messages = [*request(b"bo")[:1], {"type": "http.disconnect"}]
    assert serve(make_scope(), messages) == (None, None, 2)


@pytest.mark.parametrize(
    "target", ["/", "/a/", "/.well-known/a.b", "/a:b,(c)@d!", "/%C3%BC%20%2F-", "/~a_"]
)
def test_normalized_paths(target):
    """A path is accepted if it is normalized and no character is percent-encoded unnecessarily."""
    assert serve(make_scope(target))[0] == 200


@pytest.mark.parametrize(
    "target", ["/..", "/a/..", "/a%2f", "/%C3%bc", "/a/%2E", "/a%2F%2Fb", "//", "/%7E"]
)
def test_paths_that_are_not_normalized(target):
    """A path that is not normalized is rejected even if it is signed."""
    assert refusal(make_scope(target)) == (400, "InvalidURI")


def test_paths_of_s3():
    """For S3, a path that is not normalized is accepted, because keys may contain any segments."""
    headers = signed("GET", "/b/a//../c", signer=Signer(SigV4("s3", REGION)), at=AT)
    assert serve(make_scope("/b/a//../c", headers), service="s3")[0] == 200


@pytest.mark.parametrize(
    "query", ["a=1&a=2", "a=1&a=1&b=0", "b=1&a=2", "a", "a=&&b", "a=%2B", "a=%20"]
)
def test_unambiguous_queries(query):
    """A query without a bare ``+`` is accepted if the values of each repeated name are sorted."""
    assert serve(make_scope(f"/q?{query}"))[0] == 200


@pytest.mark.parametrize("query", ["a=2&a=1", "a=b&a=B", "%61=2&b&a=1", "a=+", "+"])
def test_ambiguous_queries(query):
    """A query with a bare ``+`` or unsorted values of a parameter is rejected even if it is signed."""
    assert refusal(make_scope(f"/q?{query}")) == (400, "InvalidURI")


PIECES = [*"/?&=+;a1~ ", "..", "%2e", "%2F", "%2B", "%26", "%3D", "//", "/../", "%", "&a=2", "&a=1"]


@pytest.mark.parametrize("seed", range(5))
def test_accepted_targets_have_the_signed_meaning(seed):
    """If a randomly changed target is accepted, it has the same meaning as the signed target."""
    seen, chance = [], random.Random(seed)

    async def app(scope, receive, send):  # noqa: ARG001
        seen.append(scope)

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        assert message["type"].startswith("http.response.")

    known = {"service": SERVICE, "region": REGION, "allowed_hosts": [HOST], "now": lambda: AT}
    guarded = SigV4Middleware(app, KNOWN, **known)

    async def send_all():
        for target in ("/q", "/a/b/", "/a%20b?x=1&y=2&x=3", "/q?a=1%2B1&b=&c", "/q?a=1&a=2&b=%20"):
            for _ in range(200):
                start, end = sorted(chance.choices(range(1, len(target) + 1), k=2))
                changed = target[:start] + chance.choice(PIECES) + target[end:]
                await guarded(make_scope(changed, signed("GET", target, at=AT)), receive, send)
                assert {str(meaning(target))} >= {str(get_meaning(scope)) for scope in seen}
                seen.clear()

    asyncio.run(send_all())


def get_meaning(scope):
    """Return the meaning of the target in an ASGI scope."""
    return meaning(f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}")


def meaning(target):
    """Return the meaning of a target: the decoded path, and the ordered values of each parameter."""
    path, _, query = target.partition("?")
    return unquote(path), sorted(parse_qs(query, keep_blank_values=True).items())


def test_a_path_that_was_rewritten():
    """A request is rejected if ``raw_path`` is invalid, or if ``path`` is not its decoded form."""
    assert refusal(make_scope("/q", path="/admin")) == (400, "InvalidURI")
    assert refusal(make_scope("/q", raw_path=b"q", path="q")) == (400, "InvalidURI")
    assert refusal(make_scope("/q", raw_path=b"*", path="*", method="OPTIONS")) == (
        400,
        "InvalidURI",
    )
    assert refusal(make_scope("/q", raw_path=b"/%zz", path="/%zz")) == (400, "InvalidRequest")


def test_a_root_path():
    """If the server prepends ``root_path``, as uvicorn does, the complete path is verified."""
    scope = make_scope("/api/q", root_path="/api")
    assert serve(scope)[0] == 200


def test_a_server_without_the_raw_path():
    """If the server does not provide ``raw_path``, a RuntimeError mentions the missing key."""
    with pytest.raises(RuntimeError, match="raw_path"):
        serve(make_scope("/q", raw_path=None))


def test_a_scope_that_is_not_known():
    """The middleware raises an error for an unknown scope type, as ASGI requires."""
    with pytest.raises(RuntimeError, match="'http3'"):
        serve(make_scope(type="http3"))


@pytest.mark.parametrize("length", ["1" + "0" * 5000, 11])
def test_a_length_over_the_cap(length):
    """A Content-Length over *max_body* is rejected, even if it has thousands of digits."""
    headers = {**signed(at=AT), "content-length": length}
    assert refusal(make_scope("/q", headers), max_body=10) == (413, "EntityTooLarge")


def test_an_invalid_length():
    """If the Content-Length is not a number, it is ignored, and the bytes of the body are counted."""
    assert serve(make_scope("/q", {**signed(at=AT), "content-length": "x"}), max_body=0)[0] == 200


def test_no_body_is_read_for_a_key_that_is_wrong():
    """A request with a wrong key, token, time or signature is rejected before its body is read."""
    known = {"ASIA": Credentials("ASIA", "secret", "to-ken")}
    token = signed(credentials=Credentials("ASIA", "secret", "other"), at=AT)
    declared = signed("GET", "/q", {"x-amz-content-sha256": "0" * 64}, at=AT)
    assert refusal(make_scope(), secrets=known) == (403, "InvalidAccessKeyId")
    assert refusal(make_scope("/q", token), secrets=known) == (403, "InvalidToken")
    assert refusal(make_scope("/x", declared)) == (403, "SignatureDoesNotMatch")
    assert refusal(make_scope(), now=lambda: AT + timedelta(days=1)) == (
        403,
        "RequestTimeTooSkewed",
    )


@pytest.mark.parametrize("secrets", [KNOWN, KNOWN.get])
def test_kinds_of_secrets(secrets):
    """*secrets* can be a mapping, a function or an async function."""

    async def awaited(access_key_id):
        return KNOWN.get(access_key_id)

    assert serve(make_scope(), secrets=secrets)[0] == 200
    assert serve(make_scope(), secrets=awaited)[0] == 200


def test_a_verifying_key():
    """A server needs only the public key to verify a SigV4A signature."""
    headers = signed(signer=Signer(SigV4A(SERVICE, "eu-*")), at=AT)
    keys = {KEY.access_key_id: SigV4A.public_key(KEY)}
    assert serve(make_scope("/q", headers), secrets=keys, allow={"sigv4a"})[0] == 200


def test_a_stream_of_chunks():
    """An application can decode signed chunks with the seed in ``scope["sigv4"]``."""
    content = AwsChunked(SIGNER.algorithm, 5)
    headers = {
        **signed(
            "PUT", "/q", {**content.headers, "x-amz-content-sha256": content.payload.hash}, at=AT
        )
    }
    scope, decoded = make_scope("/q", headers, "PUT"), []

    async def app(scope, receive, send):  # noqa: ARG001
        verified = scope["sigv4"]
        decoder = ChunkDecoder(content.payload, 5, seed=verified.seed)
        decoded.append(b"".join(decoder.decode((await receive())["body"])))

    signature = headers["authorization"].rpartition("=")[2]
    seed = SeedSignature(SIGNER.algorithm, KEY, headers["x-amz-date"], signature)
    body = b"".join(content.encode(b"hello", seed))
    serve(scope, request(body), app, allow=["streaming"])
    assert decoded == [b"hello"]


def test_until_when_a_request_must_be_remembered():
    """The time that *is_replay* receives is the expiration of the signature plus *body_timeout*."""
    calls = []

    def is_replay(signature, until):
        calls.append((signature, until))
        return len(calls) > 1

    options = {"is_replay": is_replay, "tolerance": 100, "body_timeout": 7}
    assert serve(make_scope(), **options)[0] == 200
    assert refusal(make_scope(), request(), **options) == (403, "RequestReplayed")
    assert calls[0] == calls[1]
    assert (len(calls[0][0]), calls[0][1]) == (64, AT + timedelta(seconds=107))


def collect_signatures(*scopes, **options):
    """Send all requests, and return the number of different signatures that *is_replay* receives."""
    signatures = set()
    for scope in scopes:
        served = serve(scope, is_replay=lambda signature, _: signatures.add(signature), **options)
        assert served[0] == 200
    return len(signatures)


def test_equivalent_requests_are_replays():
    """*is_replay* receives one signature for equivalent requests, and another for another key."""
    signer = Signer(SigV4A(SERVICE, "*"))
    headers = signed(signer=signer, at=AT)
    start, _, signature = headers["authorization"].rpartition("=")
    r, s = decode_dss_signature(bytes.fromhex(signature))
    twin = {**headers, "authorization": f"{start}={encode_dss_signature(r, ORDER - s).hex()}"}
    both = make_scope("/q", headers), make_scope("/q", twin)
    assert collect_signatures(*both, allow=["sigv4a"]) == 1
    for_query = signed("GET", "/q?a=1&b=2", at=AT)
    assert (
        collect_signatures(make_scope("/q?a=1&b=2", for_query), make_scope("/q?b=2&a=1", for_query))
        == 1
    )
    other = Credentials("OTHER", "secret")
    secrets = {**KNOWN, "OTHER": other}
    assert (
        collect_signatures(
            make_scope(), make_scope("/q", signed(credentials=other, at=AT)), secrets=secrets
        )
        == 2
    )


def test_headers_that_a_proxy_adds():
    """An unsigned ``x-amz-`` header is accepted only if *unsigned_headers* contains its name."""
    headers = {**signed(at=AT), "x-amz-cf-id": "abc"}
    assert refusal(make_scope("/q", headers), request()) == (403, "AccessDenied")
    assert serve(make_scope("/q", headers), unsigned_headers=["X-Amz-Cf-Id"])[0] == 200


def test_the_second_form_of_a_signature_is_a_replay():
    """If a SigV4A signature (r, s) is sent again as (r, `ORDER` - s), it is rejected as a replay."""
    signer = Signer(SigV4A(SERVICE, REGION))
    headers = {"host": HOST}
    headers |= signer.sign(SignableRequest("GET", f"https://{HOST}/q", headers), KEY, at=AT).headers
    signature = headers["authorization"].rpartition("=")[2]
    r, s = decode_dss_signature(bytes.fromhex(signature))
    twin = headers["authorization"].replace(signature, encode_dss_signature(r, ORDER - s).hex())
    seen = set()

    def is_replay(signature, _until):
        known = signature in seen
        seen.add(signature)
        return known

    options = {"is_replay": is_replay, "allow": ["sigv4a"]}
    assert serve(make_scope("/q", headers), **options)[0] == 200
    twins = make_scope("/q", {**headers, "authorization": twin})
    assert refusal(twins, request(), **options) == (403, "RequestReplayed")


def test_a_signature_that_ends_while_the_body_arrives():
    """A request is rejected if its signature expires while its body arrives."""
    clock = iter([AT, AT, AT + timedelta(seconds=301)])
    assert refusal(make_scope(), request(), now=lambda: next(clock)) == (403, "RequestExpired")


def test_a_response_is_small():
    """The message in the response to a rejected request has at most 300 characters."""
    headers = {**signed(at=AT), **{f"x-amz-{'a' * 60}-{number}": "ü" for number in range(50)}}
    status, response, _ = serve(make_scope("/q", headers))
    assert (status, response["__type"]) == (403, "AccessDenied")
    assert len(response["message"]) <= 300


FAULTS = {
    "one host": ({"allowed_hosts": HOST}, TypeError, "allowed_hosts must be a collection"),
    "no host": ({"allowed_hosts": []}, ValueError, "allowed_hosts must not be empty"),
    "no secrets": ({"secrets": KEY}, TypeError, "secrets must be .*, not Credentials"),
    "unknown leave": (
        {"allow": ["all"]},
        ValueError,
        "allow must contain only presigned, .*, not 'all'",
    ),
    "one leave": ({"allow": "presigned"}, TypeError, "allow must be a collection of str"),
    "negative": ({"max_body": -1}, ValueError, "max_body must be at least 0 bytes, not -1"),
    "no time": ({"body_timeout": 0}, ValueError, "body_timeout must be more than 0 seconds, not 0"),
    "decisive": (
        {"unsigned_headers": ["x-amz-date"]},
        ValueError,
        "x-amz-date, which must be signed",
    ),
    "scope": ({"region": "a/b"}, ValueError, "region"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_invalid_arguments(fault):
    """An invalid argument of `SigV4Middleware` raises an error that explains the problem."""
    options, error, message = FAULTS[fault]
    with pytest.raises(error, match=message):
        serve(make_scope(), **options)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_limit_in_time(loop):
    """`run_with_timeout` returns a function's result, or cancels the function after the timeout."""
    endings = []

    async def endless():
        try:
            await forever()
        finally:
            endings.append("cancelled")

    async def quick():
        return 1

    async def both():
        assert await run_with_timeout(30, quick) == 1
        with pytest.raises(TimeoutError):
            await run_with_timeout(0.001, endless)

    LOOPS[loop](both())
    assert endings == ["cancelled"]


async def forever():
    """Wait forever, on asyncio or trio."""
    if loop_is_trio():
        await trio.sleep_forever()
    await asyncio.Event().wait()


def loop_is_trio():
    """Return whether the current task is a trio task."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("loop", LOOPS)
def test_a_background_function(loop):
    """`run_beside` cancels the background function when the main coroutine ends.

    An error in the background function is ignored.
    """
    endings = []

    async def background():
        endings.append("began")
        await forever()

    async def failing():
        endings.append("failed")
        raise OSError

    async def main():
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        endings.append("main")

    async def both():
        await run_beside(background, main())
        await run_beside(failing, main())

    LOOPS[loop](both())
    assert endings == ["began", "main", "failed", "main"]


def test_trio_as_a_guest_of_asyncio():
    """If trio runs as a guest of asyncio, `run_with_timeout` times out in a trio task, too."""

    async def guest():
        with pytest.raises(TimeoutError):
            await run_with_timeout(0.001, trio.sleep_forever)
        return "timed out"

    async def host():
        ended = asyncio.get_running_loop().create_future()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=asyncio.get_running_loop().call_soon_threadsafe,
            done_callback=ended.set_result,
        )
        return (await ended).unwrap()

    assert asyncio.run(host()) == "timed out"
