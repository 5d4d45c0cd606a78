"""
The connection pool, fed with whatever a server may say, and asked in whatever order: `make fuzz`.

Whatever comes, a request ends with an answer or an error of httpx's, and the books are even.
"""

import os
from collections import deque
from contextlib import suppress
from threading import Event

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sagemaker_runtime_client._pool import PooledTransport
from sagemaker_runtime_client._pool._ledger import Ledger
from tests.runtime_client.networks import Scripted

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))
THOROUGH = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
BRIEF = settings(THOROUGH, max_examples=max(1, EXAMPLES // 20), stateful_step_count=50)

# What answers are made of, in any order, beside any bytes.
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
answers = st.lists(st.lists(st.sampled_from(PARTS) | st.binary(max_size=9)).map(b"".join))


@THOROUGH
@given(answers, st.sampled_from(["GET", "HEAD", "POST", "CONNECT"]), st.integers(0, 4))
def test_answers(pieces, method, reads):
    """Any bytes in any pieces give an answer or an error, and never one request's bytes to another."""
    transport = PooledTransport(network=Scripted(pieces))
    ledger = transport._pool._ledger
    for _ in range(3):
        request = httpx.Request(method, "http://x/")
        with suppress(httpx.TransportError):
            answer = transport.handle_request(request)
            try:
                for _, piece in zip(range(reads), answer.stream, strict=False):
                    assert isinstance(piece, bytes)
            finally:
                answer.stream.close()
        assert (0, len(ledger._idle)) == (ledger._turns, ledger.open)
        for connection in ledger._idle:
            assert (b"", False) == connection._protocol.trailing_data
    transport.close()


class Books(RuleBasedStateMachine):
    """A ledger, against one that is as simple as can be."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger(Event, 3, 2, 1e9)
        self.turns, self.queue, self.used, self.idle, self.made = 0, deque(), {}, [], 0

    @rule()
    def ask(self):
        event = self.ledger.ask()
        assert (event is None) == (self.turns < 3)
        if event is None:
            self.turns += 1
        else:
            self.queue.append(event)

    @precondition(lambda self: self.turns > len(self.used))
    @rule()
    def end_turn(self):
        self.ledger.end_turn()
        if self.queue:
            assert self.queue.popleft().is_set()
        else:
            self.turns -= 1

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def withdraw(self, data):
        event = data.draw(st.sampled_from(list(self.queue)))
        self.queue.remove(event)
        assert self.ledger.withdraw(event)
        assert not event.is_set()

    @precondition(lambda self: self.turns > len(self.used))
    @rule(origin=st.sampled_from("abc"))
    def connect(self, origin):
        known = [one for one in self.idle if one[0] == origin]
        holder = object()
        found = self.ledger.take(origin, holder)
        assert (known[-1] if known else None) == found
        if found is None:
            displaced = self.ledger.add(holder)
            full = len(self.idle) + len(self.used) >= 3
            assert (self.idle.pop(0) if full else None) == displaced
            self.made += 1
            found = (origin, self.made)
        else:
            self.idle.remove(found)
        self.used[found] = holder

    @precondition(lambda self: self.used)
    @rule(is_kept=st.booleans(), data=st.data())
    def finish(self, is_kept, data):
        connection = data.draw(st.sampled_from(list(self.used)))
        holder = self.used.pop(connection)
        if not is_kept:
            self.ledger.drop(holder)
            return
        self.ledger.keep(connection[0], connection, holder)
        self.idle.append(connection)
        surplus = [self.idle.pop(0) for _ in range(len(self.idle) - 2)]
        assert surplus == list(self.ledger.surplus())

    @invariant()
    def agree(self):
        ledger = self.ledger
        assert (self.turns, list(self.queue)) == (ledger._turns, list(ledger._queue))
        assert (len(self.idle) + len(self.used), self.idle) == (ledger.open, list(ledger._idle))
        assert {one[0] for one in self.idle} == set(ledger._of_origin)
        assert ledger.open <= 3
        assert not any(event.is_set() for event in self.queue)


TestBooks = Books.TestCase
TestBooks.settings = BRIEF
