"""Tests of role credentials from IAM Identity Center."""

import json
import logging
from datetime import timedelta
from hashlib import sha1

import pytest

from tests.runtime_client.credentials.fakes import ACCOUNT, SSO, as_json, iso, soon
from tests.runtime_client.credentials.harness import caught_error, lines
from tests.runtime_client.loopback import Loopback, response

START = "https://corp.awsapps.com/start"
ROLE = f"sso_account_id = {ACCOUNT}\nsso_role_name = Dev & co\n"
SESSION = f"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = {START}\n"
CONFIG = f"[default]\nsso_session = corp\n{ROLE}{SESSION}"
LEGACY = f"[default]\nsso_region = eu-west-1\nsso_start_url = {START}\n{ROLE}"
LOGIN = "run `aws sso login --profile default`"


@pytest.fixture
def sso():
    """The fake portal and token service."""
    return SSO()


def cache(harness, name="corp"):
    """Return the path of the cached token of an sso-session or a start URL."""
    return harness.home / ".aws" / "sso" / "cache" / f"{sha1(name.encode()).hexdigest()}.json"


def token(seconds=3600, **changes):
    """Return the content that ``aws sso login`` writes to its cache file, with *changes* applied.

    A change to None removes the field.
    """
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


def log_in(harness, document, name="corp"):
    """Write a token to the cache, as the AWS CLI does."""
    harness.write(cache(harness, name), document)


def load(harness, sso, config=CONFIG, **options):
    """Load credentials with *sso* as the portal and the token service, and return them with the
    received request lines.
    """
    credentials, requests = harness.load_from(sso, "sso", config, **options)
    return credentials, lines(requests)


def error(harness, sso, config=CONFIG, **options):
    """Return the error that loading raises."""
    return caught_error("sso", load, harness, sso, config, **options)


def test_session(harness, sso):
    """The cached token of the SSO session is exchanged for the role's credentials."""
    log_in(harness, token())
    credentials, lines = load(harness, sso)
    assert lines == ["GET /federation/credentials?role_name=Dev%20%26%20co&account_id=123456789012"]
    assert credentials.secret_access_key == "canary-secret-SSO-1"
    assert credentials.session_token == "canary-token-SSO-1"
    assert (credentials.expiration, credentials.account_id) == (sso.ends, ACCOUNT)


def test_legacy(harness, sso):
    """If the profile has no sso_session, the name of the cache file is derived from the start URL."""
    log_in(harness, token(), START)
    assert load(harness, sso, LEGACY)[0].access_key_id == "ASIASSO1"


def test_region_of_the_session(blocking, sso):
    """Requests go to the region of the session, not to the region of the client."""
    log_in(blocking, token())
    with Loopback(sso) as server:
        blocking.redirected["https://portal.sso.eu-west-1.amazonaws.com"] = server.url
        credentials = blocking.load("sso", CONFIG, region="us-east-1")
    assert credentials.access_key_id == "ASIASSO1"


def test_refresh(harness, sso):
    """A token with less than 15 minutes left is refreshed, and the new cache file has mode 0600."""
    log_in(harness, token(14 * 60))
    credentials, lines = load(harness, sso)
    assert credentials.access_key_id == "ASIASSO1"
    assert lines[0] == "POST /token"
    path = cache(harness)
    assert path.stat().st_mode & 0o777 == 0o600
    document = json.loads(path.read_text())
    assert document["accessToken"] == "canary-access-2"
    assert document["refreshToken"] == "canary-refresh-2"
    assert set(document) == set(token())
    assert iso(soon(28000)) < document["expiresAt"] <= iso(soon(28800))
    assert len(list(path.parent.iterdir())) == 1


def test_refresh_without_a_new_refresh_token(blocking, sso):
    """If a response has no refresh token, the old one is removed, because it has been used up."""
    log_in(blocking, token(60))
    sso.faults.append(as_json({"accessToken": "canary-access-token", "expiresIn": 900}))
    load(blocking, sso)
    assert "refreshToken" not in json.loads(cache(blocking).read_text())


@pytest.mark.parametrize("seconds", [3600, 60], ids=["cached", "refreshed"])
def test_whitespace_around_a_token(harness, sso, seconds):
    """Whitespace around a token in the cache file or in a response is removed."""
    log_in(harness, token(seconds, accessToken="canary-access-token \r\n"))
    sso.faults += [as_json({"accessToken": "canary-access-token\r\n", "expiresIn": 900})][
        : seconds < 900
    ]
    assert load(harness, sso)[0].access_key_id == "ASIASSO1"


def test_legacy_token_is_not_refreshed(blocking, sso):
    """A legacy token is used until it expires, and is never refreshed."""
    log_in(blocking, token(60), START)
    assert [line.partition(" ")[0] for line in load(blocking, sso, LEGACY)[1]] == ["GET"]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        pytest.param({"refreshToken": None}, [], id="no refresh token"),
        pytest.param({"clientSecret": 7}, [], id="secret is not a str"),
        pytest.param({"registrationExpiresAt": "2020-01-01T00:00:00Z"}, [], id="registration over"),
        pytest.param({"registrationExpiresAt": "soon"}, [], id="registration malformed"),
        pytest.param({}, [as_json({"error": "invalid_grant"}, 400)], id="refused"),
        pytest.param({}, [b"", b"", b""], id="no response"),
        pytest.param({}, [response(b"rubbish")], id="rubbish"),
        pytest.param({}, [as_json({"accessToken": "x", "expiresIn": "1"})], id="no lifetime"),
        pytest.param({}, [as_json({"accessToken": "", "expiresIn": 1})], id="no token"),
        pytest.param({}, [as_json({"accessToken": "canary\r\nx: y", "expiresIn": 9})], id="lines"),
        pytest.param({}, [as_json({"accessToken": "canary\u00e9", "expiresIn": 9})], id="no ASCII"),
    ],
)
def test_refresh_that_fails(harness, sso, changes, faults, caplog):
    """If a refresh fails, the token is used until it expires.

    After that, the error states what to do.
    """
    log_in(harness, token(60, **changes))
    before = cache(harness).read_text()
    sso.faults += faults
    with caplog.at_level(logging.DEBUG):
        assert load(harness, sso)[0].access_key_id == "ASIASSO1"
    assert "could not refresh the SSO token" in caplog.text
    assert "canary" not in caplog.text
    assert cache(harness).read_text() == before
    harness.clock_offset = timedelta(seconds=61)
    sso.faults += faults
    assert error(harness, sso).message == f"the SSO token in {cache(harness)} has expired: {LOGIN}"


def test_why_a_refresh_fails(blocking, sso, caplog):
    """If a refresh fails, the log contains the OAuth error description, from which the token is
    removed.
    """
    log_in(blocking, token(60))
    said = {"error": "invalid_grant", "error_description": "not canary-refresh-token"}
    sso.faults.append(as_json(said, 400, {"x-amzn-errortype": "InvalidGrantException"}))
    load(blocking, sso)
    assert "CreateToken failed: not ... (code InvalidGrantException, status 400)" in caplog.text


def test_another_process_was_faster(harness, sso):
    """If another process has used up the refresh token, the token that it wrote is used."""
    log_in(harness, token(-1))

    def refuse(_request):
        log_in(harness, token(900))
        return as_json({"error": "invalid_grant"}, 400)

    sso.faults.append(refuse)
    assert load(harness, sso)[0].access_key_id == "ASIASSO1"


def test_file_that_cannot_be_written(harness, sso, caplog):
    """A new token is used even if the cache file cannot be written."""
    log_in(harness, token(60))
    harness.read_only = True
    assert load(harness, sso)[0].access_key_id == "ASIASSO1"
    assert (
        f"cannot write the refreshed SSO token to {cache(harness)}: Permission denied"
        in caplog.text
    )


def test_expired_legacy_token(blocking, sso):
    """An expired legacy token is never sent to the service."""
    log_in(blocking, token(-1), START)
    assert error(blocking, sso, LEGACY).message.endswith(f"has expired: {LOGIN}")


@pytest.mark.parametrize(
    "config", [pytest.param("", id="no profile"), pytest.param(SESSION, id="session alone")]
)
def test_not_configured(harness, sso, config):
    """If the profile sets neither an account nor a role, the provider returns None."""
    assert load(harness, sso, config) == (None, [])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param(
            f"[default]\nsso_role_name = r\n{SESSION}",
            "profile default uses IAM Identity Center but does not set sso_account_id, sso_region, sso_start_url",
            id="role alone",
        ),
        pytest.param(
            f"[default]\nsso_account_id = 1\nsso_session = corp\n{SESSION}",
            "profile default uses IAM Identity Center but does not set sso_role_name",
            id="no role",
        ),
        pytest.param(
            f"[default]\n{ROLE}sso_session = corp\n[sso-session corp]\nsso_region = eu-west-1\n",
            "profile default uses IAM Identity Center but does not set sso_start_url",
            id="no start URL",
        ),
        pytest.param(
            f"[default]\n{ROLE}sso_session = corp\n",
            "profile default names sso_session corp, but the config file has no section "
            "[sso-session corp]",
            id="no session",
        ),
        pytest.param(
            f"[default]\n{ROLE}sso_session = corp\nsso_region = us-east-1\n{SESSION}",
            "sso_region in profile default differs from [sso-session corp]: remove it from the profile",
            id="conflict",
        ),
    ],
)
def test_invalid_settings(blocking, sso, config, message):
    """If a setting is missing or contradictory, the error mentions the setting."""
    assert error(blocking, sso, config).message == message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(None, "does not exist", id="no file"),
        pytest.param("{", "is not a complete JSON object", id="no JSON"),
        pytest.param("[]", "is not a complete JSON object", id="no object"),
        pytest.param(
            token(accessToken=None), "must contain accessToken and expiresAt", id="no token"
        ),
        pytest.param(
            token(accessToken="canary\r\nx: y"),
            "must contain accessToken and expiresAt",
            id="line breaks",
        ),
        pytest.param(token(expiresAt=None), "must contain accessToken and expiresAt", id="no end"),
        pytest.param(
            token(expiresAt="soon"), "must contain accessToken and expiresAt", id="malformed end"
        ),
    ],
)
def test_invalid_cache(harness, sso, document, message):
    """If there is no valid cached token, the error advises the user to log in."""
    if document is not None:
        log_in(harness, document)
    assert error(harness, sso).message == f"the SSO token file {cache(harness)} {message}: {LOGIN}"


def test_unauthorized(harness, sso):
    """If the service rejects the token, the error advises the user to log in."""
    log_in(harness, token(accessToken="canary-unknown"))
    caught = error(harness, sso)
    assert caught.message.endswith(f"Session token not found or invalid: {LOGIN}")
    assert caught.args == (caught.message,)
    assert caught.status_code == 401


def test_forbidden(harness, sso):
    """An error that is not about the token is reported without the token, even if the service
    repeats it.
    """
    log_in(harness, token())
    sso.faults.append(as_json({"message": "No access canary-access-token"}, 403))
    assert (
        error(harness, sso).message
        == "GetRoleCredentials for profile default failed: No access ..."
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param({}, "is missing accessKeyId, secretAccessKey,", id="nothing"),
        pytest.param({"roleCredentials": []}, "is missing accessKeyId,", id="list"),
        pytest.param(
            {
                "roleCredentials": {
                    "accessKeyId": "A",
                    "secretAccessKey": "canary",
                    "sessionToken": "t",
                }
            },
            "is missing expiration",
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
                "has an invalid expiration",
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
            id="key is not a str",
        ),
    ],
)
def test_malformed_response(blocking, sso, document, message):
    """If the response lacks fields or has an invalid expiration, the error is retryable.

    If another field of the credentials is malformed, the error is not retryable.
    """
    log_in(blocking, token())
    sso.faults.append(as_json(document))
    caught = error(blocking, sso)
    assert f"the response to GetRoleCredentials {message}" in caught.message
    assert caught.retryable != message.startswith("is malformed: ")
