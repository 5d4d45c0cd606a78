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
    """Handles events by recording their inference ids, and raises an error for some of them."""

    def __init__(self, *broken):
        self.broken, self.events = broken, []

    @property
    def ids(self):
        """The inference ids of the events, in the order of the calls."""
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
    """Return a function that decorates a recorder, as a plain and as an async function."""

    def decorate(decorator, recorder):
        return decorator(wrap(recorder, request.param))

    return decorate


def test_each_event_is_handled(record):
    """Each message of a queue is one event, in the order of the records."""
    seen = Recorder()
    handler = record(sqs_handler, seen)
    assert handler(sqs_event(completed(1), failed(2)), Context()) == {"batchItemFailures": []}
    assert seen.ids == ["job-1", "job-2"]
    assert [type(event) for event in seen.events] == [Completed, Failed]
    assert seen.events[0].source == QUEUE


def test_failed_messages_are_reported(record, caplog):
    """Only the messages whose function raised an error are delivered again, and it is logged."""
    seen = Recorder("job-2")
    handler = record(sqs_handler, seen)
    messages = [completed(number) for number in (1, 2, 3)]
    assert failed_ids(handler(sqs_event(*messages), Context())) == ["m1"]
    assert seen.ids == ["job-1", "job-2", "job-3"]
    assert [item.exc_info[0] for item in caplog.records if item.exc_info] == [RuntimeError]


def test_first_failure_stops_a_fifo_queue(record):
    """After a failed message of a FIFO queue, no later message is handled, and all fail."""
    seen = Recorder("job-2")
    handler = record(sqs_handler, seen)
    messages = [completed(number) for number in (1, 2, 3, 4)]
    assert failed_ids(handler(sqs_event(*messages, queue=FIFO), Context())) == ["m1", "m2", "m3"]
    assert seen.ids == ["job-1", "job-2"]


def test_redelivered_event_is_not_handled_again(record):
    """A message that was handled is acknowledged without a call, within a batch and afterwards."""
    seen = Recorder()
    handler = record(sqs_handler, seen)
    event = sqs_event(completed(1), completed(1))
    for _ in range(2):
        assert failed_ids(handler(event, Context())) == []
    assert seen.ids == ["job-1"]


def test_failure_after_completion_is_another_event(record):
    """The failure and the completion of the same job are two events."""
    seen = Recorder()
    record(sqs_handler, seen)(sqs_event(completed(1), failed(1)), Context())
    assert [type(event) for event in seen.events] == [Completed, Failed]


def test_failed_event_is_handled_again(record):
    """A message whose function raised an error is handled at the next delivery."""
    seen = Recorder("job-1")
    handler = record(sqs_handler, seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    seen.broken = ()
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == []
    assert seen.ids == ["job-1", "job-1"]


def test_event_that_somebody_else_handles(record):
    """A message with an unexpired claim fails without a call, and is handled after the claim's end."""
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
    """A claim lasts for the time that the function has left, and 10 more seconds."""
    lengths = []

    class Claims(MemoryClaims):
        def claim(self, key, seconds, /):
            lengths.append(seconds)
            return super().claim(key, seconds)

    record(sqs_handler(claims=Claims()), Recorder())(sqs_event(completed(1)), Context(60))
    assert lengths == [70.0]


def test_no_time_left(record):
    """Messages that cannot be handled before the end of the function fail without a call."""
    seen = Recorder()
    handler = record(sqs_handler(reserve=5.0), seen)
    messages = [completed(number) for number in range(6)]
    # The clock is read twice for each message: before its claim, and for the claim's length.
    assert failed_ids(handler(sqs_event(*messages), Context(10, step=1))) == ["m3", "m4", "m5"]
    assert seen.ids == ["job-0", "job-1", "job-2"]


def test_no_context(record):
    """A test may pass None as the context: the time is then not limited."""
    assert record(sqs_handler, Recorder())(sqs_event(completed(1)), None) == {
        "batchItemFailures": []
    }


def test_event_without_a_key(record):
    """An event without an inference id cannot be recognized, so it is handled each time."""
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
    """Messages that AWS sends besides are acknowledged, and others are left for the dead letters."""
    seen = Recorder()
    response = record(sqs_handler, seen)(sqs_event(message, completed(1)), Context())
    assert failed_ids(response) == ([] if acknowledged else ["m0"])
    assert seen.ids == ["job-1"]


def test_on_ignored(record):
    """A message that is not a notification is acknowledged if *on_ignored* returns."""
    ignored = []
    handler = record(sqs_handler(on_ignored=ignored.append), Recorder())
    assert failed_ids(handler(sqs_event("<xml/>", {"order": 17}), Context())) == []
    assert [(type(event), event.kind) for event in ignored] == [
        (Ignored, "malformed"),
        (Ignored, "unknown"),
    ]


def test_on_ignored_raises(record):
    """A message that is not a notification fails if *on_ignored* raises an error."""
    handler = record(sqs_handler(on_ignored=lambda _event: 1 / 0), Recorder())
    assert failed_ids(handler(sqs_event("<xml/>"), Context())) == ["m0"]


def test_untrusted_source(record):
    """With *trusted_sources*, an event of another source is neither handled nor claimed."""
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
    """With *allowed_locations*, an event with another location is neither handled nor claimed."""
    ignored = []
    options = {"allowed_locations": ["s3://my-bucket/outputs/"], "on_ignored": ignored.append}
    calls = []
    handler = record(sqs_handler(**options), calls.append)
    assert failed_ids(handler(event, Context())) == []
    assert [event.kind for event in ignored] == ["untrusted"]
    assert all(call.key == "outputs/1.out" for call in calls)


def test_location_that_is_allowed(record):
    """An event whose location is in *allowed_locations* is handled."""
    seen = Recorder()
    handler = record(sqs_handler(allowed_locations=["s3://my-bucket/outputs/"]), seen)
    assert failed_ids(handler(sqs_event(completed(1), failed(2)), Context())) == []
    assert seen.ids == ["job-1", "job-2"]


def test_sns_raises_the_only_error(record):
    """A handler for SNS handles all events, and then raises the error of the one that failed."""
    seen = Recorder("job-1")
    handler = record(sns_handler, seen)
    with pytest.raises(RuntimeError, match="broken"):
        handler(sns_event(completed(1), completed(2)), Context())
    assert seen.ids == ["job-1", "job-2"]


def test_sns_raises_several_errors(record):
    """A handler for SNS raises several errors as a group."""
    handler = record(sns_handler, Recorder("job-1"))
    with pytest.raises(ExceptionGroup, match="2 of 2 events were not handled") as caught:
        handler(sns_event(completed(1), "<xml/>"), Context())
    assert [type(error) for error in caught.value.exceptions] == [
        RuntimeError,
        MessageNotHandledError,
    ]


def test_sns_returns_none(record):
    """A handler for SNS returns None if all events are handled; their source is the topic."""
    seen = Recorder()
    handler = record(sns_handler(trusted_sources=[TOPIC]), seen)
    assert handler(sns_event(completed(1)), Context()) is None
    assert [event.source for event in seen.events] == [TOPIC]


def test_s3(record):
    """A handler for S3 passes new objects, each once."""
    keys = []
    handler = record(s3_handler, lambda event: keys.append(event.key))
    handler(s3_event("a", "b", "a"), Context())
    assert keys == ["a", "b"]


def test_event_bridge(record):
    """A handler for S3 accepts an event of EventBridge, too."""
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
    """A handler raises an error if another event source invokes it."""
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
    """An invalid option raises an error that names the argument."""
    with pytest.raises(ParamValidationError) as caught:
        sqs_handler(**options)
    assert caught.value.argument == argument


def test_not_a_function():
    """Only a function can be decorated."""
    with pytest.raises(ParamValidationError, match="not int"):
        sqs_handler(17)


def test_name_and_docstring():
    """The handler has the name and the docstring of the function."""

    @sqs_handler
    def store(event):
        """Store the output."""

    assert (store.__name__, store.__doc__) == ("store", "Store the output.")


class BrokenClaims:
    """Claims whose methods raise errors on request; they are async if asked."""

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
    """A message that cannot be claimed is not handled, and is delivered again."""
    seen, claims = Recorder(), BrokenClaims("claim")
    handler = record(sqs_handler(claims=claims), seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    assert seen.ids == []


def test_done_fails(record, caplog):
    """A message that was handled is acknowledged, even if this cannot be recorded."""
    seen, claims = Recorder(), BrokenClaims("done")
    handler = record(sqs_handler(claims=claims), seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == []
    assert seen.ids == ["job-1"]
    assert [item.levelno for item in caplog.records] == [logging.WARNING]


def test_release_fails(record):
    """If a claim cannot be released, the error of the function remains the one that is logged."""
    seen, claims = Recorder("job-1"), BrokenClaims("release")
    handler = record(sqs_handler(claims=claims), seen)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    assert claims.calls == ["claim", "release"]


def test_interrupt_releases_the_claim():
    """An interrupt of the function releases the claim, and is not reported as a failure."""
    claims = MemoryClaims()

    @sqs_handler(claims=claims)
    def handler(_event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handler(sqs_event(completed(1)), Context())
    key = Completed("job-1", "my-endpoint").idempotency_key
    assert claims.claim(key, 1.0).state == "claimed"
