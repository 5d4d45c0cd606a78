"""Measure warm calls over plain http, made sequentially, in threads and in tasks.

The figures are the CPU time per call, the calls per second, and the number of opened connections.
"""

from collections.abc import Iterator

from contenders import ASYNC, BASELINE, BLOCKING
from loopback import Server
from rounds import Figures, Measure, Table, side_by_side
from workers import Worker, workers

COUNT = 320
THREADS = (1, 16)
TASKS = (1, 10, 64)


def warm(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure warm calls with each client and each number of threads or tasks."""

    def measure(member: Worker, at_once: int) -> Measure:
        def figures() -> Figures:
            before = server.connections()
            took = member.measure(COUNT // at_once * at_once, at_once)
            assert not took["failed"], took["failures"]
            opened = server.connections() - before
            return {"us": took["us"], "calls/s": took["calls/s"], "connections opened": opened}

        return figures

    for kind, clients, grades, rivals in (
        ("threads", BLOCKING, THREADS, ("boto3", "capo", "floor", BASELINE)),
        (
            "tasks",
            ASYNC,
            TASKS,
            ("aiobotocore", "capo, async", "floor, async", f"{BASELINE}, async"),
        ),
    ):
        with workers(clients, server) as members:
            for at_once in grades:
                measures = {name: measure(member, at_once) for name, member in members.items()}
                title = f"CPU time of a warm call, {kind}: {at_once}"
                yield f"{kind} {at_once}", side_by_side(title, measures, rounds, rivals)
