"""Test handlers whose claims are in an S3 that fails, and environments whose clocks differ."""

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
# The requests of a handled message: its claim, and the record that it is done; or of a message whose
# function raises an error: its claim, and its release.
REQUESTS = {"claim": 1, "done or release": 2}


class Environment:
    """An execution environment whose clock the test sets."""

    def __init__(self, emulator, function, now=1000.0):
        self.now = now
        self.client = SageMakerRuntimeClient(**settings(emulator), max_attempts=1)
        claims = S3Claims(self.client, "s3://claims/", clock=lambda: self.now)
        self._handler = sqs_handler(claims=claims)(function)

    def deliver(self):
        """Deliver a message, and return whether it is acknowledged."""
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
    """If S3 fails in any way, a message is acknowledged only after it was handled.

    It is handled a second time only if S3 has lost the record of the first time.
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
    """A message whose claim exists, but cannot be read, is left to come again."""
    calls = []
    first, second = (Environment(emulator, calls.append) for _ in range(2))
    assert first.deliver()
    emulator.faults.once(fault, on="GetObject")
    assert not second.deliver()
    assert second.deliver()
    assert len(calls) == 1


@pytest.mark.parametrize(("difference", "times"), [(-60.0, 1), (9.0, 1), (11.0, 2)])
def test_clocks_that_differ(emulator, difference, times):
    """A message is not handled by two at the same time if a clock is up to ten seconds ahead."""
    calls = []
    second = Environment(emulator, calls.append)

    def function(event):
        calls.append(event)
        second.now = first.now + 59.9 + difference  # the first environment is about to end
        second.deliver()

    first = Environment(emulator, function)
    assert first.deliver()
    assert len(calls) == times
