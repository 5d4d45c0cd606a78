"""One report on size and speed, ours beside the rest: `make bench`, or `make bench ONLY=cold ROUNDS=5`."""

import argparse
import os
import platform
from collections.abc import Callable, Iterator

import contenders
from calls import warm
from footprint import footprint
from loopback import Server, serving
from memory import memory
from rounds import Table
from signatures import check
from signing import signing
from starts import cold, imports

Part = Callable[[Server, int], Iterator[tuple[str, Table]]]
PARTS: dict[str, Part] = {
    "footprint": footprint,
    "import": imports,
    "cold": cold,
    "signing": signing,
    "calls": warm,
    "memory": memory,
}


def main() -> None:
    """Measure, and print as it goes."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()},")
    print(
        f"{os.cpu_count()} processors; medians of {arguments.rounds} interleaved rounds; loopback"
    )
    for environment in contenders.ENVIRONMENTS:
        print(f"  {environment}: {contenders.versions(environment) or 'the standard library'}")
    with serving() as server:
        check(server)
        report: dict[str, Table] = {}
        for part in arguments.only or PARTS:
            for key, table in PARTS[part](server, arguments.rounds):
                report[key] = table
                print(table, flush=True)


main()
