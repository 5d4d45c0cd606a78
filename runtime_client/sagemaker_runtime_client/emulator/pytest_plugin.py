"""pytest fixtures that run the emulator.

To load the plugin, add this line to ``conftest.py``:

    pytest_plugins = ["sagemaker_runtime_client.emulator.pytest_plugin"]

To change the defaults, override ``sagemaker_model`` or ``sagemaker_emulator_options``.

pytest need not rewrite this module, because it contains no assertions.  The word
PYTEST_DONT_REWRITE prevents a warning if the module is imported before the plugin is loaded.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from . import Emulator, echo
from ._environment import CONFLICTING_VARIABLES
from ._models.values import Model


@pytest.fixture
def sagemaker_model() -> Model:
    """Return the model that `sagemaker_emulator` runs.  The default model returns the payload unchanged.

    Override this fixture to use another model.
    """
    return echo


@pytest.fixture
def sagemaker_emulator_options() -> dict[str, Any]:
    """Return additional keyword arguments for `Emulator`, by default none.

    Override this fixture to change them.
    """
    return {}


@pytest.fixture
def sagemaker_emulator(
    sagemaker_model: Model, sagemaker_emulator_options: dict[str, Any]
) -> Iterator[Emulator]:
    """Yield an emulator that runs during the test."""
    with Emulator(sagemaker_model, **sagemaker_emulator_options) as emulator:
        yield emulator


@pytest.fixture
def sagemaker_environment(
    sagemaker_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Emulator:
    """Set or unset environment variables so that clients use the emulator, and return it."""
    for name in CONFLICTING_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in sagemaker_emulator.environ.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    return sagemaker_emulator
