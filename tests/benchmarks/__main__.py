"""Report size and speed of this client and its competitors: `make bench`.

`make bench ONLY=cold ROUNDS=5` measures only one part, in five rounds.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import contenders
from calls import warm
from footprint import footprint
from loopback import Server, serving
from memory import memory
from parts import parts
from rounds import Table
from signatures import check
from signing import signing
from starts import cold, imports
from stream import stream
from summary import keep
from targets import verdicts

Part = Callable[[Server, int], Iterator[tuple[str, Table]]]
PARTS: dict[str, Part] = {
    "footprint": footprint,
    "import": imports,
    "cold": cold,
    "parts": parts,
    "signing": signing,
    "calls": warm,
    "memory": memory,
    "stream": stream,
}


def machine() -> str:
    """Return the number and the model of the processors."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} processors ({models[0] if models else platform.machine()})"


def main() -> None:
    """Measure the parts of the report; print each complete table, and finally the verdicts."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="measure only this part (may be repeated)"
    )
    parser.add_argument("--rounds", type=int, default=15, help="how often each figure is measured")
    parser.add_argument(
        "--keep", action="store_true", help="write the table and the charts into the README"
    )
    parser.add_argument("--baseline", action="store_true", help="measure an earlier revision, too")
    arguments = parser.parse_args()
    if arguments.baseline:
        contenders.add_baseline()
    if arguments.keep and arguments.only:
        parser.error("--keep needs the whole report: leave out --only")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    heading = f"{today}, {python} on {platform.system()}, {machine()}, medians of {arguments.rounds} interleaved rounds over loopback:"
    print(heading)
    print(f"  load average {os.getloadavg()[0]:.1f} at the start")
    for environment in contenders.ENVIRONMENTS:
        print(f"  {environment}: {contenders.versions(environment) or 'the standard library'}")
    report: dict[str, Table] = {}
    with serving() as server:
        check(server)
        for part in arguments.only or PARTS:
            for key, table in PARTS[part](server, arguments.rounds):
                report[key] = table
                print(table, flush=True)
    print(verdicts(report, whole=not arguments.only))
    if arguments.keep:
        keep(report, heading)


main()
