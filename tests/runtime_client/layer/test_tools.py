"""Tests of finding and running Python interpreters."""

import sys
from pathlib import Path

import pytest

from sagemaker_runtime_client import ConfigError
from sagemaker_runtime_client.layer._recipe import PYTHONS
from sagemaker_runtime_client.layer._tools import interpreter, run
from tests.runtime_client.layer.conftest import THIS_PYTHON
from tests.runtime_client.layer.runtime_api import ROOT


@pytest.fixture
def pythons(tmp_path, monkeypatch):
    """A function that creates a fake Python, which reports a version.

    No real Python can be found.
    """
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    interpreter.cache_clear()

    def make(path, version, status=0):
        program = tmp_path / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\necho {version}\nexit {status}\n")
        program.chmod(0o755)
        return str(program)

    yield make
    interpreter.cache_clear()


def test_supported():
    """The supported Python versions are those in the distribution's classifiers."""
    named = [
        line.partition(" :: Python :: ")[2].rstrip('",')
        for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if "Python :: 3." in line
    ]
    assert list(PYTHONS) == named


def test_this_python(pythons):  # noqa: ARG001 (the fixture hides all other Pythons)
    """If the running Python has the required version, it is used."""
    assert interpreter(THIS_PYTHON) == sys.executable


def test_on_the_path(pythons):
    """A Python on the PATH takes precedence over pyenv's."""
    found = pythons("bin/python3.99", "3.99")
    pythons("pyenv/versions/3.99.1/bin/python", "3.99")
    assert interpreter("3.99") == found


def test_pyenv(pythons):
    """If the shim on the PATH does not run, pyenv's newest matching Python is used."""
    pythons("bin/python3.99", "3.99", status=127)
    known = {
        version: pythons(f"pyenv/versions/{version}/bin/python", "3.99")
        for version in ("3.99.2", "3.99.10", "3.99.9")
    }
    assert interpreter("3.99") == known["3.99.10"]


@pytest.mark.parametrize("version", ["3.98", ""])
def test_none(pythons, version):
    """If no Python reports the required version, the error states how to provide one."""
    pythons("bin/python3.99", version)
    (Path(pythons("pyenv/versions/3.99.1/bin/python", "3.99"))).unlink()
    with pytest.raises(
        ConfigError, match=r"^Python 3\.99, .* not found: put python3\.99 on the PATH"
    ):
        interpreter("3.99")


def test_environment(monkeypatch):
    """A program runs with a fixed hash seed and without this Python's environment variables."""
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    program = "import os; print({n: v for n, v in os.environ.items() if n.startswith('PYTHON')})"
    assert run(sys.executable, "-c", program) == "{'PYTHONHASHSEED': '0'}\n"


def test_failure():
    """If a program fails, the error contains its output."""
    with pytest.raises(ConfigError, match=r"(?s)^compileall failed: .*unrecognized arguments"):
        run(sys.executable, "-m", "compileall", "--unknown")
    with pytest.raises(ConfigError, match=r"^python failed: on stdout$"):
        run(sys.executable, "-c", "print('on stdout'); raise SystemExit(3)")
