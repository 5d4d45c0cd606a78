"""How work is cut off: threads where they wait, tasks by their errors, calls by time."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

T = TypeVar("T")


class Interruptible(Protocol):
    """What another thread may wait for, such as a connection."""

    def interrupt(self) -> None:
        """End what another thread waits for."""
        ...


class Cancelled(BaseException):
    """Raised in a cancelled thread where it waits."""


class Latch:
    """
    An event for one thread.

    That of the standard library is set under a lock, which a signal handler's own thread may hold.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Let the one that waits go on."""
        with suppress(RuntimeError):  # it was set already
            self._lock.release()

    def interrupt(self) -> None:
        """Let the one that waits go on, for its scope is cancelled."""
        self.set()

    async def wait(self, timeout: float | None) -> None:
        """Return when it is set, or after *timeout* seconds."""
        seconds = -1 if timeout is None else timeout
        scope: CancelScope | None = getattr(CancelScope.local, "scope", None)
        if scope is None:
            self._lock.acquire(timeout=seconds)
        else:
            scope.wait_for(self, self._lock.acquire, True, seconds)


class CancelScope:
    """
    What threads of a group have in common: that they may be cancelled.

    Attributes:
        local: Where each thread finds the scope that it runs in, under the name ``scope``.
    """

    local = threading.local()

    def __init__(self) -> None:
        self._is_cancelled = False
        self._waiting: dict[Interruptible, None] = {}  # for what a thread of the scope waits now
        self._within: dict[CancelScope, None] = {}  # the scopes that its threads have opened
        self._outer: CancelScope | None = getattr(self.local, "scope", None)
        if self._outer is not None:
            self._outer.add(self)

    def add(self, scope: "CancelScope") -> None:
        """Cancel *scope* together with this one."""
        self._within[scope] = None
        if self._is_cancelled:
            scope.cancel()

    def enter(self) -> None:
        """Make this thread a part of the scope, to its end."""
        self.local.scope = self

    def detach(self) -> None:
        """End the scope: the one in which it was opened forgets it."""
        if self._outer is not None:
            self._outer.remove(self)

    def remove(self, scope: "CancelScope") -> None:
        """Forget *scope*."""
        self._within.pop(scope, None)

    def check_outer(self) -> None:
        """Raise `Cancelled` if the scope is cancelled in which this one was opened."""
        if self._outer is not None:
            self._outer.check()

    def cancel(self) -> None:
        """End what waits, now and from now on."""
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
        """Return what *step* returns, which `Interruptible.interrupt` ends; raise `Cancelled` then."""
        self._waiting[waiter] = None
        try:
            self.check()
            return step(*arguments)
        finally:
            self._waiting.pop(waiter, None)
            self.check()


class StillRunningError(Exception):
    """What was waited for did not end in time, and goes on."""


def first_error(error: BaseException) -> BaseException:
    """Return the first error of a group, for those who expect one."""
    exceptions: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return first_error(exceptions[0]) if exceptions else error
