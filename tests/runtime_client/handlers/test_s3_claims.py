"""Test `S3Claims` with blocking and async clients."""

import json
from threading import Barrier, Thread

import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ParamValidationError,
    SageMakerRuntimeClient,
    ServiceError,
)
from sagemaker_runtime_client.emulator import Emulator, ErrorResponse, Faults
from sagemaker_runtime_client.handlers import (
    Claim,
    ClaimLostError,
    S3Claims,
    sqs_handler,
    sqs_submitter,
)
from sagemaker_runtime_client.handlers._loop import run_handler
from tests.runtime_client.clients import settings
from tests.runtime_client.handlers.lambda_events import (
    Context,
    completed,
    failed_ids,
    sqs_event,
)

PREFIX = "s3://my-bucket/claims/"


@pytest.fixture
def emulator():
    """A running emulator."""
    with Emulator() as running:
        yield running


class Driver:
    """Call the methods of `S3Claims` as handlers of plain or async functions do."""

    def __init__(self, emulator, *, in_loop):
        self.now, self.in_loop = 1000.0, in_loop
        kind = AsyncSageMakerRuntimeClient if in_loop else SageMakerRuntimeClient
        self.claims = S3Claims(kind(**settings(emulator)), PREFIX, clock=lambda: self.now)

    def claim(self, key="k"):
        """Claim a key for 60 seconds."""
        return run_handler(self.claims.claim(key, 60.0), in_loop=self.in_loop)

    def done(self, claim, value=None):
        """Record that the message of a claim was handled."""
        run_handler(self.claims.done(claim, value), in_loop=self.in_loop)

    def release(self, claim):
        """Release a claim."""
        run_handler(self.claims.release(claim), in_loop=self.in_loop)


@pytest.fixture(params=[False, True], ids=["blocking", "async"])
def driver(request, emulator):
    """A `Driver` with a blocking or an async client."""
    return Driver(emulator, in_loop=request.param)


def operations(emulator):
    """Return the operation of each request that the emulator received."""
    return [request.operation for request in emulator.requests]


def test_second_claim(driver, emulator):
    """Claiming a claimed key returns "busy"; the first claim costs one request, and the second one
    two.
    """
    assert driver.claim().state == "claimed"
    assert driver.claim() == Claim("k", "busy")
    assert operations(emulator) == ["PutObject", "PutObject", "GetObject"]


def test_done(driver):
    """Claiming a key that was recorded as done returns "done" and the recorded value, at any time."""
    driver.done(driver.claim(), "value")
    driver.now += 1e6
    assert driver.claim() == Claim("k", "done", "value")


def test_expired(driver):
    """A key whose claim expired can be claimed again, and the new claim is marked as repeated."""
    first = driver.claim()
    driver.now += 60
    second = driver.claim()
    assert (first.repeated, second.state, second.repeated) == (False, "claimed", True)
    assert driver.claim().state == "busy"


def test_released(driver):
    """A key whose claim was released can be claimed again."""
    driver.release(driver.claim())
    assert driver.claim().state == "claimed"


@pytest.mark.parametrize("method", ["done", "release"])
def test_lost_claim(driver, method):
    """If a claim expired and its key was claimed again, the old claim cannot be completed or
    released.
    """
    first = driver.claim()
    driver.now += 60
    driver.claim()
    with pytest.raises(ClaimLostError, match="another invocation"):
        getattr(driver, method)(first)
    assert driver.claim().state == "busy"


def test_deleted_claim(driver, emulator):
    """If a claim's object is deleted, the claim cannot be completed, and its key can be claimed."""
    first = driver.claim()
    emulator.objects.delete(f"{PREFIX}k")
    with pytest.raises(ClaimLostError):
        driver.done(first)
    assert driver.claim().state == "claimed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 50_000,
        b"[]",
        b"{}",
        b'{"state": 1, "expires": 9e9, "value": null}',
        b'{"state": "claimed", "expires": "never", "value": null}',
    ],
)
def test_foreign_object(driver, emulator, body):
    """If a key's object does not contain a valid claim, the key can be claimed."""
    emulator.objects.put(f"{PREFIX}k", body)
    claim = driver.claim()
    assert (claim.state, claim.repeated) == ("claimed", True)


def test_foreign_value(driver, emulator):
    """If the recorded value is not a string, the claim's value is None."""
    record = {"state": "done", "expires": 0, "value": 17}
    emulator.objects.put(f"{PREFIX}k", json.dumps(record).encode())
    assert driver.claim() == Claim("k", "done")


def test_race_for_an_expired_claim(driver, emulator):
    """If another invocation replaces an expired claim after it was read, the result is "busy"."""
    driver.claim()
    driver.now += 60
    # The first PUT finds that the object exists, and the second one finds that it was replaced.
    emulator.faults.once(ErrorResponse(412, "PreconditionFailed"), times=2, on="PutObject")
    assert driver.claim() == Claim("k", "busy")


def test_other_errors(driver, emulator):
    """If S3 returns an error that claims do not expect, the error is raised."""
    emulator.faults.once(Faults.ACCESS_DENIED, on="PutObject")
    with pytest.raises(ServiceError, match="Access Denied"):
        driver.claim()


def test_only_one_thread_claims(emulator):
    """If eight threads claim one key at the same time, exactly one of them succeeds."""
    driver = Driver(emulator, in_loop=False)
    barrier, states = Barrier(8), []

    def claim():
        barrier.wait()
        states.append(driver.claim().state)

    threads = [Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["busy"] * 7 + ["claimed"]


def test_two_execution_environments(emulator):
    """An event that one execution environment has handled is not handled by a second one."""
    calls = []
    for _ in range(2):
        claims = S3Claims(SageMakerRuntimeClient(**settings(emulator)), PREFIX)
        handler = sqs_handler(claims=claims)(calls.append)
        assert failed_ids(handler(sqs_event(completed(1)), Context())) == []
    assert [event.inference_id for event in calls] == ["job-1"]


def test_async_client_in_a_plain_function(emulator):
    """A plain function whose claims use an async client is rejected."""
    client = AsyncSageMakerRuntimeClient(**settings(emulator))
    claims = S3Claims(client, PREFIX)
    for decorate in (sqs_handler(claims=claims), sqs_submitter(client, "e", claims=claims)):
        with pytest.raises(ParamValidationError, match="async client") as caught:
            decorate(bool)
        assert caught.value.argument == "claims"


@pytest.mark.parametrize("prefix", ["my-bucket", "s3://my-bucket/claims", "", "s3://"])
def test_invalid_prefix(prefix):
    """The prefix must be an S3 location that ends with a slash."""
    with pytest.raises(ParamValidationError, match="s3://bucket/prefix/"):
        S3Claims(SageMakerRuntimeClient(region="eu-west-1"), prefix)
