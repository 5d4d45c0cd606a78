"""
What a connection pool holds: turns, who waits for one, and idle connections; pure bookkeeping.

Every step takes the same time, whatever is held.  Connections are opened and closed elsewhere.

- A *turn* is the right to use one connection.  There are as many as there may be connections, and
  they are handed on in the order in which they were asked for.
- Of the connections, those in use have a turn each; so there may be idle ones where turns are left,
  and where every place is taken, the longest idle one makes room for a new one.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from threading import Lock
from time import monotonic
from typing import Generic, Protocol, TypeVar


class Event(Protocol):
    """What a thread or a task waits for; hashed by identity."""

    def set(self) -> object:
        """Let the one that waits go on."""
        ...


E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Hashable)


class Ledger(Generic[C, E]):
    """
    The books of one pool in one process; threads may share it.

    Args:
        new_event: Makes what one waits for.
        connections: How many there may be at the most.
        kept: How many of them may be idle.
        expiry: For how many seconds one may be idle.
    """

    def __init__(
        self, new_event: Callable[[], E], connections: float, kept: float, expiry: float
    ) -> None:
        self.process = os.getpid()
        self._new_event = new_event
        self._connections, self._kept, self._expiry = connections, kept, expiry
        self._lock = Lock()
        self._turns = 0
        self._queue: OrderedDict[E, None] = OrderedDict()
        # Who has a connection: names, not a number, so that one who was interrupted may `drop` it twice.
        self._holders: set[Hashable] = set()
        # Each with its origin and the instant of its end, the longest idle first.
        self._idle: OrderedDict[C, tuple[Hashable, float]] = OrderedDict()
        self._of_origin: dict[Hashable, dict[C, None]] = {}

    def ask(self) -> E | None:
        """Take a turn, or queue for one: return what will be set when it has come."""
        with self._lock:
            if self._turns < self._connections:
                self._turns += 1
                return None
            event = self._new_event()
            self._queue[event] = None
            return event

    def withdraw(self, event: E) -> bool:
        """Leave the queue, and tell whether one still stood in it; if not, the turn has come."""
        with self._lock:
            return self._queue.pop(event, event) is None

    def end_turn(self) -> None:
        """Hand the turn on to the first of the queue."""
        with self._lock:
            if self._queue:
                self._queue.popitem(last=False)[0].set()
            else:
                self._turns -= 1

    def take(self, origin: Hashable, holder: Hashable) -> C | None:
        """Give *holder* the idle connection to *origin* that was used last, if there is one."""
        with self._lock:
            connections = self._of_origin.get(origin)
            if not connections:
                return None
            connection = next(reversed(connections))
            self._holders.add(holder)
            self._remove(connection)
            return connection

    def keep(self, origin: Hashable, connection: C, holder: Hashable) -> None:
        """Put *holder*'s connection among the idle ones; what is too many or too old is left to `surplus`."""
        with self._lock:
            self._holders.discard(holder)
            self._idle[connection] = (origin, monotonic() + self._expiry)
            self._of_origin.setdefault(origin, {})[connection] = None

    def surplus(self) -> Iterator[C]:
        """Take out the idle connections that may be so no longer; they are to be closed."""
        while (
            connection := self._pop(lambda end: self._too_many() or end < monotonic())
        ) is not None:
            yield connection

    def add(self, holder: Hashable) -> C | None:
        """Note *holder*'s new connection; return the one to close before, if every place is taken."""
        with self._lock:
            self._holders.add(holder)
        return self._pop(lambda _: self.open > self._connections)

    def drop(self, holder: Hashable) -> None:
        """Note that *holder* has no connection any more, if it had one."""
        with self._lock:
            self._holders.discard(holder)

    def clear(self) -> Iterator[C]:
        """Take out all idle connections."""
        while (connection := self._pop(lambda _: True)) is not None:
            yield connection

    @property
    def open(self) -> int:
        """How many connections there are, in use or idle."""
        return len(self._holders) + len(self._idle)

    def _too_many(self) -> bool:
        return len(self._idle) > self._kept

    def _pop(self, condition: Callable[[float], bool]) -> C | None:
        """Take out the longest idle connection if *condition* holds of its end."""
        with self._lock:
            connection = next(iter(self._idle), None)
            if connection is None or not condition(self._idle[connection][1]):
                return None
            self._remove(connection)
            return connection

    def _remove(self, connection: C) -> None:
        """Take a connection out of both books; last out of the one by which this can be done again."""
        origin, _ = self._idle[connection]
        connections = self._of_origin.get(origin, {})
        connections.pop(connection, None)
        if not connections:
            self._of_origin.pop(origin, None)
        del self._idle[connection]
