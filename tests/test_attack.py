"""Test the runner of `make attack`: its output and its exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

FRAME = Path(__file__).parent / "attack"
HOLDS = """
from _row import Row

def run():
    print("not a row")
    yield Row("forged", 0, 0, "answers")
    yield Row("held", 2048, 4096, "KiB")
"""
GROWS = """
from _row import Row

def run():
    yield Row("held", 4097, 4096, "KiB")
"""
ENDS_EARLY = """
from _row import Row

def run():
    yield Row("forged", 0, 0, "answers")
    raise OSError("no server")
"""
HANGS = """
import subprocess, sys, time
from _row import Row

def run():
    yield Row("forged", 0, 0, "answers")
    subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"])
"""


@pytest.fixture
def frame(tmp_path):
    """Return a function that runs attacks.

    Each keyword argument is the name of an attack, and its value is the attack's source code.
    """

    def run(*arguments, **sources):
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(source)
        return subprocess.run(
            [sys.executable, "-W", "error", FRAME, "--folder", tmp_path, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def cells(done):
    """Return the cells of each row with a figure in the output."""
    return [line.split() for line in done.stdout.splitlines()[2:-1] if ":" in line]


def test_attacks_that_hold(frame):
    """If all figures are within bounds, the output lists figures and bounds; the status is 0."""
    done = frame(b=HOLDS, a=HOLDS.replace("2048", "0.25"), _helper="raise SystemExit(1)")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "all figures hold")
    assert cells(done) == [
        ["a:", "forged", "0", "0", "answers"],
        ["a:", "held", "0.25", "4,096", "KiB"],
        ["b:", "forged", "0", "0", "answers"],
        ["b:", "held", "2,048", "4,096", "KiB"],
    ]


@pytest.mark.parametrize(
    "source",
    [GROWS, ENDS_EARLY, "def run():\n    return []\n", HOLDS.replace("2048", 'float("nan")')],
    ids=["exceeds its bound", "ends early", "no figure", "not a number"],
)
def test_an_attack_that_fails(frame, source):
    """If one attack fails, the others still run, its name is in the last line, and the status is 1."""
    done = frame(a=source, b=HOLDS)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "FAILED: a")
    assert ["b:", "forged", "0", "0", "answers"] in cells(done)


def test_an_attack_that_hangs(frame):
    """An attack that exceeds the time limit is killed together with the processes that it started."""
    done = frame("--time-limit", "1", a=HANGS)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "FAILED: a")
    assert "a: killed after 1 s" in done.stdout


def test_one_attack_alone(frame):
    """`--only` runs a single attack; an unknown name is a usage error."""
    assert frame("--only", "b", a=GROWS, b=HOLDS).returncode == 0
    done = frame("--only", "c")
    assert (done.returncode, "choose from a, b" in done.stderr) == (2, True)
