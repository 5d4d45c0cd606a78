"""Test the properties of the signer and of notifications: `make fuzz`.

    EXAMPLES=20000 python -m pytest tests/fuzz/test_properties.py

EXAMPLES is the number of random examples for each property.  If an example fails, Hypothesis
reduces it to a minimal example and prints it.
"""

import os

from tests.runtime_client.events import event_properties
from tests.sigv4 import parser_properties, properties, stream_properties
from tests.sigv4.property_runs import each_property, run_property

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))
MODULES = (properties, stream_properties, parser_properties, event_properties)
PROPERTIES = {
    check: strategy for module in MODULES for check, strategy in module.PROPERTIES.items()
}


@each_property(PROPERTIES)
def test_property(check, strategy):
    """Each property holds for random examples, which differ from run to run."""
    run_property(check, strategy, EXAMPLES, is_random=True)
