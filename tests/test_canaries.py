"""Test that the leak detection finds each kind of leak."""

import logging
from contextlib import suppress
from pathlib import Path

import pytest

from sagemaker_runtime_client import (
    ConfigError,
    InvokeEndpointAsyncRequest,
    Request,
    RuntimeClientError,
    ServiceError,
)
from sagemaker_runtime_client._aws.endpoint import Endpoint
from sagemaker_runtime_client._io import files
from sigv4 import Credentials, InvalidRequestError, SigV4Error
from tests import canaries

SECRET = "a-long-secret-without-a-mark"
MARKS = {
    "mark": "my canary",
    "other case": "CANARY-TOKEN",
    "percent-encoded": "a%20canary%2F",
    "of credentials": f"<{SECRET}>",
    "signature": f"Credential=A, Signature={'0a' * 32}",
    "MFA code": f"the code {canaries.MFA_CODE}",
    "private key": "-----BEGIN EC PRIVATE KEY-----",
}
LOG = logging.getLogger("sagemaker_runtime_client")


def leaks(plant, *arguments):
    """Call *plant* while leaks are detected, and return where secrets appeared."""
    with canaries.watch() as seen:
        Credentials("AKID", SECRET)
        plant(*arguments)
    return [leak.partition(":")[0] for leak in seen.leaks]


def throw(error, cause=None):
    """Raise an error, and catch it."""
    with suppress(RuntimeClientError, SigV4Error):
        raise error from cause


def with_(error, **attributes):
    """Set attributes of an error, and return the error."""
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize("text", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("name", canaries.LOGGERS)
def test_logs(name, text):
    """A secret in a DEBUG record is detected if a child of any watched logger logs the record."""
    logger = logging.getLogger(f"{name}.below")
    assert leaks(logger.debug, "%s", text) == [f"log of {logger.name}"]
    assert leaks(logger.debug, "%s", "nothing") == []


def test_traceback_in_a_log():
    """A secret in a logged traceback is detected."""

    def plant():
        try:
            int("my canary")
        except ValueError:
            LOG.exception("oh")

    assert leaks(plant) == ["log of sagemaker_runtime_client"]


def test_presigned_urls():
    """A presigned URL counts as a leak in these packages' logs, but not in the logs of httpx."""
    url = f"https://host.example/?X-Amz-Signature={'0a' * 32}"
    assert leaks(LOG.info, url) == ["log of sagemaker_runtime_client"]
    assert leaks(logging.getLogger("httpx").info, url) == []


@pytest.mark.parametrize(
    ("error", "cause", "where"),
    [
        (lambda: ServiceError("a"), None, []),
        (lambda: ServiceError("a canary"), None, ["as text", "repr", "arguments", "pickle", "traceback"]),
        (lambda: InvalidRequestError(SECRET), None, ["as text", "repr", "arguments", "pickle", "traceback"]),
        (lambda: with_(ServiceError("a"), code="canary"), None, ["as text", "pickle", "traceback"]),
        (lambda: with_(ServiceError("a"), args=("canary",)), None, ["repr", "arguments", "pickle"]),
        (lambda: with_(ServiceError("a"), more="canary"), None, ["pickle"]),
        (lambda: with_(ServiceError("a"), __notes__=["canary"]), None, ["pickle", "traceback"]),
        (lambda: ServiceError("a"), ValueError("canary"), ["traceback"]),
    ],
    ids=["none", "message", "of sigv4", "code", "arguments", "attribute", "note", "cause"],
)  # fmt: skip
def test_errors(error, cause, where):
    """A secret in a raised error is detected in its text, repr, arguments, pickle and traceback."""
    found = leaks(lambda: throw(error(), cause))
    assert found == [f"{type(error()).__name__}, {one}" for one in where]


def test_errors_are_checked_when_raised():
    """Only errors that were raised are checked, in the state that they have at the end of the test."""
    assert len(leaks(lambda: throw(ConfigError("a canary")))) == 5
    assert leaks(lambda: ConfigError("a canary")) == []
    assert leaks(lambda: throw(with_(ConfigError("a canary"), message="a", args=("a",)))) == []


def test_objects():
    """A secret in the repr of a new object is detected."""
    assert leaks(lambda: Request("GET", "/?canary")) == ["repr"]
    assert leaks(lambda: Endpoint("https://canary", "sagemaker", "eu-west-1")) == ["repr"]
    assert leaks(lambda: Request("GET", "/", (("authorization", "canary"),), b"canary")) == []


def test_custom_attributes():
    """The value of *custom_attributes* counts as a secret."""

    def plant():
        InvokeEndpointAsyncRequest("e", body=b"x", custom_attributes="patient=Alice")
        LOG.debug("of patient=Alice")

    assert leaks(plant) == ["log of sagemaker_runtime_client"]


@pytest.mark.parametrize(
    ("name", "mode", "leaks_"),
    [
        ("notes.txt", 0o600, True),
        ("0a" * 20 + ".json", 0o600, False),
        ("0a" * 20 + ".json", 0o640, True),
        ("0a" * 32 + ".json", 0o600, False),
        ("0a" * 32 + ".json", 0o604, True),
    ],
)
def test_files(tmp_path, name, mode, leaks_):
    """A secret in a file that the packages write is detected, except in a private token cache."""
    path = tmp_path / name

    def plant():
        files.write(str(path), b"my canary")
        path.chmod(mode)

    assert leaks(plant) == ([str(path)] if leaks_ else [])


def test_files_of_others(tmp_path):
    """Neither files that a test writes itself nor files that have been deleted are checked."""
    path = tmp_path / "notes.txt"
    assert leaks(lambda: path.write_text("my canary")) == []
    assert leaks(lambda: (files.write(str(path), b"my canary"), Path(path).unlink())) == []


def test_only_the_innermost_watch_records(no_secret_shows):
    """If a test itself uses `canaries.watch`, the watch of the fixture records no leaks."""
    assert leaks(logging.getLogger("sigv4").error, "canary") == ["log of sigv4"]
    assert no_secret_shows.leaks == []
