"""
The properties of ``tests/sigv4/stream_properties.py``: every parser of a body that arrives.

    EXAMPLES=20000 python -m pytest tests/fuzz

EXAMPLES says how many each property gets.  What fails is printed at its smallest.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.sigv4.stream_properties import PROPERTIES

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))


@pytest.mark.parametrize(
    ("check", "strategy"), PROPERTIES.items(), ids=[check.__name__ for check in PROPERTIES]
)
def test_property(check, strategy):
    """What `stream_properties.py` states holds for what is generated, anew in each run."""
    run = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run(given(strategy)(check))()
