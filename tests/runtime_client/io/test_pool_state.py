"""The state of a pool alone, with texts for connections."""

import sys
from math import inf
from threading import Event

import pytest

from sagemaker_runtime_client._io.pool.state import Permit, PoolState
from tests.runtime_client.pools import waiting


class Owner:
    """Who has a connection."""

    def __init__(self, connection=None):
        self.connection = connection


def made(connections=2, kept=9, expiry=9.0):
    """Return a pool_state."""
    return PoolState(Event, connections, kept, expiry)


def asked(pool_state, count):
    """Return so many permits that were asked for, granted or not."""
    permits = [Permit() for _ in range(count)]
    for permit in permits:
        pool_state.acquire(permit)
    return permits


def granted(permits):
    """Tell of each permit whether it is granted."""
    return [bool(one.numbers) for one in permits]


class TestPermits:
    def test_order(self):
        """Permits are handed out in the order of the queue, past those that left it."""
        pool_state = made(1)
        permits = first, second, third, fourth = asked(pool_state, 4)
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
        """A permit that is dropped, by an interrupt say, is given back; nobody has to say so."""
        pool_state = made(connections)
        for _ in range(9):
            permits = asked(pool_state, 3)
            assert sum(granted(permits)) == pool_state.open == min(3, connections)
            del permits
            assert pool_state.open == 0

    def test_dropped_in_the_queue(self):
        """Of a permit that is dropped while it waits nothing is left, and the next one has its turn."""
        pool_state = made(1)
        first, second, third = asked(pool_state, 3)
        del second
        pool_state.release(first)
        assert (granted([third]), waiting(pool_state)) == ([True], [])

    def test_who_waits_hears_of_it(self):
        """What was dropped while others wait is theirs with the next step of anybody."""
        pool_state = made(1)
        first, second = asked(pool_state, 2)
        del first
        third = Permit()
        assert not pool_state.acquire(third)
        assert second.event.is_set()
        assert granted([second, third]) == [True, False]

    def test_lost_number(self):
        """A number that an interrupt took away is found again."""
        pool_state = made(3)
        permits = asked(pool_state, 3)
        for permit in permits:
            pool_state.release(permit)
        pool_state._free.pop()
        assert granted(asked(pool_state, 4)) == [True, True, True, False]

    def test_stale_number(self):
        """A number that was noted twice is granted once."""
        pool_state = made(2)
        (first,) = asked(pool_state, 1)
        pool_state._free.extend(first.numbers)
        second, third = asked(pool_state, 2)
        assert (granted([second, third]), pool_state.open) == ([True, False], 2)

    def test_interrupted_hand_out(self):
        """Who was granted a permit, and not told, is told by the next one."""
        pool_state = made(1)
        first, second, third = asked(pool_state, 3)
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

    def test_given_up_at_the_moment_of_its_turn(self):
        """A permit that is granted just when it is given up goes to the next."""
        pool_state = made(1)
        first, second, third = asked(pool_state, 3)

        class GivenUp:
            def set(self):
                second.is_released = True

        second.event = GivenUp()
        pool_state.release(first)
        assert (granted([second, third]), pool_state.open) == ([False, True], 1)

    def test_given_back_by_two_threads(self):
        """Of two threads that give one permit back at once, one does."""
        pool_state = made(1)
        (first,) = asked(pool_state, 1)

        class Raced(dict):
            def __iter__(self):
                numbers = list(self.keys())
                self.clear()
                return iter(numbers)

        first.numbers = Raced(first.numbers)
        pool_state.release(first)
        assert pool_state.open == 1

    def test_first_of_the_queue_is_another_threads(self):
        """Who finds the queue empty, which was not a moment ago, goes on."""
        pool_state = made(1)

        class Raced(list):
            def __bool__(self):
                return True

        (first,) = asked(pool_state, 1)
        pool_state._queue = Raced()
        pool_state.release(first)
        assert pool_state.open == 0


class TestConnections:
    def test_last_used_first(self):
        """Of the idle connections to an origin the last used comes first, and no other origin's."""
        pool_state = made(9)
        for name in ("a1", "b1", "a2"):
            pool_state.check_in(name[0], Owner(name))
        owners = [Owner() for _ in range(4)]
        found = [pool_state.check_out(*one) for one in zip("aaab", owners, strict=True)]
        assert found == ["a2", "a1", None, "b1"]
        assert [one.connection for one in owners] == found
        assert (pool_state._of_origin, pool_state.open) == ({}, 0)

    def test_room(self):
        """A new connection displaces the longest idle one, if there is no room; if there is one idle."""
        pool_state = made(2)
        permits = asked(pool_state, 2)
        assert list(pool_state.displaced()) == []
        pool_state.check_in("x", Owner("first"))
        pool_state.check_in("x", Owner("second"))
        assert list(pool_state.displaced()) == ["first"]
        pool_state.release(permits[0])
        assert list(pool_state.displaced()) == []
        assert list(pool_state.clear()) == ["second"]

    def test_interrupted(self):
        """What an interrupt has left half written is good for the next one."""
        pool_state = made(9)
        for name in ("first", "second"):
            pool_state.check_in("x", Owner(name))
        pool_state._of_origin["y"] = ["gone"]
        owner = Owner()
        assert (pool_state.check_out("y", owner), owner.connection) == (None, None)
        del pool_state._of_origin["x"]
        assert pool_state.check_out("x", owner) is None
        assert list(pool_state.clear()) == ["first", "second"]
        assert pool_state.open == 0

    def test_raced(self):
        """A connection that another thread has taken between two steps is not given twice."""
        pool_state = made(9, 0)

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
        pool_state._of_origin["x"] = ["second"]
        assert list(pool_state.evict()) == ["second"]
        pool_state._of_origin["x"] = Emptied(["first"])
        assert pool_state.check_out("x", Owner()) is None

    @pytest.mark.parametrize(("kept", "expiry"), [(0, 9.0), (9, -1.0)], ids=["too many", "too old"])
    def test_surplus(self, kept, expiry):
        """What is too many, or too old, is taken out, the longest idle first."""
        pool_state = made(9, kept, expiry)
        for name in "abc":
            pool_state.check_in("x", Owner(name))
        assert list(pool_state.evict()) == ["a", "b", "c"]
        assert (pool_state.open, pool_state._of_origin) == (0, {})
