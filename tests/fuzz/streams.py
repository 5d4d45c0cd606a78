"""
The properties of ``tests/sigv4/stream_properties.py``: every parser of a body that arrives.

    python -m tests.fuzz.streams [COUNT]

COUNT, or else the environment's FUZZ_EXAMPLES, says how many examples each property gets; 20,000
if neither does.  What fails is printed at its smallest, and ends the run.
"""

import os
import sys
import time

from hypothesis import HealthCheck, given, settings

from tests.sigv4.stream_properties import PROPERTIES


def main(arguments: list[str]) -> None:
    """Run every property."""
    count = int(arguments[0] if arguments else os.environ.get("FUZZ_EXAMPLES", "20000"))
    run = settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    for check, strategy in PROPERTIES.items():
        began = time.monotonic()
        run(given(strategy)(check))()
        took = time.monotonic() - began
        sys.stdout.write(f"{check.__name__}: {count} examples, {took:.0f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
