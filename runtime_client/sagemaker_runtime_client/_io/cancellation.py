"""Cancels waiting threads, and defines the errors that cancelled or unfinished work raises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

T = TypeVar("T")


class Interruptible(Protocol):
    """An object that a thread can wait for, such as a connection."""

    def interrupt(self) -> None:
        """Make a thread that waits for this object stop waiting."""
        ...


class Cancelled(BaseException):
    """Raised in a cancelled thread at the point where it waits."""


class Latch:
    """An event for which one thread can wait.

    `threading.Event` is not used, because its `set` acquires a lock.  If a signal handler calls
    `set`, the thread that it interrupted may already hold that lock, and the handler would wait
    forever.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Wake the waiting thread."""
        with suppress(RuntimeError):  # the event was already set
            self._lock.release()

    def interrupt(self) -> None:
        """Wake the waiting thread, whose scope was cancelled."""
        self.set()

    async def wait(self, timeout: float | None) -> None:
        """Wait until the event is set, but at most *timeout* seconds; None for no limit."""
        seconds = -1 if timeout is None else timeout
        scope: CancelScope | None = getattr(CancelScope.local, "scope", None)
        if scope is None:
            self._lock.acquire(timeout=seconds)
        else:
            scope.wait_for(self, self._lock.acquire, True, seconds)


class CancelScope:
    """The state of a group of threads.  It records whether they are cancelled and what they wait for.

    Attributes:
        local: Thread-local data.  Its attribute ``scope`` is the scope in which the thread runs.
    """

    local = threading.local()

    def __init__(self) -> None:
        self._is_cancelled = False
        self._waiting: dict[Interruptible, None] = {}  # what the threads of the scope wait for
        self._within: dict[CancelScope, None] = {}  # the scopes that these threads opened
        self._outer: CancelScope | None = getattr(self.local, "scope", None)
        if self._outer is not None:
            self._outer.add(self)

    def add(self, scope: CancelScope) -> None:
        """Make *scope* an inner scope, which is cancelled together with this one."""
        self._within[scope] = None
        if self._is_cancelled:
            scope.cancel()

    def enter(self) -> None:
        """Make the current thread part of this scope."""
        self.local.scope = self

    def detach(self) -> None:
        """Remove this scope from its outer scope."""
        if self._outer is not None:
            self._outer.remove(self)

    def remove(self, scope: CancelScope) -> None:
        """Remove an inner scope."""
        self._within.pop(scope, None)

    def check_outer(self) -> None:
        """Raise `Cancelled` if the outer scope is cancelled."""
        if self._outer is not None:
            self._outer.check()

    def cancel(self) -> None:
        """Cancel the threads of this scope and of its inner scopes, now or as soon as they wait."""
        self._is_cancelled = True
        for waiter in tuple(self._waiting):
            waiter.interrupt()
        for scope in tuple(self._within):
            scope.cancel()

    def check(self) -> None:
        """Raise `Cancelled` if the scope is cancelled."""
        if self._is_cancelled:
            raise Cancelled

    def wait_for(self, waiter: Interruptible, step: Callable[..., T], *arguments: object) -> T:
        """Run *step*, which waits for *waiter*, and return its result.

        Raise `Cancelled` if the scope was cancelled before the wait or is cancelled during the
        wait.
        """
        self._waiting[waiter] = None
        try:
            self.check()
            return step(*arguments)
        finally:
            self._waiting.pop(waiter, None)
            self.check()


class StillRunningError(Exception):
    """Raised if a function has not returned within its time limit; the function continues to run."""


def first_error(error: BaseException) -> BaseException:
    """Return the first error in an exception group, whose first member may itself be a group.

    An error that is not a group is returned unchanged.
    """
    exceptions: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return first_error(exceptions[0]) if exceptions else error
