"""Test `sqs_submitter` with blocking and async clients."""

import logging

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    AsyncSageMakerRuntimeClient,
    Invocation,
    ParamValidationError,
    SageMakerRuntimeClient,
)
from sagemaker_runtime_client.emulator import Emulator, ErrorResponse, Faults
from sagemaker_runtime_client.handlers import Job, MemoryClaims, Message, sqs_submitter
from tests.runtime_client.clients import settings
from tests.runtime_client.handlers.lambda_events import (
    QUEUE,
    Context,
    failed_ids,
    sqs_event,
)

ENDPOINT = "my-endpoint"
OUTPUTS = "s3://sagemaker-emulator/async-endpoint-outputs/"
INVOKE = "InvokeEndpointAsync"


@pytest.fixture
def emulator():
    """A running emulator with an inference router."""
    with Emulator(lambda request: request.body.upper(), destinations={"r": [ENDPOINT]}) as running:
        yield running


@pytest.fixture(params=[False, True], ids=["blocking", "async"])
def submitter(request, emulator):
    """A function that decorates a function with `sqs_submitter`, as a plain or as an async
    function.
    """
    kind = AsyncSageMakerRuntimeClient if request.param else SageMakerRuntimeClient
    client = kind(**settings(emulator), max_attempts=1)

    def decorate(function, *arguments, **options):
        if request.param:

            async def call(message):
                return function(message)

            return sqs_submitter(client, *arguments, **options)(call)
        return sqs_submitter(client, *arguments, **options)(function)

    return decorate


def encoded(message):
    """Return the body of a message, encoded as UTF-8."""
    return message.body.encode()


def submitted(emulator):
    """Wait until all jobs have ended, and return their inference IDs in the order of submission."""
    emulator.wait_idle()
    return [job.invocation.request.inference_id for job in emulator.jobs]


def job_name(number):
    """Return the job name for the message with this number."""
    return Message("", f"m{number}", QUEUE).job_name


def test_each_message_is_a_job(submitter, emulator):
    """Each message is submitted as a job whose inference ID and file name depend on the message ID."""
    handler = submitter(encoded, ENDPOINT)
    assert failed_ids(handler(sqs_event("a", "b"), Context())) == []
    assert submitted(emulator) == [job_name(0), job_name(1)]
    assert emulator.objects.get(OUTPUTS + job_name(0)).body == b"A"


def test_redelivered_message_is_not_submitted_again(submitter, emulator):
    """A redelivered message with a recorded handle is acknowledged; its claim contains the handle."""
    claims = MemoryClaims()
    handler = submitter(encoded, ENDPOINT, claims=claims)
    for received in (1, 2):
        assert failed_ids(handler(sqs_event("a", received=received), Context())) == []
    assert submitted(emulator) == [job_name(0)]
    claim = claims.claim(f"submit-{job_name(0)}", 1.0)
    assert Invocation.from_json(claim.value).output_location == OUTPUTS + job_name(0)


def test_output_of_an_unrecorded_attempt(submitter, emulator):
    """A redelivered message whose job already has an output is not submitted again."""
    first = submitter(encoded, ENDPOINT)
    first(sqs_event("a"), Context())
    assert submitted(emulator) == [job_name(0)]
    second = submitter(encoded, ENDPOINT, output_prefix=OUTPUTS)
    assert failed_ids(second(sqs_event("a", received=2), Context())) == []
    assert submitted(emulator) == [job_name(0)]


def test_no_output_of_an_unrecorded_attempt(submitter, emulator):
    """A redelivered message whose job has no output is submitted."""
    handler = submitter(encoded, ENDPOINT, output_prefix=OUTPUTS)
    assert failed_ids(handler(sqs_event("a", received=2), Context())) == []
    assert submitted(emulator) == [job_name(0)]
    assert [one.operation for one in emulator.requests][:2] == ["HeadObject", "HeadObject"]


def test_without_output_prefix(submitter, emulator):
    """Without *output_prefix*, a redelivered message is submitted without a search for its output."""
    handler = submitter(encoded, ENDPOINT)
    handler(sqs_event("a", received=2), Context())
    assert [one.operation for one in emulator.requests] == [INVOKE]
    assert submitted(emulator) == [job_name(0)]


def test_output_with_an_extension(submitter, emulator):
    """The output of a redelivered message is found below the job's own output path extension."""

    def make_job(message):
        return Job(encoded(message), s3_output_path_extension="/batch/7/")

    submitter(make_job, ENDPOINT)(sqs_event("a"), Context())
    assert submitted(emulator) == [job_name(0)]
    submitter(make_job, ENDPOINT, output_prefix=OUTPUTS)(sqs_event("a", received=2), Context())
    assert submitted(emulator) == [job_name(0)]


def test_forbidden_output(submitter, emulator, caplog):
    """If S3 denies access to a redelivered message's output, the message fails and is not
    submitted.
    """
    emulator.faults.once(ErrorResponse(403, "AccessDenied"), on="HeadObject")
    handler = submitter(encoded, ENDPOINT, output_prefix=OUTPUTS)
    assert failed_ids(handler(sqs_event("a", received=2), Context())) == ["m0"]
    assert submitted(emulator) == []
    assert [item.exc_info[0] for item in caplog.records if item.exc_info] == [AccessDeniedError]


def test_throttled_message(submitter, emulator):
    """If a submission is throttled, only its message fails, and it is submitted at the next
    delivery.
    """
    emulator.faults.once(Faults.THROTTLED, on=INVOKE)
    handler = submitter(encoded, ENDPOINT)
    assert failed_ids(handler(sqs_event("a", "b", "c"), Context())) == ["m0"]
    assert failed_ids(handler(sqs_event("a", "b", "c", received=2), Context())) == []
    assert submitted(emulator) == [job_name(1), job_name(2), job_name(0)]


def test_job_with_options(submitter, emulator):
    """The function may return a `Job` with options, or None to submit nothing."""

    def make_job(message):
        return Job(b"1,2", content_type="text/csv", accept="x/y") if message.body == "a" else None

    assert failed_ids(submitter(make_job, ENDPOINT)(sqs_event("a", "b"), Context())) == []
    assert submitted(emulator) == [job_name(0)]
    request = emulator.jobs[0].invocation.request
    assert (request.body, request.content_type, request.accept) == (
        b"1,2",
        "text/csv",
        "x/y",
    )


def test_input_in_s3(submitter, emulator):
    """The input of a job may already be in S3, for an endpoint and for an inference router."""
    emulator.objects.put("s3://my-bucket/in", b"abc")

    def make_job(_message):
        return Job(input_location="s3://my-bucket/in")

    submitter(make_job, ENDPOINT)(sqs_event("a"), Context())
    submitter(make_job, router="r", routing_target="t")(sqs_event("", "b"), Context())
    emulator.wait_idle()
    assert [job.invocation.input_location for job in emulator.jobs] == ["s3://my-bucket/in"] * 3


def test_router(submitter, emulator):
    """With a router, the payload of a job is uploaded below *input_prefix*."""
    options = {"router": "r", "routing_target": "t", "input_prefix": "s3://my-bucket/in/"}
    assert failed_ids(submitter(encoded, **options)(sqs_event("a"), Context())) == []
    emulator.wait_idle()
    assert emulator.objects.get(emulator.jobs[0].invocation.input_location).body == b"a"


def test_function_raises(submitter, emulator):
    """If the function raises an error, its message fails and is not submitted."""
    handler = submitter(lambda message: 1 / int(message.body), ENDPOINT)
    assert failed_ids(handler(sqs_event("0"), Context())) == ["m0"]
    assert submitted(emulator) == []


def test_wrong_result(submitter, emulator, caplog):
    """If the function returns a str instead of bytes, a `Job` or None, its message fails."""
    handler = submitter(lambda message: message.body, ENDPOINT)
    assert failed_ids(handler(sqs_event("a"), Context())) == ["m0"]
    (error,) = [item.exc_info[1] for item in caplog.records if item.exc_info]
    assert str(error) == "the function must return bytes, a Job or None, not str"
    assert submitted(emulator) == []


def test_on_invocation(submitter):
    """*on_invocation* is called once for each submitted job, with the message and the job's handle."""
    calls = []
    handler = submitter(encoded, ENDPOINT, on_invocation=lambda *arguments: calls.append(arguments))
    handler(sqs_event("a"), Context())
    handler(sqs_event("a"), Context())
    assert [(message.body, handle.inference_id) for message, handle in calls] == [
        ("a", job_name(0))
    ]


def test_on_invocation_raises(submitter, emulator, caplog):
    """If *on_invocation* raises an error, it is logged, and the message is acknowledged."""
    handler = submitter(encoded, ENDPOINT, on_invocation=lambda *_: 1 / 0)
    assert failed_ids(handler(sqs_event("a"), Context())) == []
    assert submitted(emulator) == [job_name(0)]
    assert [item.levelno for item in caplog.records if item.exc_info] == [logging.WARNING]


def test_no_time_left(submitter, emulator):
    """If less time than *reserve* is left, a message fails and is not submitted."""
    handler = submitter(encoded, ENDPOINT)
    assert failed_ids(handler(sqs_event("a"), Context(4.9))) == ["m0"]
    assert submitted(emulator) == []


@pytest.mark.parametrize(
    ("arguments", "options", "argument"),
    [
        ((), {}, "endpoint_name"),
        ((ENDPOINT,), {"router": "r", "routing_target": "t"}, "endpoint_name"),
        ((), {"router": "r"}, "routing_target"),
        ((ENDPOINT,), {"routing_target": "t"}, "routing_target"),
        ((ENDPOINT,), {"output_prefix": "s3://b/p"}, "output_prefix"),
    ],
)
def test_invalid_arguments(arguments, options, argument):
    """An invalid argument of `sqs_submitter` raises an error that names the argument."""
    client = SageMakerRuntimeClient(region="eu-west-1")
    with pytest.raises(ParamValidationError) as caught:
        sqs_submitter(client, *arguments, **options)
    assert caught.value.argument == argument


def test_not_a_function():
    """`sqs_submitter` raises an error if it is applied to a value that is not a function."""
    with pytest.raises(ParamValidationError, match="not int"):
        sqs_submitter(SageMakerRuntimeClient(region="eu-west-1"), ENDPOINT)(17)


@pytest.mark.parametrize("arguments", [(), (b"a", "s3://b/k")])
def test_job_without_one_input(arguments):
    """A `Job` with neither a payload nor an input location, or with both, raises an error."""
    with pytest.raises(ParamValidationError, match="pass either payload or input_location"):
        Job(*arguments)


def test_secrets_of_messages_and_jobs():
    """The `repr` of messages and jobs shows neither their content nor their attributes."""
    message = Message("secret", "m0", QUEUE, 1, {"token": {"stringValue": "secret"}})
    job = Job(b"secret", custom_attributes="secret")
    assert "secret" not in repr(message) + repr(job)
    assert hash(message) == hash(message.replace())
    assert job.replace() == job
