"""Transfers of 100 MiB through a proxy that fails at one request: each fault at each request.

The transfers are tried with threads, asyncio and trio, over http and https, in turn.
"""

import ssl
import tempfile
from collections.abc import Iterator
from itertools import chain, cycle
from pathlib import Path

import trustme
from _proxy import FAULTS, Proxy
from _row import Row
from _transfers import LOCATION, OTHER, WAYS, Bench, count_requests, violations, warm_up

from sagemaker_runtime_client.emulator import Emulator

MIB = 1 << 20
DATA = b"".join(number.to_bytes(4, "big") * 16 for number in range(100 * MIB // 64))
# Each fault at each request is tried with one transfer of each line, in turn.
LINES = (["upload", "upload of a stream"], ["download", "download with resume"])
READ_TIMEOUT = 0.5  # in seconds, while the proxy stalls


def run() -> Iterator[Row]:
    """Try each fault at each request, and count what does not hold afterwards."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with tempfile.TemporaryDirectory() as name, Emulator() as emulator:
        folder = Path(name)
        authority.cert_pem.write_to_path(folder / "ca.pem")
        proxy = Proxy(
            int(emulator.url.rpartition(":")[2]), lambda: emulator.objects.put(LOCATION, OTHER), tls
        )
        with proxy:
            bench = Bench(
                emulator, proxy, folder, str(folder / "ca.pem"), DATA, (None, None), READ_TIMEOUT
            )
            bench.prepare()
            warm_up(bench)
            yield from attack(bench)


def attack(bench: Bench) -> Iterator[Row]:
    """Yield a figure for each kind of transfer and each fault."""
    ways = cycle(WAYS)
    for names in LINES:
        requests = count_requests(bench, names[0])
        for fault in FAULTS.values():
            transfers = zip(range(requests), cycle(names), ways)
            found = list(
                chain.from_iterable(
                    violations(bench, name, way, fault, number) for number, name, way in transfers
                )
            )
            print(*found, sep="\n", end="")
            yield Row(
                f"violations after {fault.__name__} at each of {requests} requests, {names[0]}",
                len(found),
                0,
                "cases",
            )
