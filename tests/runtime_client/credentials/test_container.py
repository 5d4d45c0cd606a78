"""Tests of credentials from the ECS and EKS agents."""

import logging

import pytest

from tests.runtime_client.credentials.fakes import ACCOUNT, Container, as_json
from tests.runtime_client.credentials.harness import caught_error
from tests.runtime_client.loopback import Loopback, certify, response

FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"


@pytest.fixture
def agent():
    """A fake agent that requires no token."""
    return Container()


def load(harness, agent, path="/v1/credentials?x=%20"):
    """Load credentials from *agent*, and return them with the received requests."""
    return harness.load_from(agent, "container", path=path)


def error(harness, agent=None):
    """Return the error that loading raises."""
    if agent is None:
        return caught_error("container", harness.load, "container")
    return caught_error("container", load, harness, agent)


def test_full_uri(harness, agent):
    """The full URI is requested with its path and query unchanged."""
    credentials, (request,) = load(harness, agent)
    assert request.line == "GET /v1/credentials?x=%20 HTTP/1.1"
    assert request.header("accept") == "application/json"
    assert request.header("user-agent").startswith("sagemaker-runtime-client/")
    assert request.header("authorization") is None
    assert credentials.secret_access_key == "canary-secret-ECS-1"
    assert credentials.session_token == "canary-token-ECS-1"
    assert (credentials.expiration, credentials.account_id) == (agent.ends, ACCOUNT)


def test_relative_uri(harness, agent):
    """A relative URI is requested from the ECS agent, and takes precedence over a full URI."""
    harness.environ |= {RELATIVE: "/v2/credentials/1", FULL: "http://evil.example/"}
    with Loopback(agent) as server:
        harness.redirected["http://169.254.170.2"] = server.url
        assert harness.load("container").access_key_id == "ASIAECS1"
    assert server.requests[0].target == "/v2/credentials/1"


def test_token(harness, agent):
    """The token in the environment variable is sent unchanged in the Authorization header."""
    agent.token = harness.environ[TOKEN] = "Basic canary-abc=="
    assert load(harness, agent)[0].access_key_id == "ASIAECS1"


def test_token_file(harness, agent, tmp_path):
    """The token file takes precedence over the variable, and is read at each load."""
    path = tmp_path / "token"
    harness.environ |= {TOKEN: "canary-other", TOKEN_FILE: str(path)}
    for token in ("canary-first", "canary-second"):
        path.write_text(token)
        agent.token = token
        assert load(harness, agent)[0] is not None


def test_https(blocking, agent, tmp_path, monkeypatch):
    """A full URI with https may specify any host."""
    bundle, tls = certify(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    with Loopback(agent, tls) as server:
        blocking.redirected["https://agent.example:8443"] = server.url
        blocking.environ[FULL] = "https://agent.example:8443/x"
        assert blocking.load("container").access_key_id == "ASIAECS1"


@pytest.mark.parametrize("values", [{}, {RELATIVE: "", FULL: ""}], ids=["unset", "empty"])
def test_not_configured(harness, values):
    """If neither the full nor the relative URI is set, the provider returns None."""
    harness.environ |= values
    assert harness.load("container") is None


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:80",
        "LOCALHOST",
        "127.0.0.1",
        "127.255.0.9:8080",
        "[::1]",
        "[::1]:81",
        "169.254.170.2",
        "169.254.170.23",
        "[fd00:ec2::23]",
        "[FD00:EC2::23]:80",
    ],
)
def test_allowed_hosts(blocking, agent, host):
    """With plain http, the full URI may specify a loopback address or an AWS agent's host, on any
    port.
    """
    with Loopback(agent) as server:
        blocking.redirected[f"http://{host}"] = server.url
        blocking.environ[FULL] = f"http://{host}/x"
        assert blocking.load("container").access_key_id == "ASIAECS1"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.nip.io",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0.0.0.0",
        "169.254.170.3",
        "169.254.169.254",
        "10.0.0.1",
        "evil.example",
        "localhost.evil.example",
        "[::2]",
        "[fe80::1]",
    ],
)
def test_rejected_hosts(blocking, host):
    """With plain http, a host that is neither a loopback address nor an AWS agent's is rejected
    before anything is sent.
    """
    blocking.environ |= {FULL: f"http://{host}/x", TOKEN: "canary"}
    message = error(blocking).message
    assert message.startswith(f"{FULL} must use https for the host {host.strip('[]')}: plain http")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1/x",
        "ftp://127.0.0.1/x",
        "HTTP://127.0.0.1/x",
        "http://user@127.0.0.1/x",
        "http://127.0.0.1@evil.example/x",
        "http://127.0.0.1\\@evil.example/x",
        "http://127.0.0.1?x",
        "http://127.0.0.1#@evil.example/",
        "http://127.0.0.1:/x",
        "http://127.0.0.1:80:80/x",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/é",
        "http://127.0.0.1/x\r\ny: z",
        "http://127.0.0.1/x\n",
        "http:///x",
        "http://[::1/x",
        "https://user:canary@agent.example/x",
    ],
)
def test_invalid_urls(blocking, url):
    """A full URI is rejected unless it consists of http(s)://, a host, an optional port and a path."""
    blocking.environ[FULL] = url
    assert error(blocking).message == f"{FULL} must be a URL such as http://host:port/path"


@pytest.mark.parametrize("path", ["x", "@evil.example/x", ".evil.example", "/a b", "/a\r\nb"])
def test_invalid_paths(blocking, path):
    """A relative URI that is not a path is rejected, because it could specify another host."""
    blocking.environ[RELATIVE] = path
    assert error(blocking).message == f"{RELATIVE} must be a URL path that starts with /"


@pytest.mark.parametrize("end", [" ", "\t", "\n", " \r\n", "\u00a0", "\u2028"])
@pytest.mark.parametrize("kind", ["file", "variable"])
def test_whitespace_around_a_token(blocking, agent, tmp_path, kind, end):
    """Whitespace around a token is removed, because a header value cannot begin or end with it."""
    agent.token = "canary"
    path = tmp_path / "token"
    path.write_bytes(f"{end}canary{end}".encode())
    blocking.environ |= {TOKEN_FILE: str(path)} if kind == "file" else {TOKEN: f"{end}canary{end}"}
    assert load(blocking, agent)[0].access_key_id == "ASIAECS1"


def test_blank_token(blocking, agent):
    """A token that contains only whitespace counts as no token."""
    blocking.environ[TOKEN] = " "
    assert load(blocking, agent)[1][0].header("authorization") is None


@pytest.mark.parametrize("end", ["\nx", "\r\nx: y", "\rx", "\0", "\u00e9", "\x7f", "\x1b"])
@pytest.mark.parametrize("kind", ["file", "variable"])
def test_invalid_token(blocking, agent, tmp_path, kind, end):
    """A token that is not a single line of printable ASCII causes an error that does not show the
    token.
    """
    path = tmp_path / "token"
    path.write_bytes(f"canary{end}".encode())
    blocking.environ[TOKEN] = f"canary{end}"
    if kind == "file":
        blocking.environ[TOKEN_FILE] = str(path)
    name = TOKEN if kind == "variable" else f"the token in {path}"
    caught = error(blocking, agent)
    assert caught.message == f"{name} must be a single line of printable ASCII"
    assert (caught.retryable, blocking.slept) == (False, [])


def test_token_file_that_is_missing(harness, agent, tmp_path):
    """If the token file is missing, the error mentions the file and the variable that sets it."""
    harness.environ |= {TOKEN: "canary", TOKEN_FILE: str(tmp_path / "token")}
    message = f"{TOKEN_FILE}: the file {tmp_path / 'token'} does not exist"
    assert error(harness, agent).message == message


def test_temporary_failure(harness, agent):
    """A failed attempt is repeated after one second; each attempt may take two seconds."""
    agent.faults += [response(status=500), b""]
    assert load(harness, agent)[0].access_key_id == "ASIAECS1"
    assert harness.slept == [1.0, 1.0]
    assert harness.timeouts == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        pytest.param(response(b"busy", 500), "request to {} was rejected", id="500"),
        pytest.param(
            as_json({"code": "AccessDenied", "message": "canary"}, 403),
            "request to {} was rejected",
            id="403",
        ),
        pytest.param(b"", "request to {} failed: RemoteProtocolError from", id="no response"),
        pytest.param(response(b"rubbish"), "response from {} is not a JSON object", id="rubbish"),
        pytest.param(response(b"[]"), "response from {} is not a JSON object", id="list"),
        pytest.param(
            as_json({"SecretAccessKey": "canary"}),
            "response from {} is missing AccessKeyId",
            id="part of the credentials",
        ),
        pytest.param(
            as_json({"AccessKeyId": "A", "SecretAccessKey": "canary", "Expiration": "soon"}),
            "response from {} has an invalid Expiration",
            id="malformed end",
        ),
    ],
)
def test_permanent_failure(harness, agent, fault, message, caplog):
    """After three failed attempts, the error mentions the agent and the failure, and is retryable."""
    agent.faults += [fault] * 3
    with caplog.at_level(logging.DEBUG):
        caught = error(harness, agent)
    origin = harness.environ[FULL].removesuffix("/v1/credentials?x=%20")
    assert caught.message.startswith(f"the container credentials {message.format(origin)}")
    assert (caught.attempts, caught.retryable) == (3, True)
    assert harness.slept == [1.0, 1.0]
    assert "canary" not in caplog.text


@pytest.mark.parametrize("text", ["canary\r\nx: y", "canary one", "canary\u00e9", "canary\0"])
@pytest.mark.parametrize("name", ["AccessKeyId", "SecretAccessKey", "Token"])
def test_malformed_credentials(blocking, agent, name, text):
    """The error mentions a malformed field but not its value, and no further attempt is made."""
    keys = {"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t", name: text}
    agent.faults.append(as_json(keys))
    caught = error(blocking, agent)
    assert "is malformed: " in caught.message
    assert "must be printable ASCII without spaces" in caught.message
    assert (caught.attempts, caught.retryable) == (1, False)


def test_whitespace_around_a_session_token(blocking, agent):
    """Whitespace around a session token is removed, because the token becomes a header value."""
    keys = {"AccessKeyId": "A", "SecretAccessKey": "s", "Token": " canary\r\n"}
    agent.faults.append(as_json(keys))
    assert load(blocking, agent)[0].session_token == "canary"


def test_refusal_has_its_code(blocking, agent):
    """If the agent rejects the request, the error has the code and the status of the response."""
    agent.faults += [as_json({"code": "AccessDenied", "message": "canary"}, 403)] * 3
    caught = error(blocking, agent)
    assert (caught.code, caught.status_code) == ("AccessDenied", 403)


@pytest.mark.parametrize("scheme", ["http", "all"])
def test_proxies_are_not_for_agents(harness, agent, monkeypatch, scheme):
    """Requests to an agent do not use the proxy in the environment."""
    agent.token = harness.environ[TOKEN] = "canary"
    with Loopback(lambda *_: response(status=502)) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url)
        assert load(harness, agent)[0].access_key_id == "ASIAECS1"
    assert proxy.requests == []


def test_invalid_proxy(harness, agent, monkeypatch):
    """A malformed proxy in the environment does not affect requests to an agent."""
    monkeypatch.setenv("HTTP_PROXY", "socks5://host:1")
    assert load(harness, agent)[0].access_key_id == "ASIAECS1"


def test_keys_without_expiration(blocking, agent):
    """An agent may return credentials without a token or an expiration."""
    agent.faults.append(as_json({"AccessKeyId": "A", "SecretAccessKey": "s", "Token": ""}))
    credentials, _ = load(blocking, agent)
    assert (credentials.session_token, credentials.expiration) == (None, None)
