"""Test the state of a pool without I/O. Strings stand for connections."""

import sys
from math import inf
from threading import Event

import pytest

from sagemaker_runtime_client._io.pool.state import Permit, PoolState
from tests.runtime_client.pools import waiting


class Owner:
    """An object that owns a connection."""

    def __init__(self, connection=None):
        self.connection = connection


def new_state(connections=2, kept=9, expiry=9.0):
    """Return a `PoolState` for at most *connections* connections, which keeps at most *kept* idle
    ones for *expiry* seconds.
    """
    return PoolState(Event, connections, kept, expiry)


def requested(pool_state, count):
    """Request *count* permits, and return them all, whether they are granted or waiting."""
    permits = [Permit() for _ in range(count)]
    for permit in permits:
        pool_state.acquire(permit)
    return permits


def granted(permits):
    """Return a list that states for each permit whether it is granted."""
    return [bool(one.numbers) for one in permits]


class TestPermits:
    def test_order(self):
        """Permits are granted in the order of the queue.

        A permit that was released while it was waiting is skipped.
        """
        pool_state = new_state(1)
        permits = first, second, third, fourth = requested(pool_state, 4)
        assert granted(permits) == [True, False, False, False]
        pool_state.release(second)
        for _ in "twice":
            pool_state.release(first)
        assert granted(permits) == [False, False, True, False]
        assert [one.event.is_set() for one in (second, third, fourth)] == [False, True, False]
        pool_state.release(third)
        pool_state.release(fourth)
        assert pool_state.open == 0
        assert pool_state.acquire(Permit())

    @pytest.mark.parametrize("connections", [1, 3, sys.maxsize])
    def test_dropped(self, connections):
        """If a granted permit is garbage-collected, for example after an interrupt, it counts as
        released.
        """
        pool_state = new_state(connections)
        for _ in range(9):
            permits = requested(pool_state, 3)
            assert sum(granted(permits)) == pool_state.open == min(3, connections)
            del permits
            assert pool_state.open == 0

    def test_dropped_in_the_queue(self):
        """If a waiting permit is garbage-collected, the permit behind it in the queue is granted
        instead.
        """
        pool_state = new_state(1)
        first, second, third = requested(pool_state, 3)
        del second
        pool_state.release(first)
        assert (granted([third]), waiting(pool_state)) == ([True], [])

    def test_dropped_while_others_wait(self):
        """If a granted permit is garbage-collected while another permit is waiting, the waiting
        permit is granted when the next permit is requested.
        """
        pool_state = new_state(1)
        first, second = requested(pool_state, 2)
        del first
        third = Permit()
        assert not pool_state.acquire(third)
        assert second.event.is_set()
        assert granted([second, third]) == [True, False]

    def test_lost_number(self):
        """If an interrupt loses a free permit number, the number can still be granted again."""
        pool_state = new_state(3)
        permits = requested(pool_state, 3)
        for permit in permits:
            pool_state.release(permit)
        pool_state._free.pop()
        assert granted(requested(pool_state, 4)) == [True, True, True, False]

    def test_stale_number(self):
        """If a permit number is listed as free although it is in use, it is not granted a second
        time.
        """
        pool_state = new_state(2)
        (first,) = requested(pool_state, 1)
        pool_state._free.extend(first.numbers)
        second, third = requested(pool_state, 2)
        assert (granted([second, third]), pool_state.open) == ([True, False], 2)

    def test_interrupted_hand_out(self):
        """If an interrupt prevents the notification that a permit was granted, the notification
        follows at the next release of any permit.
        """
        pool_state = new_state(1)
        first, second, third = requested(pool_state, 3)
        event = second.event

        class Interrupt:
            def set(self):
                raise KeyboardInterrupt

        second.event = Interrupt()
        with pytest.raises(KeyboardInterrupt):
            pool_state.release(first)
        second.event = event
        pool_state.release(third)
        assert (event.is_set(), granted([second])) == (True, [True])
        assert list(pool_state._queue) == []

    def test_released_while_it_is_granted(self):
        """If a permit is released at the moment that it is granted, the next permit in the queue is
        granted.
        """
        pool_state = new_state(1)
        first, second, third = requested(pool_state, 3)

        class Released:
            def set(self):
                second.is_released = True

        second.event = Released()
        pool_state.release(first)
        assert (granted([second, third]), pool_state.open) == ([False, True], 1)

    def test_released_by_two_threads(self):
        """If two threads release a permit at the same time, it is released only once."""
        pool_state = new_state(1)
        (first,) = requested(pool_state, 1)

        class Raced(dict):
            def __iter__(self):
                numbers = list(self.keys())
                self.clear()
                return iter(numbers)

        first.numbers = Raced(first.numbers)
        pool_state.release(first)
        assert pool_state.open == 1

    def test_queue_emptied_by_another_thread(self):
        """If another thread empties the queue just after it was checked, releasing a permit still
        succeeds.
        """
        pool_state = new_state(1)

        class Raced(list):
            def __bool__(self):
                return True

        (first,) = requested(pool_state, 1)
        pool_state._queue = Raced()
        pool_state.release(first)
        assert pool_state.open == 0


class TestConnections:
    def test_last_used_first(self):
        """Of the idle connections to the requested origin, the one that was used last is returned
        first.
        """
        pool_state = new_state(9)
        for name in ("a1", "b1", "a2"):
            pool_state.check_in(name[0], Owner(name))
        owners = [Owner() for _ in range(4)]
        found = [pool_state.check_out(*one) for one in zip("aaab", owners, strict=True)]
        assert found == ["a2", "a1", None, "b1"]
        assert [one.connection for one in owners] == found
        assert (pool_state._idle_by_origin, pool_state.open) == ({}, 0)

    def test_room(self):
        """If the pool is full, the connection that has been idle longest is displaced.

        If no connection is idle, none is displaced.
        """
        pool_state = new_state(2)
        permits = requested(pool_state, 2)
        assert list(pool_state.displaced()) == []
        pool_state.check_in("x", Owner("first"))
        pool_state.check_in("x", Owner("second"))
        assert list(pool_state.displaced()) == ["first"]
        pool_state.release(permits[0])
        assert list(pool_state.displaced()) == []
        assert list(pool_state.clear()) == ["second"]

    def test_interrupted(self):
        """If an interrupt left the idle connections inconsistent, checking out and clearing still
        succeed.
        """
        pool_state = new_state(9)
        for name in ("first", "second"):
            pool_state.check_in("x", Owner(name))
        pool_state._idle_by_origin["y"] = ["gone"]
        owner = Owner()
        assert (pool_state.check_out("y", owner), owner.connection) == (None, None)
        del pool_state._idle_by_origin["x"]
        assert pool_state.check_out("x", owner) is None
        assert list(pool_state.clear()) == ["first", "second"]
        assert pool_state.open == 0

    def test_raced(self):
        """If another thread changes the idle connections between two steps, no connection is handed
        out twice.
        """
        pool_state = new_state(9, 0)

        class Raced(dict):
            races = 2

            def __iter__(self):
                self.races -= 1
                if self.races >= 0:
                    raise RuntimeError("dictionary changed size during iteration")
                return super().__iter__()

            def pop(self, *arguments):
                return arguments[1] if super().pop(*arguments) == ("x", inf) else ("x", 1)

        class Emptied(list):
            def pop(self):
                raise IndexError

        pool_state._idle = Raced(first=("x", inf), second=("x", 0.0))
        pool_state._idle_by_origin["x"] = ["second"]
        assert list(pool_state.evict()) == ["second"]
        pool_state._idle_by_origin["x"] = Emptied(["first"])
        assert pool_state.check_out("x", Owner()) is None

    @pytest.mark.parametrize(("kept", "expiry"), [(0, 9.0), (9, -1.0)], ids=["too many", "too old"])
    def test_surplus(self, kept, expiry):
        """Idle connections that exceed the maximum number or the maximum age are evicted, starting
        with the one that has been idle longest.
        """
        pool_state = new_state(9, kept, expiry)
        for name in "abc":
            pool_state.check_in("x", Owner(name))
        assert list(pool_state.evict()) == ["a", "b", "c"]
        assert (pool_state.open, pool_state._idle_by_origin) == (0, {})
