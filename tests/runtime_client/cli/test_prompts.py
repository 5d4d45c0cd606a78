"""Tests of the prompt for an MFA code, with and without a terminal."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from errno import ENXIO
from io import StringIO
from threading import Thread

import pytest

from sagemaker_runtime_client import CredentialProviderError
from sagemaker_runtime_client._cli.prompts import mfa_token
from sagemaker_runtime_client.emulator import Emulator
from sigv4 import Credentials
from tests.runtime_client.credentials.fakes import STS
from tests.runtime_client.loopback import Loopback

CONFIG = """[profile admin]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = me
mfa_serial = arn:aws:iam::123456789012:mfa/me
region = eu-west-1
[profile me]
aws_access_key_id = AKIDME
aws_secret_access_key = s
"""
PROMPT = b"Enter MFA code for arn:aws:iam::123456789012:mfa/me: "
# This program runs the command-line tool with the controlling terminal whose file descriptor is the
# first argument.
PROGRAM = """
import fcntl, sys, termios
fcntl.ioctl(int(sys.argv.pop(1)), termios.TIOCSCTTY, 0)
from sagemaker_runtime_client._cli.commands import main
sys.exit(main())
"""
EXPORT = ["credentials", "--profile", "admin", "--export", "json"]


@pytest.fixture
def sts():
    """A fake STS that accepts requests that are signed with the access key of the profile `me`."""
    return STS(Credentials("AKIDME", "s"))


@pytest.fixture
def environ(tmp_path, sts):
    """An environment whose only AWS settings are the config file and the endpoint of the fake STS."""
    (tmp_path / "config").write_text(CONFIG)
    with Loopback(sts) as server:
        yield {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(sys.path),
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_ENDPOINT_URL_STS": server.url,
        }


def on_a_terminal(arguments, environ, typed, *, stdin=None):
    """Run a command on a new terminal, and type *typed* at the command's prompt.

    Return the exit code, stdout, stderr and what the terminal showed before the input.
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(theirs), *arguments],
        stdin=theirs if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        start_new_session=True,
        pass_fds=[theirs],
    )
    os.close(theirs)
    shown = read_prompt(ours)
    with suppress(OSError):  # the command has ended
        os.write(ours, typed)
    out, err = process.communicate()
    os.close(ours)
    return process.returncode, out, err, shown


def read_prompt(terminal):
    """Return what a terminal shows up to and including a prompt, or up to the end if there is no
    prompt.
    """
    shown = b""
    with suppress(OSError):  # the other end of the terminal is closed
        while not shown.endswith(b": "):
            shown += os.read(terminal, 999)
    return shown


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, None], ids=["elsewhere", "the terminal"])
def test_code(environ, sts, stdin):
    """The prompt for the MFA code appears on the terminal, as in the AWS CLI, even if stdin and
    stdout are redirected.
    """
    code, out, err, shown = on_a_terminal(EXPORT, environ, b"123456\n", stdin=stdin)
    assert (code, err, shown) == (0, b"", PROMPT)
    assert json.loads(out)["AccessKeyId"] == "ASIASTS1"
    assert sts.received[0]["TokenCode"] == "123456"


def test_what_is_no_code(environ, sts):
    """Input that is not an MFA code is rejected and not sent to STS, because it may be a mistyped
    password.
    """
    code, out, err, _ = on_a_terminal(EXPORT, environ, b"canary\n", stdin=subprocess.DEVNULL)
    assert (code, out, sts.received) == (3, b"", [])
    assert b"must be a string of digits" in err
    assert b"canary" not in err


def test_invoke(environ):
    """The command `invoke` also prompts for the MFA code if the profile requires one."""
    role = Credentials("ASIASTS1", "canary-secret-STS-1", "canary-token-STS-1")
    with Emulator(credentials=role, region="eu-west-1") as emulator:
        environ |= {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": emulator.url,
            "AWS_ENDPOINT_URL_S3": emulator.url,
        }
        arguments = ["invoke", "e", "--input", environ["AWS_CONFIG_FILE"], "--profile", "admin"]
        code, out, err, shown = on_a_terminal(arguments, environ, b"123456\n")
    assert (code, out, shown) == (0, CONFIG.encode(), PROMPT), err


def test_no_terminal(environ, sts):
    """If an MFA code is required but there is no terminal, the exit code is 3, and the error shows
    how to pass the credentials instead.
    """
    done = subprocess.run(
        [sys.executable, "-m", "sagemaker_runtime_client", *EXPORT],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environ,
        start_new_session=True,
        check=False,
    )
    assert (done.returncode, done.stdout, sts.received) == (3, b"", [])
    assert b"there is no terminal to enter it" in done.stderr
    assert b"--profile NAME --export env" in done.stderr


@pytest.fixture
def terminal(monkeypatch):
    """A terminal on which a simulated user types a code, and a list of what the terminal has shown.

    In this fixture, opening /dev/tty fails.
    """
    real, shown = os.open, []
    ours, theirs = os.openpty()

    def refuse(path, *arguments, **options):
        if path == "/dev/tty":
            raise OSError(ENXIO, "No such device or address")
        return real(path, *arguments, **options)

    def person():
        shown.append(read_prompt(ours))
        os.write(ours, b" 123456\n")

    monkeypatch.setattr(os, "open", refuse)
    thread = Thread(target=person)
    thread.start()
    yield theirs, shown
    os.close(theirs)
    thread.join()
    os.close(ours)


def test_stdin_is_the_terminal(terminal, monkeypatch):
    """If /dev/tty cannot be opened, but stdin is a terminal, the prompt appears on that terminal."""
    theirs, shown = terminal
    with (
        os.fdopen(theirs, "r", closefd=False) as stdin,
        os.fdopen(theirs, "w", closefd=False) as stderr,
    ):
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stderr", stderr)
        assert mfa_token("arn:aws:iam::123456789012:mfa/me") == "123456"
    assert shown == [PROMPT]


def test_the_systems_terminal(terminal, monkeypatch):
    """If /dev/tty can be opened, the prompt appears there, and the code is read from there."""
    theirs, shown = terminal
    real = os.open

    def redirect(path, *arguments, **options):
        return os.dup(theirs) if path == "/dev/tty" else real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", redirect)
    assert mfa_token("arn:aws:iam::123456789012:mfa/me") == "123456"
    assert shown == [PROMPT]


@pytest.mark.usefixtures("terminal")
def test_stdin_is_none(monkeypatch):
    """If /dev/tty cannot be opened, and stdin is not a terminal, an error is raised instead of a
    prompt.
    """
    monkeypatch.setattr(sys, "stdin", StringIO("123456\n"))
    with pytest.raises(CredentialProviderError, match="the code of MFA device me is required"):
        mfa_token("me")
