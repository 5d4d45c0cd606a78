"""Test the properties in ``event_properties.py`` with 300 examples each."""

from tests.runtime_client.events.event_properties import PROPERTIES
from tests.sigv4.property_runs import each_property, run_property

EXAMPLES = 300


@each_property(PROPERTIES)
def test_property(check, strategy):
    """Each property in ``event_properties.py`` holds for 300 examples, which are the same in each
    run.
    """
    run_property(check, strategy, EXAMPLES)
