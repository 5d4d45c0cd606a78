"""Test that a fork, a restored snapshot or a clock change starts a new generation of the process."""

import os
import subprocess
import sys
import warnings

import pytest

from sagemaker_runtime_client._io.generation import (
    _Generations,
    _register_snapstart_hook,
    generation,
)


def test_nothing_happened():
    """Without a fork, a restored snapshot or a clock change, the generation stays the same."""
    generations = _Generations()
    assert len({generations.current() for _ in range(100)}) == 1


def test_fork():
    """After a fork, the child process has a new generation, and the parent keeps the old one."""
    generations = _Generations()
    before = generations.current()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        child = os.fork()
    if child == 0:
        os._exit(0 if generations.current() != before else 1)
    assert os.waitpid(child, 0) == (child, 0)
    assert generations.current() == before


@pytest.mark.parametrize(
    ("seconds", "is_new"), [(20, False), (-20, False), (3600, True), (-90, True)]
)
def test_clock(seconds, is_new):
    """If the clock is changed by 90 seconds or more, one new generation starts.

    A change by 20 seconds starts no generation.
    """
    generations = _Generations()
    before = generations.current()
    generations._offset -= seconds
    after = generations.current()
    assert (after != before) == is_new
    assert generations.current() == after


PROGRAM = """
from sagemaker_runtime_client._io import generation as _generation
before = _generation.generation()
import snapshot_restore_py
for hook, *_ in snapshot_restore_py.get_after_restore():
    hook()
print(_generation.generation() - before)
"""


@pytest.mark.parametrize(("initialization", "generations"), [("snap-start", 1), ("on-demand", 0)])
def test_restore(initialization, generations):
    """On AWS Lambda, the restore hook is registered and starts a new generation only if SnapStart
    is used.
    """
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == generations


def test_restore_without_a_hook():
    """On AWS Lambda without the library snapshot_restore_py, the package can still be imported."""
    environment = {"PYTHONPATH": ":".join(sys.path), "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    program = "import sys; sys.modules['snapshot_restore_py'] = None\n"
    program += "import sagemaker_runtime_client"
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_hook(monkeypatch):
    """The registered restore hook starts a new generation.

    Without the library snapshot_restore_py, nothing is registered.
    """
    hooks = []
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    monkeypatch.setattr("snapshot_restore_py._after_restore_registry", hooks)
    _register_snapstart_hook()
    before = generation()
    for hook, *_ in hooks:
        hook()
    assert generation() == before + 1
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    _register_snapstart_hook()
    assert len(hooks) == 1
