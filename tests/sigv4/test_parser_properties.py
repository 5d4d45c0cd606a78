"""The properties in ``parser_properties.py``, with a few hundred examples each."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.sigv4.parser_properties import PROPERTIES

EXAMPLES = 500


@pytest.mark.parametrize(
    ("check", "strategy"), PROPERTIES.items(), ids=[check.__name__ for check in PROPERTIES]
)
def test_property(check, strategy):
    """Each property in ``parser_properties.py`` holds for generated examples, the same in each run."""
    run = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run(given(strategy)(check))()
