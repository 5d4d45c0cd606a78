"""A warm call does not do more than it must: see `warm_call.py`, which prints what it does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = """
import json
from tests.warm_call import MEASURED, measured
print(json.dumps({name: measured(name).figures for name in MEASURED}))
"""
INVOKE, WAIT = "invoke_endpoint_async", "wait, the output is there"

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="other versions count calls otherwise"
)


@pytest.fixture(scope="module")
def figures():
    """What is measured, by a program in which nothing else looks at our objects."""
    path = ":".join(map(str, (ROOT, ROOT / "runtime_client")))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path},
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "what", "most"),
    [
        (INVOKE, "files", 22),
        (INVOKE, "calls", 110),
        (INVOKE, "run()", 1),
        (WAIT, "files that the body passes", 10),
        (WAIT, "values that wrap it", 2),
    ],
)
def test_bounds(figures, name, what, most):
    """As many as these, and not one more."""
    assert figures[name][what] <= most
