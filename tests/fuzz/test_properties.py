"""
Every table of properties in ``tests/sigv4``, on as many new examples as asked for: `make fuzz`.

    EXAMPLES=20000 python -m pytest tests/fuzz

EXAMPLES says how many each property gets.  What fails is printed at its smallest.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.sigv4 import parser_properties, properties, stream_properties

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))
PROPERTIES = properties.PROPERTIES | stream_properties.PROPERTIES | parser_properties.PROPERTIES


@pytest.mark.parametrize(
    ("check", "strategy"), PROPERTIES.items(), ids=[check.__name__ for check in PROPERTIES]
)
def test_property(check, strategy):
    """What is stated of a signature, a parser or an encoder holds for what is generated, anew in each run."""
    run = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run(given(strategy)(check))()
