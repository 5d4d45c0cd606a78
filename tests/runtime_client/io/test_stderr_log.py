"""Test log messages on stderr: the variable SAGEMAKER_RUNTIME_LOG, and the command-line option
--debug.
"""

import logging
import sys

import pytest

from sagemaker_runtime_client import default_chain
from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client._io import stderr_log
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.loopback import Loopback, always

LOGGER = logging.getLogger("sagemaker_runtime_client")


@pytest.fixture(autouse=True)
def _restored_logger(bare_environment):
    """Undo the changes that a test makes to the logger."""
    bare_environment.setattr(LOGGER, "level", logging.NOTSET)
    handlers = list(LOGGER.handlers)
    LOGGER.manager._clear_cache()
    yield
    LOGGER.handlers[:] = handlers
    LOGGER.manager._clear_cache()
    stderr_log.log_to_stderr.cache_clear()


@pytest.fixture
def server():
    """A server that accepts every job."""
    with Loopback(always(b"{}", 202)) as server:
        yield server


def log_all():
    """Log one message at each of the levels debug, info and warning."""
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        LOGGER.log(level, "%s message", logging.getLevelName(level))


def test_debug(bare_environment, plain_driver, server, capsys):
    """At the debug level, a client logs each attempt with its status, but neither the payload nor
    the custom attributes.
    """
    bare_environment.setenv("SAGEMAKER_RUNTIME_LOG", "debug")
    client = plain_driver.client(**pointed_at(server))
    client.invoke_endpoint_async("e", body=b"canary", custom_attributes="canary")
    (line,) = capsys.readouterr().err.splitlines()
    assert " DEBUG sagemaker_runtime_client: " in line
    assert "attempt 1" in line
    assert "202" in line
    assert "canary" not in line


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("debug", ["DEBUG", "INFO", "WARNING"]),
        (" Info ", ["INFO", "WARNING"]),
        ("WARNING", ["WARNING"]),
    ],
)
def test_levels(bare_environment, capsys, value, expected):
    """Messages below the level in SAGEMAKER_RUNTIME_LOG are not shown.

    The level is case-insensitive, and leading or trailing spaces are ignored.
    """
    bare_environment.setenv("SAGEMAKER_RUNTIME_LOG", value)
    with default_chain():
        log_all()
    assert [line.split()[2] for line in capsys.readouterr().err.splitlines()] == expected


@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
def test_no_level(bare_environment, capsys, value):
    """If SAGEMAKER_RUNTIME_LOG is unset or empty, debug messages are not shown."""
    if value is not None:
        bare_environment.setenv("SAGEMAKER_RUNTIME_LOG", value)
    with default_chain():
        log_all()
    assert "DEBUG" not in capsys.readouterr().err
    assert LOGGER.level == logging.NOTSET


def test_unknown_level(bare_environment, caplog):
    """If SAGEMAKER_RUNTIME_LOG is not a known level, one warning is logged, and no handler for
    stderr is added.
    """
    bare_environment.setenv("SAGEMAKER_RUNTIME_LOG", "verbose")
    for _ in range(2):
        with default_chain():
            pass
    assert caplog.messages == [
        "SAGEMAKER_RUNTIME_LOG is ignored: it must be one of debug, info, warning"
    ]
    assert stderr_log._handler not in LOGGER.handlers


def test_several_levels(capsys):
    """If logging to stderr is requested at several levels, the most verbose one applies, and each
    message appears once.
    """
    for level in ("info", "debug", "warning"):
        stderr_log.log_to_stderr(level)
    log_all()
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_the_level_of_an_application(capsys):
    """If an application has set the logger's level to DEBUG, the level stays, but stderr shows only
    messages from the requested level on.
    """
    LOGGER.setLevel(logging.DEBUG)
    stderr_log.log_to_stderr("warning")
    log_all()
    assert LOGGER.level == logging.DEBUG
    assert [line.split()[2] for line in capsys.readouterr().err.splitlines()] == ["WARNING"]


def test_control_characters(capsys):
    """Control characters in a message are escaped, so that it cannot move the terminal's cursor or
    forge another line.
    """
    stderr_log.log_to_stderr("warning")
    LOGGER.warning("a\x1b[2K\nb")
    assert capsys.readouterr().err.endswith(r": a\x1b[2K\nb" + "\n")


def test_no_stderr(monkeypatch):
    """If the process has no stderr, a message is dropped without an error."""
    stderr_log.log_to_stderr("warning")
    monkeypatch.setattr(sys, "stderr", None)
    LOGGER.warning("message")


@pytest.mark.parametrize("place", ["before the command", "after the command"])
def test_debug_option(bare_environment, server, capsys, tmp_path, place):
    """The --debug option works before the command and after it."""
    bare_environment.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    bare_environment.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    payload = tmp_path / "payload"
    payload.write_bytes(b"x")
    command = ["invoke", "e", "--input", str(payload), "--no-wait"]
    command += ["--region", "eu-west-1", "--endpoint-url", server.url]
    arguments = ["--debug", *command] if place == "before the command" else [*command, "--debug"]
    assert main(arguments) == 0
    assert "attempt 1" in capsys.readouterr().err


def test_no_debug_option(bare_environment, capsys):
    """Without --debug, the command-line tool shows no debug messages."""
    bare_environment.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    bare_environment.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    assert main(["credentials"]) == 0
    log_all()
    assert "DEBUG" not in capsys.readouterr().err
