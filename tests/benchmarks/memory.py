"""Measure how memory grows with the number of calls, and how much 10,000 concurrent calls need."""

from collections.abc import Iterator
from math import inf

from contenders import ASYNC, BLOCKING
from loopback import Server
from rounds import Figures, Table
from workers import worker

# The other clients make fewer calls than this package, because they are slow and are measured only
# for comparison.
OURS, THEIRS = 100_000, 5_000
CROWD = 10_000
PATIENCE = 60.0
UNFINISHED = {"KiB each": inf, "failed": CROWD, "us": inf, "calls/s": 0.0}


def memory(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure memory only once, because the figures hardly vary and the measurement takes long."""
    del rounds
    title = (
        f"Memory after many calls, sequential or 10 at a time on asyncio ({OURS:,} calls for ours)"
    )
    yield "growth", Table(title, {name: [_growth(name, server)] for name in BLOCKING | ASYNC})
    title = f"{CROWD:,} calls at once on asyncio, within {PATIENCE:.0f} s"
    yield "crowd", Table(title, {name: [_crowd(name, server)] for name in ASYNC}, ("aiobotocore",))


def _growth(name: str, server: Server) -> Figures:
    calls, at_once = OURS if name.startswith("ours") else THEIRS, 10 if name in ASYNC else 1
    client = (BLOCKING | ASYNC)[name]
    with worker(client, server.http, server.ca_bundle) as member:
        member.measure(2000, at_once)  # these calls fill the client's caches
        took = member.measure(calls, at_once)
    assert not took["failed"], took["failures"]
    return {"KiB grown": took["KiB grown"], "calls": calls, "calls/s": took["calls/s"]}


def _crowd(name: str, server: Server) -> Figures:
    with worker(ASYNC[name], server.http, server.ca_bundle) as member:
        member.measure(640, 64)
        took = member.measure(CROWD, CROWD, within=PATIENCE) or UNFINISHED
    return {unit: took[unit] for unit in ("KiB each", "failed", "us", "calls/s")}
