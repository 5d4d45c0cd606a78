"""Test ``--profile``, which loads credentials with `sagemaker_runtime_client` if it is installed."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import attr
import attrs
import pytest

import sigv4
from sigv4 import Credentials, SignableRequest, verify
from sigv4._cli.commands import main

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCOPE = ["--service", "s3", "--region", "us-east-1", "--date", "20261122T120000Z"]
URL = "https://bucket.example/key"
CONFIG = """[profile work]
aws_access_key_id = AKIDWORK
aws_secret_access_key = very-secret
[profile broken]
credential_process = /no/such/program
"""


@pytest.fixture(autouse=True)
def environ(tmp_path, monkeypatch):
    """Set AWS_CONFIG_FILE to a file with two profiles, and set variables with another key."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")


def test_sign(capfdbinary):
    """`sign` uses the profile's key even if the environment variables contain another key."""
    assert main(["sign", URL, *SCOPE, "--profile", "work"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    headers = [tuple(line.split(": ", 1)) for line in lines]
    known = {"AKIDWORK": Credentials("AKIDWORK", "very-secret")}
    verified = verify(
        SignableRequest("GET", URL, headers), known, at=AT, service="s3", region="us-east-1"
    )
    assert verified.access_key_id == "AKIDWORK"


def test_presign(capfdbinary):
    """With ``--profile``, `presign` uses the profile's key."""
    assert main(["presign", URL, *SCOPE, "--profile", "work"]) == 0
    assert b"X-Amz-Credential=AKIDWORK%2F" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("broken", ["credential_process", "profile broken", "/no/such/program"]),
        ("none", ["profile", "'none'"]),
    ],
)
def test_no_credentials(capfdbinary, profile, words):
    """If the profile's credentials cannot be loaded, the tool prints the cause and returns 2."""
    assert main(["sign", URL, *SCOPE, "--profile", profile]) == 2
    out, err = capfdbinary.readouterr()
    assert (out, err.startswith(b"sigv4: ")) == (b"", True)
    assert [word for word in words if word not in err.decode()] == []


def test_alone(tmp_path):
    """If the client is not installed, the error for ``--profile`` states how to install it.

    Commands without ``--profile`` still work.
    """
    for package in (sigv4, attr, attrs):
        (tmp_path / package.__name__).symlink_to(Path(package.__file__).parent)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-S", "-E", "-m", "sigv4", "sign", URL, *SCOPE, *arguments],
            capture_output=True,
            check=False,
            cwd=tmp_path,
        )

    done = run("--profile", "work")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--profile requires the package sagemaker_runtime_client: pip install" in done.stderr
    assert run().returncode == 0


def test_client_that_is_missing(capfdbinary, monkeypatch):
    """If the client cannot be imported, the error states that ``--profile`` requires it."""
    monkeypatch.setitem(sys.modules, "sagemaker_runtime_client", None)
    assert main(["sign", URL, *SCOPE, "--profile", "work"]) == 2
    assert b"--profile requires the package" in capfdbinary.readouterr().err
