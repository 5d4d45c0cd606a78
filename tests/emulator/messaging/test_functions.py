"""Test how the emulator calls a function for notifications, in the same way as AWS Lambda."""

import json
import sys
from threading import Event

import pytest

from sagemaker_runtime_client import events
from sagemaker_runtime_client.emulator import Emulator, Faults, LambdaContext, Notifications
from sagemaker_runtime_client.emulator._messaging import queues
from sagemaker_runtime_client.emulator._notifications import connecting, functions
from tests.emulator.messaging.boto_queue import BotoQueue
from tests.emulator.wire import INVOCATION, call

TOPICS = Notifications(success_topic="success", error_topic="error")


class Recorder:
    """A function that records its arguments, and then returns or raises the next of the given
    results.
    """

    def __init__(self, *results):
        self.results = list(results)
        self.events = []
        self.contexts = []

    def __call__(self, event, context):
        """Record the arguments; return or raise the next result, or return None if none is left."""
        self.events.append(json.loads(json.dumps(event)))
        self.contexts.append(context)
        event.clear()
        result = self.results.pop(0) if self.results else None
        if isinstance(result, BaseException):
            raise result
        return result


@pytest.fixture
def emulate():
    """Return a function that starts an emulator with a function for notifications, and runs jobs."""
    emulators = []

    def run(function, by, bodies=(b"in",), **options):
        emulator = Emulator(notify=function, notify_by=by, **options)
        emulators.append(emulator.__enter__())
        for body in bodies:
            submit(emulator, body)
        emulator.wait_idle()
        return emulator

    yield run
    for emulator in emulators:
        emulator.__exit__(None, None, None)


def submit(emulator, body=b"in"):
    """Queue a job with this payload."""
    assert call(emulator, "POST", INVOCATION, (), body).status == 202


def results(recorder):
    """Return the parsed events of all recorded calls."""
    return [event for one in recorder.events for event in events.parse(one)]


def test_by_sns(emulate):
    """With notify_by="sns", the function gets one SNS record, as Lambda builds it, for each
    message.
    """
    recorder = Recorder()
    emulator = emulate(recorder, "sns", notifications=TOPICS)
    (made,) = emulator.function_calls
    assert ([made.event], made.result, made.error) == (recorder.events, None, None)
    assert "Records" not in repr(made)
    (record,) = recorder.events[0]["Records"]
    message = json.loads(record["Sns"].pop("Message"))
    assert message["invocationStatus"] == "Completed"
    assert record["Sns"].pop("MessageId")
    assert record["Sns"].pop("Timestamp")
    assert record["Sns"].pop("UnsubscribeUrl").endswith(record["EventSubscriptionArn"])
    subscription = record.pop("EventSubscriptionArn")
    assert subscription.startswith("arn:aws:sns:us-east-1:000000000000:success:")
    assert record == {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "Sns": {
            "Type": "Notification",
            "TopicArn": "arn:aws:sns:us-east-1:000000000000:success",
            "Subject": None,
            "SignatureVersion": "1",
            "Signature": "RU1VTEFUT1I=",
            "SigningCertUrl": "https://sns.us-east-1.amazonaws.com/"
            "SimpleNotificationService-00000000000000000000000000000000.pem",
            "MessageAttributes": {},
        },
    }


def test_by_sqs(emulate, boto):
    """With notify_by="sqs", the function gets SQS records from a queue that subscribes to the
    topics.
    """
    recorder = Recorder()
    emulator = emulate(recorder, "sqs", bodies=())
    sqs, url = function_queue(emulator, boto)
    value = {"DataType": "Binary", "BinaryValue": b"\x00"}
    sqs.send_message(QueueUrl=url, MessageBody="m", MessageAttributes={"a": value})
    emulator.wait_idle()
    (record,) = recorder.events[0]["Records"]
    assert record.pop("messageId")
    assert record.pop("receiptHandle")
    assert sorted(record.pop("attributes")) == [
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "SenderId",
        "SentTimestamp",
    ]
    assert record == {
        "body": "m",
        "messageAttributes": {
            "a": {
                "dataType": "Binary",
                "binaryValue": "AA==",
                "stringListValues": [],
                "binaryListValues": [],
            }
        },
        "md5OfBody": "6f8f57715090da2632453988d9a1501b",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:sagemaker-emulator-function",
        "awsRegion": "us-east-1",
    }
    submit(emulator)
    emulator.wait_idle()
    (event,) = results(recorder)[1:]
    assert isinstance(event, events.Completed)
    queue = BotoQueue(sqs, url)
    assert queue.attribute("ApproximateNumberOfMessagesNotVisible") == "0"


def test_by_s3(emulate):
    """With notify_by="s3", the function gets S3's notification of the output object."""
    recorder = Recorder()
    emulator = emulate(recorder, "s3")
    (event,) = results(recorder)
    assert event.location == emulator.jobs[0].invocation.output_location


def test_queue_of_s3(emulate):
    """With an object_queue and notify_by="sqs", the function gets the messages that S3 sends to it."""
    recorder = Recorder()
    notifications = Notifications(object_queue="objects")
    emulate(recorder, "sqs", notifications=notifications)
    (event,) = results(recorder)
    assert isinstance(event, events.ObjectCreated)
    assert event.source == "arn:aws:sqs:us-east-1:000000000000:objects"


def test_context(emulate):
    """The context has the same attributes and method as Lambda's context."""
    recorder = Recorder()
    emulate(recorder, "sns")
    (context,) = recorder.contexts
    assert isinstance(context, LambdaContext)
    assert 0 < context.get_remaining_time_in_millis() <= 30_000
    assert context.invoked_function_arn == (
        "arn:aws:lambda:us-east-1:000000000000:function:sagemaker-emulator"
    )
    assert context.log_stream_name.endswith(context.aws_request_id)


def test_repeated_asynchronous_calls(emulate):
    """A failed call for SNS is repeated after one minute and after two more, with the same request
    ID.
    """
    recorder = Recorder(ValueError("1"), SystemExit(2), ValueError("3"))
    emulator = emulate(recorder, "sns")
    for seconds in (59, 1, 119, 1, 1000):
        emulator.advance(seconds)
        emulator.wait_idle()
    errors = [one.error for one in emulator.function_calls]
    assert errors == ["ValueError: 1", "SystemExit: 2", "ValueError: 3"]
    assert len({context.aws_request_id for context in recorder.contexts}) == 1
    assert recorder.events[0] == recorder.events[2]


def function_queue(emulator, boto):
    """Return the queue from which the emulator passes messages to the function."""
    sqs = boto("sqs", emulator)
    return BotoQueue(sqs, sqs.get_queue_url(QueueName="sagemaker-emulator-function")["QueueUrl"])


@pytest.mark.parametrize(
    ("respond", "again"),
    [
        (lambda _: None, []),
        (lambda _: "text", []),
        (lambda _: {"batchItemFailures": []}, []),
        (lambda _: {"batchItemFailures": None}, []),
        (lambda ids: {"batchItemFailures": [{"itemIdentifier": ids["1"]}]}, ["1"]),
        (lambda _: {"batchItemFailures": [{"itemIdentifier": ""}]}, ["1", "2"]),
        (lambda ids: {"batchItemFailures": [{"other": ids["1"]}]}, ["1", "2"]),
        (lambda ids: {"batchItemFailures": [ids["1"]]}, ["1", "2"]),
        (lambda _: {"batchItemFailures": "all"}, ["1", "2"]),
        (lambda ids: {ids["1"]: object()}, ["1", "2"]),
        (lambda _: 1 / 0, ["1", "2"]),
    ],
)
def test_partial_batch_responses(emulate, boto, respond, again):
    """Failed messages are delivered again after the visibility timeout; the others are deleted."""
    calls = []

    def function(event, _context):
        calls.append({record["body"]: record["messageId"] for record in event["Records"]})
        return respond(calls[0]) if len(calls) == 1 else None

    emulator = emulate(function, "sqs", bodies=())
    sqs, url = function_queue(emulator, boto)
    entries = [{"Id": body, "MessageBody": body, "DelaySeconds": 60} for body in ("1", "2")]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    for seconds in (60, 30):
        emulator.advance(seconds)
        emulator.wait_idle()
    assert [sorted(call) for call in calls] == [["1", "2"], *([again] if again else [])]


def test_a_call_that_takes_too_long(emulate, monkeypatch):
    """A call that exceeds the time limit fails, and its late result is ignored."""
    monkeypatch.setattr(connecting, "_TIMEOUT", 0.05)
    release = Event()
    emulator = emulate(lambda _event, _context: release.wait(10), "sns")
    release.set()
    assert [one.error for one in emulator.function_calls] == ["TimeoutError: after 0.05 s"]


def test_an_error_without_text(emulate):
    """If the text of an error cannot be computed, the call's record contains only the error's type."""

    class SilentError(Exception):
        def __str__(self):
            raise ValueError

    emulator = emulate(Recorder(SilentError()), "sns")
    assert [one.error for one in emulator.function_calls] == ["SilentError"]


def test_a_deleted_queue(emulate, boto):
    """After the function's queue is deleted, the function is not called any more."""
    recorder = Recorder()
    emulator = emulate(recorder, "sqs", bodies=())
    sqs, url = function_queue(emulator, boto)
    sqs.delete_queue(QueueUrl=url)
    submit(emulator)
    emulator.wait_idle()
    assert recorder.events == []


def test_a_queue_that_is_deleted_during_a_call(emulate, boto):
    """If the function's queue is deleted during a call, the call succeeds."""
    emulator = emulate(lambda _event, _context: delete(), "sqs", bodies=())
    sqs, url = function_queue(emulator, boto)

    def delete():
        sqs.delete_queue(QueueUrl=url)

    submit(emulator)
    emulator.wait_idle()
    assert [one.error for one in emulator.function_calls] == [None]


def test_a_function_that_submits(emulate):
    """If the function submits jobs, `wait_idle` also waits for these jobs and their notifications."""
    bodies = [b"2", b"3"]
    emulators = []

    def function(_event, _context):
        if bodies:
            submit(emulators[0], bodies.pop())

    emulators.append(emulate(function, "sns", bodies=()))
    submit(emulators[0])
    emulators[0].wait_idle()
    assert len(emulators[0].jobs) == len(emulators[0].function_calls) == 3


def test_bounded_records(emulate, monkeypatch):
    """`function_calls` contains only the newest calls."""
    monkeypatch.setattr(functions, "MOST_CALLS", 2)
    emulator = emulate(Recorder(), "sns", bodies=[b"in"] * 3)
    assert len(emulator.function_calls) == 2


def test_moved_clock(emulate):
    """If the emulator's clock advances far during a failed call, the call is repeated immediately."""
    emulators = []

    def function(_event, _context):
        if not emulators[0].function_calls:
            emulators[0].advance(50_000)
            raise ValueError

    emulators.append(emulate(function, "sns", bodies=()))
    submit(emulators[0])
    emulators[0].wait_idle()
    assert [one.error for one in emulators[0].function_calls] == ["ValueError: ", None]


def test_full_queue_of_events(emulate, monkeypatch):
    """If the queue of a function is full, further notifications are lost."""
    recorder = Recorder()
    emulator = emulate(recorder, "sns", bodies=())
    monkeypatch.setattr(queues, "MOST_MESSAGES", 0)
    submit(emulator)
    emulator.wait_idle()
    assert recorder.events == []


def test_duplicated_notifications(emulate):
    """If a notification is duplicated, the function is called twice with the same event."""
    recorder = Recorder()
    emulator = emulate(recorder, "sns", bodies=())
    emulator.faults.once(Faults.DUPLICATED, on="Publish")
    submit(emulator)
    emulator.wait_idle()
    first, second = results(recorder)
    assert first.idempotency_key == second.idempotency_key


def test_by_name(emulate, tmp_path, monkeypatch):
    """The function may be specified as ``"module:name"``."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "notified.py").write_text("def handler(event, context):\n    return len(event)\n")
    try:
        emulator = emulate("notified:handler", "sns")
    finally:
        sys.modules.pop("notified", None)
    assert [one.result for one in emulator.function_calls] == [1]


async def coroutine_function(_event, _context):
    """Do nothing; the emulator must reject this function, because Lambda cannot call it."""


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"notify": "handler"}, "notify must be a function or"),
        ({"notify": "json:__doc__"}, "notify must be callable"),
        ({"notify": coroutine_function}, "notify must not be a coroutine function"),
        ({"notify_by": "http"}, "notify_by must be one of"),
        ({"notify": print, "notifications": Notifications()}, "notify_by='sns' requires a topic"),
        (
            {"notify": print, "notify_by": "sqs", "notifications": Notifications()},
            "notify_by='sqs' requires a topic or object_queue",
        ),
    ],
)
def test_wrong_arguments(options, text):
    """An invalid function or an invalid combination of arguments is rejected by the constructor."""
    with pytest.raises(ValueError, match=text):
        Emulator(**options)
