"""Test the decorators that turn a function of one event into a Lambda handler."""

import logging

import pytest

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client.events import Completed, Failed, Ignored, ObjectCreated
from sagemaker_runtime_client.handlers import (
    Claim,
    MemoryClaims,
    MessageNotHandledError,
    s3_handler,
    sns_handler,
    sqs_handler,
)
from tests.runtime_client.handlers.lambda_events import (
    QUEUE,
    TOPIC,
    Context,
    completed,
    failed,
    failed_ids,
    s3_event,
    sns_event,
    sqs_event,
)

FIFO = QUEUE + ".fifo"


class Recorder:
    """Record the events that it is called with, and raise an error for some inference IDs."""

    def __init__(self, *broken):
        self.broken, self.events = broken, []

    @property
    def ids(self):
        """The inference IDs of the events, in the order of the calls."""
        return [event.inference_id for event in self.events]

    def __call__(self, event):
        self.events.append(event)
        if event.inference_id in self.broken:
            raise RuntimeError("broken")


def wrap(function, is_async):
    """Return *function*, or an async function that suspends before it calls *function*."""
    if not is_async:
        return function

    async def call(event):
        import asyncio

        await asyncio.sleep(0)
        return function(event)

    return call


@pytest.fixture(params=[False, True], ids=["plain", "async"])
def record(request):
    """A function that applies a decorator to a recorder, as a plain or as an async function."""

    def decorate(decorator, recorder):
        return decorator(wrap(recorder, request.param))

    return decorate


def test_each_event_is_handled(record):
    """Each message in an SQS batch is passed to the function as an event, in the order of the
    records.
    """
    seen = Recorder()
    handler = record(sqs_handler, seen)
    assert handler(sqs_event(completed(1), failed(2)), Context()) == {"batchItemFailures": []}
    assert seen.ids == ["job-1", "job-2"]
    assert [type(event) for event in seen.events] == [Completed, Failed]
    assert seen.events[0].source == QUEUE


def test_failed_messages_are_reported(record, caplog):
    """If the function raises an error for a message, only this message is reported, and it is
    logged.
    """
    seen = Recorder("job-2")
    handler = record(sqs_handler, seen)
    messages = [completed(number) for number in (1, 2, 3)]
    assert failed_ids(handler(sqs_event(*messages), Context())) == ["m1"]
    assert seen.ids == ["job-1", "job-2", "job-3"]
    assert [item.exc_info[0] for item in caplog.records if item.exc_info] == [RuntimeError]


def test_first_failure_stops_a_fifo_queue(record):
    """If a message of a FIFO queue fails, the later ones are not handled, and are reported as
    failed.
    """
    seen = Recorder("job-2")
    handler = record(sqs_handler, seen)
    messages = [completed(number) for number in (1, 2, 3, 4)]
    assert failed_ids(handler(sqs_event(*messages, queue=FIFO), Context())) == ["m1", "m2", "m3"]
    assert seen.ids == ["job-1", "job-2"]


def test_redelivered_event_is_not_handled_again(record):
    """A message that was handled is acknowledged without a call if it occurs again in any batch."""
    seen = Recorder()
    handler = record(sqs_handler, seen)
    event = sqs_event(completed(1), completed(1))
    for _ in range(2):
        assert failed_ids(handler(event, Context())) == []
    assert seen.ids == ["job-1"]


def test_failure_after_completion_is_another_event(record):
    """The function is called for both the completion and the failure of one job."""
    seen = Recorder()
    record(sqs_handler, seen)(sqs_event(completed(1), failed(1)), Context())
    assert [type(event) for event in seen.events] == [Completed, Failed]


def test_failed_event_is_handled_again(record):
    """If the function raised an error for a message, it is called again at the next delivery."""
    seen = Recorder("job-1")
    handler = record(sqs_handler, seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    seen.broken = ()
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == []
    assert seen.ids == ["job-1", "job-1"]


def test_event_that_somebody_else_handles(record):
    """A message that somebody else has claimed fails without a call until the claim expires."""
    seen, clock = Recorder(), [0.0]
    claims = MemoryClaims(clock=lambda: clock[0])
    handler = record(sqs_handler(claims=claims), seen)
    key = Completed("job-1", "my-endpoint").idempotency_key
    claims.claim(key, 70.0)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    assert seen.ids == []
    clock[0] = 70.0
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == []
    assert seen.ids == ["job-1"]


def test_claim_lasts_longer_than_the_function(record):
    """A claim lasts ten seconds longer than the time that the invocation has left."""
    lengths = []

    class Claims(MemoryClaims):
        def claim(self, key, seconds, /):
            lengths.append(seconds)
            return super().claim(key, seconds)

    record(sqs_handler(claims=Claims()), Recorder())(sqs_event(completed(1)), Context(60))
    assert lengths == [70.0]


def test_no_time_left(record):
    """If less time than *reserve* is left, the remaining messages fail without a call."""
    seen = Recorder()
    handler = record(sqs_handler(reserve=5.0), seen)
    messages = [completed(number) for number in range(6)]
    # The clock is read twice for each message: before the claim, and to compute the claim's
    # duration.
    assert failed_ids(handler(sqs_event(*messages), Context(10, step=1))) == ["m3", "m4", "m5"]
    assert seen.ids == ["job-0", "job-1", "job-2"]


def test_no_context(record):
    """If the context is None, as in users' tests, the time is not limited."""
    assert record(sqs_handler, Recorder())(sqs_event(completed(1)), None) == {
        "batchItemFailures": []
    }


def test_event_without_a_key(record):
    """An event without an inference ID has no key, so the function is called at each delivery."""
    seen = Recorder()
    handler = record(sqs_handler, seen)
    handler(sqs_event(completed(1, inferenceId=None), completed(1, inferenceId=None)), Context())
    assert seen.ids == [None, None]


@pytest.mark.parametrize(
    ("message", "acknowledged"),
    [
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "my-bucket"}, True),
        ({"Type": "UnsubscribeConfirmation", "Message": "bye"}, True),
        (s3_event("k", name="ObjectRemoved:Delete"), True),
        ({"order": 17}, False),
        ("<xml/>", False),
    ],
    ids=["test", "confirmation", "unrelated", "unknown", "malformed"],
)
def test_other_messages(record, message, acknowledged):
    """Test messages, confirmations and removals are acknowledged, and unknown or malformed messages
    fail.
    """
    seen = Recorder()
    response = record(sqs_handler, seen)(sqs_event(message, completed(1)), Context())
    assert failed_ids(response) == ([] if acknowledged else ["m0"])
    assert seen.ids == ["job-1"]


def test_on_ignored(record):
    """A message that contains no notification is acknowledged if *on_ignored* returns."""
    ignored = []
    handler = record(sqs_handler(on_ignored=ignored.append), Recorder())
    assert failed_ids(handler(sqs_event("<xml/>", {"order": 17}), Context())) == []
    assert [(type(event), event.kind) for event in ignored] == [
        (Ignored, "malformed"),
        (Ignored, "unknown"),
    ]


def test_on_ignored_raises(record):
    """A message that contains no notification fails if *on_ignored* raises an error."""
    handler = record(sqs_handler(on_ignored=lambda _event: 1 / 0), Recorder())
    assert failed_ids(handler(sqs_event("<xml/>"), Context())) == ["m0"]


def test_untrusted_source(record):
    """With *trusted_sources*, an event from another queue is neither handled nor claimed."""
    claims, seen = MemoryClaims(), Recorder()
    foreign = sqs_event(completed(1), queue=QUEUE + "-of-others")
    handler = record(sqs_handler(claims=claims, trusted_sources=[QUEUE]), seen)
    assert failed_ids(handler(foreign, Context())) == ["m0"]
    assert seen.ids == []
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == []
    assert seen.ids == ["job-1"]


@pytest.mark.parametrize(
    "event",
    [
        sqs_event(completed(1, responseParameters={"outputLocation": "s3://evil/outputs/1.out"})),
        sqs_event(completed(1, responseParameters={"outputLocation": "https://evil.com/1.out"})),
        sqs_event(failed(1, failureLocation="s3://my-bucket/other/1.out")),
        sqs_event(s3_event("outputs/1.out", "other%2F1.out")),
        sqs_event(s3_event("outputs%2F1.out")),
    ],
    ids=["bucket", "host", "failure", "second record", "encoded"],
)
def test_location_that_is_not_allowed(record, event):
    """With *allowed_locations*, an event whose location is elsewhere is not passed to the function."""
    ignored = []
    options = {"allowed_locations": ["s3://my-bucket/outputs/"], "on_ignored": ignored.append}
    calls = []
    handler = record(sqs_handler(**options), calls.append)
    assert failed_ids(handler(event, Context())) == []
    assert [event.kind for event in ignored] == ["untrusted"]
    assert all(call.key == "outputs/1.out" for call in calls)


def test_location_that_is_allowed(record):
    """An event whose location is below one of *allowed_locations* is handled."""
    seen = Recorder()
    handler = record(sqs_handler(allowed_locations=["s3://my-bucket/outputs/"]), seen)
    assert failed_ids(handler(sqs_event(completed(1), failed(2)), Context())) == []
    assert seen.ids == ["job-1", "job-2"]


def test_sns_raises_the_only_error(record):
    """If one SNS event fails, the handler still handles the others, and then raises the error."""
    seen = Recorder("job-1")
    handler = record(sns_handler, seen)
    with pytest.raises(RuntimeError, match="broken"):
        handler(sns_event(completed(1), completed(2)), Context())
    assert seen.ids == ["job-1", "job-2"]


def test_sns_raises_several_errors(record):
    """If several SNS events fail, the handler raises an exception group."""
    handler = record(sns_handler, Recorder("job-1"))
    with pytest.raises(ExceptionGroup, match="2 of 2 events were not handled") as caught:
        handler(sns_event(completed(1), "<xml/>"), Context())
    assert [type(error) for error in caught.value.exceptions] == [
        RuntimeError,
        MessageNotHandledError,
    ]


def test_sns_returns_none(record):
    """If all SNS events are handled, the handler returns None; the events' source is the topic."""
    seen = Recorder()
    handler = record(sns_handler(trusted_sources=[TOPIC]), seen)
    assert handler(sns_event(completed(1)), Context()) is None
    assert [event.source for event in seen.events] == [TOPIC]


def test_s3(record):
    """A handler for S3 calls the function once for each new object, even if a record is repeated."""
    keys = []
    handler = record(s3_handler, lambda event: keys.append(event.key))
    handler(s3_event("a", "b", "a"), Context())
    assert keys == ["a", "b"]


def test_event_bridge(record):
    """A handler for S3 also accepts an event from EventBridge."""
    events = []
    handler = record(s3_handler, events.append)
    handler(
        {
            "version": "0",
            "id": "0001",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "time": "2026-11-29T10:00:02Z",
            "region": "eu-west-1",
            "resources": ["arn:aws:s3:::my-bucket"],
            "detail": {"bucket": {"name": "my-bucket"}, "object": {"key": "a b", "etag": "e"}},
        },
        Context(),
    )
    assert [(type(event), event.key) for event in events] == [(ObjectCreated, "a b")]


@pytest.mark.parametrize(
    ("decorator", "event", "source"),
    [
        (sqs_handler, sns_event(completed(1)), "aws:sqs"),
        (sns_handler, sqs_event(completed(1)), "aws:sns"),
        (s3_handler, sns_event(completed(1)), "aws:s3"),
        (sqs_handler, completed(1), "aws:sqs"),
        (sqs_handler, {"Records": [17]}, "aws:sqs"),
        (sqs_handler, [], "aws:sqs"),
    ],
)
def test_wrong_event_source(decorator, event, source):
    """A handler raises an error if it gets an event from another source, or one with a wrong shape."""
    handler = decorator(Recorder())
    with pytest.raises(ParamValidationError, match=f"what Lambda passes for {source}") as caught:
        handler(event, Context())
    assert caught.value.argument == "event"


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"allowed_locations": ["my-bucket"]}, "allowed_locations"),
        ({"trusted_sources": "arn"}, "trusted_sources"),
    ],
)
def test_invalid_options(options, argument):
    """An invalid option of `sqs_handler` raises an error that names the argument."""
    with pytest.raises(ParamValidationError) as caught:
        sqs_handler(**options)
    assert caught.value.argument == argument


def test_not_a_function():
    """A decorator raises an error if it is applied to a value that is not a function."""
    with pytest.raises(ParamValidationError, match="not int"):
        sqs_handler(17)


def test_name_and_docstring():
    """A handler has the name and the docstring of the function that it calls."""

    @sqs_handler
    def store(event):
        """Store the output."""

    assert (store.__name__, store.__doc__) == ("store", "Store the output.")


class BrokenClaims:
    """Async claims of which one method raises an error."""

    def __init__(self, broken):
        self.broken, self.calls = broken, []

    async def claim(self, key, _seconds, /):
        return self._call("claim", Claim(key, "claimed", token="1"))

    async def done(self, claim, _value, /):
        return self._call("done", claim)

    async def release(self, claim, /):
        return self._call("release", claim)

    def _call(self, name, result):
        self.calls.append(name)
        if name == self.broken:
            raise OSError("no connection")
        return result


def test_claim_fails(record):
    """If a message cannot be claimed, the function is not called, and the message fails."""
    seen, claims = Recorder(), BrokenClaims("claim")
    handler = record(sqs_handler(claims=claims), seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    assert seen.ids == []


def test_done_fails(record, caplog):
    """If a handled message cannot be recorded as done, it is acknowledged, and a warning is logged."""
    seen, claims = Recorder(), BrokenClaims("done")
    handler = record(sqs_handler(claims=claims), seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == []
    assert seen.ids == ["job-1"]
    assert [item.levelno for item in caplog.records] == [logging.WARNING]


def test_release_fails(record):
    """If the function raises an error and releasing the claim fails, the message is reported as
    failed.
    """
    seen, claims = Recorder("job-1"), BrokenClaims("release")
    handler = record(sqs_handler(claims=claims), seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    assert claims.calls == ["claim", "release"]


def test_interrupt_releases_the_claim():
    """If the function raises KeyboardInterrupt, the claim is released, and the interrupt
    propagates.
    """
    claims = MemoryClaims()

    @sqs_handler(claims=claims)
    def handler(_event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handler(sqs_event(completed(1)), Context())
    key = Completed("job-1", "my-endpoint").idempotency_key
    assert claims.claim(key, 1.0).state == "claimed"
