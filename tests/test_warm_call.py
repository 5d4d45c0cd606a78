"""Test upper bounds for the work of a warm call; `warm_call.py` measures and prints the figures."""

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
    sys.version_info[:2] != (3, 11), reason="the bounds are for CPython 3.11"
)


@pytest.fixture(scope="module")
def figures():
    """The figures of each warm call, measured in a new process without the leak detection."""
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
    """Each figure is at most its bound."""
    assert figures[name][what] <= most
