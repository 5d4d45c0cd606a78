"""Tests of the rate limiter of the adaptive retry mode."""

import pytest
from botocore.retries import adaptive, bucket, throttling
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_runtime_client import Request, Response, ThrottlingError, TransportError
from sagemaker_runtime_client._aws.auth import SigV4Auth
from sagemaker_runtime_client._aws.call import ServiceClient
from sagemaker_runtime_client._aws.endpoint import Endpoint
from sagemaker_runtime_client._aws.error_response import json_error
from sagemaker_runtime_client._aws.operation import Operation
from sagemaker_runtime_client._aws.rate_limiter import RateLimiter
from sagemaker_runtime_client._aws.retry import RetryPolicy
from sigv4 import as_provider
from tests.runtime_client.scripted_io import CREDENTIALS, ScriptedIO, run

CALL = Operation(
    Endpoint("https://example.com", "sagemaker", "us-east-1"), Request("POST", "/"), json_error
)
THROTTLED = Response(400, {"x-amzn-errortype": "ThrottlingException"})


class Clock:
    """A clock for botocore's rate limiter; the test sets its time."""

    def __init__(self):
        self.now = 0.0

    def current_time(self):
        return self.now


def botocore_limiter(clock):
    """Return botocore's rate limiter with a throttling detector that accepts a boolean instead of a
    response.
    """

    class Detector:
        def is_throttling_error(self, *, throttled):
            return throttled

    return adaptive.ClientRateLimiter(
        rate_adjustor=throttling.CubicCalculator(starting_max_rate=0, start_time=0.0),
        rate_clocker=adaptive.RateClocker(clock),
        token_bucket=bucket.TokenBucket(max_rate=0.5, clock=clock),
        throttling_detector=Detector(),
        clock=clock,
    )


@given(st.lists(st.tuples(st.floats(0.001, 3.0), st.booleans()), max_size=60))
def test_rates_equal_botocores(answers):
    """After any sequence of responses, the rate limiter has the same rate and, once throttled, the
    same number of available tokens as botocore's.
    """
    clock, limiter = Clock(), RateLimiter(0.0)
    reference = botocore_limiter(clock)
    for pause, throttled in answers:
        clock.now += pause
        reference.on_receiving_response(throttled=throttled)
        limiter.record(clock.now, throttled=throttled)
        assert limiter.fill_rate == pytest.approx(reference._token_bucket.max_rate)
        capacity = reference._token_bucket.available_capacity
        assert not limiter._throttled or limiter._tokens == pytest.approx(capacity)


def test_nothing_waits_before_throttling():
    """Before the first throttled response, no request waits."""
    limiter = RateLimiter(0.0)
    limiter.record(0.1, throttled=False)
    assert [limiter.acquire(0.1) for _ in range(100)] == [0.0] * 100


def test_tokens():
    """After a throttled response, each request waits for its own token.

    Tokens accumulate while no request is sent, up to a limit.
    """
    limiter = RateLimiter(0.0)
    limiter.record(0.0, throttled=True)
    assert [limiter.acquire(0.0) for _ in range(3)] == [2.0, 4.0, 6.0]
    assert limiter.acquire(4.0) == 4.0
    assert limiter.acquire(1000.0) == 0.0
    assert limiter.acquire(1000.0) == 2.0


@pytest.mark.parametrize(("adaptive", "pauses"), [(True, 3), (False, 1)])
def test_calls_wait(adaptive, pauses):
    """After a throttled response, the retry and the next call wait for a token in the adaptive
    mode. In any mode, there is also the usual pause before the retry.
    """
    io = ScriptedIO([THROTTLED, Response(200, {}), Response(200, {})])
    caller = ServiceClient(
        io, io, SigV4Auth(as_provider(CREDENTIALS)), RetryPolicy(adaptive=adaptive)
    )
    run(caller.send(CALL))
    run(caller.send(CALL))
    assert len(io.slept) == pauses
    assert io.slept[0] == 0.5


def test_token_that_is_not_taken():
    """If a request cannot wait long enough for a token, the token remains available to the next
    request.
    """
    limiter = RateLimiter(0.0)
    limiter.record(0.0, throttled=True)
    assert [limiter.acquire(0.0, most) for most in (2.0, 1.0, -1.0) for _ in range(3)] == [None] * 9
    assert [limiter.acquire(0.0, 9.0), limiter.acquire(0.0)] == [2.0, 4.0]
    assert limiter.acquire(1000.0, 0.0) == 0.0


def test_no_time_for_a_retry():
    """If the token for a retry would become available only after the deadline, the call raises the
    ThrottlingError of its first attempt.
    """
    io = ScriptedIO([THROTTLED])
    caller = ServiceClient(io, io, SigV4Auth(as_provider(CREDENTIALS)), RetryPolicy(adaptive=True))
    with pytest.raises(ThrottlingError) as caught:
        run(caller.send(CALL._replace(deadline=io.monotonic() + 1)))
    assert (caught.value.attempts, len(io.sent)) == (1, 1)


def test_no_time_for_the_first_attempt():
    """If the token for a call's first attempt would become available only after the deadline,
    nothing is sent, and the error mentions throttling.
    """
    io = ScriptedIO([THROTTLED])
    caller = ServiceClient(
        io, io, SigV4Auth(as_provider(CREDENTIALS)), RetryPolicy(max_attempts=1, adaptive=True)
    )
    with pytest.raises(ThrottlingError):
        run(caller.send(CALL))
    with pytest.raises(TransportError, match="is throttling requests") as caught:
        run(caller.send(CALL._replace(deadline=io.monotonic() + 1)))
    assert (io.slept, len(io.sent)) == ([], 1)
    assert not caught.value.possibly_accepted
