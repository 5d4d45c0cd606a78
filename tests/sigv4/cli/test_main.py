"""Test the command-line tool: its output, its exit codes, and the curl commands that it prints."""

import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from sigv4 import (
    Credentials,
    Payload,
    SignableRequest,
    SignatureError,
    Signer,
    SigV4,
    SigV4A,
    VerifyingKey,
    verify,
)
from sigv4._cli.commands import main
from sigv4._cli.curl import curl
from tests.sigv4.wire_server import WireServer

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DATE = ["--date", "20261122T120000Z"]
KEY = Credentials("AKIDEXAMPLE", "very-secret")
TEMPORARY = Credentials("ASIAEXAMPLE", "very-secret", "to-ken")
URL = "https://bucket.example/a%20b?x=1"
S3 = ["--service", "s3", "--region", "us-east-1", *DATE]


@pytest.fixture(autouse=True)
def environ(monkeypatch):
    """Set the environment variables for an access key; remove those for a token and a region."""
    for name in ("AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY.secret_access_key)
    return monkeypatch


@pytest.fixture
def run(capfdbinary, environ):
    """Return a function that runs the tool and returns its exit code, stdout and stderr."""

    def run(*arguments, stdin=b""):
        environ.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        return code, out.decode("utf-8", "surrogateescape"), err.decode()

    return run


def signed(
    *, method="GET", url=URL, headers=(), payload=Payload.EMPTY, credentials=KEY, algorithm=None
):
    """Return the signature that the command-line tool should compute for a request."""
    signer = Signer(algorithm or SigV4("s3", "us-east-1"))
    return signer.sign(SignableRequest(method, url, headers, payload), credentials, at=AT)


def header_lines(signature):
    """Return the headers of a signature, one per line, as `sign` prints them."""
    return "".join(f"{name}: {value}\n" for name, value in signature.headers.items())


def test_sign(run):
    """`sign` prints the headers to add to the request."""
    assert run("sign", URL, *S3) == (0, header_lines(signed()), "")


def test_sign_with_a_token(run, environ):
    """If AWS_SESSION_TOKEN is set, the printed headers include the session token."""
    environ.setenv("AWS_ACCESS_KEY_ID", TEMPORARY.access_key_id)
    environ.setenv("AWS_SESSION_TOKEN", "to-ken")
    assert run("sign", URL, *S3) == (0, header_lines(signed(credentials=TEMPORARY)), "")


def test_region_of_the_environment(run, environ):
    """Without ``--region``, `sign` uses the region in AWS_DEFAULT_REGION."""
    environ.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert run("sign", URL, "--service", "s3", *DATE) == (0, header_lines(signed()), "")


def test_clock(run):
    """Without ``--date``, the signing time is the current time."""
    before = datetime.now(UTC)
    _, out, _ = run("sign", URL, "--service", "s3", "--region", "us-east-1")
    [date] = re.findall(r"x-amz-date: (.*)", out)
    assert f"{before:%Y%m%dT%H%M%SZ}" <= date <= f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


BODIES = {
    "text": (["--data", "body"], b"", b"body"),
    "bytes": (["--data", "\udcff"], b"", b"\xff"),
    "file": (["--data", "@{file}"], b"", b"file"),
    "stdin": (["--data", "@-"], b"stdin", b"stdin"),
}


@pytest.mark.parametrize(("options", "stdin", "body"), BODIES.values(), ids=BODIES.keys())
def test_body(run, tmp_path, options, stdin, body):
    """With ``--data``, the default method is POST, and the hash of the body is signed."""
    (tmp_path / "file").write_bytes(b"file")
    options = [option.format(file=tmp_path / "file") for option in options]
    expected = header_lines(signed(method="POST", payload=Payload.of(body)))
    assert run("sign", URL, *S3, *options, stdin=stdin) == (0, expected, "")


def test_unsigned_payload(run):
    """With ``--unsigned-payload``, `sign` signs the marker UNSIGNED-PAYLOAD instead of a hash."""
    expected = header_lines(signed(method="PUT", payload=Payload.UNSIGNED))
    assert run("sign", URL, *S3, "-X", "PUT", "--unsigned-payload") == (0, expected, "")


def test_unsigned_payload_elsewhere(run):
    """With ``--unsigned-payload``, x-amz-content-sha256 is printed for other services than S3, too."""
    _, out, _ = run("sign", URL, "--service", "es", "--region", "r", "--unsigned-payload")
    assert "x-amz-content-sha256: UNSIGNED-PAYLOAD\n" in out


def test_headers(run, tmp_path):
    """``--header`` accepts a header, or ``@`` and a file (or ``-``) with one header per line."""
    (tmp_path / "file").write_bytes(b"X-Amz-B: c  d\r\n\r\nX-Amz-C:\xff\n")
    options = ["-H", "X-Amz-A: b", "-H", f"@{tmp_path / 'file'}", "-H", "@-"]
    headers = [("x-amz-a", "b"), ("x-amz-b", "c  d"), (b"x-amz-c", b"\xff"), ("x-amz-d", "e")]
    expected = header_lines(signed(headers=headers))
    assert run("sign", URL, *S3, *options, stdin=b"X-Amz-D: e") == (0, expected, "")


def test_texts(run):
    """With ``--canonical-request`` or ``--string-to-sign``, `sign` prints only that string."""
    signature = signed()
    canonical, to_sign = signature.canonical_request + "\n", signature.string_to_sign + "\n"
    assert run("sign", URL, *S3, "--canonical-request") == (0, canonical, "")
    assert run("sign", URL, *S3, "--string-to-sign") == (0, to_sign, "")


def test_v4a(run):
    """With ``--v4a``, `sign` signs with SigV4A, and ``--region`` is a region set."""
    options = ["--service", "s3", "--region", "us-*", "--v4a", *DATE]
    code, out, _ = run("sign", URL, *options)
    headers = dict(line.split(": ", 1) for line in out.splitlines())
    known: dict[str, VerifyingKey] = {KEY.access_key_id: SigV4A.public_key(KEY)}
    request = SignableRequest("GET", URL, headers)
    verified = verify(request, known, at=AT, service="s3", region="us-west-2")
    assert (code, verified.access_key_id) == (0, KEY.access_key_id)


def test_presign(run):
    """`presign` prints the presigned URL."""
    signer = Signer(SigV4("s3", "us-east-1"))
    expected = signer.presign(SignableRequest("PUT", URL), KEY, at=AT, expires=60)
    assert run("presign", URL, *S3, "-X", "PUT", "--expires", "60") == (0, f"{expected}\n", "")


def test_presign_for_an_hour(run):
    """By default, a presigned URL is valid for an hour."""
    _, out, _ = run("presign", URL, *S3)
    assert "&X-Amz-Expires=3600&" in out


# Test the `verify` command.


def raw(request_line, headers, body=b""):
    """Return the raw bytes of a request."""
    lines = [request_line, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_verify(run):
    """`verify` prints the access key ID, the signing time, the signed headers and the payload hash."""
    sent = signed(method="PUT", payload=Payload.of(b"body")).headers
    data = raw("PUT /a%20b?x=1 HTTP/1.1", {"Host": "bucket.example", **sent}, b"body")
    expected = (
        "access key id: AKIDEXAMPLE\n"
        "signed at: 20261122T120000Z\n"
        "signed headers: host;x-amz-content-sha256;x-amz-date\n"
        f"payload: {Payload.of(b'body').hash}\n"
    )
    assert run("verify", *S3, stdin=data) == (0, expected, "")


def test_verify_presigned(run, tmp_path):
    """`verify` can read a request from a file, and prints when a presigned URL expires."""
    request = SignableRequest("GET", "http://bucket.example/a")
    url = Signer(SigV4("s3", "us-east-1")).presign(request, KEY, at=AT, expires=60)
    target = url.removeprefix("http://bucket.example")
    (tmp_path / "request").write_bytes(raw(f"GET {target} HTTP/1.1", {"Host": "bucket.example"}))
    code, out, _ = run("verify", tmp_path / "request", "--scheme", "http", *S3)
    assert (code, "ends at: 20261122T120100Z\n" in out) == (0, True)


def test_verify_refused(run, environ):
    """If a signature is wrong, `verify` prints the expected canonical request with a masked token."""
    environ.setenv("AWS_ACCESS_KEY_ID", TEMPORARY.access_key_id)
    environ.setenv("AWS_SESSION_TOKEN", "to-ken")
    sent = signed(credentials=TEMPORARY).headers
    data = raw("GET /c HTTP/1.1", {"Host": "bucket.example", **sent})
    code, out, err = run("verify", *S3, stdin=data)
    assert (code, out) == (1, "")
    assert err.startswith("SignatureDoesNotMatch: the signature does not match")
    assert "\nGET\n/c\n\nhost:bucket.example\n" in err
    assert "x-amz-security-token:<6 characters, hidden>" in err
    assert "to-ken" not in err


def test_verify_unsigned(run):
    """For an unsigned request, `verify` prints an error without a canonical request."""
    code, out, err = run("verify", *S3, stdin=b"GET / HTTP/1.1\nHost: h\n\n")
    expected = "MissingAuthenticationToken: the request is not signed\n"
    assert (code, out, err) == (1, "", expected)


# Test the `explain` command.


@pytest.fixture
def folder(tmp_path):
    """A folder with four input files for `explain`.

    They contain AWS's error response, the canonical request and the string to sign that AWS
    computed, and the canonical request that a client signed for another path.
    """
    theirs = signed(url="https://bucket.example/c")
    text = (
        f"The Canonical String for this request should have been\n'{theirs.canonical_request}'\n\n"
        f"The String-to-Sign should have been\n'{theirs.string_to_sign}'\n"
    )
    (tmp_path / "response").write_text(json.dumps({"message": text}))
    (tmp_path / "theirs").write_text(theirs.canonical_request + "\n")
    (tmp_path / "to-sign").write_text(theirs.string_to_sign + "\n")
    (tmp_path / "ours").write_bytes(signed().canonical_request.replace("\n", "\r\n").encode())
    return tmp_path


def test_explain(run, folder):
    """`explain` prints which parts of the canonical requests differ."""
    code, out, err = run("explain", folder / "response", folder / "ours")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == [
        "the canonical requests differ.",
        "  path: we signed '/a%20b', AWS expected '/c' (the path must be sent exactly as it was signed)",
    ]


def test_explain_the_key(run, folder):
    """If AWS computed the same string to sign, `explain` states that both sides signed it."""
    stdin = (folder / "response").read_bytes()
    code, out, _ = run("explain", "-", folder / "theirs", folder / "to-sign", stdin=stdin)
    assert (code, out.startswith("both sides signed the same string")) == (0, True)


def test_explain_nothing(run, folder):
    """For a response without a canonical request, `explain` prints an error and exits with 1."""
    code, out, err = run("explain", "-", folder / "ours", stdin=b"<Error/>")
    assert (code, out) == (1, "")
    assert (
        err
        == "sigv4: the response does not contain the canonical request that the service expected\n"
    )


# Test the ``--curl`` option.


def test_curl_gets_no_secret_in_an_argument(run, environ):
    """The printed command passes the headers and the URL to curl on stdin, not as arguments."""
    environ.setenv("AWS_SESSION_TOKEN", "to-ken")
    _, out, _ = run("sign", URL, *S3, "--curl", "-H", "X-Amz-A:")
    command, *config, end = out.splitlines()
    assert (command, end) == ("curl --config - <<'END'", "END")
    assert config[:4] == [f'url = "{URL}"', "globoff", "path-as-is", 'request = "GET"']
    assert {'header = "x-amz-a;"', 'header = "x-amz-security-token: to-ken"'} <= {*config}


CURL = {
    "GET": (["sign"], b""),
    "HEAD": (["sign", "-X", "HEAD"], b""),
    "text": (["sign", "--data", 'a"b\\c\nd\te', "-H", "X-Amz-A: '$(x)'\"\\"], b'a"b\\c\nd\te'),
    "file": (["sign", "--data", "@{file}", "-X", "PUT", "-H", "Content-Type: a/b"], b"file"),
    "empty header": (["sign", "-H", "X-Amz-A:"], b""),
    "host": (["sign", "-H", "Host: host.example"], b""),
    "unsigned": (["sign", "--data", "body", "--unsigned-payload"], b"body"),
    "presigned": (["presign"], b""),
    "presigned body": (["presign", "-X", "PUT", "--data", "body", "-H", "X-Amz-A: b"], b"body"),
}


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize(("options", "body"), CURL.values(), ids=CURL.keys())
def test_curl(run, tmp_path, options, body):
    """The command that ``--curl`` prints sends the given body with a valid signature."""
    (tmp_path / "file").write_bytes(b"file")

    def respond(request):
        arrived = SignableRequest(
            request.method,
            f"http://{server.address}{request.target}",
            request.headers,
            Payload.of(request.body),
        )
        try:
            verify(arrived, {KEY.access_key_id: KEY}, at=AT, service="s3", region="us-east-1")
        except SignatureError as error:
            return 403, {"x-error": error.code}
        return 200, {}

    with WireServer(respond) as server:
        url = f"http://{server.address}/a%20b/[c]/./d?x=%2A"
        command, *rest = [option.format(file=tmp_path / "file") for option in options]
        _, out, _ = run(command, url, *S3, "--curl", *rest)
        done = subprocess.run(
            ["sh", "-c", f"unset http_proxy; {out}"], capture_output=True, check=False, timeout=30
        )
        [request] = server.requests
    assert (done.returncode, request.body) == (0, body)
    assert respond(request) == (200, {})


def test_curl_of_an_end():
    """A line ``END`` in the body does not end the here-document of the shell command."""
    command = curl("POST", URL, [], "a\nEND\nrm -rf /")
    assert command.splitlines()[-2:] == [r'data-raw = "a\nEND\nrm -rf /"', "END"]


# Test errors and their exit codes.

REFUSED = {
    "bad URL": (["sign", "bucket.example"], "sigv4: url must be an absolute URL"),
    "header without a colon": (
        ["sign", URL, "-H", "A"],
        "sigv4: --header: each header must have the form NAME:VALUE",
    ),
    "stdin twice": (
        ["sign", URL, "-H", "@-", "--data", "@-"],
        "sigv4: only one argument can read stdin (-)",
    ),
    "curl with stdin": (
        ["sign", URL, "--data", "@-", "--curl"],
        "sigv4: --curl cannot be used with --data @-",
    ),
    "no file": (["sign", URL, "--data", "@/no/such/file"], "sigv4: [Errno 2] No such file"),
    "too long": (
        ["presign", URL, "--expires", "604801"],
        "sigv4: --expires must be an integer, from 1 to 604800",
    ),
    "region set": (
        ["sign", URL, "--v4a", "--region", "?"],
        "sigv4: --region must be region names or patterns",
    ),
    "no request": (
        ["verify"],
        "sigv4: the first line of the request must be METHOD TARGET HTTP/1.1",
    ),
}


@pytest.mark.parametrize(("arguments", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(run, arguments, expected):
    """For invalid input, the tool prints an error on one line, and its exit code is 2."""
    command, *rest = arguments
    code, out, err = run(command, *S3, *rest)
    assert (code, out) == (2, "")
    assert err.startswith(expected)
    assert err.count("\n") == 1


STEERING = "é\x9b31m\u202e\u2028"
SAID_OF_KEYS = {
    "a header": f"PUT / HTTP/1.1\r\nX-Amz-Meta-A: {STEERING}",
    "a parameter": "GET /?X-Amz-%0A%1B[31m=1&X-Amz-Date=%0A%1B&X-Amz-Date=1 HTTP/1.1",
    "a name": f"GET / HTTP/1.1\r\nX-{STEERING}: 1",
    "a line": f"GET /{STEERING} HTTP/1.1",
}


@pytest.mark.parametrize("said", SAID_OF_KEYS.values(), ids=SAID_OF_KEYS)
def test_control_characters_in_an_error(run, said):
    """The error for a rejected request contains no unprintable characters from the request."""
    signer = Signer(SigV4("s3", "us-east-1"))
    headers = signer.sign(SignableRequest("GET", "https://h.example/"), KEY, at=AT).headers
    names = headers["authorization"].replace("x-amz-date,", "x-amz-date;x-amz-meta-a,")
    lines = [said, "Host: h.example", *(f"{k}: {v}" for k, v in headers.items())]
    lines[-1] = f"authorization: {names}" if "Meta" in said else lines[-1]
    raw = "\r\n".join([*lines, "", ""]).encode()
    code, out, err = run("verify", *S3, stdin=raw)
    assert (code in {1, 2}, out) == (True, "")
    assert all(line.isprintable() for line in err.split("\n"))
    if "Meta" in said:
        assert r"x-amz-meta-a:é\x9b31m\u202e\u2028" in err


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AWS_ACCESS_KEY_ID", "no credentials: set AWS_ACCESS_KEY_ID"),
        ("AWS_SECRET_ACCESS_KEY", "no credentials: set AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_no_credentials(run, environ, name, expected):
    """The error for missing credentials states which environment variable to set."""
    environ.delenv(name)
    assert run("sign", URL, *S3) == (2, "", f"sigv4: {expected}, or use --profile\n")


def test_invalid_secret(run, environ):
    """The error for an invalid secret does not contain the secret."""
    environ.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    code, _, err = run("sign", URL, *S3)
    assert (code, "very" in err) == (2, False)


def test_no_region(run):
    """If no region is set, `sign` prints an error, because there is no default region."""
    expected = "sigv4: no region: use --region, or set AWS_REGION\n"
    assert run("sign", URL, "--service", "s3") == (2, "", expected)


def test_long_input(run):
    """If stdin is longer than 64 MiB, it is rejected."""
    code, _, err = run("verify", *S3, stdin=bytes(64 * 1024 * 1024 + 1))
    assert (code, err) == (2, "sigv4: stdin is longer than 67108864 bytes\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["sign"], ["sign", URL], ["sign", URL, *S3, "--date", "noon"]],
    ids=["no command", "no URL", "no service", "no date"],
)
def test_usage(run, arguments):
    """If argparse rejects the arguments, the exit code is 2, as for all invalid input."""
    with pytest.raises(SystemExit) as exit_:
        run(*arguments)
    assert exit_.value.code == 2


def test_usage_of_a_date(run, capfdbinary):
    """The error for an invalid ``--date`` shows the required form."""
    with pytest.raises(SystemExit):
        run("sign", URL, *S3, "--date", "noon")
    assert b"argument --date: must have the form 20150830T123600Z" in capfdbinary.readouterr().err


def test_closed_stdout(environ):
    """If the reader has closed the pipe to stdout, the exit code is 141, and nothing is raised."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        environ.setattr(sys, "stdout", stdout)
        assert main(["presign", URL, *S3, "--expires", "60"]) == 141


def test_as_a_program(environ):
    """The command-line tool can be run as `python -m sigv4`."""
    environ.setattr(sys, "argv", ["sigv4", "sign", "bucket.example", *S3])
    environ.delitem(sys.modules, "sigv4.__main__", raising=False)
    with pytest.raises(SystemExit) as exit_:
        runpy.run_module("sigv4", run_name="__main__")
    assert exit_.value.code == 2
