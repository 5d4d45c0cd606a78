"""Test handlers whose claims are in a failing S3, and environments whose clocks differ."""

from itertools import product

import pytest

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client.emulator import Emulator, ErrorResponse, Latency, Reset
from sagemaker_runtime_client.handlers import S3Claims, sqs_handler
from tests.runtime_client.clients import settings
from tests.runtime_client.handlers.lambda_events import (
    Context,
    completed,
    failed_ids,
    sqs_event,
)

FAULTS = {
    "conflict": ErrorResponse(409, "ConditionalRequestConflict"),
    "precondition failed": ErrorResponse(412, "PreconditionFailed"),
    "internal error": ErrorResponse(500, "InternalError"),
    "slow down": ErrorResponse(503, "SlowDown"),
    "not executed": Reset("before_read"),
    "executed, but no response": Reset("after_taken"),
    "half of a response": Reset("in_head"),
}
# The numbers of a delivery's PUT requests.  The first one claims the message.  The second one
# records that the message was handled, or releases the claim if the function raised an error.
REQUESTS = {"claim": 1, "done or release": 2}


class Environment:
    """An execution environment whose clock is set by the test."""

    def __init__(self, emulator, function, now=1000.0):
        self.now = now
        self.client = SageMakerRuntimeClient(**settings(emulator), max_attempts=1)
        claims = S3Claims(self.client, "s3://claims/", clock=lambda: self.now)
        self._handler = sqs_handler(claims=claims)(function)

    def deliver(self):
        """Deliver a message, and return whether the handler acknowledges it."""
        return failed_ids(self._handler(sqs_event(completed(1)), Context(60))) == []


@pytest.fixture
def emulator():
    """A running emulator."""
    with Emulator() as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "request_number", "is_broken"),
    list(product(FAULTS.values(), REQUESTS.values(), [False, True])),
    ids=[
        f"{fault}, {name}, {outcome}"
        for fault, name, outcome in product(FAULTS, REQUESTS, ["handled", "error"])
    ],
)
def test_fault_in_a_request(emulator, fault, request_number, is_broken):
    """If a claim's request fails, the message is acknowledged only after it was handled.

    The message is handled again only if S3 did not store the record that it had been handled.
    """
    handled, broken = [], [is_broken]

    def function(event):
        if broken.pop() if broken else False:
            raise RuntimeError
        handled.append(event.inference_id)

    environment = Environment(emulator, function)
    emulator.faults.once(Latency(0.0), times=request_number - 1, on="PutObject")
    emulator.faults.once(fault, on="PutObject")
    for _ in range(4):
        assert environment.deliver() == (len(handled) > 0)
        environment.now += 1000.0
    is_lost = (
        request_number == 2
        and not is_broken
        and not (isinstance(fault, Reset) and fault.when != "before_read")
    )
    assert len(handled) == 1 + is_lost


@pytest.mark.parametrize(
    "fault",
    [ErrorResponse(500, "InternalError"), ErrorResponse(404, "NoSuchKey"), Reset("in_body")],
)
def test_claim_that_cannot_be_read(emulator, fault):
    """If an existing claim cannot be read, its message fails, and is acknowledged when it is read
    later.
    """
    calls = []
    first, second = (Environment(emulator, calls.append) for _ in range(2))
    assert first.deliver()
    emulator.faults.once(fault, on="GetObject")
    assert not second.deliver()
    assert second.deliver()
    assert len(calls) == 1


@pytest.mark.parametrize(("difference", "times"), [(-60.0, 1), (9.0, 1), (11.0, 2)])
def test_clocks_that_differ(emulator, difference, times):
    """A message is handled only once if the second environment's clock is at most ten seconds
    ahead.
    """
    calls = []
    second = Environment(emulator, calls.append)

    def function(event):
        calls.append(event)
        second.now = first.now + 59.9 + difference  # the first environment has 0.1 seconds left
        second.deliver()

    first = Environment(emulator, function)
    assert first.deliver()
    assert len(calls) == times
