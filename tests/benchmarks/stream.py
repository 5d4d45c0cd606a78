"""Measure calls of a model that wait for its response, as a whole or as a stream of events."""

import json
import time
from collections.abc import Callable, Iterator
from statistics import median
from timeit import timeit

from botocore.eventstream import EventStreamBuffer
from contenders import ASYNC_MODELS, MODELS, Client, environ
from loopback import Server
from rounds import Figures, Measure, Table, side_by_side
from signatures import verify_last
from workers import Worker, worker, workers

from sigv4 import EventDecoder, Message

RIVALS = ("boto3", "aiobotocore", "capo", "capo, async")
SIZES = (60, 1024, 16_384)  # sizes of an event's payload, in bytes
PIECE = 65_536  # the largest number of bytes that one read of a socket returns
DECODED = 2_000
EVENTS = 1_000
AT_ONCE = (1, 50)
TEXT_SIZE = 200  # about the size of an event with one token of a language model
PAUSE = 0.02
CALLS = 200
# The other clients read fewer events than this package, because they are measured only for
# comparison.
OURS, THEIRS = 1_000_000, 100_000
HEADERS = {
    ":event-type": "PayloadPart",
    ":content-type": "application/octet-stream",
    ":message-type": "event",
}


def stream(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure the decoding of events, complete streams, and calls with InvokeEndpoint."""
    yield from _decoding(server, rounds)
    clients = MODELS | ASYNC_MODELS
    with workers(clients, server, server.https) as members:
        _check(members, server)
        for at_once in AT_ONCE:
            measures = {name: _streaming(member, at_once) for name, member in members.items()}
            title = (
                f"CPU time per event of a stream of {EVENTS:,} events over https, {at_once} at once"
            )
            yield f"stream {at_once}", side_by_side(title, measures, rounds, RIVALS)
        title = "Delay of the first item, from its sending by the server, over https"
        measures = {name: _first_item(member) for name, member in members.items()}
        yield "first item", side_by_side(title, measures, rounds, RIVALS)
    with workers(clients, server) as members:
        measures = {name: _invoking(member) for name, member in members.items()}
        title = "CPU time of a warm call of InvokeEndpoint over http"
        yield "invoke", side_by_side(title, measures, rounds, RIVALS)
    title = f"Peak of the memory during a long stream over http ({OURS:,} events for ours)"
    grown = {name: [_growth(name, client, server)] for name, client in clients.items()}
    yield "stream growth", Table(title, grown)


def _request(events: int, at_once: int = 1, pause: float = 0, interval: float = 0) -> str:
    """Return the body of a request that describes a stream; see `server.py`."""
    return json.dumps(
        {
            "events": events,
            "size": TEXT_SIZE,
            "pause": pause,
            "at_once": at_once,
            "interval": interval,
        }
    )


def _check(members: dict[str, Worker], server: Server) -> None:
    """Make one call with each client, and verify its signature."""
    for member in members.values():
        for operation in ("invoke", "stream"):
            took = member.measure(1, 1, (operation, _request(10)))
            assert not took["failed"], took["failures"]
            verify_last(server, environ(server.ca_bundle))


def _streaming(member: Worker, at_once: int) -> Measure:
    """Return a function that measures the CPU time per event."""
    return lambda: _per_event(member.measure(3, 1, ("stream", _request(EVENTS, at_once))))


def _per_event(took: dict[str, float]) -> Figures:
    assert not took["failed"], took["failures"]
    return {"us": took["us"] / EVENTS, "events/s": took["calls/s"] * EVENTS}


def _first_item(member: Worker) -> Measure:
    """Return a function that measures the delay between sending and receiving a stream's first
    item.
    """
    request = ("stream", _request(1, pause=PAUSE))

    def milliseconds() -> Figures:
        delays = [member.measure(1, 1, request, is_warm=True)["returned"] for _ in range(5)]
        return {"ms": median(delays), "ms at most": max(delays)}

    return milliseconds


def _invoking(member: Worker) -> Measure:
    """Return a function that measures the CPU time of a call."""

    def figures() -> Figures:
        took = member.measure(CALLS, 1, ("invoke", _request(0)))
        assert not took["failed"], took["failures"]
        return {"us": took["us"], "calls/s": took["calls/s"]}

    return figures


def _growth(name: str, client: Client, server: Server) -> Figures:
    events = OURS if name.startswith("ours") else THEIRS
    with worker(client, server.http, server.ca_bundle) as member:
        member.measure(1, 1, ("stream", _request(EVENTS)))  # this call fills the client's caches
        took = member.measure(1, 1, ("stream", _request(events)), is_warm=True)
    assert not took["failed"], took["failures"]
    return {"KiB grown": took["KiB each"], "events": events, "us": took["us"] / events}


def _decoding(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure the decoding of events that are fed one by one, or as many together as one read
    returns.
    """
    with worker(Client("capo", "models.decode_capo"), "", server.ca_bundle) as capo:
        for size in SIZES:
            measures = {
                "ours": _here(_feed_ours, size),
                "botocore": _here(_feed_botocore, size),
                "capo": _elsewhere(capo, size),
            }
            title = f"Decoding events of {size:,} B"
            yield f"decode {size}", side_by_side(title, measures, rounds, ("botocore", "capo"))


def _feed_ours(data: bytes, times: int) -> None:
    decoder = EventDecoder()
    for _ in range(times):
        for _message in decoder.feed(data):
            pass


def _feed_botocore(data: bytes, times: int) -> None:
    decoder = EventStreamBuffer()
    for _ in range(times):
        decoder.add_data(data)
        for _message in decoder:
            pass


def _grades(size: int) -> dict[str, int]:
    """Return how many events of this size are fed together, keyed by the unit of the figure."""
    return {"us": 1, "us in 64 KiB": max(1, PIECE // (size + 100))}


def _here(feed: Callable[[bytes, int], None], size: int) -> Measure:
    """Return a function that measures the CPU time per event in this process."""

    def per_event() -> Figures:
        figures = {}
        for unit, at_once in _grades(size).items():
            data, times = Message(HEADERS, bytes(size)).encode() * at_once, DECODED // at_once
            took = timeit(lambda: feed(data, times), timer=time.process_time, number=1)  # noqa: B023 (called at once)
            figures[unit] = took / times / at_once * 1e6
        return figures

    return per_event


def _elsewhere(member: Worker, size: int) -> Measure:
    """Return a function that measures the CPU time per event in a worker."""

    def per_event() -> Figures:
        figures = {}
        for unit, at_once in _grades(size).items():
            events = DECODED // at_once * at_once
            command = json.dumps(
                {"headers": HEADERS, "size": size, "events": events, "at_once": at_once}
            )
            figures[unit] = member.measure(1, 1, (command,))["us"] / events
        return figures

    return per_event
