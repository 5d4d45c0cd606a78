"""Test all properties in ``tests/sigv4`` with many random examples: `make fuzz`.

    EXAMPLES=20000 python -m pytest tests/fuzz

EXAMPLES is the number of examples for each property.  A failing example is reduced to a minimal one
and printed.
"""

import os

from tests.sigv4 import parser_properties, properties, stream_properties
from tests.sigv4.property_runs import each_property, run_property

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))
PROPERTIES = properties.PROPERTIES | stream_properties.PROPERTIES | parser_properties.PROPERTIES


@each_property(PROPERTIES)
def test_property(check, strategy):
    """Each property of signatures, parsers and encoders holds for random examples, new in each run."""
    run_property(check, strategy, EXAMPLES, is_random=True)
