"""The state of a connection pool: permits, the queue for them, and idle connections.  It does no I/O.

Acquiring and releasing a permit, and checking a connection out or in, usually take constant time,
however many connections there are.  Connections are opened and closed elsewhere.

- A *permit* is the right to use one connection.  There are as many permits as connections are
  allowed.  They are granted in the order in which they were requested.
- Each connection in use has a permit.  Idle connections have no permits, so they can exist only
  while permits are left.  If the pool is full, the connection that has been idle longest is closed
  to make room for a new one.

There are no locks, because a signal handler may call or close a client while the interrupted thread
is in the middle of an operation here.  The handler must not wait for a lock that this thread holds,
and if it raises an exception, no lock must stay held.  Each operation consists of steps on dicts,
lists and deques that are atomic, with and without the GIL.  An interrupt between two steps loses no
permit and no connection: if a fact is recorded in two places, the place that is searched first is
written last.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from weakref import ref

if TYPE_CHECKING:
    from ..concurrency import Event


class Owner(Protocol):
    """An object that holds a checked-out connection."""

    connection: Any


class Permit:
    """The right to use one connection.

    The caller creates the object, and `PoolState.acquire` grants it.  `PoolState.release` frees it
    for another caller.  Garbage collection of the object has the same effect, in case an interrupt
    prevents the call to `release`.

    Attributes:
        event: The event that is set when a waiting permit is granted; None if the permit did not
            have to wait.
        numbers: The numbers that the pool has assigned to the permit: usually one while the permit
            is granted, otherwise none.
        is_released: Whether the permit was released, or is no longer requested.
    """

    __slots__ = ("__weakref__", "event", "is_released", "numbers")

    def __init__(self) -> None:
        self.event: Any = None
        self.numbers: dict[int, None] = {}
        self.is_released = False


C = TypeVar("C", bound=Hashable)


class PoolState(Generic[C]):
    """The state of one pool in one process.  Threads may share it.

    Args:
        new_event: Creates the event for a permit that has to wait.
        max_connections: The maximum number of connections.
        max_idle: The maximum number of idle connections.
        idle_timeout: How many seconds a connection may be idle.
    """

    def __init__(
        self,
        new_event: Callable[[], Event],
        max_connections: int,
        max_idle: int,
        idle_timeout: float,
    ) -> None:
        self.process = os.getpid()
        self._new_event = new_event
        self._max_connections = max_connections
        self._max_idle, self._idle_timeout = max_idle, idle_timeout
        # The granted permits, keyed by number.  If a permit is garbage-collected, the callback of
        # its weak reference removes the entry.  Nothing can interrupt the callback, because it is
        # not Python code.
        self._granted: dict[int, ref[Permit]] = {}
        # Numbers that are assigned to no permit.  An interrupt may lose a number from this deque,
        # but `_number` finds it again.
        self._free: deque[int] = deque()
        self._queue: deque[ref[Permit]] = deque()
        # Idle connections with their origin and expiry time, the longest idle first.  A caller that
        # removes a connection from this dict becomes its owner.
        self._idle: dict[C, tuple[Hashable, float]] = {}
        self._idle_by_origin: dict[Hashable, list[C]] = {}

    def acquire(self, permit: Permit) -> bool:
        """Grant *permit* or put it into the queue, and return whether it is granted."""
        if not self._queue and self._grant(permit):
            return True
        permit.event = self._new_event()
        self._queue.append(ref(permit))
        self._grant_waiting()
        return bool(permit.numbers)

    def release(self, permit: Permit) -> None:
        """Release *permit*, whether it is granted or waiting, and grant waiting permits.

        A second call does nothing.
        """
        permit.is_released = True
        for number in tuple(permit.numbers):
            # If two threads release the permit, only one of them gets the number.
            if permit.numbers.pop(number, permit) is None:
                self._granted.pop(number, None)
                self._free.append(number)
        if self._queue:
            self._grant_waiting()

    def _grant(self, permit: Permit) -> bool:
        """Grant *permit* if there is a free number, and return whether it was granted."""
        while (number := self._number()) is not None:
            owner = ref(permit, partial(self._granted.pop, number))
            if self._granted.setdefault(number, owner) is owner:
                permit.numbers[number] = None
                return True
        return False

    def _number(self) -> int | None:
        """Return a number that is assigned to no permit, or None if all are assigned."""
        try:
            return self._free.pop()
        except IndexError:
            pass
        granted, limit = len(self._granted), self._max_connections
        if granted >= limit:
            return None
        numbers = chain(range(granted, limit), range(granted))
        return next((number for number in numbers if number not in self._granted), None)

    def _grant_waiting(self) -> None:
        """Grant the permits in the queue, in order, as long as there are free numbers."""
        while (waiting := self._first()) is not None:
            permit = waiting()
            if permit is not None and not permit.is_released:
                if not (permit.numbers or self._grant(permit)):
                    return
                permit.event.set()
                if permit.is_released:  # the caller stopped waiting at this moment
                    self.release(permit)
            # The entry stays in the queue until the permit is granted, so that an interrupt does
            # not lose the permit.
            with suppress(ValueError):
                self._queue.remove(waiting)

    def _first(self) -> ref[Permit] | None:
        try:
            return self._queue[0]
        except IndexError:
            return None

    def check_out(self, origin: Hashable, owner: Owner) -> C | None:
        """Make *owner* the owner of an idle connection to *origin*, and return the connection.

        The most recently used connection is chosen.  If no connection to *origin* is idle,
        return None.
        """
        connections: list[C] = self._idle_by_origin.get(origin, [])
        while connections:
            try:
                owner.connection = connection = connections.pop()
            except IndexError:  # another thread checked out the last connection
                break
            if not connections:
                self._idle_by_origin.pop(origin, None)
            if self._idle.pop(connection, None) is not None:
                return connection
            owner.connection = None  # the connection was evicted meanwhile
        return None

    def check_in(self, origin: Hashable, owner: Owner) -> None:
        """Make *owner*'s connection idle.

        `evict` later removes the connections in excess of the limit and those idle for too long.
        """
        connection: C = owner.connection
        self._idle[connection] = origin, monotonic() + self._idle_timeout
        owner.connection = None
        self._idle_by_origin.setdefault(origin, []).append(connection)

    def evict(self) -> Iterator[C]:
        """Remove and return the idle connections in excess of the limit or idle for too long.

        The caller must close them.
        """
        while (oldest := self._oldest()) is not None:
            _, end = self._idle.get(oldest, (None, -inf))
            if len(self._idle) <= self._max_idle and end >= monotonic():
                return
            yield from self._remove(oldest)

    @property
    def is_crowded(self) -> bool:
        """Whether more connections are idle than allowed.

        How long they have been idle does not matter here.  Before the next request, `evict` removes
        those that have been idle for too long.
        """
        return len(self._idle) > self._max_idle

    def displaced(self) -> Iterator[C]:
        """If the pool is full, remove and return the connection that has been idle longest.

        The caller must close it.
        """
        if self.open > self._max_connections and (oldest := self._oldest()) is not None:
            yield from self._remove(oldest)

    def clear(self) -> Iterator[C]:
        """Remove and return all idle connections.  The caller must close them."""
        while (oldest := self._oldest()) is not None:
            yield from self._remove(oldest)

    @property
    def open(self) -> int:
        """The number of granted permits plus idle connections; not more connections are open."""
        return len(self._granted) + len(self._idle)

    def _oldest(self) -> C | None:
        while True:
            with suppress(RuntimeError):  # another thread changed the dict between the two calls
                return next(iter(self._idle), None)

    def _remove(self, connection: C) -> Iterator[C]:
        """Remove a connection, unless another thread has already removed it."""
        origin, _ = self._idle.pop(connection, (None, inf))
        if origin is None:
            return
        with suppress(KeyError, ValueError):
            self._idle_by_origin[origin].remove(connection)
            if not self._idle_by_origin[origin]:
                del self._idle_by_origin[origin]
        yield connection
