"""The command line in this process, and an emulator configured by environment variables."""

import io
import sys

import pytest

from sagemaker_runtime_client._cli.commands import main
from sagemaker_runtime_client.emulator import Emulator
from tests.runtime_client.cli.programs import model


@pytest.fixture
def emulator(bare_environment):
    """An emulator to which the environment variables point."""
    with Emulator(model=model) as emulator:
        for name, value in emulator.environ.items():
            bare_environment.setenv(name, value)
        yield emulator


@pytest.fixture
def command(capsysbinary, monkeypatch):
    """A function that runs a command line with given stdin and returns exit code, stdout and
    stderr.
    """

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return code, out, err.decode()

    return run
