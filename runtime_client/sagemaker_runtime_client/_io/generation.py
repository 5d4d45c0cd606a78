"""The generation of the process: a number that changes after a fork or the restore of a snapshot.

State from an earlier generation may be invalid: connections belong to the parent process or were
closed long ago, credentials may have expired, and the clock may have been set.  AWS Lambda
announces the restore of a SnapStart snapshot through a hook.  Elsewhere a restore is detected
because the system clock jumps relative to the monotonic clock.  Such a jump also occurs, and starts
a new generation, when the system clock is set, and on Linux when the machine wakes up from suspend.

Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from __future__ import annotations

import os
import time
from functools import partial
from importlib import import_module
from threading import get_ident
from weakref import ref

# A new generation starts if the system clock jumps relative to the monotonic clock by more than
# this number of seconds.
_JUMP = 30.0
# The maximum number of seconds that a fork waits for the imports of other threads.
_MAX_IMPORT_TIME = 10.0
# How many seconds a thread that waits for imports or a fork sleeps before it checks again.
_PAUSE = 0.001


class _Generations:
    """Counts generations.  It does no harm if two threads both count the same change."""

    def __init__(self) -> None:
        self._number = 0
        self._process = os.getpid()
        # How far the system clock is ahead of the monotonic clock.
        self._offset = time.time() - time.monotonic()

    def current(self) -> int:
        """Return the number of the current generation."""
        process, offset = os.getpid(), time.time() - time.monotonic()
        if process != self._process or abs(offset - self._offset) > _JUMP:
            self.advance()
        self._process, self._offset = process, offset
        return self._number

    def advance(self) -> None:
        """Start a new generation."""
        self._number += 1


_generations = _Generations()
generation = _generations.current


def _register_snapstart_hook() -> None:
    """Register a hook that starts a new generation when AWS Lambda restores a snapshot."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    try:
        hooks = import_module("snapshot_restore_py")
    except ImportError:
        return  # without this module, a restore is detected by the clock
    hooks.register_after_restore(_generations.advance)


_register_snapstart_hook()


class _Import:
    """A context in which a thread imports modules at their first use."""

    def __init__(self, imports: _Imports) -> None:
        self._imports = imports
        # If an interrupt prevents `__exit__`, this weak reference removes the mark when the context
        # is garbage-collected.  Its callback is not Python code, so nothing can interrupt the
        # callback.
        self._end = ref(self, partial(imports.marks.pop, id(self)))

    def __enter__(self) -> None:
        imports, thread = self._imports, get_ident()
        # A fork waits for the end of the outermost context, so the inner ones must not wait for the
        # fork.
        is_within = thread in tuple(imports.marks.values())
        imports.marks[id(self)] = thread
        # The mark is set before `forking` is read, and a fork sets `forking` before it reads
        # `marks`.  So at least one of the two threads waits for the other.
        while imports.forking.keys() - {thread} and not is_within:
            imports.marks.pop(id(self), None)
            time.sleep(_PAUSE)
            imports.marks[id(self)] = thread

    def __exit__(self, *_: object) -> None:
        self._imports.marks.pop(id(self), None)


class _Imports:
    """Tracks the threads that are importing modules of this package, so that a fork can wait for them.

    Otherwise the import lock of a module could be held in the child by a thread that exists only in
    the parent, and the child would wait for that lock forever.

    No lock is used here, because an interrupt right after its acquisition would leave it held.  If
    an interrupt leaves a mark behind, the mark is removed when its context is garbage-collected.

    Attributes:
        marks: One entry for each context that is entered: the `id` of the context, and the
            identifier of the thread that entered it.
        forking: The identifiers of the threads that are forking.
    """

    def __init__(self) -> None:
        self.marks: dict[int, int] = {}
        self.forking: dict[int, None] = {}

    def __call__(self) -> _Import:
        """Return a context for imports."""
        return _Import(self)

    def before_fork(self) -> None:
        """Wait until no other thread is importing, but at most `_MAX_IMPORT_TIME` seconds.

        The wait is limited, because an import may need a lock that this thread holds.
        """
        self.forking[get_ident()] = None
        ends = time.monotonic() + _MAX_IMPORT_TIME
        while set(self.marks.values()) - {get_ident()} and time.monotonic() < ends:
            time.sleep(_PAUSE)

    def after_fork(self) -> None:
        """Allow other threads to import again."""
        self.forking.pop(get_ident(), None)

    def after_fork_in_child(self) -> None:
        """Remove the threads of the parent process, because they do not exist in the child."""
        self.marks.clear()
        self.forking.clear()


importing = _Imports()
# Importing logging registers its fork handler, which acquires a lock.  That handler must run after
# `before_fork`, because imports create loggers; handlers run in reverse order of registration.
import_module("logging")
if hasattr(os, "register_at_fork"):  # pragma: no branch (not on Windows)
    os.register_at_fork(
        before=importing.before_fork,
        after_in_parent=importing.after_fork,
        after_in_child=importing.after_fork_in_child,
    )
