"""Requests with a region set that is full of wildcards, which any client can send.

A matcher that backtracks would need tens of milliseconds for each such request, and a matcher that
compiles patterns would keep the patterns in memory.
"""

import itertools
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

from _row import Row

from sigv4 import Credentials, SignableRequest, SignatureError, verify

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://abc.execute-api.eu-west-1.amazonaws.com/"
KEYS = {"known": Credentials("known", "secret"), "unknown": None}
REQUESTS = 150
REGION = "ap-southeast-1"


def request(region_set: str, *, key: str) -> SignableRequest:
    """Return a request with this region set and an invalid signature."""
    headers = {
        "x-amz-date": "20261122T120000Z",
        "x-amz-region-set": region_set,
        "authorization": (
            f"AWS4-ECDSA-P256-SHA256 Credential={key}/20261122/execute-api/aws4_request, "
            "SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=30"
        ),
    }
    return SignableRequest("GET", URL, headers)


def refusal(request: SignableRequest) -> float:
    """Return how many milliseconds `verify` takes to reject a request."""
    start = time.perf_counter()
    try:
        verify(request, KEYS.get, at=AT, service="execute-api", region=REGION)
    except SignatureError:
        return (time.perf_counter() - start) * 1000
    raise AssertionError("accepted")


def wildcards(number: int, length: int) -> str:
    """Return a region set of *length* characters that is different for each *number*."""
    return ("a*" * length + str(number))[-length:]


def run() -> Iterator[Row]:
    """Compare the rejection of region sets full of wildcards with that of an ordinary region set.

    The region sets have two lengths, and the access keys are known or unknown.
    """
    for length, key in itertools.product((255, 8000), KEYS):
        what = f"{length} characters, {key} key"
        refusal(request("*", key=key))  # so that `verify` has imported all modules that it needs
        ordinary = statistics.median([refusal(request("*", key=key)) for _ in range(REQUESTS)])
        hostile = [request(wildcards(i, length), key=key) for i in range(REQUESTS)]
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for one in hostile:
            refusal(one)
        kept = (tracemalloc.get_traced_memory()[0] - before) / 1024
        tracemalloc.stop()
        times = [refusal(one) for one in hostile]
        ratio = statistics.median(times) / ordinary
        yield Row(f"time of a refusal / an ordinary one, {what}", ratio, 3, "times")
        yield Row(f"memory kept after {REQUESTS} refusals, {what}", kept, 64, "KiB")
