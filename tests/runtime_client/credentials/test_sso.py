"""Roles of IAM Identity Center."""

import json
import logging
from datetime import timedelta
from hashlib import sha1

import pytest

from tests.runtime_client.credentials.fakes import ACCOUNT, SSO, as_json, iso, soon
from tests.runtime_client.credentials.world import caught_error, lines
from tests.runtime_client.loopback import Loopback, response

START = "https://corp.awsapps.com/start"
ROLE = f"sso_account_id = {ACCOUNT}\nsso_role_name = Dev & co\n"
SESSION = f"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = {START}\n"
CONFIG = f"[default]\nsso_session = corp\n{ROLE}{SESSION}"
LEGACY = f"[default]\nsso_region = eu-west-1\nsso_start_url = {START}\n{ROLE}"
LOGIN = "run `aws sso login --profile default`"


@pytest.fixture
def sso():
    """Both services."""
    return SSO()


def cache(world, name="corp"):
    """Return the path of the token of a session or a start URL."""
    return world.home / ".aws" / "sso" / "cache" / f"{sha1(name.encode()).hexdigest()}.json"


def token(seconds=3600, **changes):
    """Return what ``aws sso login`` writes; None leaves a field out."""
    document = {
        "startUrl": START,
        "region": "eu-west-1",
        "accessToken": "canary-access-token",
        "expiresAt": iso(soon(seconds)),
        "clientId": "client",
        "clientSecret": "canary-client-secret",
        "registrationExpiresAt": iso(soon(90 * 86400)),
        "refreshToken": "canary-refresh-token",
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def log_in(world, document, name="corp"):
    """Write a token where the AWS CLI does."""
    world.write(cache(world, name), document)


def load(world, sso, config=CONFIG, **options):
    """Load with *sso* as both services; return the credentials and the requests' lines."""
    credentials, requests = world.load_from(sso, "sso", config, **options)
    return credentials, lines(requests)


def error(world, sso, config=CONFIG, **options):
    """Return the error of loading."""
    return caught_error("sso", load, world, sso, config, **options)


def test_session(world, sso):
    """The token of the session buys the role's keys, for the account of the profile."""
    log_in(world, token())
    credentials, lines = load(world, sso)
    assert ["GET /federation/credentials?role_name=Dev%20%26%20co&account_id=123456789012"] == lines
    assert "canary-secret-SSO-1" == credentials.secret_access_key
    assert "canary-token-SSO-1" == credentials.session_token
    assert (sso.ends, ACCOUNT) == (credentials.expiration, credentials.account_id)


def test_legacy(world, sso):
    """In the legacy form the token is named after the start URL."""
    log_in(world, token(), START)
    assert "ASIASSO1" == load(world, sso, LEGACY)[0].access_key_id


def test_region_of_the_session(blocking, sso):
    """The services are asked in the session's region, not in the client's."""
    log_in(blocking, token())
    with Loopback(sso) as server:
        blocking.elsewhere["https://portal.sso.eu-west-1.amazonaws.com"] = server.url
        credentials = blocking.load("sso", CONFIG, region="us-east-1")
    assert "ASIASSO1" == credentials.access_key_id


def test_refresh(world, sso):
    """A token with less than 15 minutes left is refreshed, and the file says so, to its owner alone."""
    log_in(world, token(14 * 60))
    credentials, lines = load(world, sso)
    assert "ASIASSO1" == credentials.access_key_id
    assert "POST /token" == lines[0]
    path = cache(world)
    assert 0o600 == path.stat().st_mode & 0o777
    document = json.loads(path.read_text())
    assert "canary-access-2" == document["accessToken"]
    assert "canary-refresh-2" == document["refreshToken"]
    assert set(token()) == set(document)
    assert iso(soon(28000)) < document["expiresAt"] <= iso(soon(28800))
    assert 1 == len(list(path.parent.iterdir()))


def test_refresh_without_a_new_refresh_token(blocking, sso):
    """Where no new refresh token comes, the old one is not kept: it is used up."""
    log_in(blocking, token(60))
    sso.faults.append(as_json({"accessToken": "canary-access-token", "expiresIn": 900}))
    load(blocking, sso)
    assert "refreshToken" not in json.loads(cache(blocking).read_text())


@pytest.mark.parametrize("seconds", [3600, 60], ids=["cached", "refreshed"])
def test_blanks_around_a_token(world, sso, seconds):
    """Blanks and line ends around a token are no part of it, in the cache or in an answer."""
    log_in(world, token(seconds, accessToken="canary-access-token \r\n"))
    sso.faults += [as_json({"accessToken": "canary-access-token\r\n", "expiresIn": 900})][
        : seconds < 900
    ]
    assert "ASIASSO1" == load(world, sso)[0].access_key_id


def test_legacy_token_is_not_refreshed(blocking, sso):
    """The legacy token is used as long as it counts."""
    log_in(blocking, token(60), START)
    assert ["GET"] == [line.partition(" ")[0] for line in load(blocking, sso, LEGACY)[1]]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        pytest.param({"refreshToken": None}, [], id="no refresh token"),
        pytest.param({"clientSecret": 7}, [], id="secret is no text"),
        pytest.param({"registrationExpiresAt": "2020-01-01T00:00:00Z"}, [], id="registration over"),
        pytest.param({"registrationExpiresAt": "soon"}, [], id="registration malformed"),
        pytest.param({}, [as_json({"error": "invalid_grant"}, 400)], id="refused"),
        pytest.param({}, [b"", b"", b""], id="no answer"),
        pytest.param({}, [response(b"rubbish")], id="rubbish"),
        pytest.param({}, [as_json({"accessToken": "x", "expiresIn": "1"})], id="no lifetime"),
        pytest.param({}, [as_json({"accessToken": "", "expiresIn": 1})], id="no token"),
        pytest.param({}, [as_json({"accessToken": "canary\r\nx: y", "expiresIn": 9})], id="lines"),
        pytest.param({}, [as_json({"accessToken": "canary\u00e9", "expiresIn": 9})], id="no ASCII"),
    ],
)
def test_refresh_that_fails(world, sso, changes, faults, caplog):
    """While a refresh fails, the token serves until it expires; then the error says what to do."""
    log_in(world, token(60, **changes))
    before = cache(world).read_text()
    sso.faults += faults
    with caplog.at_level(logging.DEBUG):
        assert "ASIASSO1" == load(world, sso)[0].access_key_id
    assert "was not refreshed" in caplog.text
    assert "canary" not in caplog.text
    assert before == cache(world).read_text()
    world.ahead = timedelta(seconds=61)
    sso.faults += faults
    assert f"the SSO token {cache(world)} has expired: {LOGIN}" == error(world, sso).message


def test_why_a_refresh_fails(blocking, sso, caplog):
    """What OAuth calls a description is what the log says, less the token in it."""
    log_in(blocking, token(60))
    said = {"error": "invalid_grant", "error_description": "not canary-refresh-token"}
    sso.faults.append(as_json(said, 400, {"x-amzn-errortype": "InvalidGrantException"}))
    load(blocking, sso)
    assert "CreateToken failed: not ... (code InvalidGrantException, status 400)" in caplog.text


def test_another_process_was_quicker(world, sso):
    """Where another process has used up the refresh token, what it wrote serves."""
    log_in(world, token(-1))

    def refuse(_request):
        log_in(world, token(900))
        return as_json({"error": "invalid_grant"}, 400)

    sso.faults.append(refuse)
    assert "ASIASSO1" == load(world, sso)[0].access_key_id


def test_file_that_cannot_be_written(world, sso, caplog):
    """A new token serves even where it cannot be kept."""
    log_in(world, token(60))
    world.unwritable = True
    assert "ASIASSO1" == load(world, sso)[0].access_key_id
    assert "cannot be written: Permission denied" in caplog.text


def test_expired_legacy_token(blocking, sso):
    """An expired token of the legacy form is not even shown to the service."""
    log_in(blocking, token(-1), START)
    assert error(blocking, sso, LEGACY).message.endswith(f"has expired: {LOGIN}")


@pytest.mark.parametrize(
    "config", [pytest.param("", id="no profile"), pytest.param(SESSION, id="session alone")]
)
def test_not_configured(world, sso, config):
    """Without account and role, a profile has no role of IAM Identity Center."""
    assert load(world, sso, config) == (None, [])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param(
            f"[default]\nsso_role_name = r\n{SESSION}",
            "profile default uses SSO and lacks sso_account_id, sso_region, sso_start_url",
            id="role alone",
        ),
        pytest.param(
            f"[default]\nsso_account_id = 1\nsso_session = corp\n{SESSION}",
            "profile default uses SSO and lacks sso_role_name",
            id="no role",
        ),
        pytest.param(
            f"[default]\n{ROLE}sso_session = corp\n[sso-session corp]\nsso_region = eu-west-1\n",
            "profile default uses SSO and lacks sso_start_url",
            id="no start URL",
        ),
        pytest.param(
            f"[default]\n{ROLE}sso_session = corp\n",
            "profile default has sso_session corp, and there is no [sso-session corp]",
            id="no session",
        ),
        pytest.param(
            f"[default]\n{ROLE}sso_session = corp\nsso_region = us-east-1\n{SESSION}",
            "sso_region of profile default is not the one of [sso-session corp]; take it out of "
            "the profile",
            id="conflict",
        ),
    ],
)
def test_settings_that_do_not_serve(blocking, sso, config, message):
    """A setting that is missing or contradicts another is told by name."""
    assert message == error(blocking, sso, config).message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(None, "does not exist", id="no file"),
        pytest.param("{", "is malformed", id="no JSON"),
        pytest.param("[]", "is malformed", id="no object"),
        pytest.param(token(accessToken=None), "is malformed", id="no token"),
        pytest.param(token(accessToken="canary\r\nx: y"), "is malformed", id="line breaks"),
        pytest.param(token(expiresAt=None), "is malformed", id="no end"),
        pytest.param(token(expiresAt="soon"), "is malformed", id="malformed end"),
    ],
)
def test_cache_that_does_not_serve(world, sso, document, message):
    """Where there is no usable token, the error says to log in."""
    if document is not None:
        log_in(world, document)
    assert f"the SSO token {cache(world)} {message}: {LOGIN}" == error(world, sso).message


def test_unauthorized(world, sso):
    """A token that the service does not know wants a new login."""
    log_in(world, token(accessToken="canary-unknown"))
    caught = error(world, sso)
    assert caught.message.endswith(f"Session token not found or invalid: {LOGIN}")
    assert caught.args == (caught.message,)
    assert 401 == caught.status_code


def test_forbidden(world, sso):
    """Another refusal is told as it is, less the token that it repeats."""
    log_in(world, token())
    sso.faults.append(as_json({"message": "No access canary-access-token"}, 403))
    assert (
        "GetRoleCredentials of profile default failed: No access ..." == error(world, sso).message
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param({}, "has no accessKeyId, secretAccessKey,", id="nothing"),
        pytest.param({"roleCredentials": []}, "has no accessKeyId,", id="list"),
        pytest.param(
            {
                "roleCredentials": {
                    "accessKeyId": "A",
                    "secretAccessKey": "canary",
                    "sessionToken": "t",
                }
            },
            "has no expiration",
            id="no end",
        ),
        *[
            pytest.param(
                {
                    "roleCredentials": {
                        "accessKeyId": "A",
                        "secretAccessKey": "canary",
                        "sessionToken": "t",
                        "expiration": end,
                    }
                },
                "has a malformed expiration",
                id=f"end {end}",
            )
            for end in (10**30, True, "x", [1])
        ],
        pytest.param(
            {
                "roleCredentials": {
                    "accessKeyId": 7,
                    "secretAccessKey": "canary",
                    "sessionToken": "t",
                    "expiration": 1,
                }
            },
            "is malformed: access_key_id must be a str, not int",
            id="key is no text",
        ),
    ],
)
def test_answer_that_is_none(blocking, sso, answer, message):
    """An answer without credentials may pass; one with what can be none does not.  Nothing is repeated."""
    log_in(blocking, token())
    sso.faults.append(as_json(answer))
    caught = error(blocking, sso)
    assert f"the answer to GetRoleCredentials {message}" in caught.message
    assert caught.retryable != message.startswith("is malformed: ")
