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
from threading import RLock

# Seconds by which the clocks drift apart only if one of them was set.
_JUMP = 30.0
# Seconds for which a fork waits for an import at the most.
_LONGEST_IMPORT = 10.0


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


class _Importing:
    """
    A context for a part of us that is loaded late, during which no fork is made.

    In a child that is forked meanwhile the lock of a module would stay taken, by a thread that the child
    has not got, and the child would wait for it for ever.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._is_forking = False

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def before_fork(self) -> None:
        """Wait for the end of an import; not for ever, for it may need what this thread holds."""
        self._is_forking = self._lock.acquire(timeout=_LONGEST_IMPORT)

    def after_fork(self) -> None:
        """Let others import again, in the child too; there, whoever may still be at it is gone."""
        if self._is_forking:
            self._lock.release()
        else:
            self._lock = RLock()


importing = _Importing()
import_module("logging")  # it too takes a lock before a fork: after ours, for imports make loggers
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=importing.before_fork,
        after_in_parent=importing.after_fork,
        after_in_child=importing.after_fork,
    )
