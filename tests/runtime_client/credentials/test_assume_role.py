"""Tests of assuming a role with credentials from another profile, the environment or a local
service.
"""

import logging

import pytest

from sagemaker_runtime_client import CredentialProviderError
from sigv4 import Credentials
from tests.canaries import MFA_CODE
from tests.runtime_client.credentials.fakes import ACCOUNT, ROLE, STS, sts_error
from tests.runtime_client.loopback import Loopback, response

ME = Credentials("AKIDME", "canary-secret-of-mine")
KEYS = f"aws_access_key_id = {ME.access_key_id}\naws_secret_access_key = {ME.secret_access_key}\n"
ASSUMES = f"[default]\nrole_arn = {ROLE}\nsource_profile = me\n"
CONFIG = f"{ASSUMES}[profile me]\n{KEYS}"


@pytest.fixture
def sts():
    """A fake STS that accepts the user's access key."""
    return STS(ME)


def load(harness, sts, config=CONFIG, **options):
    """Load credentials with *sts* as the service, and return them with the received requests."""
    return harness.load_from(sts, "assume-role", config, **options)


def test_role(harness, sts):
    """A role is assumed with the credentials of the source profile, which sign the request."""
    credentials, _ = load(harness, sts)
    (form,) = sts.received
    issued = sts.issued[credentials.access_key_id]
    assert credentials.secret_access_key == issued.secret_access_key
    assert credentials.session_token == issued.session_token
    assert (credentials.expiration, credentials.account_id) == (sts.ends, ACCOUNT)
    assert form["RoleArn"] == ROLE
    assert form["RoleSessionName"].startswith("sagemaker-runtime-client-1")
    assert set(form) == {"Action", "Version", "RoleArn", "RoleSessionName"}


def test_chain_of_roles(harness, sts):
    """If the source profile itself assumes a role, that role's credentials sign the second request."""
    config = (
        f"[profile c]\nrole_arn = {ROLE}-c\nsource_profile = b\n"
        f"[profile b]\nrole_arn = {ROLE}-b\nsource_profile = a\nexternal_id = x\n"
        f"[profile a]\n{KEYS}"
    )
    credentials, requests = load(harness, sts, config, profile="c")
    assert [form["RoleArn"] for form in sts.received] == [f"{ROLE}-b", f"{ROLE}-c"]
    assert requests[1].header("x-amz-security-token") == "canary-token-STS-1"
    assert credentials.access_key_id == "ASIASTS2"


def test_settings(blocking, sts):
    """The session name, the external ID and the duration in the profile are sent to STS."""
    more = "role_session_name = me\nexternal_id = a+b/c=\nduration_seconds = 900\n"
    load(blocking, sts, ASSUMES + more + f"[profile me]\n{KEYS}")
    (form,) = sts.received
    assert form["RoleSessionName"] == "me"
    assert form["ExternalId"] == "a+b/c="
    assert form["DurationSeconds"] == "900"


@pytest.mark.parametrize(
    ("options", "environ", "origin", "region"),
    [
        ({}, {}, "https://sts.eu-west-1.amazonaws.com", "eu-west-1"),
        ({"use_fips_endpoint": True, "region": "us-east-2"}, {},
         "https://sts-fips.us-east-2.amazonaws.com", "us-east-2"),
        ({"use_dualstack_endpoint": True}, {}, "https://sts.eu-west-1.api.aws", "eu-west-1"),
        ({}, {"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, "https://sts.amazonaws.com", "us-east-1"),
        ({"region": "cn-north-1"}, {}, "https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ],
    ids=["regional", "FIPS", "dual-stack", "legacy", "China"],
)  # fmt: skip
def test_endpoints(blocking, options, environ, origin, region):
    """The settings select the STS endpoint and the region of the signature."""
    sts = STS(ME, region=region)
    with Loopback(sts) as server:
        blocking.redirected[origin] = server.url
        blocking.environ |= environ
        sts.host = origin.removeprefix("https://")
        assert blocking.load("assume-role", CONFIG, **options).access_key_id == "ASIASTS1"


def test_invalid_duration(blocking, sts, caplog):
    """A duration that is not a number is ignored with a warning, as in AWS tools."""
    with caplog.at_level(logging.WARNING):
        load(blocking, sts, f"{ASSUMES}duration_seconds = 1h\n[profile me]\n{KEYS}")
    assert "DurationSeconds" not in sts.received[0]
    assert "duration_seconds is not a number" in caplog.text


def test_own_source(blocking, sts):
    """A profile may be its own source_profile, which supplies its static credentials."""
    credentials, _ = load(
        blocking, sts, f"[default]\nrole_arn = {ROLE}\nsource_profile = default\n{KEYS}"
    )
    assert credentials.access_key_id == "ASIASTS1"


def test_keys_before_role(blocking, sts):
    """If a source profile has both static credentials and a role, its static credentials are used."""
    config = f"{ASSUMES}[profile me]\nrole_arn = {ROLE}-me\nsource_profile = nowhere\n{KEYS}"
    load(blocking, sts, config)
    assert [form["RoleArn"] for form in sts.received] == [ROLE]


@pytest.mark.parametrize("line", KEYS.splitlines())
def test_half_a_key_before_role(blocking, sts, line):
    """A source profile with an incomplete access key causes an error, even if it has a role."""
    config = f"{ASSUMES}[profile me]\nrole_arn = {ROLE}-me\nsource_profile = x\n{line}\n"
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, sts, config + f"[profile x]\n{KEYS}")
    assert "me" in caught.value.message
    assert not sts.received


def test_source_profile_ignores_variables(blocking, sts, tmp_path):
    """If environment variables specify a web identity, a source profile still uses its own
    credentials.
    """
    (tmp_path / "token").write_text("canary-web-token")
    blocking.environ["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(tmp_path / "token")
    blocking.environ["AWS_ROLE_ARN"] = f"{ROLE}-web"
    load(blocking, sts)
    assert [form["Action"] for form in sts.received] == ["AssumeRole"]


def test_environment_as_source(harness, sts):
    """With credential_source Environment, variables supply the credentials even if an argument
    selects the profile.
    """
    harness.environ["AWS_ACCESS_KEY_ID"] = ME.access_key_id
    harness.environ["AWS_SECRET_ACCESS_KEY"] = ME.secret_access_key
    config = f"[profile x]\nrole_arn = {ROLE}\ncredential_source = Environment\n"
    credentials, _ = load(harness, sts, config, profile="x", explicit=True)
    assert credentials.access_key_id == "ASIASTS1"


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_mfa(harness, sts, kind):
    """The MFA code that is sent to STS comes from a user-supplied function, which may be async."""
    serials = []

    def plain(serial):
        serials.append(serial)
        return MFA_CODE

    async def coroutine(serial):
        return plain(serial)

    config = f"{ASSUMES}mfa_serial = arn:aws:iam::1:mfa/me\n[profile me]\n{KEYS}"
    load(harness, sts, config, mfa_token={"plain": plain, "coroutine": coroutine}[kind])
    assert serials == ["arn:aws:iam::1:mfa/me"]
    assert sts.received[0]["SerialNumber"] == "arn:aws:iam::1:mfa/me"
    assert sts.received[0]["TokenCode"] == MFA_CODE


def test_mfa_code_is_not_repeated(blocking, sts):
    """If STS repeats the MFA code in an error, the code is removed from the message."""
    sts.faults.append(sts_error("AccessDenied", f"invalid code {MFA_CODE}", 403))
    config = f"{ASSUMES}mfa_serial = me\n[profile me]\n{KEYS}"
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, sts, config, mfa_token=lambda _: MFA_CODE)
    assert caught.value.message == "AssumeRole for profile default failed: invalid code ..."


def fails(_serial):
    """Raise an error, as a user-supplied function may."""
    raise ValueError("the telephone is at home")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param(
            None,
            "profile default requires an MFA code (mfa_serial): pass a function",
            id="no function",
        ),
        pytest.param(
            lambda _: "",
            "the MFA code of device me must be a string of digits",
            id="no digits",
        ),
        pytest.param(
            lambda _: int(MFA_CODE),
            "the MFA code of device me must be a string of digits",
            id="no text",
        ),
        pytest.param(
            lambda _: f"{MFA_CODE}\n",
            "the MFA code of device me must be a string of digits",
            id="more than digits",
        ),
        pytest.param(fails, "the mfa_token function raised ValueError", id="error"),
    ],
)
def test_mfa_that_fails(blocking, sts, function, message):
    """If the MFA function is missing, raises an error or does not return digits, the error states
    which of these is the reason.
    """
    config = f"{ASSUMES}mfa_serial = me\n[profile me]\n{KEYS}"
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, sts, config, mfa_token=function)
    assert caught.value.message.startswith(message)
    assert "telephone" not in str(caught.value)  # the text of the user's error is in the cause
    assert isinstance(caught.value.__cause__, ValueError) is (function is fails)
    assert not sts.received


@pytest.mark.parametrize(
    "config",
    [
        pytest.param("", id="no profile"),
        pytest.param(f"[default]\n{KEYS}", id="no role"),
        pytest.param(
            f"[default]\nrole_arn = {ROLE}\nweb_identity_token_file = f\n", id="web identity"
        ),
    ],
)
def test_not_configured(harness, config):
    """If a profile has no role, or a role with a web identity, the provider returns None."""
    assert harness.load("assume-role", config) is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param(
            f"{ASSUMES}credential_source = Environment\n",
            "profile default: role_arn requires either source_profile or credential_source, but "
            "both are set",
            id="both",
        ),
        pytest.param(
            f"[default]\nrole_arn = {ROLE}\n",
            "profile default: role_arn requires either source_profile or credential_source, but "
            "neither is set",
            id="neither",
        ),
        pytest.param(
            f"[default]\nrole_arn = {ROLE}\ncredential_source = environment\n",
            "profile default: credential_source must be one of Ec2InstanceMetadata, EcsContainer, "
            "Environment, not environment",
            id="unknown source",
        ),
        pytest.param(
            f"[default]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n",
            "profile default: credential_source EcsContainer has no credentials",
            id="empty source",
        ),
        pytest.param(
            ASSUMES, "profile default: source_profile me does not exist", id="no such profile"
        ),
        pytest.param(
            f"{ASSUMES}[profile me]\nregion = eu-west-1\n",
            "profile default: source_profile me has no credentials",
            id="source without keys",
        ),
        pytest.param(
            f"[default]\nrole_arn = {ROLE}\nsource_profile = default\n",
            "the source_profile settings form a cycle: default -> default",
            id="itself without keys",
        ),
        pytest.param(
            f"{ASSUMES}[profile me]\nrole_arn = {ROLE}\nsource_profile = default\n",
            "the source_profile settings form a cycle: default -> me -> default",
            id="circle",
        ),
    ],
)
def test_contradictory_settings(blocking, sts, config, message):
    """The error mentions the contradictory or missing settings, and nothing is sent."""
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, sts, config)
    assert caught.value.message == message
    assert caught.value.provider == "assume-role"
    assert not sts.received


def test_refusal(harness, sts):
    """An STS error is reported with its code and request ID, and the request is not retried."""
    sts.faults.append(sts_error("AccessDenied", f"not for {ME.secret_access_key}", 403))
    with pytest.raises(CredentialProviderError) as caught:
        load(harness, sts)
    error = caught.value
    assert error.message == "AssumeRole for profile default failed: not for ..."
    assert (error.code, error.status_code, error.request_id) == ("AccessDenied", 403, "R1")
    assert not error.retryable
    assert harness.slept == []


def test_temporary_failure(harness, sts):
    """The request is retried after a lost response, a status 503 and a throttling error."""
    sts.faults += [b"", response(status=503), sts_error("Throttling", "slow down")]
    credentials, _ = load(harness, sts, max_attempts=4)
    assert credentials.access_key_id == "ASIASTS1"
    assert len(harness.slept) == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"rubbish", "is missing AccessKeyId, SecretAccessKey,", id="rubbish"),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "is missing AccessKeyId,", id="entities"
        ),
    ],
)
def test_malformed_response(blocking, sts, body, message):
    """A response without credentials causes a retryable error."""
    sts.faults.append(response(body))
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, sts)
    assert message in caught.value.message
    assert caught.value.retryable


def test_answer_without_an_account(blocking, sts):
    """If the role's ARN in the response is malformed, the credentials have no account ID."""
    respond = sts.respond
    sts.faults.append(lambda request: respond(request).replace(b"arn:aws:sts", b"arn-aws-sts"))
    credentials, _ = load(blocking, sts)
    assert credentials.account_id is None


def test_no_region(blocking):
    """If no region is set, the global STS endpoint or a custom STS endpoint is used, but with FIPS
    the missing region is an error.
    """
    sts = STS(ME, region="us-east-1")
    sts.host = "sts.amazonaws.com"
    with Loopback(sts) as server:
        blocking.redirected["https://sts.amazonaws.com"] = server.url
        credentials = blocking.load("assume-role", CONFIG, region=None)
    assert credentials.access_key_id == "ASIASTS1"
    sts.host = None
    assert load(blocking, sts, region=None)[0].access_key_id == "ASIASTS2"
    del blocking.environ["AWS_ENDPOINT_URL_STS"]
    blocking.environ["AWS_USE_FIPS_ENDPOINT"] = "true"
    with pytest.raises(CredentialProviderError) as caught:
        blocking.load("assume-role", CONFIG, region=None)
    assert "set a region" in caught.value.message
