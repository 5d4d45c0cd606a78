"""
Which generation of the program this is: another one after a fork, and after a snapshot is restored.

What was learned before may not hold any more then: connections are somebody else's or long closed,
credentials may have ended, the clock may have been set.  A restore (AWS Lambda SnapStart) is told by
AWS's hook, where there is one; anywhere else by the clock, which jumps away from the one that is never
set.  So it does when the clock is set, and on Linux when a machine wakes up.

Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

import os
import time
from importlib import import_module

# Seconds by which the clocks drift apart only if one of them was set.
_JUMP = 30.0


class _Generations:
    """Counts generations.  That two threads may count one twice does no harm."""

    def __init__(self) -> None:
        self._number = 0
        self._process, self._offset = _place_and_time()

    def current(self) -> int:
        """Return the number of the generation."""
        process, offset = _place_and_time()
        if process != self._process or abs(offset - self._offset) > _JUMP:
            self.begin()
        self._process, self._offset = process, offset
        return self._number

    def begin(self) -> None:
        """Begin a new one."""
        self._number += 1


def _place_and_time() -> tuple[int, float]:
    """Return the id of the process, and by how much the clock is ahead of the one that is never set."""
    return os.getpid(), time.time() - time.monotonic()


_generations = _Generations()
generation = _generations.current


def _hear_of_restores() -> None:
    """Have Lambda tell, where it may restore a snapshot."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    try:
        hooks = import_module("snapshot_restore_py")
    except ImportError:
        return  # the clock will tell
    hooks.register_after_restore(_generations.begin)


_hear_of_restores()
