"""Tests of `credentials --export`, which prints credentials in a format for other programs."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from botocore.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import CredentialsError
from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client._cli.exports import FORMATS, exported
from sigv4 import Credentials

ENDS = datetime(2026, 11, 22, 12, tzinfo=UTC)
WHOLE = Credentials("AKID", "s/+=", "t", ENDS, account_id="123456789012")
LEAST = Credentials("AKID", "s/+=")
# Credentials can consist of printable ASCII characters without spaces.
PARTS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


def test_formats():
    """The export formats are those of the AWS CLI, plus `json`, which has no version."""
    cli = {"process", "env", "env-no-export", "powershell", "windows-cmd", "fish"}
    assert {*cli, "json"} == {*FORMATS}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("env", "export AWS_SESSION_TOKEN=t"),
        ("env-no-export", "AWS_SESSION_TOKEN=t"),
        ("powershell", "$Env:AWS_SESSION_TOKEN='t'"),
        ("windows-cmd", 'set "AWS_SESSION_TOKEN=t"'),
        ("fish", "set -gx AWS_SESSION_TOKEN 't'"),
    ],
)
def test_lines(name, line):
    """Each known value is exported on one line, and no line is exported for an unknown value."""
    lines = exported(WHOLE, name).splitlines()
    assert len(lines) == 5
    assert lines[2] == line
    assert "AWS_CREDENTIAL_EXPIRATION" in lines[3]
    assert "2026-11-22T12:00:00Z" in lines[3]
    assert "AWS_ACCOUNT_ID" in lines[4]
    assert len(exported(LEAST, name).splitlines()) == 2


def test_json():
    """The format `process` is the JSON format of credential_process; `json` is the same format
    without the version.
    """
    known = {"AccessKeyId": "AKID", "SecretAccessKey": "s/+="}
    more = {"SessionToken": "t", "Expiration": "2026-11-22T12:00:00Z", "AccountId": "123456789012"}
    assert json.loads(exported(WHOLE, "process")) == {"Version": 1, **known, **more}
    assert json.loads(exported(WHOLE, "json")) == {**known, **more}
    assert json.loads(exported(LEAST, "process")) == {"Version": 1, **known}


@settings(deadline=None, max_examples=20)  # the test must not fail on a busy machine
@given(PARTS, PARTS)
@pytest.mark.parametrize("name", ["env", "env-no-export"])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_shells(shell, name, secret, token):
    """A POSIX shell that evaluates the exported lines gets the exact values, which may contain
    quotes and other special characters.
    """
    text = exported(Credentials("AKID", secret, token), name)
    show = 'printf %s\\\\n "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN"'
    done = subprocess.run(
        [shell, "-c", f'eval "$0"; {show}', text],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stdout.decode().splitlines() == [secret, token]


@given(PARTS)
def test_quotes(secret):
    """A single quote in a value is doubled for PowerShell; for fish, single quotes and backslashes
    are preceded by a backslash.
    """
    credentials = Credentials("AKID", secret)
    _, line = exported(credentials, "powershell").splitlines()
    assert line.removeprefix("$Env:AWS_SECRET_ACCESS_KEY='")[:-1].replace("''", "'") == secret
    _, line = exported(credentials, "fish").splitlines()
    value = line.removeprefix("set -gx AWS_SECRET_ACCESS_KEY '")[:-1]
    assert value.replace("\\'", "'").replace("\\\\", "\\") == secret


@pytest.mark.parametrize("character", ['"', "%", "!"])
def test_what_cmd_cannot_hold(character):
    """For cmd, a value that contains a double quote, % or ! is rejected with an error that does not
    show the value.
    """
    with pytest.raises(CredentialsError, match="cannot be quoted for cmd") as caught:
        exported(Credentials("AKID", f"canary{character}"), "windows-cmd")
    assert "canary" not in str(caught.value)


CONFIG = """[profile work]
aws_access_key_id = AKIDWORK
aws_secret_access_key = s
[profile ended]
credential_process = echo '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s",
  "SessionToken": "t", "Expiration": "2020-01-01T00:00:00Z"}'
[profile circle]
credential_process = PYTHON -m sagemaker_runtime_client credentials --profile circle --export process
[profile through]
credential_process = PYTHON -m sagemaker_runtime_client credentials --profile work --export process
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A directory whose config file is used, in an environment without other AWS settings."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "_SAGEMAKER"))]:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(CONFIG.replace("PYTHON", sys.executable))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    monkeypatch.setenv("_SAGEMAKER_RUNTIME_EXPORTING", "")
    return tmp_path


@pytest.mark.usefixtures("home")
def test_command(capsys):
    """`credentials --export env` prints only the lines for the shell."""
    assert main(["credentials", "--profile", "work", "--export", "env"]) == 0
    lines = ["export AWS_ACCESS_KEY_ID=AKIDWORK", "export AWS_SECRET_ACCESS_KEY=s"]
    assert ((out := capsys.readouterr()).out.splitlines(), out.err) == (lines, "")


@pytest.mark.usefixtures("home")
def test_botocore_takes_it():
    """Botocore can use the command `credentials --export process` as the credential_process of a
    profile.
    """
    found = Session(profile="through").get_credentials().get_frozen_credentials()
    assert (found.access_key, found.secret_key) == ("AKIDWORK", "s")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("profile", "code", "says"),
    [
        ("ended", 3, "process returned credentials that expired at 2020-01-01"),
        ("circle", 3, "credential_process of profile 'circle' exports the same profile"),
        ("none", 2, "profile 'none' is neither in"),
    ],
)
def test_nothing_to_export(capsys, profile, code, says):
    """If a profile has no valid credentials, stdout is empty, and stderr shows the reason."""
    assert main(["credentials", "--profile", profile, "--export", "process"]) == code
    out, err = capsys.readouterr()
    assert (out, says in err) == ("", True)


@pytest.mark.usefixtures("home")
def test_circle(capsys, monkeypatch):
    """If a parent process is already exporting a profile, exporting that profile again is an error."""
    monkeypatch.setenv("_SAGEMAKER_RUNTIME_EXPORTING", "\nthrough\nwork")
    assert main(["credentials", "--profile", "work", "--export", "process"]) == 2
    out, err = capsys.readouterr()
    assert (out, "credential_process of profile 'work' exports the same profile" in err) == (
        "",
        True,
    )


@pytest.mark.usefixtures("home")
def test_one_format(capsys):
    """The options --json and --export cannot be combined."""
    with pytest.raises(SystemExit, match="2"):
        main(["credentials", "--json", "--export", "env"])
    assert "not allowed with argument" in capsys.readouterr().err
