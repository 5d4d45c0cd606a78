"""Tests of roles assumed with a web identity token."""

import pytest

from sagemaker_runtime_client import CredentialProviderError
from tests.runtime_client.credentials.fakes import ACCOUNT, ROLE, STS, sts_error


@pytest.fixture
def sts():
    """A fake STS that accepts one token."""
    return STS()


@pytest.fixture
def token_file(tmp_path):
    """The path of a file that contains the token."""
    path = tmp_path / "token"
    path.write_text("canary-web-token")
    return path


def load(harness, sts, config="", **options):
    """Load credentials from *sts*."""
    return harness.load_from(sts, "web-identity", config, **options)[0]


def test_variables(harness, sts, token_file):
    """Environment variables set the token file, the role and the session name."""
    harness.environ |= {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
        "AWS_ROLE_ARN": ROLE,
        "AWS_ROLE_SESSION_NAME": "pod",
    }
    credentials = load(harness, sts)
    (form,) = sts.received
    assert (form["RoleArn"], form["RoleSessionName"]) == (ROLE, "pod")
    assert credentials.session_token == "canary-token-STS-1"
    assert (credentials.expiration, credentials.account_id) == (sts.ends, ACCOUNT)


def test_profile(harness, sts, token_file):
    """A profile can set the token file and the role; the session has a default name."""
    config = f"[profile p]\nrole_arn = {ROLE}\nweb_identity_token_file = {token_file}\n"
    credentials = load(harness, sts, config, profile="p")
    assert credentials.access_key_id == "ASIASTS1"
    assert sts.received[0]["RoleSessionName"].startswith("sagemaker-runtime-client-1")


@pytest.mark.parametrize(
    ("explicit", "session"),
    [pytest.param(False, "variable", id="chosen"), pytest.param(True, "profile", id="named")],
)
def test_variables_before_profile(blocking, sts, token_file, explicit, session):
    """The variable for the session name takes precedence over the profile, unless an argument
    selects the profile.
    """
    blocking.environ |= {"AWS_ROLE_SESSION_NAME": "variable", "AWS_ROLE_ARN": ROLE}
    config = (
        f"[profile p]\nrole_arn = {ROLE}\nweb_identity_token_file = {token_file}\n"
        "role_session_name = profile\n"
    )
    load(blocking, sts, config, profile="p", explicit=explicit)
    assert sts.received[0]["RoleSessionName"] == session


def test_token_is_read_each_time(blocking, sts, token_file):
    """The token file is read at each load."""
    blocking.environ |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file), "AWS_ROLE_ARN": ROLE}
    load(blocking, sts)
    token_file.write_text("canary-second")
    sts.web_token = "canary-second"
    assert load(blocking, sts).access_key_id == "ASIASTS2"


@pytest.mark.parametrize("explicit", [False, True])
def test_not_configured(harness, sts, explicit):
    """If no token file is set, the provider returns None, even if a role is set."""
    assert load(harness, sts, f"[default]\nrole_arn = {ROLE}\n", explicit=explicit) is None


def test_no_role(blocking, sts, token_file):
    """A token file without a role causes an error that states how to set a role."""
    blocking.environ["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(token_file)
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, sts)
    assert caught.value.provider == "web-identity"
    assert "set AWS_ROLE_ARN, or role_arn in profile default" in caught.value.message
    assert not sts.received


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "does not exist", id="missing"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\xff", "is not UTF-8 text", id="binary"),
        pytest.param("folder", "cannot be read: Is a directory", id="folder"),
    ],
)
def test_file_that_cannot_be_used(harness, sts, tmp_path, content, message):
    """If the token file cannot be used, the error mentions the file and states the reason."""
    path = tmp_path / "token"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    harness.environ |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(path), "AWS_ROLE_ARN": ROLE}
    with pytest.raises(CredentialProviderError) as caught:
        load(harness, sts)
    assert caught.value.message == f"the web identity token file {path} {message}"


def test_refusal(harness, sts, token_file):
    """An STS error is reported without the token, even if the error repeats it."""
    token_file.write_text("canary-of-another")
    harness.environ |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file), "AWS_ROLE_ARN": ROLE}
    with pytest.raises(CredentialProviderError) as caught:
        load(harness, sts)
    assert caught.value.message == f"AssumeRoleWithWebIdentity for {ROLE} failed: no: ..."
    assert caught.value.code == "InvalidIdentityToken"
    assert not caught.value.retryable


def test_identity_provider_that_is_down(harness, sts, token_file):
    """The request is retried if STS cannot reach the identity provider."""
    sts.faults.append(sts_error("IDPCommunicationError", "no response"))
    harness.environ |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file), "AWS_ROLE_ARN": ROLE}
    assert load(harness, sts).access_key_id == "ASIASTS1"
    assert len(harness.slept) == 1
