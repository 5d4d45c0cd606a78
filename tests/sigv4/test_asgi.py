"""`SigV4Middleware` without a server: what a scope may hold, what it is made with, which loop it runs in."""

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
# SEC 2, version 2.0, section 2.4.2: how many points the curve P-256 has.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KNOWN = {KEY.access_key_id: KEY}
LOOPS = {"asyncio": asyncio.run, "trio": lambda coroutine: trio.run(lambda: coroutine)}


def scope_of(target="/q", headers=None, method="GET", **parts):
    """Return the scope of a request that is signed, unless *headers* are given."""
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
    """Return the messages of a body."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    return [*messages, {"type": "http.request"}]


def serve(scope, messages=None, app=None, **options):
    """Let the middleware serve one request; return status, body, and how often it received."""
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
    """Return status and code of a refusal, for which nothing is received."""
    status, answer, _ = serve(scope, messages, **options)
    return status, answer["__type"]


def test_a_body_in_pieces():
    """What a server leaves out of a message is what ASGI says it is by default."""
    scope = scope_of("/q", signed("GET", "/q", (), b"body", at=AT))
    status, answer, received = serve(scope, request(b"b", b"", b"ody"))
    assert (status, answer["body"], received) == (200, "body", 4)


def test_after_the_body():
    """The application is told what the server says next."""
    last = []

    async def app(scope, receive, send):  # noqa: ARG001
        last.extend([await receive(), await receive()])
        assert scope["sigv4"].access_key_id == "AKIDEXAMPLE"

    serve(scope_of(), [*request(), {"type": "http.disconnect"}], app)
    assert [message["type"] for message in last] == ["http.request", "http.disconnect"]


def test_a_client_that_leaves():
    """In the middle of its body it gets no answer, and the application nothing."""
    messages = [*request(b"bo")[:1], {"type": "http.disconnect"}]
    assert serve(scope_of(), messages) == (None, None, 2)


@pytest.mark.parametrize(
    "target", ["/", "/a/", "/.well-known/a.b", "/a:b,(c)@d!", "/%C3%BC%20%2F-", "/~a_"]
)
def test_paths_that_are_their_own_normal_form(target):
    """They are taken as clients send them."""
    assert serve(scope_of(target))[0] == 200


@pytest.mark.parametrize(
    "target", ["/..", "/a/..", "/a%2f", "/%C3%bc", "/a/%2E", "/a%2F%2Fb", "//", "/%7E"]
)
def test_paths_that_are_not(target):
    """Each is refused, though it is signed."""
    assert refusal(scope_of(target)) == (400, "InvalidURI")


def test_paths_of_s3():
    """Its keys may hold anything, and are signed as they are."""
    headers = signed("GET", "/b/a//../c", signer=Signer(SigV4("s3", REGION)), at=AT)
    assert serve(scope_of("/b/a//../c", headers), service="s3")[0] == 200


@pytest.mark.parametrize(
    "query", ["a=1&a=2", "a=1&a=1&b=0", "b=1&a=2", "a", "a=&&b", "a=%2B", "a=%20"]
)
def test_queries_with_one_meaning(query):
    """They are taken, in whatever order their names are."""
    assert serve(scope_of(f"/q?{query}"))[0] == 200


@pytest.mark.parametrize("query", ["a=2&a=1", "a=b&a=B", "%61=2&b&a=1", "a=+", "+"])
def test_queries_with_more_than_one(query):
    """Values whose order is not signed, and blanks that are not, are refused."""
    assert refusal(scope_of(f"/q?{query}")) == (400, "InvalidURI")


PIECES = [*"/?&=+;a1~ ", "..", "%2e", "%2F", "%2B", "%26", "%3D", "//", "/../", "%", "&a=2", "&a=1"]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_accepted_means_what_was_signed(seed):
    """Of a thousand changed targets, each that is let through is read as the signed one is."""
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
                await guarded(scope_of(changed, signed("GET", target, at=AT)), receive, send)
                assert {str(meaning(target))} >= {str(meaning_of(scope)) for scope in seen}
                seen.clear()

    asyncio.run(send_all())


def meaning_of(scope):
    """Return what an application reads in a scope."""
    return meaning(f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}")


def meaning(target):
    """Return the decoded path, and the values of each parameter in their order."""
    path, _, query = target.partition("?")
    return unquote(path), sorted(parse_qs(query, keep_blank_values=True).items())


def test_a_path_that_was_rewritten():
    """The application must not see another path than the one that is signed."""
    assert refusal(scope_of("/q", path="/admin")) == (400, "InvalidURI")
    assert refusal(scope_of("/q", raw_path=b"q", path="q")) == (400, "InvalidURI")
    assert refusal(scope_of("/q", raw_path=b"*", path="*", method="OPTIONS")) == (400, "InvalidURI")
    assert refusal(scope_of("/q", raw_path=b"/%zz", path="/%zz")) == (400, "InvalidRequest")


def test_a_root_path():
    """What a server puts before the path, as uvicorn does, a proxy has taken away: it is signed."""
    scope = scope_of("/api/q", root_path="/api")
    assert serve(scope)[0] == 200


def test_a_server_without_the_raw_path():
    """Nothing can be checked there, and the operator is told so."""
    with pytest.raises(RuntimeError, match="raw_path"):
        serve(scope_of("/q", raw_path=None))


def test_a_scope_that_is_not_known():
    """It is refused as ASGI wants it: by an error."""
    with pytest.raises(RuntimeError, match="'http3'"):
        serve(scope_of(type="http3"))


@pytest.mark.parametrize("length", ["1" + "0" * 5000, 11])
def test_a_length_over_the_cap(length):
    """However long the number is."""
    headers = {**signed(at=AT), "content-length": length}
    assert refusal(scope_of("/q", headers), max_body=10) == (413, "EntityTooLarge")


def test_a_length_that_is_none():
    """What is no number is the server's to refuse; the body is counted."""
    assert serve(scope_of("/q", {**signed(at=AT), "content-length": "x"}), max_body=0)[0] == 200


def test_no_body_is_read_for_a_key_that_is_wrong():
    """An unknown key, another token, a declared hash with a wrong signature: the head tells."""
    known = {"ASIA": Credentials("ASIA", "secret", "to-ken")}
    token = signed(credentials=Credentials("ASIA", "secret", "other"), at=AT)
    declared = signed("GET", "/q", {"x-amz-content-sha256": "0" * 64}, at=AT)
    assert refusal(scope_of(), secrets=known) == (403, "InvalidAccessKeyId")
    assert refusal(scope_of("/q", token), secrets=known) == (403, "InvalidToken")
    assert refusal(scope_of("/x", declared)) == (403, "SignatureDoesNotMatch")
    assert refusal(scope_of(), now=lambda: AT + timedelta(days=1)) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("secrets", [KNOWN, KNOWN.get])
def test_kinds_of_secrets(secrets):
    """A mapping and functions will do, plain and async."""

    async def awaited(access_key_id):
        return KNOWN.get(access_key_id)

    assert serve(scope_of(), secrets=secrets)[0] == 200
    assert serve(scope_of(), secrets=awaited)[0] == 200


def test_a_verifying_key():
    """For SigV4A a server need not have the secret."""
    headers = signed(signer=Signer(SigV4A(SERVICE, "eu-*")), at=AT)
    keys = {KEY.access_key_id: SigV4A.public_key(KEY)}
    assert serve(scope_of("/q", headers), secrets=keys, allow={"sigv4a"})[0] == 200


def test_a_stream_of_chunks():
    """The application checks them, by what the scope says."""
    content = AwsChunked(SIGNER.algorithm, 5)
    headers = {
        **signed(
            "PUT", "/q", {**content.headers, "x-amz-content-sha256": content.payload.hash}, at=AT
        )
    }
    scope, decoded = scope_of("/q", headers, "PUT"), []

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
    """For longer than its signature counts, by what a body may take; a function need not be async."""
    asked = []

    def is_replay(signature, until):
        asked.append((signature, until))
        return len(asked) > 1

    options = {"is_replay": is_replay, "tolerance": 100, "body_timeout": 7}
    assert serve(scope_of(), **options)[0] == 200
    assert refusal(scope_of(), request(), **options) == (403, "RequestReplayed")
    assert asked[0] == asked[1]
    assert (len(asked[0][0]), asked[0][1]) == (64, AT + timedelta(seconds=107))


def signatures_of(*scopes, **options):
    """Return how many signatures some requests have."""
    signatures = set()
    for scope in scopes:
        served = serve(scope, is_replay=lambda signature, _: signatures.add(signature), **options)
        assert served[0] == 200
    return len(signatures)


def test_what_a_replay_is():
    """Neither another spelling of a signature nor of a query makes a new request; another key does."""
    signer = Signer(SigV4A(SERVICE, "*"))
    headers = signed(signer=signer, at=AT)
    start, _, signature = headers["authorization"].rpartition("=")
    r, s = decode_dss_signature(bytes.fromhex(signature))
    twin = {**headers, "authorization": f"{start}={encode_dss_signature(r, ORDER - s).hex()}"}
    both = scope_of("/q", headers), scope_of("/q", twin)
    assert signatures_of(*both, allow=["sigv4a"]) == 1
    for_query = signed("GET", "/q?a=1&b=2", at=AT)
    assert signatures_of(scope_of("/q?a=1&b=2", for_query), scope_of("/q?b=2&a=1", for_query)) == 1
    other = Credentials("OTHER", "secret")
    secrets = {**KNOWN, "OTHER": other}
    assert (
        signatures_of(scope_of(), scope_of("/q", signed(credentials=other, at=AT)), secrets=secrets)
        == 2
    )


def test_headers_that_a_proxy_adds():
    """They may be left unsigned where they are named."""
    headers = {**signed(at=AT), "x-amz-cf-id": "abc"}
    assert refusal(scope_of("/q", headers), request()) == (403, "AccessDenied")
    assert serve(scope_of("/q", headers), unsigned_headers=["X-Amz-Cf-Id"])[0] == 200


def test_the_twin_of_a_signature_is_a_replay():
    """Of a SigV4A signature anybody can make another that is as right; it is remembered as the same."""
    order = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
    signer = Signer(SigV4A(SERVICE, REGION))
    headers = {"host": HOST}
    headers |= signer.sign(SignableRequest("GET", f"https://{HOST}/q", headers), KEY, at=AT).headers
    signature = headers["authorization"].rpartition("=")[2]
    r, s = decode_dss_signature(bytes.fromhex(signature))
    twin = headers["authorization"].replace(signature, encode_dss_signature(r, order - s).hex())
    seen = set()

    def is_replay(signature, _until):
        known = signature in seen
        seen.add(signature)
        return known

    options = {"is_replay": is_replay, "allow": ["sigv4a"]}
    assert serve(scope_of("/q", headers), **options)[0] == 200
    twins = scope_of("/q", {**headers, "authorization": twin})
    assert refusal(twins, request(), **options) == (403, "RequestReplayed")


def test_a_signature_that_ends_while_the_body_arrives():
    """Whoever is slow cannot outlast the memory of signatures."""
    clock = iter([AT, AT, AT + timedelta(seconds=301)])
    assert refusal(scope_of(), request(), now=lambda: next(clock)) == (403, "RequestExpired")


def test_an_answer_is_small():
    """Whatever a client sends, and however much of it is repeated: ASCII, some hundred characters."""
    headers = {**signed(at=AT), **{f"x-amz-{'a' * 60}-{number}": "ü" for number in range(50)}}
    status, answer, _ = serve(scope_of("/q", headers))
    assert (status, answer["__type"]) == (403, "AccessDenied")
    assert len(answer["message"]) <= 300


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
def test_what_it_cannot_be_made_with(fault):
    """The message names the argument."""
    options, error, message = FAULTS[fault]
    with pytest.raises(error, match=message):
        serve(scope_of(), **options)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_limit_in_time(loop):
    """What takes too long is cancelled, what does not returns."""
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
    """Wait, in whatever loop."""
    if loop_is_trio():
        await trio.sleep_forever()
    await asyncio.Event().wait()


def loop_is_trio():
    """Tell whether a task of trio runs."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("loop", LOOPS)
def test_something_alongside(loop):
    """It ends with what it runs beside, and its own end or error is nobody's."""
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
    """The loop is the one whose task runs, not the one that is its host."""

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
