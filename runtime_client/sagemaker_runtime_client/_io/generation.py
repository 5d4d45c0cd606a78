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
from functools import partial
from importlib import import_module
from threading import get_ident
from weakref import ref

# Seconds by which the clocks drift apart only if one of them was set.
_JUMP = 30.0
# Seconds for which a fork waits for an import at the most.
_MAX_IMPORT_TIME = 10.0
# ... and until it looks again.
_PAUSE = 0.001


class _Generations:
    """Counts generations.  That two threads may count one twice does no harm."""

    def __init__(self) -> None:
        self._number = 0
        self._process = os.getpid()
        # By how much the clock is ahead of the one that is never set.
        self._offset = time.time() - time.monotonic()

    def current(self) -> int:
        """Return the number of the generation."""
        process, offset = os.getpid(), time.time() - time.monotonic()
        if process != self._process or abs(offset - self._offset) > _JUMP:
            self.advance()
        self._process, self._offset = process, offset
        return self._number

    def advance(self) -> None:
        """Begin a new one."""
        self._number += 1


_generations = _Generations()
generation = _generations.current


def _register_snapstart_hook() -> None:
    """Have Lambda tell, where it may restore a snapshot."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    try:
        hooks = import_module("snapshot_restore_py")
    except ImportError:
        return  # the clock will tell
    hooks.register_after_restore(_generations.advance)


_register_snapstart_hook()


class _Import:
    """A context in which a thread loads a part of us."""

    def __init__(self, imports: "_Imports") -> None:
        self._imports = imports
        # Removes the mark of a context that was interrupted, by code that is not Python's.
        self._end = ref(self, partial(imports.marks.pop, id(self)))

    def __enter__(self) -> None:
        imports, thread = self._imports, get_ident()
        # A fork waits for the end of the outermost context, so that those within it do not wait.
        is_within = thread in tuple(imports.marks.values())
        imports.marks[id(self)] = thread
        while imports.forking.keys() - {thread} and not is_within:  # set before marks are looked at
            imports.marks.pop(id(self), None)
            time.sleep(_PAUSE)
            imports.marks[id(self)] = thread

    def __exit__(self, *_: object) -> None:
        self._imports.marks.pop(id(self), None)


class _Imports:
    """
    Which threads load a part of us; no fork is made meanwhile.

    In a child that is forked meanwhile the lock of a module would stay taken, by a thread that the child
    has not got, and the child would wait for it for ever.

    There is no lock here, for an interrupt just after its acquisition would leave it taken.  A mark that
    an interrupt leaves ends with the context that set it.

    Attributes:
        marks: The thread of each context that was entered, by the context's id.
        forking: The threads that fork.
    """

    def __init__(self) -> None:
        self.marks: dict[int, int] = {}
        self.forking: dict[int, None] = {}

    def __call__(self) -> _Import:
        """Return a context for what is loaded late."""
        return _Import(self)

    def before_fork(self) -> None:
        """Wait for the end of others' imports; not for ever, for they may need what this thread holds."""
        self.forking[get_ident()] = None
        ends = time.monotonic() + _MAX_IMPORT_TIME
        while set(self.marks.values()) - {get_ident()} and time.monotonic() < ends:
            time.sleep(_PAUSE)

    def after_fork(self) -> None:
        """Let others import again."""
        self.forking.pop(get_ident(), None)

    def after_fork_in_child(self) -> None:
        """Forget the threads that the child has not got."""
        self.marks.clear()
        self.forking.clear()


importing = _Imports()
import_module("logging")  # it too takes a lock before a fork: after ours, for imports make loggers
if hasattr(os, "register_at_fork"):  # pragma: no branch (not on Windows)
    os.register_at_fork(
        before=importing.before_fork,
        after_in_parent=importing.after_fork,
        after_in_child=importing.after_fork_in_child,
    )
