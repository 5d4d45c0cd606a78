"""Test the properties in ``properties.py`` with 500 examples each."""

from tests.sigv4.properties import PROPERTIES
from tests.sigv4.property_runs import each_property, run_property

EXAMPLES = 500


@each_property(PROPERTIES)
def test_property(check, strategy):
    """Each property in ``properties.py`` holds for 500 examples, the same in each run."""
    run_property(check, strategy, EXAMPLES)
