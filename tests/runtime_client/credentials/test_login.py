"""The keys of ``aws login``."""

import json
import logging
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.runtime_client.credentials.conftest import pem
from tests.runtime_client.credentials.fakes import ACCOUNT, SignIn, as_json, iso, soon
from tests.runtime_client.credentials.world import caught_error
from tests.runtime_client.loopback import Loopback, response

SESSION = "arn:aws:iam::123456789012:user/me"
CONFIG = f"[default]\nlogin_session = {SESSION}\n"
AGAIN = "run `aws login` again"


@pytest.fixture(scope="module")
def key():
    """The key of the login."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def signin(key):
    """The service, which knows the key of the login."""
    return SignIn(key.public_key())


def sec1(key):
    """Return a key as the AWS CLI writes it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def token(key, seconds=60, **changes):
    """Return what ``aws login`` writes; None leaves a field out."""
    document = {
        "accessToken": {
            "accessKeyId": "ASIALOGIN",
            "secretAccessKey": "canary-login-secret",
            "sessionToken": "canary-login-token",
            "accountId": ACCOUNT,
            "expiresAt": iso(soon(seconds)),
        },
        "tokenType": "aws_sigv4",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "refreshToken": "canary-login-refresh",
        "idToken": "canary-id",
        "dpopKey": sec1(key),
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def cache(world, folder=".aws/login/cache"):
    """Return the path of the login's file."""
    return world.home / folder / f"{sha256(SESSION.encode()).hexdigest()}.json"


def log_in(world, document, folder=".aws/login/cache"):
    """Write a login where the AWS CLI does."""
    world.write(cache(world, folder), document)


def load(world, signin, config=CONFIG, **options):
    """Load with *signin* as the service; return the credentials and the requests."""
    return world.load_from(signin, "login", config, **options)


def error(world, signin, **options):
    """Return the error of loading."""
    return caught_error("login", load, world, signin, **options)


def test_fresh(world, signin, key):
    """Keys with more than 5 minutes left are used as they are; nothing is sent."""
    log_in(world, token(key, 320))
    credentials, requests = load(world, signin)
    assert [] == requests
    assert "canary-login-secret" == credentials.secret_access_key
    assert "canary-login-token" == credentials.session_token
    assert ACCOUNT == credentials.account_id


@pytest.mark.parametrize("seconds", [299, -3600], ids=["late", "too late"])
def test_refresh(world, signin, key, seconds):
    """Keys with 5 minutes left or less are refreshed, with a proof; the file is rewritten."""
    log_in(world, token(key, seconds))
    credentials, _ = load(world, signin)
    assert "canary-secret-LOGIN-1" == credentials.secret_access_key
    assert ACCOUNT == credentials.account_id
    assert timedelta(890 / 86400) < credentials.expiration - datetime.now(UTC) < timedelta(0.0105)
    path = cache(world)
    assert 0o600 == path.stat().st_mode & 0o777
    document = json.loads(path.read_text())
    assert set(token(key)) == set(document)
    assert "canary-login-refresh-2" == document["refreshToken"]
    assert "canary-id" == document["idToken"]
    assert set(token(key)["accessToken"]) == set(document["accessToken"])
    assert "canary-secret-LOGIN-1" == document["accessToken"]["secretAccessKey"]
    assert iso(credentials.expiration) == document["accessToken"]["expiresAt"]


def test_refresh_token_rotates(blocking, signin, key):
    """The next refresh sends the refresh token of the last one, with a proof of its own."""
    log_in(blocking, token(key))
    load(blocking, signin)
    blocking.ahead = timedelta(seconds=20)
    refreshed = json.loads(cache(blocking).read_text())
    refreshed["accessToken"]["expiresAt"] = iso(soon(10))
    log_in(blocking, refreshed)
    assert "ASIALOGIN2" == load(blocking, signin)[0].access_key_id
    assert 2 == len(signin.proofs)


def test_each_attempt_has_its_own_proof(world, signin, key):
    """A retry is proved anew: a proof counts once."""
    log_in(world, token(key))
    signin.faults += [response(status=500)] * 2
    _, requests = load(world, signin)
    assert 3 == len({request.header("dpop") for request in requests})


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        pytest.param({}, "https://eu-west-1.signin.aws.amazon.com", id="client's"),
        pytest.param(
            {"signInRegion": "us-east-2"}, "https://us-east-2.signin.aws.amazon.com", id="login's"
        ),
    ],
)
def test_region(blocking, signin, key, changes, origin):
    """The region of the login is asked, else the client's."""
    log_in(blocking, token(key, **changes))
    with Loopback(signin) as server:
        signin.url = origin
        blocking.elsewhere[origin] = server.url
        assert "ASIALOGIN1" == blocking.load("login", CONFIG).access_key_id


@pytest.mark.parametrize("folder", ["{home}/elsewhere", "~/elsewhere/"], ids=["path", "home"])
def test_folder(blocking, signin, key, folder):
    """A variable puts the cache elsewhere."""
    blocking.environ["AWS_LOGIN_CACHE_DIRECTORY"] = folder.format(home=blocking.home)
    log_in(blocking, token(key, 3600), "elsewhere")
    assert "ASIALOGIN" == load(blocking, signin)[0].access_key_id


def test_not_configured(world, signin):
    """A profile without a login session has no keys of one."""
    assert load(world, signin, "[default]\nregion = x\n") == (None, [])


def curve(name):
    """Return another kind of key, as PEM."""
    return pem(ec.generate_private_key(name())).decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"dpopKey": None}, "has no dpopKey: run `aws login` again", id="no key"),
        pytest.param(
            {"accessToken": "x", "clientId": None},
            "has no clientId, accessToken: run `aws login` again",
            id="no access token",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}},
            "has no secretAccessKey, sessionToken, expiresAt",
            id="part of one",
        ),
    ],
)
def test_login_that_is_incomplete(blocking, signin, key, changes, message):
    """The error names what is missing in which file."""
    log_in(blocking, token(key, **changes))
    assert f"the login {cache(blocking)} {message}" == error(blocking, signin).message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(None, "does not exist: run `aws login --profile default`", id="none"),
        pytest.param("{", "is malformed: run `aws login --profile default`", id="rubbish"),
        pytest.param(
            "{}", "has no clientId, refreshToken, dpopKey, accessToken: " + AGAIN, id="nothing"
        ),
    ],
)
def test_no_login(world, signin, document, message):
    """Without a login the error says to log in."""
    if document is not None:
        log_in(world, document)
    assert f"the login {cache(world)} {message}" == error(world, signin).message


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: "rubbish", id="rubbish"),
        pytest.param(lambda: curve(ec.SECP384R1), id="P-384"),
    ],
)
def test_key_that_is_none(blocking, signin, key, make):
    """A key of another kind is refused."""
    log_in(blocking, token(key, -60, dpopKey=make()))
    message = f"the dpopKey in {cache(blocking)} is no P-256 key: {AGAIN}"
    assert message == error(blocking, signin).message


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        pytest.param("TOKEN_EXPIRED", AGAIN, id="expired"),
        pytest.param("USER_CREDENTIALS_CHANGED", AGAIN, id="changed"),
        pytest.param(
            "INSUFFICIENT_PERMISSIONS",
            "ask for the permission signin:CreateOAuth2Token",
            id="not permitted",
        ),
    ],
)
def test_refusal(world, signin, key, code, remedy):
    """What the service refuses is told, with what to do about it."""
    log_in(world, token(key, -1))
    signin.faults.append(as_json({"error": code, "message": "canary-login-refresh no"}, 403))
    caught = error(world, signin)
    assert f"the refresh of the login failed: {remedy} (... no)" == caught.message
    assert (code, 403) == (caught.code, caught.status_code)
    assert not caught.retryable


@pytest.mark.parametrize(
    "body",
    [{"error": "INVALID_REQUEST", "message": "m"}, {"message": "m"}, {"error": 7, "message": "m"}],
)
def test_other_refusal(blocking, signin, key, body):
    """A refusal without a known remedy is told as it is."""
    log_in(blocking, token(key, -1))
    signin.faults.append(as_json(body, 400))
    caught = error(blocking, signin)
    assert "the refresh of the login failed: m" == caught.message
    assert (body["error"] if isinstance(body.get("error"), str) else "400") == caught.code


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param([], "the answer to the refresh of the login lacks something", id="list"),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "refreshToken": "canary"},
            "the answer to the refresh of the login lacks something",
            id="no lifetime",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "expiresIn": 900},
            "the answer to the refresh of the login lacks something",
            id="no refresh token",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "expiresIn": 900, "refreshToken": 7},
            "the answer to the refresh of the login lacks something",
            id="refresh token is no text",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "expiresIn": 900, "refreshToken": "canary"},
            "has no secretAccessKey, sessionToken",
            id="part of one",
        ),
    ],
)
def test_answer_that_is_none(blocking, signin, key, answer, message):
    """An answer without credentials leaves the file alone."""
    log_in(blocking, token(key, -1))
    before = cache(blocking).read_text()
    signin.faults.append(as_json(answer))
    caught = error(blocking, signin)
    assert message in caught.message
    assert caught.retryable
    assert before == cache(blocking).read_text()


def test_refresh_that_fails(world, signin, key, caplog):
    """While a refresh fails, the keys serve until they expire."""
    log_in(world, token(key, 60))
    signin.faults += [response(status=503)] * 3
    with caplog.at_level(logging.DEBUG):
        credentials, _ = load(world, signin)
    assert "ASIALOGIN" == credentials.access_key_id
    assert "was not refreshed" in caplog.text
    assert "canary" not in caplog.text
    world.ahead = timedelta(seconds=61)
    signin.faults += [response(status=503)] * 3
    assert error(world, signin).retryable


def test_another_process_was_quicker(world, signin, key):
    """Where another process has used up the refresh token, what it wrote serves."""
    log_in(world, token(key, -1))

    def refuse(_request):
        log_in(world, token(key, 900))
        return as_json({"error": "TOKEN_EXPIRED", "message": "used up"}, 401)

    signin.faults.append(refuse)
    credentials, _ = load(world, signin)
    assert not credentials.expired(datetime.now(UTC))


def test_file_that_cannot_be_written(world, signin, key, caplog):
    """New keys serve even where they cannot be kept."""
    log_in(world, token(key))
    world.unwritable = True
    assert "ASIALOGIN1" == load(world, signin)[0].access_key_id
    assert "cannot be written: Permission denied" in caplog.text


def test_without_cryptography(blocking, signin, key, monkeypatch):
    """Without the package, a refresh says what is missing; fresh keys do not need it."""
    log_in(blocking, token(key, -1))
    for name in list(sys.modules):
        if name.startswith("cryptography"):
            monkeypatch.setitem(sys.modules, name, None)
    assert "needs the package cryptography" in error(blocking, signin).message
    log_in(blocking, token(key, 3600, dpopKey="unread"))
    assert "ASIALOGIN" == load(blocking, signin)[0].access_key_id
