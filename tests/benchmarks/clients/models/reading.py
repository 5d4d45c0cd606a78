"""Reads the parts of a streamed response."""

import json
from collections.abc import AsyncIterable, Iterable
from time import monotonic

ENDPOINT = "my-endpoint"


def delay(part: bytes, now: float) -> float:
    """Return how many milliseconds before *now* the server sent the first event of a stream."""
    return (now - float(part[:20])) * 1000


def read(parts: Iterable[bytes], body: bytes) -> float:
    """Read all parts, and return the delay of the first one in milliseconds."""
    events = json.loads(body)["events"]
    first, count = -1.0, 0
    for part in parts:
        if not count:
            first = delay(part, monotonic())
        count += 1
    assert count == events, (count, events)
    return first


async def aread(parts: AsyncIterable[bytes], body: bytes) -> float:
    """Like `read`, for an asynchronous iterable."""
    events = json.loads(body)["events"]
    first, count = -1.0, 0
    async for part in parts:
        if not count:
            first = delay(part, monotonic())
        count += 1
    assert count == events, (count, events)
    return first
