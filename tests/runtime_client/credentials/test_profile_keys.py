"""Tests of credentials in the shared files and from programs."""

import sys

import pytest

from sagemaker_runtime_client import CredentialProviderError
from sagemaker_runtime_client._io.on_threads import sync_backend
from sagemaker_runtime_client._io.processes import Finished
from sagemaker_runtime_client._io.system import System
from sagemaker_runtime_client._settings.config import Config
from sagemaker_runtime_client._settings.context import Context
from sagemaker_runtime_client._settings.profiles import Profiles
from sagemaker_runtime_client.credentials._chain import PROVIDERS
from sigv4 import Credentials
from tests.runtime_client.credentials.harness import KEY
from tests.runtime_client.scripted_io import START, ScriptedIO, run


def load(name, section, io=None, keyed=()):
    """Load credentials from the provider *name*.

    The access keys of the profiles in *keyed* are in the credentials file.
    """
    profiles = Profiles({"work": section}, {}, {}, keyed)
    io = io or ScriptedIO()
    context = Context(io, io, Config(), profiles, "work")
    return run(PROVIDERS[name].create(context).load())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Credentials("AKID", "canary")),
        ({"aws_session_token": "T"}, Credentials("AKID", "canary", "T")),
        ({"aws_security_token": "T"}, Credentials("AKID", "canary", "T")),
        (
            {"aws_session_token": "T", "aws_security_token": "old"},
            Credentials("AKID", "canary", "T"),
        ),
        ({"aws_session_token": ""}, Credentials("AKID", "canary")),
        ({"aws_account_id": "1"}, Credentials("AKID", "canary", account_id="1")),
    ],
    ids=str,
)
def test_shared_file(more, expected):
    """The provider for the config file and the one for the credentials file each load only the
    credentials in their own file.
    """
    section = {**KEY, **more}
    both = ("config-file", "shared-credentials-file")
    assert [load(name, section) for name in both] == [expected, None]
    assert [load(name, section, keyed=("work",)) for name in both] == [None, expected]


@pytest.mark.parametrize("section", [{}, {"aws_access_key_id": ""}, {"region": "r"}], ids=str)
def test_no_key(section):
    """If a profile has no access key ID, the provider returns None."""
    assert load("config-file", section) is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"aws_secret_access_key": ""}, "profile work has aws_access_key_id but no aws_secret"),
        (
            {"aws_secret_access_key": "canary one"},
            "credentials of profile work are malformed: secret_acc",
        ),
        (
            {"aws_session_token": "canary two"},
            "credentials of profile work are malformed: session_token",
        ),
    ],
)
def test_broken_key(more, message):
    """Incomplete or malformed credentials in a profile cause an error that does not show them."""
    with pytest.raises(CredentialProviderError, match=message) as caught:
        load("config-file", {**KEY, **more})
    assert caught.value.provider == "config-file"
    assert "canary" not in str(caught.value)


def wrote(text, status=0, stderr=b""):
    """Return a system in which the program ``vault`` ends with the given output and exit status."""
    return ScriptedIO(processes={"vault": Finished(status, text, stderr)})


WHOLE = b'{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "canary", "SessionToken": "T",'
WHOLE += b' "Expiration": "2026-11-22T12:00:00Z", "AccountId": "123456789012"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WHOLE, Credentials("AKID", "canary", "T", START, account_id="123456789012")),
        (
            WHOLE.replace(b"T12:00:00Z", b" 12:00:00 UTC"),
            Credentials("AKID", "canary", "T", START, account_id="123456789012"),
        ),
        (
            b'{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "canary"}',
            Credentials("AKID", "canary"),
        ),
    ],
    ids=["whole", "other date", "least"],
)
def test_process(text, expected):
    """The output of a program supplies credentials; its command line is split without a shell."""
    io = wrote(text)
    section = {"credential_process": "vault --role 'the  one' $HOME \"a;b\""}
    assert load("process", section, io) == expected
    assert io.ran == [["vault", "--role", "the  one", "$HOME", "a;b"]]


def test_account_of_the_profile():
    """The profile supplies the account ID if the program does not."""
    io = wrote(b'{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "canary"}')
    section = {"credential_process": "vault", "aws_account_id": "1"}
    assert load("process", section, io).account_id == "1"


@pytest.mark.parametrize("section", [{}, {"credential_process": ""}], ids=str)
def test_no_process(section):
    """If credential_process is not set, the provider returns None."""
    assert load("process", section) is None


@pytest.mark.parametrize(
    ("io", "command", "message"),
    [
        (wrote(b"", 3, b" log in first\n"), "vault", "exited with status 3: log in first"),
        (wrote(b"", 3, b"x" * 9999), "vault", r"exited with status 3: x{500}$"),
        (wrote(b"canary"), "vault", "^output of .* is not a JSON object"),
        (wrote(b"[]"), "vault", "^output of .* is not a JSON object"),
        (wrote(b"\xff"), "vault", "^output of .* is not a JSON object"),
        (wrote(b'{"AccessKeyId": "canary"}'), "vault", 'must contain "Version": 1'),
        (wrote(b'{"Version": 2}'), "vault", 'must contain "Version": 1'),
        (wrote(b'{"Version": 1, "AccessKeyId": "canary"}'), "vault", "is missing SecretAccessKey"),
        (wrote(WHOLE.replace(b"2026-", b"canary")), "vault", "has an invalid Expiration"),
        (wrote(b""), "vault 'canary", "cannot be parsed: No closing quotation"),
        (wrote(b""), "''", "failed to run"),
        (wrote(b""), "#", "vault"),
        (
            ScriptedIO(processes={"vault": FileNotFoundError(2, "No such file")}),
            "vault canary",
            "failed to run 'vault': No such file",
        ),
    ],
)
def test_broken_process(io, command, message):
    """If the program cannot be run, fails or writes malformed output, the error states the reason."""
    if command in {"''", "#"}:
        io.processes = {"": PermissionError(13, "Permission denied"), "#": ValueError("vault")}
    with pytest.raises(CredentialProviderError, match=message) as caught:
        load("process", {"credential_process": command}, io)
    assert caught.value.provider == "process"
    assert "profile work" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_blank_command():
    """A command that contains only whitespace causes an error."""
    with pytest.raises(CredentialProviderError, match=r"\(profile work\) is empty"):
        load("process", {"credential_process": " "})


def test_real_process(tmp_path):
    """A real program runs without a shell and without input."""
    program = tmp_path / "vault.py"
    program.write_text(f"import sys\nassert not sys.stdin.read()\nprint({WHOLE.decode()!r})\n")
    io = System(sync_backend)
    section = {"credential_process": f"'{sys.executable}' '{program}'"}
    assert load("process", section, io).account_id == "123456789012"
    with pytest.raises(CredentialProviderError, match="failed to run '/no/such/program'"):
        load("process", {"credential_process": "/no/such/program"}, io)
