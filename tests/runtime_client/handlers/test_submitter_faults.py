"""Test how often `sqs_submitter` submits a message twice after its first delivery failed.

Each message is delivered twice to handlers with claims in S3.
"""

from collections import Counter

import pytest

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client.emulator import Emulator, Faults
from sagemaker_runtime_client.handlers import S3Claims, sqs_submitter
from tests.runtime_client.clients import settings
from tests.runtime_client.handlers.lambda_events import Context, failed_ids, sqs_event

OUTPUTS = "s3://sagemaker-emulator/async-endpoint-outputs/"
INVOKE = "InvokeEndpointAsync"
MESSAGES = 5  # the number of messages of each kind


class KilledError(BaseException):
    """This error ends an invocation whose execution environment was killed."""


class Environment:
    """An execution environment with its own client, which can be killed after a job is submitted.

    The environment is also its handler's claims, and releases no claim after it is killed.
    """

    def __init__(self, emulator, clock, output_prefix, is_killed, **options):
        self.client = SageMakerRuntimeClient(**settings(emulator), **options)
        self._claims = S3Claims(self.client, "s3://claims/", clock=clock)
        self._is_killed, self._is_dead = is_killed, False
        self.handler = sqs_submitter(
            self.client,
            "my-endpoint",
            output_prefix=output_prefix,
            claims=self,
            on_invocation=self._end,
        )(lambda message: message.body.encode())

    def _end(self, *_arguments):
        if self._is_killed:
            self._is_dead = True
            raise KilledError

    async def claim(self, key, seconds, /):
        """Claim a message in S3."""
        return await self._claims.claim(key, seconds)

    async def done(self, claim, value, /):
        """Record in S3 that a message was submitted."""
        await self._claims.done(claim, value)

    async def release(self, claim, /):
        """Release a claim in S3, unless the environment has been killed."""
        if not self._is_dead:
            await self._claims.release(claim)


class Queue:
    """A queue that delivers each message to a new environment, and counts the submitted jobs."""

    def __init__(self, emulator, output_prefix, **options):
        self.emulator, self.now = emulator, 1e9
        self._arguments = emulator, lambda: self.now, output_prefix
        self._options = options

    def deliver(self, name, received, *, is_killed=False):
        """Deliver a message, and return whether the handler acknowledges it."""
        event = sqs_event(name, received=received)
        event["Records"][0]["messageId"] = name
        environment = Environment(*self._arguments, is_killed, **self._options)
        with environment.client:
            try:
                return failed_ids(environment.handler(event, Context())) == []
            except KilledError:
                return False

    def jobs(self):
        """Return the number of submitted jobs, keyed by the kind of their messages."""
        return dict(
            Counter(job.invocation.request.body.decode()[:-1] for job in self.emulator.jobs)
        )


FIRST_DELIVERIES = {
    "acknowledged": (None, False),
    "throttled": (Faults.THROTTLED, False),
    "reset": (Faults.RESET_AFTER_TAKEN, False),
    "killed": (None, True),
}


@pytest.mark.parametrize(
    ("output_prefix", "has_outputs", "options", "twice"),
    [
        (None, True, {"retry_ambiguous": False}, {"reset", "killed"}),
        (OUTPUTS, True, {"retry_ambiguous": False}, set()),
        (OUTPUTS, False, {"retry_ambiguous": False}, {"reset", "killed"}),
        (OUTPUTS, True, {"retry_ambiguous": True}, set()),
    ],
    ids=["no prefix", "output", "no output yet", "client that repeats ambiguous requests"],
)
@pytest.mark.usefixtures("shortest_pauses")
def test_submitted_twice(output_prefix, has_outputs, options, twice):
    """A message is submitted twice only if no output of its first job could be found.

    This also holds if the client itself retries a request that may have queued a job.
    """
    with Emulator(concurrency=4 if has_outputs else 0) as emulator:
        queue = Queue(emulator, output_prefix, **options)
        acknowledged = {}
        for kind, (fault, is_killed) in FIRST_DELIVERIES.items():
            for number in range(MESSAGES):
                name = f"{kind}{number}"
                if fault is not None:
                    emulator.faults.once(fault, on=INVOKE)
                acknowledged[name] = queue.deliver(name, 1, is_killed=is_killed)
        if has_outputs:
            emulator.wait_idle()
        queue.now += 1000
        assert all(queue.deliver(name, 2) for name in acknowledged)
        assert queue.jobs() == {
            kind: MESSAGES * (2 if kind in twice else 1) for kind in FIRST_DELIVERIES
        }
        names = [job.invocation.request.inference_id for job in emulator.jobs]
        assert len(set(names)) == len(acknowledged)


def test_busy_until_the_claim_ends():
    """While a killed environment's claim has not expired, its message fails and is not submitted."""
    with Emulator() as emulator:
        queue = Queue(emulator, OUTPUTS)
        assert not queue.deliver("a0", 1, is_killed=True)
        emulator.wait_idle()
        assert not queue.deliver("a0", 2)
        queue.now += (
            69.0  # one second before the claim expires: 60 seconds of the invocation, and 10 more
        )
        assert not queue.deliver("a0", 3)
        queue.now += 1.0
        assert queue.deliver("a0", 4)
        assert queue.jobs() == {"a": 1}
