"""The properties in ``properties.py``, with few examples each."""

import pytest
from hypothesis import given, settings

from tests.sigv4.properties import PROPERTIES

EXAMPLES = 500


@pytest.mark.parametrize(
    ("check", "strategy"), PROPERTIES.items(), ids=[check.__name__ for check in PROPERTIES]
)
def test_property(check, strategy):
    """Each property in ``properties.py`` holds for generated requests, the same in each run."""
    run = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    run(given(strategy)(check))()
