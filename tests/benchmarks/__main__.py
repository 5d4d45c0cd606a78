"""
Signing, first call and calls, beside boto3 and the bare floor: `make bench`.

Ratios are made within interleaved rounds, on loopback; trust them to about 15 %.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import calls
import calls_at_once
import first_call
import signing
from rounds import report, side_by_side

HERE = Path(__file__).parent


@contextmanager
def server() -> Iterator[int]:
    """Run the server in a process of its own, and give its port."""
    with subprocess.Popen(
        [sys.executable, HERE / "server.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def main() -> None:
    """Print one report after the other."""
    print(f"Python {sys.version.split()[0]} on {sys.platform}; medians of interleaved rounds")
    signed = side_by_side(signing.contenders(), 15)
    report("Signing by header, 10 headers and a token", "us", signed, "botocore", "floor")
    report("Presigning", "us", side_by_side(signing.presigning(), 15), "botocore", "floor")
    asymmetric = side_by_side(signing.asymmetric(), 15)
    report("Signing by header with SigV4A", "us", asymmetric, "awscrt", "floor")
    hashed = side_by_side(signing.hashing(), 15)
    report("Signing a body of 1 MiB", "us", hashed, "botocore", "hashlib alone")
    with server() as port:
        first = side_by_side(first_call.contenders(port), 15)
        report("From exec to the first answer, whole process, http", "ms", first, "boto3", "floor")
        each = side_by_side(calls.contenders(port), 15)
        report("CPU of a warm call, one after another", "us", each, "boto3", "floor")
        threads = side_by_side(calls_at_once.threads(port), 9)
        report("CPU of a warm call, 16 threads", "us", threads, "boto3", "ours")
        for in_flight in (1, 10, 64):
            tasks = side_by_side(calls_at_once.tasks(port, in_flight), 9)
            title = f"CPU of a warm call on asyncio, {in_flight} in flight"
            report(title, "us", tasks, "httpx, unsigned", "floor")
        print(f"\n  calls per second: {calls.rates(port)}")


main()
