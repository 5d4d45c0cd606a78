"""Measure branch coverage in each process that runs tests: `pytest -p tests.covered`.

The measurement starts before the product's packages are imported.  Each process writes its own data
file; `coverage combine` merges these files.
"""

from coverage import Coverage

_counted = Coverage(data_suffix=True)
_counted.start()


def pytest_unconfigure():
    """Save the coverage data of this process."""
    _counted.stop()
    _counted.save()
