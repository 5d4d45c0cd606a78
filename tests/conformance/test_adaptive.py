"""Test the rates that the adaptive retry mode computes, against Smithy's test cases."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client._aws.rate_limiter import Cubic, RateLimiter

SUITE = json.loads((Path(os.environ["SUITES"]) / "retries.json").read_text("utf-8"))["adaptive"]
CURVES = [pytest.param(case, id=name) for name, case in SUITE.items() if "given" in case]


def test_the_suite_is_whole():
    """The suite has 3 cases, of which 2 are for `test_curve` and 1 is for `test_rates`."""
    assert (len(SUITE), len(CURVES)) == (3, 2)


@pytest.mark.parametrize("case", CURVES)
def test_curve(case):
    """Each step has the expected rate; after a throttled response, a new `Cubic` curve is used."""
    cubic, rate = Cubic(case["given"]["last_max_rate"], case["given"]["last_throttle_time"]), None
    for step in case["cases"]:
        if step["response"] == "throttle":
            cubic = Cubic(rate, step["timestamp"])
        rate = cubic.rate(step["timestamp"])
        assert rate == pytest.approx(step["calculated_rate"])


def test_rates():
    """After each response, the measured rate and the fill rate of a `RateLimiter` are as expected."""
    limiter = RateLimiter(0.0)
    for step in SUITE["End-to-end test for client sending rates"]["cases"]:
        limiter.record(step["timestamp"], throttled=step["response"] == "throttle")
        assert limiter.measured_rate == pytest.approx(step["measured_tx_rate"])
        assert limiter.fill_rate == pytest.approx(step["new_token_bucket_rate"], abs=1e-6)
