"""Tests of the command `credentials`, which reports the source and the identity of the credentials,
and the sources that were skipped.
"""

import json

import pytest

from sagemaker_runtime_client import CredentialProviderError, Response
from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client._cli.report import report
from sagemaker_runtime_client._io.processes import Finished
from sagemaker_runtime_client.credentials import open_context
from sagemaker_runtime_client.credentials._chain import search
from tests.runtime_client.scripted_io import ScriptedIO, run, s3_error

ROLE = "arn:aws:iam::123456789012:role/r"
CONFIG = "/home/user/.aws/config"
STATIC = "aws_access_key_id = AKIDWORK\naws_secret_access_key = canary\n"
KEYS = (
    "<AccessKeyId>ASIASTS9</AccessKeyId><SecretAccessKey>canary</SecretAccessKey>"
    "<SessionToken>canary</SessionToken><Expiration>2026-11-22T13:00:00Z</Expiration>"
)
WEB = Response(
    200,
    {},
    f"<R><AssumeRoleWithWebIdentityResult><Credentials>{KEYS}</Credentials>"
    f"</AssumeRoleWithWebIdentityResult></R>".encode(),
)
CALLER = Response(
    200,
    {},
    b"<R><GetCallerIdentityResult><Arn>arn:aws:iam::210987654321:user/u</Arn>"
    b"<Account>210987654321</Account></GetCallerIdentityResult></R>",
)


def make_report(io, *, verify=False, **arguments):
    """Search for credentials, and return a report about them and the names of the skipped sources."""
    skipped = []
    context = run(open_context(io, lambda _config: io, {"region": "eu-west-1", **arguments}))
    found = run(search(context, skipped))
    return run(report(context, found, verify=verify)), [source.name for source in skipped]


def test_key():
    """For an access key in the shared files, the report shows the provider, the profile, the region
    and the end of the key ID.
    """
    io = ScriptedIO(files={CONFIG: f"[profile work]\n{STATIC}"})
    found, skipped = make_report(io, profile="work")
    assert (found.provider, found.profile, found.region) == ("config-file", "work", "eu-west-1")
    assert found.access_key_id == "****************WORK"
    assert (
        found.account_id,
        found.role,
        found.expiration,
        found.identity,
    ) == (None, None, None, None)
    assert skipped[:4] == ["environment", "assume-role", "web-identity", "sso"]
    assert skipped[4:] == ["shared-credentials-file", "login", "process"]
    assert "canary" not in repr(found)


def test_role():
    """For an assumed role, the report shows the role's ARN and account, and when the credentials
    expire.
    """
    environ = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}
    found, _ = make_report(ScriptedIO([WEB], environ, files={"/token": "canary"}))
    assert (found.provider, found.role) == ("web-identity", ROLE)
    assert (found.account_id, found.expiration) == ("123456789012", "2026-11-22T13:00:00Z")


def test_account_of_a_process():
    """If a credential_process returns an account ID, the report shows it."""
    written = b'{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s", "AccountId": "1"}'
    io = ScriptedIO(
        files={CONFIG: "[default]\ncredential_process = vault\n"},
        processes={"vault": Finished(0, written, b"")},
    )
    assert make_report(io)[0].account_id == "1"


def test_verified():
    """With --verify, a signed request to STS determines the identity that the report shows."""
    io = ScriptedIO([CALLER], files={CONFIG: f"[default]\n{STATIC}"})
    found, _ = make_report(io, verify=True)
    assert (
        found.identity,
        found.account_id,
    ) == ("arn:aws:iam::210987654321:user/u", "210987654321")
    assert io.sent[0].url == "https://sts.eu-west-1.amazonaws.com/"
    assert io.sent[0].request.body == b"Action=GetCallerIdentity&Version=2011-06-15"
    assert "Credential=AKIDWORK/20261122/eu-west-1/sts/" in io.sent[0].header("authorization")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (s3_error(403, "InvalidClientTokenId"), "GetCallerIdentity failed"),
        (Response(200, {}, b"<R/>"), "lacks Arn or Account"),
    ],
    ids=["refused", "rubbish"],
)
def test_not_verified(answer, says):
    """With --verify, an error is raised if STS rejects the credentials or does not return an
    identity.
    """
    io = ScriptedIO([answer], files={CONFIG: f"[default]\n{STATIC}"})
    with pytest.raises(CredentialProviderError, match=says):
        make_report(io, verify=True)


@pytest.fixture
def home(home):
    """A home directory with one profile that works, and another whose credential_process does not
    exist.
    """
    text = f"[work]\n{STATIC}[broken]\ncredential_process = /no/such/program\n"
    (home / ".aws" / "credentials").write_text(text, "utf-8")
    return home


@pytest.mark.usefixtures("home")
def test_text(capsys):
    """By default, the command `credentials` prints a table without secrets."""
    assert main(["credentials", "--profile", "work"]) == 0
    printed = capsys.readouterr().out
    lines = [line.split(maxsplit=1) for line in printed.splitlines()]
    assert lines[0] == ["provider", "shared-credentials-file"]
    assert ["skipped", "environment: profile work was selected explicitly"] in lines
    assert "canary" not in printed
    assert "None" not in printed


@pytest.mark.usefixtures("home")
def test_json(capsys):
    """With --json, the command `credentials` prints the report and the skipped sources as JSON."""
    assert main(["credentials", "--profile", "work", "--region", "r", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (
        document["provider"],
        document["region"],
        document["role"],
    ) == ("shared-credentials-file", "r", None)
    assert {"name": "assume-role", "reason": "profile work has no role_arn"} in document["skipped"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("profile", ["broken", "default"])
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_none(capsys, profile, as_json):
    """If there are no credentials, the exit code is 3, and stderr lists the sources that were
    searched, or the reason if one of them failed.
    """
    arguments = ["credentials"] + (["--json"] if as_json else [])
    arguments += ["--profile", "broken"] if profile == "broken" else []
    assert main(arguments) == 3
    out, err = capsys.readouterr()
    assert ("/no/such/program" if profile == "broken" else "environment (AWS_ACCESS_KEY_ID") in err
    if as_json:
        assert json.loads(out)["error"]["type"].endswith("Error")
    else:
        assert ("skipped" in out) == (profile == "broken")


@pytest.mark.usefixtures("home")
def test_no_such_profile(capsys):
    """If the profile does not exist, the exit code is 2, as for other configuration errors."""
    assert main(["credentials", "--profile", "none"]) == 2
    assert "profile 'none' is neither in" in capsys.readouterr().err
