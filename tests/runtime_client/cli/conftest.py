"""Fixtures: a function that runs the command-line tool in this process, and an emulator for it."""

import io
import sys

import pytest

from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client.emulator import Emulator
from tests.runtime_client.cli.programs import model


@pytest.fixture
def emulator(bare_environment):
    """A running emulator, to which environment variables direct all clients."""
    with Emulator(model=model) as emulator:
        for name, value in emulator.environ.items():
            bare_environment.setenv(name, value)
        yield emulator


@pytest.fixture
def command(capsysbinary, monkeypatch):
    """A function that runs the command-line tool with the given stdin, and returns its exit code,
    stdout and stderr.
    """

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return code, out, err.decode()

    return run
