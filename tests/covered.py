"""Measure branch coverage in each process that runs tests: `pytest -p tests.covered`.

The measurement starts before these packages are imported.  Each process writes its own file;
`coverage combine` joins them.
"""

from coverage import Coverage

_counted = Coverage(data_suffix=True)
_counted.start()


def pytest_unconfigure():
    """Save the measured coverage."""
    _counted.stop()
    _counted.save()
