"""
Counts every branch that the tests take, in each process that runs tests: `pytest -p tests.covered`.

It starts before anything of ours is imported.  Each process keeps its own file; `coverage combine` joins them.
"""

from coverage import Coverage

_counted = Coverage(data_suffix=True)
_counted.start()


def pytest_unconfigure():
    """Keep what was counted."""
    _counted.stop()
    _counted.save()
