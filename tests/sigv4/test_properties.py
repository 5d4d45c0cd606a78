"""The properties of ``properties.py``, on as many requests as an ordinary run has time for."""

import pytest
from hypothesis import given, settings

from tests.sigv4.properties import PROPERTIES

EXAMPLES = 500


@pytest.mark.parametrize(
    ("check", "strategy"), PROPERTIES.items(), ids=[check.__name__ for check in PROPERTIES]
)
def test_property(check, strategy):
    """What `properties.py` states holds for generated requests, the same ones in each run."""
    run = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    run(given(strategy)(check))()
