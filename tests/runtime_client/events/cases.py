"""Read the test cases in ``fixtures/events``, and describe events in the form that the cases use."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sagemaker_runtime_client.events import Event

FOLDER = Path(__file__).parents[3] / "fixtures" / "events"


def cases(name: str) -> list[dict[str, Any]]:
    """Return the cases in the file ``{name}.json``."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def each_case(*names: str) -> pytest.MarkDecorator:
    """Return a decorator that parametrizes a test with each case in the named files."""
    found = [case for name in names for case in cases(name)]
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def options(case: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments that a case requires for its call of `parse`."""
    return {name: case[name] for name in ("source", "trusted_sources") if name in case}


def described(event: Event) -> dict[str, Any]:
    """Return an event in the form that the cases use, which omits `fields` and empty values."""
    values = {"type": type(event).__name__, **event._asdict()}
    del values["fields"]
    if "key" in values:
        values["locations"] = list(event.locations)
    plain = {name: _plain(value) for name, value in values.items()}
    return {name: value for name, value in plain.items() if value not in (None, False, 0)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.decode() if isinstance(value, bytes) else value
