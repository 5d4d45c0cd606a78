"""Tests all properties in ``tests/sigv4`` with many random examples: `make fuzz`.

    EXAMPLES=20000 python -m pytest tests/fuzz

EXAMPLES is the number of examples for each property.  A failing example is reduced to a minimal one
and printed.
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
    """Each property of signatures, parsers and encoders holds for random examples, new in each run."""
    run = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run(given(strategy)(check))()
