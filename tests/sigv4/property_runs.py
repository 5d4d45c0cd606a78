"""Check properties with generated examples.

A property consists of a function that checks one input, and of a Hypothesis strategy for inputs.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

Check = Callable[..., None]


def each_property(properties: Mapping[Check, SearchStrategy[Any]]) -> Any:
    """Parametrize a test with the check and the strategy of each property."""
    return pytest.mark.parametrize(
        ("check", "strategy"), properties.items(), ids=[check.__name__ for check in properties]
    )


def run_property(
    check: Check, strategy: SearchStrategy[Any], examples: int, *, is_random: bool = False
) -> None:
    """Call *check* with examples from *strategy*, the same in each run unless *is_random*."""
    run = settings(
        max_examples=examples,
        deadline=None,
        derandomize=not is_random,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run(given(strategy)(check))()
