"""Test the connection pool with random responses and random sequences of calls: `make fuzz`.

After any response, the request must end, normally or with an httpx error, and release its permit.
"""

import os
from collections import deque
from contextlib import suppress
from threading import Event

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sagemaker_runtime_client._io.pool.state import Permit, PoolState
from tests.runtime_client.networks import Scripted
from tests.runtime_client.pools import PooledTransport, state, waiting

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))
THOROUGH = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
BRIEF = settings(THOROUGH, max_examples=max(1, EXAMPLES // 20), stateful_step_count=50)

# A random response consists of these parts and of random bytes.
PARTS = [
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    *(b"HTTP/1.1 204 No\r\n", b"HTTP/1.1 101 Go\r\n", b"HTTP/1.1 999 \r\n", b"HTTP/2 200\r\n"),
    *(b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Content-Length: -1\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Connection: upgrade\r\n"),
    *(
        b"\r\n",
        b"\n",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"0\r\nA: b\r\n\r\n",
        b"ffffffffff\r\n",
    ),
]
responses = st.lists(st.lists(st.sampled_from(PARTS) | st.binary(max_size=9)).map(b"".join))


@THOROUGH
@given(responses, st.sampled_from(["GET", "HEAD", "POST", "CONNECT"]), st.integers(0, 4))
def test_responses(pieces, method, reads):
    """For any response bytes, a request ends and releases its permit, and no connection with unread
    bytes is kept open.
    """
    transport = PooledTransport(network=Scripted(pieces))
    pool_state = state(transport)
    for _ in range(3):
        request = httpx.Request(method, "http://x/")
        with suppress(httpx.TransportError):
            response = transport.handle_request(request)
            try:
                for _, piece in zip(range(reads), response.stream, strict=False):
                    assert isinstance(piece, bytes)
            finally:
                response.stream.close()
        assert (len(pool_state._granted), pool_state.open) == (0, len(pool_state._idle))
        for connection in pool_state._idle:
            assert connection._protocol.trailing_data == (b"", False)
    transport.close()


class Owner:
    """A stand-in for a request that has or waits for a permit, and that may have a connection."""

    def __init__(self):
        self.permit, self.connection = Permit(), None


class PoolStateMachine(RuleBasedStateMachine):
    """Calls `PoolState` in random order, and compares it with a simple model after each step."""

    def __init__(self):
        super().__init__()
        self.pool_state = PoolState(Event, 3, 2, 1e9)
        # The model of the pool's state: `free` contains the owners that have a permit but no
        # connection, `queue` contains the owners that wait for a permit, and `used` contains the
        # owners that have a connection.  `idle` contains the idle connections, and `made` is the
        # number of connections that have been made.
        self.free, self.queue, self.used, self.idle, self.made = [], deque(), [], [], 0

    def granted(self):
        if self.queue:
            first = self.queue.popleft()
            assert first.permit.event.is_set()
            self.free.append(first)

    @rule()
    def acquire(self):
        owner = Owner()
        is_granted = self.pool_state.acquire(owner.permit)
        assert is_granted == (len(self.free) + len(self.used) < 3)
        (self.free if is_granted else self.queue).append(owner)

    @precondition(lambda self: self.free)
    @rule(is_dropped=st.booleans(), data=st.data())
    def release(self, is_dropped, data):
        owner = data.draw(st.sampled_from(self.free))
        self.free.remove(owner)
        # If the owner's permit is garbage-collected instead of released, it becomes free
        # immediately, but the next owner in the queue gets a permit only at a later call of the
        # pool.
        if is_dropped:
            owner.permit = None
            self.pool_state._grant_waiting()
        else:
            self.pool_state.release(owner.permit)
        self.granted()

    @precondition(lambda self: self.queue)
    @rule(is_dropped=st.booleans(), data=st.data())
    def withdraw(self, is_dropped, data):
        owner = data.draw(st.sampled_from(list(self.queue)))
        self.queue.remove(owner)
        event = owner.permit.event
        if is_dropped:
            owner.permit = None
        else:
            self.pool_state.release(owner.permit)
        assert not event.is_set()

    @precondition(lambda self: self.free)
    @rule(origin=st.sampled_from("abc"))
    def connect(self, origin):
        owner = self.free.pop()
        self.used.append(owner)
        known = [one for one in self.idle if one[0] == origin]
        found = self.pool_state.check_out(origin, owner)
        assert found == owner.connection == (known[-1] if known else None)
        if found is None:
            is_full = len(self.free) + len(self.used) + len(self.idle) > 3
            displaced = [self.idle.pop(0)] if is_full and self.idle else []
            assert list(self.pool_state.displaced()) == displaced
            self.made += 1
            owner.connection = (origin, self.made)
        else:
            self.idle.remove(found)

    @precondition(lambda self: self.used)
    @rule(is_kept=st.booleans(), data=st.data())
    def finish(self, is_kept, data):
        owner = data.draw(st.sampled_from(self.used))
        self.used.remove(owner)
        self.free.append(owner)
        connection = owner.connection
        if not is_kept:
            owner.connection = None
            return
        self.pool_state.check_in(connection[0], owner)
        assert owner.connection is None
        self.idle.append(connection)
        surplus = [self.idle.pop(0) for _ in range(len(self.idle) - 2)]
        assert list(self.pool_state.evict()) == surplus

    @invariant()
    def agree(self):
        pool_state = self.pool_state
        permits = len(self.free) + len(self.used)
        assert len(pool_state._granted) == permits <= 3
        assert waiting(pool_state) == [one.permit for one in self.queue]
        assert (pool_state.open, list(pool_state._idle)) == (permits + len(self.idle), self.idle)
        assert set(pool_state._idle_by_origin) == {one[0] for one in self.idle}
        assert len(self.used) + len(self.idle) <= 3
        assert not any(one.permit.event.is_set() for one in self.queue)


TestPoolState = PoolStateMachine.TestCase
TestPoolState.settings = BRIEF
