"""
Fixtures for tests against the emulator.

Load it where your tests want it, in ``conftest.py``:

    pytest_plugins = ["sagemaker_runtime_client.emulator.pytest_plugin"]

and override ``sagemaker_model`` or ``sagemaker_emulator_options`` where the defaults do not do.

It has no asserts to explain, and may be imported before pytest loads it: PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from . import Emulator, echo
from ._environment import IN_THE_WAY
from ._models import Model


@pytest.fixture
def sagemaker_model() -> Model:
    """Return the model of `sagemaker_emulator`; override it.  By default the answer is the payload."""
    return echo


@pytest.fixture
def sagemaker_emulator_options() -> dict[str, Any]:
    """Return further arguments of `Emulator`; override it."""
    return {}


@pytest.fixture
def sagemaker_emulator(
    sagemaker_model: Model, sagemaker_emulator_options: dict[str, Any]
) -> Iterator[Emulator]:
    """Run an emulator as long as the test runs."""
    with Emulator(sagemaker_model, **sagemaker_emulator_options) as emulator:
        yield emulator


@pytest.fixture
def sagemaker_environment(
    sagemaker_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Emulator:
    """Point the environment of the test at the emulator, past the shared files, and return it."""
    for name in IN_THE_WAY:
        monkeypatch.delenv(name, raising=False)
    for name, value in sagemaker_emulator.environ.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    return sagemaker_emulator
