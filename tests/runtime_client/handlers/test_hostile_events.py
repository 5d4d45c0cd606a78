"""Test handlers with hostile events, stores that return invalid values, and interrupted functions."""

import asyncio
import gc
import logging
import sys
from itertools import count

import pytest

from sagemaker_runtime_client import ParamValidationError, SageMakerRuntimeClient
from sagemaker_runtime_client.emulator import Emulator
from sagemaker_runtime_client.events import Completed
from sagemaker_runtime_client.handlers import (
    Claim,
    MemoryClaims,
    Message,
    MessageNotHandledError,
    sns_handler,
    sqs_handler,
    sqs_submitter,
)
from tests.runtime_client.clients import settings
from tests.runtime_client.handlers.lambda_events import (
    QUEUE,
    Context,
    completed,
    failed_ids,
    s3_event,
    sns_event,
    sqs_event,
)

KEY = Completed("job-1", "my-endpoint").idempotency_key
CANARY = "S3CR3T-C0NTENT"
client = SageMakerRuntimeClient(region="eu-west-1")


class Store(MemoryClaims):
    """Claims whose method `claim` returns a value chosen by the test."""

    def __init__(self, found):
        super().__init__()
        self._found = found

    def claim(self, *_arguments):
        """Return the chosen value, which may not be a claim."""
        return self._found


@pytest.mark.parametrize(
    "found", [None, "done", {"state": "done"}, Claim("k", "Done"), Claim("k", None), object]
)
def test_store_that_returns_garbage(found):
    """If a store returns an invalid claim, the message fails, and the function is not called."""
    calls = []
    handler = sqs_handler(claims=Store(found))(calls.append)
    assert failed_ids(handler(sqs_event(completed(1)), Context())) == ["m0"]
    assert calls == []


def test_too_many_records(caplog):
    """If an event has more records than can be parsed, all of its messages fail without a call."""
    caplog.set_level(logging.WARNING)
    calls = []
    event = sqs_event(*[completed(1)] * 10_001)
    response = sqs_handler(calls.append)(event, Context())
    assert len(failed_ids(response)) == 10_001
    assert calls == []


def test_the_most_records():
    """In a batch of 10,000 messages, each one is handled, and only the one that failed is reported."""
    calls = []

    def function(event):
        calls.append(event)
        if event.inference_id == "job-5000":
            raise RuntimeError

    event = sqs_event(*map(completed, range(10_000)))
    assert failed_ids(sqs_handler(function)(event, Context())) == ["m5000"]
    assert len(calls) == 10_000


def test_message_without_an_id():
    """A failed message without an ID is reported as null, which makes Lambda redeliver the whole
    batch.
    """
    event = sqs_event("{", completed(1))
    del event["Records"][0]["messageId"]
    assert failed_ids(sqs_handler(bool)(event, Context())) == [None]


def test_one_id_twice():
    """If two messages have the same ID, and one of them fails, the ID is reported."""
    event = sqs_event(completed(1), completed(2))
    event["Records"][1]["messageId"] = "m0"

    def function(event):
        if event.inference_id == "job-1":
            raise RuntimeError

    assert failed_ids(sqs_handler(function)(event, Context())) == ["m0"]


@pytest.mark.parametrize("source", [[], {}, ["aws:sqs"], None])
def test_event_source_of_another_type(source):
    """If a record's event source is not a string, the handler raises an error."""
    event = sqs_event(completed(1))
    event["Records"][0]["eventSource"] = source
    with pytest.raises(ParamValidationError, match="what Lambda passes"):
        sqs_handler(bool)(event, Context())


def test_fifo_with_several_groups():
    """If a message of a FIFO queue fails, the later messages of all groups fail without a call."""
    event = sqs_event(*map(completed, range(4)), queue=f"{QUEUE}.fifo")
    for record, group in zip(event["Records"], "abab", strict=True):
        record["attributes"]["MessageGroupId"] = group
    calls = []

    def function(event):
        calls.append(event.inference_id)
        if event.inference_id == "job-1":
            raise RuntimeError

    assert failed_ids(sqs_handler(function)(event, Context())) == ["m1", "m2", "m3"]
    assert calls == ["job-0", "job-1"]


def test_time_for_each_record_of_a_message():
    """If the time runs out within a message with many records, the rest is handled when it is
    redelivered.
    """
    calls = []
    handler = sqs_handler(reserve=5.0)(calls.append)
    event = sqs_event(s3_event(*map(str, range(10))))
    assert failed_ids(handler(event, Context(10, step=1))) == ["m0"]
    assert [call.key for call in calls] == ["0", "1", "2"]
    assert failed_ids(handler(event, Context())) == []
    assert [call.key for call in calls] == list("0123456789")


def test_function_that_was_cancelled():
    """If the function awaits a cancelled task, only its message fails, and its claim is released."""
    calls = []

    @sqs_handler
    async def handler(event):
        calls.append(event.inference_id)
        if event.inference_id == "job-1":
            task = asyncio.ensure_future(asyncio.sleep(0))
            task.cancel()
            await task

    for _ in range(2):
        assert failed_ids(handler(sqs_event(completed(1), completed(2)), Context())) == ["m0"]
    assert calls == ["job-1", "job-2", "job-1"]


def test_only_function_of_a_topic_was_cancelled():
    """If the function for an SNS event is cancelled, the handler raises `MessageNotHandledError`."""

    @sns_handler
    async def handler(_event):
        raise asyncio.CancelledError

    with pytest.raises(MessageNotHandledError, match="cancelled"):
        handler(sns_event(completed(1)), Context())


@pytest.mark.parametrize("is_async", [False, True])
def test_invocation_that_is_cancelled(is_async):
    """If the handler's own task is cancelled, CancelledError propagates, and no more is handled."""
    calls = []

    def plain(event):
        calls.append(event.inference_id)
        raise asyncio.CancelledError

    async def function(event):
        calls.append(event.inference_id)
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    handler = sqs_handler(function if is_async else plain)
    with pytest.raises(asyncio.CancelledError):
        handler(sqs_event(completed(1), completed(2)), Context())
    assert calls == ["job-1"]


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"reserve": "5"}, "reserve"),
        ({"reserve": -1.0}, "reserve"),
        ({"reserve": float("nan")}, "reserve"),
        ({"claims": {}}, "claims"),
    ],
)
def test_invalid_options(options, argument):
    """An invalid option is reported when the decorator is called, not when the first message
    arrives.
    """
    for decorator in (sqs_handler, lambda **options: sqs_submitter(client, "e", **options)):
        with pytest.raises(ParamValidationError) as caught:
            decorator(**options)
        assert caught.value.argument == argument


def test_invalid_functions():
    """The options *on_ignored* and *on_invocation* must be functions."""
    with pytest.raises(ParamValidationError, match="on_ignored must be a function, not int"):
        sqs_handler(on_ignored=17)
    with pytest.raises(ParamValidationError, match="on_invocation must be a function, not int"):
        sqs_submitter(client, "e", on_invocation=17)


def test_no_content_in_logs(caplog):
    """No content of a malformed, untrusted or failed message is logged at INFO or above."""
    caplog.set_level(logging.INFO)
    outside = completed(CANARY, responseParameters={"outputLocation": f"s3://{CANARY.lower()}/k"})
    bodies = [
        CANARY,
        "{" + CANARY,
        {CANARY: CANARY},
        {"Type": CANARY, "Message": CANARY},
        completed(CANARY, eventVersion=CANARY),
        completed(CANARY, requestParameters=CANARY),
        outside,
        s3_event(CANARY),
    ]
    event = sqs_event(*bodies, completed(CANARY))
    for record in event["Records"]:
        record["messageId"] = CANARY

    def function(_event):
        raise RuntimeError("the user's own error")

    handler = sqs_handler(allowed_locations=["s3://my-bucket/o/"])(function)
    assert len(failed_ids(handler(event, Context()))) == 9
    submit = sqs_submitter(client, "e")(lambda message: message.body)
    assert len(failed_ids(submit(event, Context()))) == 9
    text = "\n".join(caplog.handler.format(record) for record in caplog.records)
    assert (CANARY in text, CANARY.lower() in text) == (False, False)


def interrupt_at_line(at, call, error):
    """Call *call*, and raise *error* when the *at*-th line of the handlers' code is reached.

    Return the result of *call*, or None if *error* interrupted it.  Lines of `MemoryClaims` do not
    count:
    a trace function can raise an error before a lock is released, which a signal handler cannot.
    """
    left = at

    def trace(frame, event, _argument):
        nonlocal left
        file = frame.f_code.co_filename
        if "/sagemaker_runtime_client/handlers/" not in file or file.endswith("_claims.py"):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return call()
    except error:
        return None
    finally:
        sys.settrace(before)


@pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore:Exception ignored in. <coroutine:pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
def test_interrupt_at_each_line(error, is_async):
    """If an invocation is interrupted at any line of the handlers' code, its messages are redelivered.

    A message is handled twice only if the function returned before this was recorded.  After the
    claims have expired, the next invocation handles each message that was not recorded as done.
    """
    for at in count(1):
        calls, now = [], [0.0]
        claims = MemoryClaims(clock=lambda now=now: now[0])

        async def function(event, calls=calls):
            calls.append(event.inference_id)

        handler = sqs_handler(claims=claims)(function if is_async else calls.append)
        event = sqs_event(completed(1), completed(2))
        response = interrupt_at_line(at, lambda: handler(event, Context()), error)  # noqa: B023
        if response is not None:
            break
        calls_before = len(calls)
        done = sum(entry.is_done for entry in claims._claims.values())
        now[0] = 1000.0
        assert failed_ids(handler(event, Context())) == []
        assert len(calls) - calls_before == 2 - done
        assert calls_before - done in (0, 1)
    assert at > 60
    gc.collect()  # destroy the coroutines that never started while their warnings are ignored


class Environment:
    """An execution environment in which messages are submitted to the emulator."""

    def __init__(self, emulator, **options):
        self.client = SageMakerRuntimeClient(**settings(emulator), max_attempts=1)
        self.invocations = []
        self._options = {"on_invocation": self._note, **options}

    def _note(self, message, invocation):
        self.invocations.append((message.message_id, invocation.inference_id))

    def deliver(self, context, *messages, function=None, received=1):
        """Deliver messages, and return the IDs of those that failed."""
        submit = sqs_submitter(self.client, "e", **self._options)
        handler = submit(function or (lambda message: message.body.encode()))
        return failed_ids(handler(sqs_event(*messages, received=received), context))


@pytest.fixture
def emulator():
    """A running emulator."""
    with Emulator() as running:
        yield running


@pytest.mark.parametrize("reserve", [0, 5])
def test_function_that_takes_all_the_time(emulator, reserve, caplog):
    """If the user's function leaves too little time, its message fails and is not submitted."""
    caplog.set_level(logging.INFO)
    context = Context(60)

    def function(message):
        context.seconds = 2.0
        return message.body.encode()

    environment = Environment(emulator, reserve=reserve)
    assert environment.deliver(context, "a", function=function) == ["m0"]
    assert [record.levelno for record in caplog.records if "record 0" in record.message] == [
        logging.INFO
    ]
    assert emulator.jobs == ()


def test_handle_of_an_earlier_attempt(emulator):
    """If a redelivered message already has an output, *on_invocation* still gets the job's handle."""
    outputs = "s3://sagemaker-emulator/async-endpoint-outputs/"
    killed, second = (Environment(emulator, output_prefix=outputs) for _ in range(2))
    killed.deliver(Context(), "a")
    emulator.wait_idle()
    assert second.deliver(Context(), "a", received=2) == []
    assert second.invocations == killed.invocations == [("m0", Message("", "m0", QUEUE).job_name)]
    assert len(emulator.jobs) == 1
