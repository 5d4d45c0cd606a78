"""Tests of the credentials that ``aws login`` caches."""

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
from tests.runtime_client.credentials.harness import caught_error
from tests.runtime_client.loopback import Loopback, response

SESSION = "arn:aws:iam::123456789012:user/me"
CONFIG = f"[default]\nlogin_session = {SESSION}\n"
INCOMPLETE = "response to CreateOAuth2Token must contain accessToken, expiresIn and refreshToken"
HINT = "run `aws login --profile default`"
AGAIN = "run `aws login` again"


@pytest.fixture(scope="module")
def key():
    """The private key of the login."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def signin(key):
    """A fake sign-in service that has the login's public key."""
    return SignIn(key.public_key())


def sec1(key):
    """Return a private key in the format in which the AWS CLI caches it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def token(key, seconds=60, **changes):
    """Return the content that ``aws login`` writes to its cache file; None as a value omits the
    field.
    """
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


def cache(harness, folder=".aws/login/cache"):
    """Return the path of the login's cache file."""
    return harness.home / folder / f"{sha256(SESSION.encode()).hexdigest()}.json"


def log_in(harness, document, folder=".aws/login/cache"):
    """Write a login to the cache, as the AWS CLI does."""
    harness.write(cache(harness, folder), document)


def load(harness, signin, config=CONFIG, **options):
    """Load credentials with *signin* as the service, and return them with the received requests."""
    return harness.load_from(signin, "login", config, **options)


def error(harness, signin, **options):
    """Return the error that loading raises."""
    return caught_error("login", load, harness, signin, **options)


def test_fresh(harness, signin, key):
    """Credentials with more than 5 minutes left are used without a request."""
    log_in(harness, token(key, 320))
    credentials, requests = load(harness, signin)
    assert requests == []
    assert credentials.secret_access_key == "canary-login-secret"
    assert credentials.session_token == "canary-login-token"
    assert credentials.account_id == ACCOUNT


@pytest.mark.parametrize("seconds", [299, -3600], ids=["late", "too late"])
def test_refresh(harness, signin, key, seconds):
    """Credentials with 5 minutes or less left are refreshed, and the cache file is rewritten."""
    log_in(harness, token(key, seconds))
    credentials, _ = load(harness, signin)
    assert credentials.secret_access_key == "canary-secret-LOGIN-1"
    assert credentials.account_id == ACCOUNT
    assert timedelta(890 / 86400) < credentials.expiration - datetime.now(UTC) < timedelta(0.0105)
    path = cache(harness)
    assert path.stat().st_mode & 0o777 == 0o600
    document = json.loads(path.read_text())
    assert set(document) == set(token(key))
    assert document["refreshToken"] == "canary-login-refresh-2"
    assert document["idToken"] == "canary-id"
    assert set(document["accessToken"]) == set(token(key)["accessToken"])
    assert document["accessToken"]["secretAccessKey"] == "canary-secret-LOGIN-1"
    assert document["accessToken"]["expiresAt"] == iso(credentials.expiration)


def test_refresh_token_rotates(blocking, signin, key):
    """After a refresh, the next one sends the new refresh token with a new proof."""
    log_in(blocking, token(key))
    load(blocking, signin)
    blocking.clock_offset = timedelta(seconds=20)
    refreshed = json.loads(cache(blocking).read_text())
    refreshed["accessToken"]["expiresAt"] = iso(soon(10))
    log_in(blocking, refreshed)
    assert load(blocking, signin)[0].access_key_id == "ASIALOGIN2"
    assert len(signin.proofs) == 2


def test_each_attempt_has_its_own_proof(harness, signin, key):
    """Each retry has a new proof, because a proof is valid only once."""
    log_in(harness, token(key))
    signin.faults += [response(status=500)] * 2
    _, requests = load(harness, signin)
    assert len({request.header("dpop") for request in requests}) == 3


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
    """Requests are sent to the login's region, or to the client's region if the login has none."""
    log_in(blocking, token(key, **changes))
    with Loopback(signin) as server:
        signin.url = origin
        blocking.redirected[origin] = server.url
        assert blocking.load("login", CONFIG).access_key_id == "ASIALOGIN1"


@pytest.mark.parametrize("folder", ["{home}/elsewhere", "~/elsewhere/"], ids=["path", "home"])
def test_folder(blocking, signin, key, folder):
    """AWS_LOGIN_CACHE_DIRECTORY sets the folder of the cache, which may begin with ``~``."""
    blocking.environ["AWS_LOGIN_CACHE_DIRECTORY"] = folder.format(home=blocking.home)
    log_in(blocking, token(key, 3600), "elsewhere")
    assert load(blocking, signin)[0].access_key_id == "ASIALOGIN"


def test_not_configured(harness, signin):
    """If the profile has no login_session, the provider returns None."""
    assert load(harness, signin, "[default]\nregion = x\n") == (None, [])


def curve(name):
    """Return a new private key on the curve *name* as PEM."""
    return pem(ec.generate_private_key(name())).decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"dpopKey": None}, f"is missing dpopKey: {HINT}", id="no key"),
        pytest.param(
            {"accessToken": "x", "clientId": None},
            f"is missing clientId, accessToken: {HINT}",
            id="no access token",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}},
            "is missing secretAccessKey, sessionToken, expiresAt",
            id="part of one",
        ),
    ],
)
def test_login_that_is_incomplete(blocking, signin, key, changes, message):
    """If the cached login lacks fields, the error mentions the cache file and the missing fields."""
    log_in(blocking, token(key, **changes))
    assert error(blocking, signin).message == f"the login cache file {cache(blocking)} {message}"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(None, f"does not exist: {HINT}", id="none"),
        pytest.param("{", f"is not a complete JSON object: {HINT}", id="rubbish"),
        pytest.param(
            "{}", f"is missing clientId, refreshToken, dpopKey, accessToken: {HINT}", id="nothing"
        ),
    ],
)
def test_no_login(harness, signin, document, message):
    """If there is no cached login, the error advises the user to log in."""
    if document is not None:
        log_in(harness, document)
    assert error(harness, signin).message == f"the login cache file {cache(harness)} {message}"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: "rubbish", id="rubbish"),
        pytest.param(lambda: curve(ec.SECP384R1), id="P-384"),
    ],
)
def test_wrong_kind_of_key(blocking, signin, key, make):
    """A DPoP key that is not a P-256 key is rejected."""
    log_in(blocking, token(key, -60, dpopKey=make()))
    message = f"dpopKey in the login cache file {cache(blocking)} is not a P-256 key: {HINT}"
    assert error(blocking, signin).message == message


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        pytest.param("TOKEN_EXPIRED", AGAIN, id="expired"),
        pytest.param("USER_CREDENTIALS_CHANGED", AGAIN, id="changed"),
        pytest.param(
            "INSUFFICIENT_PERMISSIONS",
            "grant the permission signin:CreateOAuth2Token",
            id="not permitted",
        ),
    ],
)
def test_refusal(harness, signin, key, code, remedy):
    """If the service rejects a refresh, the error advises the user what to do."""
    log_in(harness, token(key, -1))
    signin.faults.append(as_json({"error": code, "message": "canary-login-refresh no"}, 403))
    caught = error(harness, signin)
    assert caught.message == f"CreateOAuth2Token for profile default failed: {remedy} (... no)"
    assert (caught.code, caught.status_code) == (code, 403)
    assert not caught.retryable


@pytest.mark.parametrize(
    "body",
    [{"error": "INVALID_REQUEST", "message": "m"}, {"message": "m"}, {"error": 7, "message": "m"}],
)
def test_other_refusal(blocking, signin, key, body):
    """If the service's error has no known remedy, the error contains the service's message."""
    log_in(blocking, token(key, -1))
    signin.faults.append(as_json(body, 400))
    caught = error(blocking, signin)
    assert caught.message == "CreateOAuth2Token for profile default failed: m"
    assert caught.code == (body["error"] if isinstance(body.get("error"), str) else "400")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param([], INCOMPLETE, id="list"),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "refreshToken": "canary"},
            INCOMPLETE,
            id="no lifetime",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "expiresIn": 900},
            INCOMPLETE,
            id="no refresh token",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "expiresIn": 900, "refreshToken": 7},
            INCOMPLETE,
            id="refresh token is not a str",
        ),
        pytest.param(
            {"accessToken": {"accessKeyId": "A"}, "expiresIn": 900, "refreshToken": "canary"},
            "is missing secretAccessKey, sessionToken",
            id="part of one",
        ),
    ],
)
def test_malformed_response(blocking, signin, key, document, message):
    """A response without credentials causes an error, and the cache file stays unchanged."""
    log_in(blocking, token(key, -1))
    before = cache(blocking).read_text()
    signin.faults.append(as_json(document))
    caught = error(blocking, signin)
    assert message in caught.message
    assert caught.retryable
    assert cache(blocking).read_text() == before


def test_refresh_that_fails(harness, signin, key, caplog):
    """If a refresh fails, the cached credentials are used until they expire."""
    log_in(harness, token(key, 60))
    signin.faults += [response(status=503)] * 3
    with caplog.at_level(logging.DEBUG):
        credentials, _ = load(harness, signin)
    assert credentials.access_key_id == "ASIALOGIN"
    assert "could not refresh the login" in caplog.text
    assert "canary" not in caplog.text
    harness.clock_offset = timedelta(seconds=61)
    signin.faults += [response(status=503)] * 3
    assert error(harness, signin).retryable


def test_another_process_was_faster(harness, signin, key):
    """If another process has used up the refresh token, the credentials that it cached are used."""
    log_in(harness, token(key, -1))

    def refuse(_request):
        log_in(harness, token(key, 900))
        return as_json({"error": "TOKEN_EXPIRED", "message": "used up"}, 401)

    signin.faults.append(refuse)
    credentials, _ = load(harness, signin)
    assert not credentials.expired(datetime.now(UTC))


def test_file_that_cannot_be_written(harness, signin, key, caplog):
    """New credentials are used even if the cache file cannot be written."""
    log_in(harness, token(key))
    harness.read_only = True
    assert load(harness, signin)[0].access_key_id == "ASIALOGIN1"
    assert f"cannot write the refreshed login to {cache(harness)}: Permission denied" in caplog.text


def test_without_cryptography(blocking, signin, key, monkeypatch):
    """If cryptography is not installed, a refresh fails, but credentials that need no refresh are
    used.
    """
    log_in(blocking, token(key, -1))
    for name in list(sys.modules):
        if name.startswith("cryptography"):
            monkeypatch.setitem(sys.modules, name, None)
    assert "requires the cryptography package" in error(blocking, signin).message
    log_in(blocking, token(key, 3600, dpopKey="unread"))
    assert load(blocking, signin)[0].access_key_id == "ASIALOGIN"
