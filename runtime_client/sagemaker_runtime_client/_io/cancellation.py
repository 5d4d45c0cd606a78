"""How work is cut off: threads where they wait, tasks by their errors, calls by time."""

import threading
from typing import Protocol


class Interruptible(Protocol):
    """What another thread may wait for, such as a connection."""

    def interrupt(self) -> None:
        """End a read or write of another thread."""
        ...


class Cancelled(BaseException):
    """Raised in a cancelled thread where it waits."""


class CancelScope:
    """
    What threads of a group have in common: that they may be cancelled.

    Attributes:
        local: Where each thread finds the scope that it runs in, under the name ``scope``.
        streams: The connections on which a thread of the scope waits now.
        within: The scopes that its threads have opened.
    """

    local = threading.local()

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self.streams: dict[Interruptible, None] = {}
        self.within: list[CancelScope] = []
        outer: CancelScope | None = getattr(self.local, "scope", None)
        if outer is not None:
            outer.within.append(self)

    def enter(self) -> None:
        """Make this thread a part of the scope, to its end."""
        self.local.scope = self

    def cancel(self) -> None:
        """End what waits, now and from now on."""
        self._cancelled.set()
        for stream in tuple(self.streams):
            stream.interrupt()
        for scope in self.within:
            scope.cancel()

    def check(self) -> None:
        """Raise `Cancelled` if the scope is cancelled."""
        if self._cancelled.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*, or raise `Cancelled`."""
        if self._cancelled.wait(seconds):
            raise Cancelled


class EndsLaterError(Exception):
    """What was waited for did not end in time, and goes on."""


def first_error(error: BaseException) -> BaseException:
    """Return the first error of a group, for those who expect one."""
    exceptions: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return first_error(exceptions[0]) if exceptions else error
