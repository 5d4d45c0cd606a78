"""Test paths for S3, which decodes and encodes a path before it verifies a signature."""

from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

import httpx
import httpx2
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from sigv4 import Credentials, Signer, SigV4, SigV4A
from sigv4._cli.commands import main
from sigv4._encoding import reencode_s3_path
from sigv4.httpx_auth import SigV4Auth

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "very-secret")
HOST = "https://bucket.s3.us-east-1.amazonaws.com"


def as_s3_signs(path):
    """Return botocore's signature for the path in the encoding that S3 verifies."""
    url = HOST + quote(unquote_to_bytes(path), safe="/~")
    request = AWSRequest("GET", url, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    request.context["timestamp"] = f"{AT:%Y%m%dT%H%M%SZ}"
    auth = S3SigV4Auth(BotocoreCredentials("AKIDEXAMPLE", "very-secret"), "s3", "us-east-1")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    request.context["payload_signing_enabled"] = False
    text = auth.canonical_request(request)
    return auth.signature(auth.string_to_sign(request, text), request)


SPELLINGS = {
    "unreserved, encoded": ("/%7Euser%2D%2e%5Ftxt", "/~user-._txt"),
    "lower case": ("/%c3%bc", "/%C3%BC"),
    "bare": ("/a=b@c:d,e+f", "/a%3Db%40c%3Ad%2Ce%2Bf"),
    "slash": ("/a%2Fb%2f%2Fc", "/a/b//c"),
    "not UTF-8": ("/%ff%FE", "/%FF%FE"),
    "percent": ("/%25%32%35", "/%2525"),
    "dots": ("/.../..a/.hidden", "/.../..a/.hidden"),
    "encoded dots": ("/%2e%2E%2e/%2ehidden", "/.../.hidden"),
    "canonical": ("/a%20b/c~d", "/a%20b/c~d"),
    "nothing": ("/", "/"),
}
spelled = pytest.mark.parametrize(("path", "anew"), SPELLINGS.values(), ids=SPELLINGS)
libraries = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda it: it.__name__)


def sent(library, path, signer=None):
    """Send a request with `SigV4Auth`, and return it as the transport receives it."""
    signer = signer or Signer(SigV4("s3", "us-east-1"))
    auth = SigV4Auth(signer, KEY, now=lambda: AT, unsigned_payload=True)
    requests = []

    def respond(request):
        requests.append(request)
        return library.Response(200)

    with library.Client(transport=library.MockTransport(respond), auth=auth) as client:
        client.get(HOST + path, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    return requests[0]


@libraries
@spelled
def test_auth(library, path, anew):
    """`SigV4Auth` sends and signs a path as S3 encodes it."""
    request = sent(library, path)
    assert request.url.raw_path.decode() == anew
    assert request.headers["authorization"].rpartition("=")[2] == as_s3_signs(path)


DOTS = {
    "/a/%2E%2E/b": "/a/%2E%2E/b",
    "/a/%2e%2e/b": "/a/%2E%2E/b",
    "/a/.%2e/%2e/b": "/a/%2E%2E/%2E/b",
    "/a%2F..%2Fb": "/a/%2E%2E/b",
}


@libraries
@pytest.mark.parametrize(("path", "anew"), DOTS.items())
def test_dot_segments_stay(library, path, anew):
    """`SigV4Auth` sends an escaped dot segment encoded, because a client would remove a bare one."""
    assert sent(library, path).url.raw_path.decode() == anew


def test_bare_dot_segments_stay():
    """`reencode_s3_path` does not change unencoded dot segments, which curl can send."""
    assert reencode_s3_path("/a/./../b=") == "/a/./../b%3D"


@libraries
def test_other_services(library):
    """For other services, `SigV4Auth` does not decode the escapes in a path."""
    signer = Signer(SigV4("execute-api", "us-east-1"))
    assert sent(library, "/%7Euser%2f=", signer).url.raw_path == b"/%7Euser%2F%3D"


@libraries
def test_sigv4a(library):
    """With SigV4A, `SigV4Auth` encodes a path for S3 in the same way as with SigV4."""
    assert sent(library, "/%7Ea=", Signer(SigV4A("s3", "*"))).url.raw_path == b"/~a%3D"


@pytest.fixture
def run(capfdbinary, monkeypatch):
    """Return a function that runs the command-line tool and returns its output."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY.secret_access_key)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)

    def run(*arguments):
        scope = ["--service", "s3", "--region", "us-east-1", "--date", "20261122T120000Z"]
        assert main([*arguments, *scope]) == 0
        return capfdbinary.readouterr().out.decode()

    return run


@spelled
def test_curl(run, path, anew):
    """The curl command contains the path as signed, and the query unchanged."""
    out = run("sign", f"{HOST}{path}?a=%2a*", "--unsigned-payload", "--curl")
    assert f'url = "{HOST}{anew}?a=%2a*"\n' in out
    out = run("sign", HOST + path, "--unsigned-payload", "--curl")
    assert as_s3_signs(path) in out


@spelled
def test_presign(run, path, anew):
    """A presigned URL contains the path as S3 encodes it, and has the signature of that path."""
    url = run("presign", HOST + path, "--expires", "60").strip()
    assert url.startswith(f"{HOST}{anew}?X-Amz-Algorithm")
    request = AWSRequest("GET", HOST + quote(unquote_to_bytes(path), safe="/~"))
    request.context["timestamp"] = f"{AT:%Y%m%dT%H%M%SZ}"
    credentials = BotocoreCredentials("AKIDEXAMPLE", "very-secret")
    auth = S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=60)
    auth._modify_request_before_signing(request)
    text = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, text), request)
    assert url.endswith(f"&X-Amz-Signature={signature}")
