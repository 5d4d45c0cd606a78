"""Attacks on the installed wheel: `make attack`, or `make attack ONLY=region_set`.

Each module of this folder is an attack, except for helpers, whose names begin with an underscore.
An attack has a function ``run()`` without arguments, which attacks and yields a `Row` for each
figure as soon as it is measured::

    from collections.abc import Iterator

    from _row import Row


    def run() -> Iterator[Row]:
        forged = ...
        yield Row("forged responses, asyncio", forged, 0, "responses")

Each attack runs in a separate process with its own memory and event loops.  The process has this
folder and the installed packages on its import path, but not the checkout.  The packages to install
with the wheel are in the dependency group ``attack`` of pyproject.toml.  An attack's standard error
is that of this process.  An attack should take at most 30 seconds on a quiet machine, and all
attacks together less than 4 minutes, apart from those in `LONG`.  After `TIME_LIMIT` seconds, or
those in `LONG`, an attack is killed, with all processes that it started.

The exit status is 1 if a figure exceeds its bound, or if an attack raises an error, is killed or
yields no figure.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path

from _row import Row

HERE = Path(__file__).parent
TIME_LIMIT = 90.0  # in seconds
# The time limits of attacks that try hundreds of large transfers.
LONG = {"transfers": 1800.0}
WIDTHS = (84, 12, 12, 8)


def attacks(folder: Path) -> list[str]:
    """Return the names of the attacks in a folder."""
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def rows(folder: Path, name: str, time_limit: float) -> Iterator[Row]:
    """Run an attack in a new process, and yield its rows as they arrive."""
    with (
        subprocess.Popen(
            [sys.executable, HERE, "--folder", folder, "--print-rows", name],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # the attack's process group, so that all of its processes can be killed together
        ) as process
    ):
        watch = threading.Timer(time_limit, os.killpg, (process.pid, signal.SIGKILL))
        watch.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                yield Row(*json.loads(line))
            status = process.wait()
        finally:
            watch.cancel()
    if status == -signal.SIGKILL:
        print(f"  {name}: killed after {time_limit:g} s")
    if status:
        yield Row("the attack ended early", 1, 0, "attacks")


def print_rows(name: str) -> None:
    """Run an attack in this process, and write its rows to the original stdout as JSON."""
    out, sys.stdout = (
        sys.stdout,
        sys.stderr,
    )  # the other output of the attack must not be read as a row
    for row in import_module(name).run():
        print(json.dumps(row), file=out, flush=True)


def line(*cells: str) -> str:
    """Format a line of the table."""
    first, *others = zip(cells, WIDTHS, strict=True)
    figures = " ".join(f"{cell:>{width}}" for cell, width in others[:2])
    return f"  {first[0]:<{first[1]}} {figures} {cells[3]:<{WIDTHS[3]}}"


def attack(folder: Path, name: str, time_limit: float) -> bool:
    """Run an attack, print its rows of the table, and return whether all figures are within bounds."""
    start = time.monotonic()
    holds: list[bool] = []
    for row in rows(folder, name, time_limit):
        figures = (f"{row.measured:,.6g}", f"{row.bound:,.6g}")
        verdict = "" if row.holds else "  EXCEEDS ITS BOUND"
        print(line(f"{name}: {row.name}", *figures, row.unit) + verdict, flush=True)
        holds.append(row.holds)
    print(f"  ({name} took {time.monotonic() - start:.1f} s)", flush=True)
    return bool(holds) and all(holds)


def main() -> None:
    """Run the attacks, print each figure as soon as it is measured, and exit with the status."""
    parser = argparse.ArgumentParser(prog="make attack", description="Attack the installed wheel.")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="run only this attack (may be repeated)"
    )
    parser.add_argument("--folder", type=Path, default=HERE, help="the folder of the attacks")
    parser.add_argument(
        "--time-limit",
        type=float,
        help="seconds after which an attack is killed",
    )
    parser.add_argument("--print-rows", metavar="NAME", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.folder))
    if arguments.print_rows:
        print_rows(arguments.print_rows)
        return
    known = attacks(arguments.folder)
    names = arguments.only or known
    if unknown := set(names) - set(known):
        parser.error(f"unknown attack: {', '.join(unknown)} (choose from {', '.join(known)})")
    installed = metadata.version("sagemaker-runtime-client")
    print(f"sagemaker-runtime-client {installed} in {sys.prefix}, {len(names)} attacks")
    print(line("attack", "measured", "bound", "unit"))
    limits = {name: arguments.time_limit or LONG.get(name, TIME_LIMIT) for name in names}
    failed = [n for n in names if not attack(arguments.folder, n, limits[n])]
    print(f"FAILED: {', '.join(failed)}" if failed else "all figures hold")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
