"""Every table of properties in ``tests/sigv4``, with many random examples: `make fuzz`.

    EXAMPLES=20000 python -m pytest tests/fuzz

EXAMPLES is the number of examples for each property.  A failing example is printed in its smallest
form.
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
    """Each property of signatures, parsers and encoders holds for new random examples."""
    run = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run(given(strategy)(check))()
