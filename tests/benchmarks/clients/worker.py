"""Make calls on command, so that clients in different environments can alternate: `python worker.py CLIENT URL`.

Each line of standard input is a JSON object:

    calls      the number of calls
    at_once    the number of calls that are made at the same time in threads or tasks
    arguments  the arguments of each call
    is_warm    whether to make no calls before the measurement

For each line, the script prints a JSON object with the measured figures, and what the last call
returned.
"""

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = 4096


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def peak() -> int:
    """Return the peak of the resident memory since `forget_peak`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


def forget_peak() -> None:
    """Reset the peak to the current memory, if the operating system supports it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


class Measuring:
    """A measurement of a number of calls, which begins when the object is created."""

    def __init__(self, calls: int) -> None:
        self.calls, self.failures = calls, Counter[str]()
        self.returned: object = None
        gc.collect()
        forget_peak()
        self.memory = resident()
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def figures(self) -> dict[str, Any]:
        """Return the measured figures, keyed by unit, and the failures."""
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        highest = peak()
        gc.collect()
        return {
            "us": cpu / self.calls * 1e6,
            "calls/s": self.calls / wall,
            "KiB grown": (resident() - self.memory) / 1024,
            "KiB each": (highest - self.memory) / 1024 / self.calls,
            "returned": self.returned,
            "failed": self.failures.total(),
            "failures": ", ".join(f"{count} {name}" for name, count in self.failures.items()),
        }


def commands() -> Any:
    """Yield the command in each line of standard input."""
    for line in sys.stdin:
        yield json.loads(line)


def answer(figures: dict[str, Any]) -> None:
    """Print *figures* as a line of JSON."""
    print(json.dumps(figures), flush=True)


def blocking(call: Callable[..., object]) -> None:
    """Run commands with a blocking client, in threads that are reused for the next command."""
    threads = ThreadPoolExecutor(64)

    def several(count: int, arguments: list[str]) -> object:
        returned: object = None
        for _ in range(count):
            returned = call(*arguments)
        return returned

    def spread(count: int, at_once: int, arguments: list[str]) -> object:
        if at_once == 1:
            return several(count, arguments)
        each = count // at_once
        running = [threads.submit(several, each, arguments) for _ in range(at_once)]
        return [done.result() for done in running][-1]

    for command in commands():
        calls, at_once, arguments = command["calls"], command["at_once"], command["arguments"]
        if not command["is_warm"]:
            spread(at_once, at_once, arguments)  # opens the connections
        measuring = Measuring(calls)
        measuring.returned = spread(calls, at_once, arguments)
        answer(measuring.figures())


async def on_asyncio(client: Any, url: str) -> None:
    """Run commands with an async client; each task makes its calls without a pause."""
    async with client.connected(url) as call:

        async def several(count: int, arguments: list[str], failures: Counter[str]) -> object:
            returned: object = None
            for _ in range(count):
                try:
                    returned = await call(*arguments)
                except Exception as error:  # noqa: BLE001 (any error is counted)
                    failures[type(error).__name__] += 1
            return returned

        async def spread(
            count: int, at_once: int, arguments: list[str], failures: Counter[str]
        ) -> object:
            each = count // at_once
            running = (several(each, arguments, failures) for _ in range(at_once))
            return (await asyncio.gather(*running))[-1]

        for command in commands():
            calls, at_once, arguments = command["calls"], command["at_once"], command["arguments"]
            if not command["is_warm"]:
                few = min(at_once, 64)
                await spread(few, few, arguments, Counter())  # opens the connections
            measuring = Measuring(calls)
            measuring.returned = await spread(calls, at_once, arguments, measuring.failures)
            answer(measuring.figures())


def main() -> None:
    """Run commands until standard input ends."""
    _, name, url = sys.argv
    client = import_module(name)
    if hasattr(client, "connect"):
        blocking(client.connect(url))
    else:
        asyncio.run(on_asyncio(client, url))


main()
