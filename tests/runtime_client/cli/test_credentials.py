"""`credentials` on the command line: who answers, whose keys they are, what was skipped."""

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


def look(io, *, verify=False, **arguments):
    """Make a report."""
    skipped = []
    context = run(open_context(io, lambda _config: io, {"region": "eu-west-1", **arguments}))
    found = run(search(context, skipped))
    return run(report(context, found, verify=verify)), [source.name for source in skipped]


def test_key():
    """Of a key in the files the provider, the profile and the end of its id are said."""
    io = ScriptedIO(files={CONFIG: f"[profile work]\n{STATIC}"})
    found, skipped = look(io, profile="work")
    assert ("config-file", "work", "eu-west-1") == (found.provider, found.profile, found.region)
    assert "****************WORK" == found.access_key_id
    assert (None, None, None, None) == (
        found.account_id,
        found.role,
        found.expiration,
        found.identity,
    )
    assert ["environment", "assume-role", "web-identity", "sso"] == skipped[:4]
    assert ["shared-credentials-file", "login", "process"] == skipped[4:]
    assert "canary" not in repr(found)


def test_role():
    """Of a role its ARN, its account and the end of its keys are said."""
    environ = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}
    found, _ = look(ScriptedIO([WEB], environ, files={"/token": "canary"}))
    assert ("web-identity", ROLE) == (found.provider, found.role)
    assert ("123456789012", "2026-11-22T13:00:00Z") == (found.account_id, found.expiration)


def test_account_of_a_process():
    """An account that the source tells is said."""
    written = b'{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s", "AccountId": "1"}'
    io = ScriptedIO(
        files={CONFIG: "[default]\ncredential_process = vault\n"},
        processes={"vault": Finished(0, written, b"")},
    )
    assert "1" == look(io)[0].account_id


def test_verified():
    """STS says whose a key is, if it is asked, by a signed request."""
    io = ScriptedIO([CALLER], files={CONFIG: f"[default]\n{STATIC}"})
    found, _ = look(io, verify=True)
    assert ("arn:aws:iam::210987654321:user/u", "210987654321") == (
        found.identity,
        found.account_id,
    )
    assert "https://sts.eu-west-1.amazonaws.com/" == io.sent[0].url
    assert b"Action=GetCallerIdentity&Version=2011-06-15" == io.sent[0].request.body
    assert "Credential=AKIDWORK/20261122/eu-west-1/sts/" in io.sent[0].header("authorization")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (s3_error(403, "InvalidClientTokenId"), "GetCallerIdentity failed"),
        (Response(200, {}, b"<R/>"), "has no Arn or no Account"),
    ],
    ids=["refused", "rubbish"],
)
def test_not_verified(answer, says):
    """A key that STS does not know is an error."""
    io = ScriptedIO([answer], files={CONFIG: f"[default]\n{STATIC}"})
    with pytest.raises(CredentialProviderError, match=says):
        look(io, verify=True)


@pytest.fixture
def home(home):
    """The same with a profile, and one whose program is missing."""
    text = f"[work]\n{STATIC}[broken]\ncredential_process = /no/such/program\n"
    (home / ".aws" / "credentials").write_text(text, "utf-8")
    return home


@pytest.mark.usefixtures("home")
def test_text(capsys):
    """The command prints a table, and no secret."""
    assert 0 == main(["credentials", "--profile", "work"])
    printed = capsys.readouterr().out
    lines = [line.split(maxsplit=1) for line in printed.splitlines()]
    assert ["provider", "shared-credentials-file"] == lines[0]
    assert ["skipped", "environment: profile work was asked for"] in lines
    assert "canary" not in printed
    assert "None" not in printed


@pytest.mark.usefixtures("home")
def test_json(capsys):
    """It prints the same as JSON, with a list of what was skipped."""
    assert 0 == main(["credentials", "--profile", "work", "--region", "r", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert ("shared-credentials-file", "r", None) == (
        document["provider"],
        document["region"],
        document["role"],
    )
    assert {"name": "assume-role", "reason": "profile work has no role_arn"} in document["skipped"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("profile", ["broken", "default"])
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_none(capsys, profile, as_json):
    """Where nobody answers, the exit code says so, and the message who was asked."""
    arguments = ["credentials"] + (["--json"] if as_json else [])
    arguments += ["--profile", "broken"] if profile == "broken" else []
    assert 3 == main(arguments)
    out, err = capsys.readouterr()
    assert ("/no/such/program" if profile == "broken" else "environment: AWS_ACCESS_KEY_ID") in err
    if as_json:
        assert json.loads(out)["error"]["type"].endswith("Error")
    else:
        assert (profile == "broken") == ("skipped" in out)


@pytest.mark.usefixtures("home")
def test_no_such_profile(capsys):
    """A profile that is not there is a wrong setting."""
    assert 2 == main(["credentials", "--profile", "none"])
    assert "there is no profile 'none'" in capsys.readouterr().err
