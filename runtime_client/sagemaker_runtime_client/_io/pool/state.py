"""
The state of a connection pool: permits, who waits for one, and idle connections; no I/O.

Every step takes the same time, whatever the pool holds.  Connections are opened and closed elsewhere.

- A *permit* is the right to use one connection.  There are as many as there may be connections, and
  they are handed out in the order in which they were asked for.
- Connections in use have a permit each.  So connections may be idle where permits are left; and where
  every place is taken, the one that was idle longest makes room for a new one.

There are no locks.  A signal handler may call a client, or close it, while its own thread is in the middle
of a step here; and an exception that it raises must leave no lock behind.  Each step is made of operations
on dicts, lists and deques that are atomic, with and without the GIL.  An interrupt between two of them
loses nothing: what is written twice is written last where it is found first.
"""

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
    """Who has a connection."""

    connection: Any


class Permit:
    """
    The right to use one connection, which whoever asks for it brings along.

    It is given back by `PoolState.release`, or when it is dropped: an interrupt may leave no time for more.

    Attributes:
        event: What is set once a permit that had to wait is granted.
        numbers: By which the pool knows it once it is granted; seldom more than one.
        is_released: Whether it was given back, or is not wanted any more.
    """

    __slots__ = ("__weakref__", "event", "is_released", "numbers")

    def __init__(self) -> None:
        self.event: Any = None
        self.numbers: dict[int, None] = {}
        self.is_released = False


C = TypeVar("C", bound=Hashable)


class PoolState(Generic[C]):
    """
    The state of one pool in one process; threads may share it.

    Args:
        new_event: Makes what one waits for.
        max_connections: How many connections there may be at once.
        max_idle: How many of them may be idle.
        idle_timeout: For how many seconds one may be idle.
    """

    def __init__(
        self,
        new_event: Callable[[], "Event"],
        max_connections: int,
        max_idle: int,
        idle_timeout: float,
    ) -> None:
        self.process = os.getpid()
        self._new_event = new_event
        self._max_connections = max_connections
        self._max_idle, self._idle_timeout = max_idle, idle_timeout
        # The permits that are granted.  One that is dropped takes itself out, which nothing can interrupt:
        # the callback of its weak reference is no Python code.
        self._granted: dict[int, ref[Permit]] = {}
        # Numbers that are free, as far as is known: an interrupt may lose one, which is found again.
        self._free: deque[int] = deque()
        self._queue: deque[ref[Permit]] = deque()
        # Each with its origin and the instant of its end, the longest idle first.  Who takes a connection
        # out of here has it.
        self._idle: dict[C, tuple[Hashable, float]] = {}
        self._idle_by_origin: dict[Hashable, list[C]] = {}

    def acquire(self, permit: Permit) -> bool:
        """Grant *permit*, and return True; or let it wait for its event."""
        if not self._queue and self._grant(permit):
            return True
        permit.event = self._new_event()
        self._queue.append(ref(permit))
        self._grant_waiting()
        return bool(permit.numbers)

    def release(self, permit: Permit) -> None:
        """Take back *permit*, granted or waiting, for the first of the queue; nothing if that is done."""
        permit.is_released = True
        for number in tuple(permit.numbers):
            if permit.numbers.pop(number, permit) is None:  # of two threads one takes it back
                self._granted.pop(number, None)
                self._free.append(number)
        if self._queue:
            self._grant_waiting()

    def _grant(self, permit: Permit) -> bool:
        """Grant *permit* if one is left."""
        while (number := self._number()) is not None:
            owner = ref(permit, partial(self._granted.pop, number))
            if self._granted.setdefault(number, owner) is owner:
                permit.numbers[number] = None
                return True
        return False

    def _number(self) -> int | None:
        """Return a number that is free; None if all are taken."""
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
        """Grant what waits in the queue, as far as permits are left."""
        while (waiting := self._first()) is not None:
            permit = waiting()
            if permit is not None and not permit.is_released:
                if not (permit.numbers or self._grant(permit)):
                    return
                permit.event.set()
                if permit.is_released:  # at this moment, by who has waited long enough
                    self.release(permit)
            with suppress(
                ValueError
            ):  # it leaves the queue last, so that an interrupt does not lose it
                self._queue.remove(waiting)

    def _first(self) -> "ref[Permit] | None":
        try:
            return self._queue[0]
        except IndexError:
            return None

    def check_out(self, origin: Hashable, owner: Owner) -> C | None:
        """Give *owner* the idle connection to *origin* that was used last, if there is one."""
        connections: list[C] = self._idle_by_origin.get(origin, [])
        while connections:
            try:
                owner.connection = connection = connections.pop()
            except IndexError:  # another thread has had the last one
                break
            if not connections:
                self._idle_by_origin.pop(origin, None)
            if self._idle.pop(connection, None) is not None:
                return connection
            owner.connection = None  # it was evicted in the meantime
        return None

    def check_in(self, origin: Hashable, owner: Owner) -> None:
        """Put *owner*'s connection among the idle ones; what is too many or too old `evict` takes out."""
        connection: C = owner.connection
        self._idle[connection] = origin, monotonic() + self._idle_timeout
        owner.connection = None
        self._idle_by_origin.setdefault(origin, []).append(connection)

    def evict(self) -> Iterator[C]:
        """Take out the idle connections that are too many or too old; they are to be closed."""
        while (oldest := self._oldest()) is not None:
            _, end = self._idle.get(oldest, (None, -inf))
            if len(self._idle) <= self._max_idle and end >= monotonic():
                return
            yield from self._remove(oldest)

    @property
    def is_crowded(self) -> bool:
        """Whether more connections are idle than may be; those that are too old go with the next request."""
        return len(self._idle) > self._max_idle

    def displaced(self) -> Iterator[C]:
        """Take out the connection that is to be closed before a new one, if every place is taken."""
        if self.open > self._max_connections and (oldest := self._oldest()) is not None:
            yield from self._remove(oldest)

    def clear(self) -> Iterator[C]:
        """Take out all idle connections."""
        while (oldest := self._oldest()) is not None:
            yield from self._remove(oldest)

    @property
    def open(self) -> int:
        """How many connections there are at the most: one for each permit, and the idle ones."""
        return len(self._granted) + len(self._idle)

    def _oldest(self) -> C | None:
        while True:
            with suppress(RuntimeError):  # another thread has changed it between two steps
                return next(iter(self._idle), None)

    def _remove(self, connection: C) -> Iterator[C]:
        """Take out a connection, unless another thread has."""
        origin, _ = self._idle.pop(connection, (None, inf))
        if origin is None:
            return
        with suppress(KeyError, ValueError):
            self._idle_by_origin[origin].remove(connection)
            if not self._idle_by_origin[origin]:
                del self._idle_by_origin[origin]
        yield connection
