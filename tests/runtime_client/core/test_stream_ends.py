"""Tests of the end of a stream: after its last event, or if it is left or cancelled before."""

import gc
from contextlib import AsyncExitStack
from importlib import import_module
from itertools import count
from threading import Event

import anyio
import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ResponseStreamError,
    ServerSentEvent,
)
from tests.runtime_client.clients import LOOPS, pointed_at
from tests.runtime_client.core.streams import chunked, collect, failure, head, part
from tests.runtime_client.io.test_cancellation import Suspensions, native, scoped
from tests.runtime_client.loopback import PATIENCE, Loopback

LAST = part(b"data: 1\n\ndata: [DONE]\n\n")
FIRST_EVENT = [ServerSentEvent("1")]


def connections_of_two_streams(driver, data):
    """Read two streams with the same response, and return how many connections they used.

    The server sends *data*, and then waits for another request or the end of the connection.
    """

    def answer(_request, _connection):
        return data

    with Loopback(answer) as server:
        client = driver.client(**pointed_at(server, max_connections=1))
        for _ in range(2):
            assert collect(driver, client, "events") == (FIRST_EVENT, None)
        return server.connections


def can_drain(driver):
    """Return whether a client of this kind reads the rest of a response after the last event."""
    return driver.kind.is_async or driver.kind.library is None


@pytest.mark.parametrize(
    "rest",
    [
        chunked(b""),
        chunked(part(b"data: 2\n\n")) + chunked(b""),
        chunked(failure("ModelStreamError", Message="late")) + chunked(b""),
        chunked(b"not an event stream") + chunked(b""),
    ],
    ids=["nothing", "another event", "a failure", "garbage"],
)
def test_the_rest_after_the_last_event(driver, rest):
    """A short rest after ``[DONE]`` is ignored; a client that can drain it reuses the connection."""
    expected = 1 if can_drain(driver) else 2
    assert connections_of_two_streams(driver, head() + chunked(LAST) + rest) == expected


@pytest.mark.parametrize(
    "rest",
    [b"", chunked(bytes(1 << 17)), b"x" * 1000],
    ids=["no end", "too much", "invalid"],
)
def test_a_connection_that_cannot_be_reused(driver, rest):
    """If the response continues or is invalid after the event ``[DONE]``, its connection is closed."""
    assert connections_of_two_streams(driver, head() + chunked(LAST) + rest) == 2


def test_another_response_after_the_last_event(plain_driver):
    """If an unrequested response follows the event ``[DONE]``, the pool closes the connection."""
    rest = chunked(b"") + b"HTTP/1.1 200 OK\r\n"
    assert connections_of_two_streams(plain_driver, head() + chunked(LAST) + rest) == 2


def test_more_in_the_part_of_the_last_event(plain_driver):
    """Data after the event ``[DONE]`` are ignored, even if they are in the same part and are too
    long.
    """
    long = part(b"data: 1\n\ndata: [DONE]\n\n" + b"x" * (17 << 20))
    assert connections_of_two_streams(plain_driver, head() + chunked(long) + chunked(b"")) == 1


def test_items_are_decoded_a_few_at_a_time(plain_driver):
    """When the first of 100,000 lines in a part is read, fewer than 1,000 lines have been decoded."""
    lines = 100_000
    data = head() + chunked(part(b"x\n" * lines)) + chunked(b"")
    with Loopback(lambda *_: data) as server:
        context = plain_driver.client(**pointed_at(server)).itself.stream_endpoint("e", b"")

        def read():
            with context as stream:
                found = stream.lines()
                next(found)
                return len(found._source.ready), sum(1 for _ in found)

        async def read_async():
            async with context as stream:
                found = stream.lines()
                await anext(found)
                return len(found._source.ready), len([line async for line in found])

        ready, rest = plain_driver.call(read_async if plain_driver.kind.is_async else read)
    assert (ready < 1000, rest) == (True, lines - 1)


class Halting:
    """A server function that sends one part, and the last event after the client has read this part.

    The response does not end, so the client also waits after the event ``[DONE]``.
    """

    def __init__(self):
        self.seen = Event()

    def __call__(self, request, connection):
        if request.target.startswith("/endpoints/whole/"):
            return head() + chunked(LAST) + chunked(b"")
        connection.sendall(head() + chunked(part(b"data: 0\n\n")))
        assert self.seen.wait(PATIENCE)
        connection.sendall(chunked(LAST))
        connection.recv(1)  # until the client closes the connection
        return b""


async def read(context, see):
    """Open a stream, and call *see* for each of its events."""
    async with context as stream:
        async for _ in stream.events():
            see()


async def cancelled_around(context, see, cancelling, at):
    """Cancel opening and reading a stream at the await number *at*; return the number of awaits."""
    async with cancelling() as cancel:
        suspensions = Suspensions(read(context, see), {at: [cancel]})
        await suspensions
    return suspensions.number


async def cancelled_inside(context, see, cancelling, at):
    """Cancel only the reading of a stream at the await number *at*; return the number of awaits."""

    async def read_inside(stream):
        async for _ in stream.events():
            see()

    async with context as stream, cancelling() as cancel:
        suspensions = Suspensions(read_inside(stream), {at: [cancel]})
        await suspensions
    return suspensions.number


@pytest.mark.parametrize("call", [cancelled_around, cancelled_inside])
@pytest.mark.parametrize(
    ("loop", "cancelling", "library"),
    [
        *(("asyncio", native, None), ("uvloop", native, None), ("trio", scoped, None)),
        # httpx's pool loses a connection if a task without a cancel scope is cancelled while it
        # closes one.
        *(("asyncio", scoped, "httpx"), ("trio", scoped, "httpx")),
        *(("asyncio", native, "httpx2"), ("uvloop", native, "httpx2"), ("trio", scoped, "httpx2")),
    ],
)
def test_cancellation_at_every_await(loop, cancelling, library, call):
    """If a stream is cancelled at any await, the pool's only connection can be used again, and no
    warning is emitted.
    """
    answer = Halting()

    async def main():
        async with AsyncExitStack() as stack:
            options = pointed_at(server, max_connections=1, read_timeout=PATIENCE)
            if library is not None:
                httpx = import_module(library)
                limits = httpx.Limits(max_connections=1)
                http_client = httpx.AsyncClient(limits=limits, trust_env=False)
                options["http_client"] = await stack.enter_async_context(http_client)
            client = await stack.enter_async_context(AsyncSageMakerRuntimeClient(**options))
            for at in count(1):
                answer.seen.clear()
                number = await call(
                    client.stream_endpoint("e", b"x"), answer.seen.set, cancelling, at
                )
                answer.seen.set()
                with anyio.fail_after(PATIENCE):
                    await read(client.stream_endpoint("whole", b"x"), bool)
                if number < at:
                    break
        gc.collect()
        return at

    with Loopback(answer, buffered=False) as server:
        assert anyio.run(main, **LOOPS[loop]) > 2


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_reading_after_a_cancelled_read(loop):
    """If a read is cancelled, the next read raises an error, because data may have been lost."""
    answer = Halting()

    async def main():
        async with (
            AsyncSageMakerRuntimeClient(**pointed_at(server)) as client,
            client.stream_endpoint("e", b"x") as stream,
        ):
            events = stream.events()
            assert await anext(events) == ServerSentEvent("0")
            with anyio.CancelScope() as scope:
                scope.cancel()
                await anext(events)
            assert scope.cancelled_caught
            with pytest.raises(ResponseStreamError, match="an earlier read was interrupted"):
                await anext(events)
        answer.seen.set()

    with Loopback(answer, buffered=False) as server:
        anyio.run(main, **loop)


def test_the_end_after_the_last_event(plain_driver):
    """If the last event was read, the iterator ends normally even after the context was left."""
    with Loopback(lambda *_: head() + chunked(LAST) + chunked(b"")) as server:
        context = plain_driver.client(**pointed_at(server)).itself.stream_endpoint("e", b"")

        def read():
            with context as stream:
                events = stream.events()
                first = next(events)
            return [first, *events]

        async def read_async():
            async with context as stream:
                events = stream.events()
                first = await anext(events)
            return [first, *[event async for event in events]]

        found = plain_driver.call(read_async if plain_driver.kind.is_async else read)
    assert found == FIRST_EVENT


@pytest.mark.parametrize("library", [None, "httpx", "httpx2"])
@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_leaving_early_emits_no_warning(library, loop):
    """If a stream's context is left early, collecting the stream as garbage emits no warning."""
    data = b"".join(chunked(part(b"%d\n" % number)) for number in range(1000))

    def answer(_request, connection):
        connection.sendall(head() + data)
        connection.recv(1)
        return b""

    async def main():
        async with AsyncExitStack() as stack:
            options = pointed_at(server)
            if library is not None:
                http_client = import_module(library).AsyncClient(trust_env=False)
                options["http_client"] = await stack.enter_async_context(http_client)
            client = await stack.enter_async_context(AsyncSageMakerRuntimeClient(**options))
            async with client.stream_endpoint("e", b"x") as stream:
                lines = stream.lines()
                found = [await anext(lines) for _ in range(2)]
            del lines, stream
            gc.collect()
            await anyio.lowlevel.checkpoint()
        return found

    with Loopback(answer, buffered=False) as server:
        assert anyio.run(main, **loop) == ["0", "1"]
