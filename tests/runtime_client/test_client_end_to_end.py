"""Test complete jobs over real sockets with every kind of client."""

from time import monotonic

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    InferenceFailedError,
    InternalFailureError,
    Invocation,
    NoOutputLocationError,
    ObjectNotFoundError,
    ServiceError,
    ServiceUnavailableError,
    ThrottlingError,
    TransportError,
    WaitTimeoutError,
)
from sagemaker_runtime_client.emulator import (
    Emulator,
    ErrorResponse,
    Faults,
    ModelFailure,
    StaleOutput,
)
from sigv4 import Credentials
from tests.runtime_client.clients import often, settings

ENDPOINT = "my-endpoint"
INVOKE = "InvokeEndpointAsync"
INLINE_LIMIT = 128_000


@pytest.fixture
def client(driver, emulator):
    """A client of each kind that sends its requests to the emulator."""
    return driver.client(**settings(emulator))


@pytest.fixture
def plain_client(plain_driver, emulator, shortest_pauses):  # noqa: ARG001 (the dice are loaded)
    """A client of each kind with the built-in pool; pauses before retries are as short as possible."""
    return plain_driver.client(**settings(emulator))


def statuses(emulator, operation=INVOKE):
    """Return the status of each response to an operation; None stands for a connection reset."""
    return [one.status for one in emulator.requests if one.operation == operation]


def test_invoke_and_wait(client, emulator):
    """After `invoke_endpoint_async` with an input in S3, `wait` returns the output with the handle."""
    stored = client.put_object("s3://inputs/in.txt", b"hello", content_type="text/plain")
    invocation = client.invoke_endpoint_async(
        ENDPOINT, input_location=stored.location, inference_id="mine", filename="answer.txt"
    )
    output = client.wait(invocation, timeout=10, schedule=often)
    assert output.body == b"HELLO"
    assert output.location == "s3://sagemaker-emulator/async-endpoint-outputs/answer.txt"
    assert (
        invocation.inference_id,
        invocation.attempts,
        invocation.possibly_duplicated,
    ) == ("mine", 1, False)
    assert invocation == output.invocation
    assert [job.state for job in emulator.jobs] == ["completed"]


@pytest.mark.parametrize(
    ("size", "uploads"), [(INLINE_LIMIT, 0), (INLINE_LIMIT + 1, 1)], ids=["inline", "through S3"]
)
def test_infer(client, emulator, size, uploads):
    """`infer` sends a payload of up to 128,000 bytes inline, and a larger one through S3."""
    handles = []
    output = client.infer(
        ENDPOINT,
        b"a" * size,
        timeout=10,
        schedule=often,
        input_prefix="s3://inputs/some/",
        on_invocation=handles.append,
    )
    assert output.body == b"A" * size
    assert statuses(emulator, "PutObject") == [200] * uploads
    assert handles == [output.invocation]
    assert len(emulator.objects.list("s3://inputs/some/")) == uploads


def test_submit(client, emulator):
    """`submit` queues a payload, here through S3 because of `inline=False`, and does not wait."""
    emulator.set_concurrency(0)
    invocation = client.submit(ENDPOINT, b"x", inline=False, input_prefix="s3://inputs")
    assert invocation.endpoint_name == ENDPOINT
    assert [job.state for job in emulator.jobs] == ["queued"]
    (upload,) = emulator.objects.list("s3://inputs/")
    assert emulator.jobs[0].invocation.input_location == upload


def test_objects(client):
    """Objects keep their content type and metadata in S3, and keys may contain any character."""
    location = "s3://inputs/a b/ü+%2F?#&=~'()*!$,;:@[]|^`{}\\\"<>"
    put = client.put_object(location, b"1234", content_type="text/csv", metadata={"owner": "me"})
    got, headed = client.get_object(location), client.head_object(location)
    assert got.body == b"1234"
    assert headed.body == b""
    for found in (got, headed):
        assert (
            found.location,
            found.size,
            found.content_type,
            found.metadata,
            found.etag,
        ) == (location, 4, "text/csv", {"owner": "me"}, put.etag)


def test_objects_that_are_not_there(client):
    """For a missing key, `get_object` raises an error with the code ``NoSuchKey``.

    The error of `head_object` has the HTTP status as its code.
    """
    client.put_object("s3://inputs/there", b"")
    with pytest.raises(ObjectNotFoundError) as caught:
        client.get_object("s3://inputs/missing")
    assert (
        caught.value.code,
        caught.value.status_code,
        caught.value.attempts,
    ) == ("NoSuchKey", 404, 1)
    with pytest.raises(ServiceError) as caught:
        client.head_object("s3://inputs/missing")
    assert caught.value.code == "404"


@pytest.mark.usefixtures("bare_environment")
def test_failed_inference(driver):
    """If the model fails, the error has the model's message, the failure location and the handle."""

    def fail(_request):
        raise ModelFailure('{"message": "out of memory"}', "application/json")

    with Emulator(model=fail) as emulator:
        client = driver.client(**settings(emulator))
        with pytest.raises(InferenceFailedError) as caught:
            client.infer(ENDPOINT, b"x", timeout=10, schedule=often)
        error = caught.value
        assert error.reason == "out of memory"
        assert error.body == b'{"message": "out of memory"}'
        assert error.invocation.failure_location == error.failure_location


def test_waiting_again(driver, client, emulator):
    """After a wait has timed out, another client can continue it with the same handle.

    The handle was converted to JSON and back.
    """
    emulator.set_concurrency(0)
    with pytest.raises(WaitTimeoutError, match="scaling up") as caught:
        client.wait(client.submit(ENDPOINT, b"later"), timeout=0.03, schedule=often)
    handle = caught.value.invocation.to_json()
    emulator.set_concurrency(1)
    second = driver.client(**settings(emulator))
    output = second.wait(Invocation.from_json(handle), timeout=10, schedule=often)
    assert output.body == b"LATER"


def test_wrong_secret(driver, emulator):
    """If the secret key is wrong, SageMaker and S3 reject the request, and it is not retried."""
    wrong = Credentials(emulator.credentials.access_key_id, "another-secret")
    client = driver.client(**settings(emulator, credentials=wrong))
    with pytest.raises(AccessDeniedError) as caught:
        client.infer(ENDPOINT, b"x", timeout=30)
    assert (caught.value.code, caught.value.attempts) == ("InvalidSignatureException", 1)
    with pytest.raises(AccessDeniedError) as caught:
        client.get_object("s3://bucket/key")
    assert (caught.value.code, caught.value.status_code) == ("SignatureDoesNotMatch", 403)
    assert emulator.jobs == ()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(driver, emulator, status):
    """If a service redirects to another host, an error is raised, and nothing is sent to that host."""
    with Emulator() as elsewhere:
        location = {"location": f"{elsewhere.url}/endpoints/x/async-invocations"}
        emulator.faults.always(ErrorResponse(status, headers=location))
        client = driver.client(**settings(emulator))
        for call in (
            lambda: client.invoke_endpoint_async(ENDPOINT, body=b"x"),
            lambda: client.get_object("s3://bucket/key"),
        ):
            with pytest.raises(ServiceError) as caught:
                call()
            assert (caught.value.status_code, caught.value.attempts) == (status, 1)
        assert elsewhere.requests == ()


@pytest.mark.parametrize(
    ("fault", "answers", "expected"),
    [
        (Faults.THROTTLED, [400, 202], (1, 2, False)),
        (Faults.THROTTLED_429, [429, 202], (1, 2, False)),
        (Faults.THROTTLED_NULL, [400, 202], (1, 2, False)),
        (Faults.INTERNAL_FAILURE, [500, 202], (1, 2, True)),
        (Faults.UNAVAILABLE, [503, 202], (1, 2, False)),
        (Faults.RESET_BEFORE_READ, [None, 202], (1, 2, True)),
        (Faults.RESET_AFTER_TAKEN, [None, 202], (2, 2, True)),
        (Faults.RESET_IN_HEAD, [None, 202], (2, 2, True)),
        (Faults.RESET_IN_BODY, [None], (1, 1, False)),
    ],
    ids=[
        "throttled",
        "throttled 429",
        "throttled null",
        "500",
        "503",
        "reset before read",
        "reset after accepted",
        "reset in head",
        "reset in body",
    ],
)
def test_fault_that_passes(plain_client, emulator, fault, answers, expected):
    """If one attempt to queue the job fails, `infer` still returns the output.

    The handle states whether the job may have been queued twice.
    """
    emulator.faults.once(fault, on=INVOKE)
    output = plain_client.infer(ENDPOINT, b"x", timeout=10, schedule=often)
    assert output.body == b"X"
    assert statuses(emulator) == answers
    handle = output.invocation
    assert (len(emulator.jobs), handle.attempts, handle.possibly_duplicated) == expected


@pytest.mark.parametrize(
    ("fault", "kind", "expected"),
    [
        (Faults.THROTTLED, ThrottlingError, (0, False)),
        (Faults.THROTTLED_NULL, ThrottlingError, (0, False)),
        (Faults.INTERNAL_FAILURE, InternalFailureError, (0, True)),
        (Faults.UNAVAILABLE, ServiceUnavailableError, (0, False)),
        (Faults.RESET_BEFORE_READ, TransportError, (0, True)),
        (Faults.RESET_AFTER_TAKEN, TransportError, (3, True)),
        (Faults.RESET_IN_HEAD, TransportError, (3, True)),
    ],
    ids=["throttled", "null", "500", "503", "before read", "after accepted", "in head"],
)
def test_fault_that_stays(plain_client, emulator, fault, kind, expected):
    """If three attempts have the same fault, `invoke_endpoint_async` raises an error.

    The error states whether a job may have been queued.
    """
    emulator.faults.always(fault, on=INVOKE)
    with pytest.raises(kind) as caught:
        plain_client.invoke_endpoint_async(ENDPOINT, body=b"x", inference_id="mine")
    possibly_accepted = caught.value.possibly_accepted
    assert caught.value.attempts == 3
    assert (len(emulator.jobs), possibly_accepted) == expected
    notes = ["the job may have been queued, under inference id mine"] if possibly_accepted else []
    assert getattr(caught.value, "__notes__", []) == notes


@pytest.mark.parametrize(
    ("fault", "jobs"),
    [
        (Faults.INTERNAL_FAILURE, 0),
        (Faults.RESET_BEFORE_READ, 0),
        (Faults.RESET_AFTER_TAKEN, 1),
        (Faults.RESET_IN_HEAD, 1),
    ],
    ids=["500", "before read", "after accepted", "in head"],
)
@pytest.mark.usefixtures("shortest_pauses")
def test_no_second_attempt_when_ambiguous(plain_driver, emulator, fault, jobs):
    """With `retry_ambiguous=False`, an invocation is not retried if the job may already be queued."""
    client = plain_driver.client(**settings(emulator, retry_ambiguous=False))
    emulator.faults.once(fault, on=INVOKE)
    with pytest.raises((InternalFailureError, TransportError)) as caught:
        client.invoke_endpoint_async(ENDPOINT, body=b"x")
    assert (caught.value.attempts, caught.value.possibly_accepted) == (1, True)
    assert len(emulator.jobs) == jobs


@pytest.mark.usefixtures("shortest_pauses")
def test_second_attempt_when_certain(plain_driver, emulator):
    """With `retry_ambiguous=False`, an invocation is retried if the job is certainly not queued."""
    client = plain_driver.client(**settings(emulator, retry_ambiguous=False))
    emulator.faults.once(Faults.UNAVAILABLE, on=INVOKE)
    invocation = client.invoke_endpoint_async(ENDPOINT, body=b"x")
    assert (invocation.attempts, invocation.possibly_duplicated) == (2, False)


@pytest.mark.parametrize(
    "fault",
    [Faults.SLOW_DOWN, Faults.RESET_BEFORE_READ, Faults.RESET_IN_HEAD, Faults.RESET_IN_BODY],
    ids=["slow down", "before read", "in head", "in body"],
)
def test_fault_while_reading(plain_client, emulator, fault):
    """If the first attempt of `get_object` fails, a second attempt reads the object from the start.

    It does not matter at which point of the response the attempt fails.
    """
    emulator.objects.put("s3://bucket/key", b"0123456789")
    emulator.faults.once(fault, on="GetObject")
    assert plain_client.get_object("s3://bucket/key").body == b"0123456789"
    assert len(emulator.requests) == 2


def test_faults_while_waiting(plain_client, emulator):
    """If all attempts of a poll fail, `infer` keeps polling, and returns the output."""
    emulator.faults.once(Faults.RESET_IN_HEAD, times=3, on="GetObject")
    emulator.faults.once(Faults.SLOW_DOWN, times=3, on="GetObject")
    assert plain_client.infer(ENDPOINT, b"x", timeout=10, schedule=often).body == b"X"


def test_missing_is_forbidden(client, emulator):
    """Without s3:ListBucket, S3 responds to a missing key with a 403.

    In that case, `wait` continues to poll until the grace period or the timeout is over.
    """
    emulator.faults.no_list_bucket = True
    emulator.set_concurrency(0)
    with pytest.raises(WaitTimeoutError, match="s3:ListBucket") as caught:
        client.wait(client.submit(ENDPOINT, b"x"), timeout=0.02, schedule=often)
    assert caught.value.access_denied_only
    with pytest.raises(AccessDeniedError):
        client.wait(caught.value.invocation, timeout=10, schedule=often, access_denied_grace=0)
    emulator.set_concurrency(1)
    output = client.wait(caught.value.invocation, timeout=10, schedule=often)
    assert output.body == b"X"


def test_stale_object(client, emulator):
    """`wait` does not return an object that is older than the job, even if it is at the output
    location.
    """
    emulator.faults.once(StaleOutput(b"of yesterday", age=86_400), on=INVOKE)
    emulator.set_concurrency(0)
    with pytest.raises(WaitTimeoutError, match="older than the job") as caught:
        client.wait(
            client.submit(ENDPOINT, b"new", filename="answer.txt"), timeout=0.02, schedule=often
        )
    polls = [one for one in emulator.requests if one.target.endswith("/answer.txt")]
    assert {poll.status for poll in polls} == {304}
    emulator.set_concurrency(1)
    assert client.wait(caught.value.invocation, timeout=10, schedule=often).body == b"NEW"


@pytest.mark.parametrize("skew", [3600, -3600], ids=["behind", "ahead"])
def test_wrong_clock(client, emulator, skew):
    """If the clock is an hour off, one request fails, and is retried with the correct time.

    Later requests use the correct time immediately.
    """
    emulator.faults.clock_skew = skew
    output = client.infer(ENDPOINT, b"x", timeout=10, schedule=often)
    assert (output.body, output.invocation.attempts) == (b"X", 2)
    refused = [one for one in emulator.requests if one.status == 403]
    assert [one.outcome for one in refused] == ["InvalidSignatureException"]


def test_wrong_region(client, emulator):
    """If S3 redirects a request to the bucket's region, the client repeats it there once.

    Later requests for the bucket go to that region immediately.
    """
    emulator.faults.bucket_regions["elsewhere"] = "eu-central-1"
    client.put_object("s3://elsewhere/key", b"x")
    assert client.get_object("s3://elsewhere/key").body == b"x"
    assert [one.status for one in emulator.requests] == [301, 200, 200]


def test_two_wrong_regions(client, emulator):
    """If a request that was redirected to a region is redirected again, an error is raised."""
    emulator.faults.bucket_regions["elsewhere"] = "eu-central-1"
    onward = {"x-amz-bucket-region": "eu-west-1"}
    emulator.faults.always(ErrorResponse(301, "PermanentRedirect", "elsewhere", onward))
    with pytest.raises(ServiceError) as caught:
        client.get_object("s3://elsewhere/key")
    assert (caught.value.code, caught.value.region) == ("PermanentRedirect", "eu-west-1")
    assert [one.status for one in emulator.requests] == [301, 301]


@pytest.mark.parametrize(
    ("fault", "located"),
    [(Faults.NO_LOCATIONS, False), (Faults.BROKEN_BODY, True)],
    ids=["no locations", "broken body"],
)
def test_answer_that_says_too_little(client, emulator, fault, located):
    """If a 202 response has no locations or an invalid body, the handle still has the inference ID.

    Only `wait` requires the output location.
    """
    emulator.faults.once(fault, on=INVOKE)
    invocation = client.invoke_endpoint_async(ENDPOINT, body=b"x")
    assert emulator.jobs[0].invocation.request.inference_id == invocation.inference_id
    assert located == (invocation.output_location is not None)
    if located:
        assert client.wait(invocation, timeout=10, schedule=often).body == b"X"
    else:
        with pytest.raises(NoOutputLocationError):
            client.wait(invocation, timeout=10)


@pytest.mark.usefixtures("bare_environment")
def test_no_failure_path(driver):
    """If the endpoint has no S3FailurePath, `wait` cannot detect that a job has failed.

    The timeout error states that the path is missing.
    """

    def fail(_request):
        raise ModelFailure("unseen")

    with Emulator(model=fail, failure_path=None) as emulator:
        client = driver.client(**settings(emulator))
        with pytest.raises(WaitTimeoutError, match="no S3FailurePath") as caught:
            client.wait(client.submit(ENDPOINT, b"x"), timeout=0.03, schedule=often)
        assert caught.value.invocation.failure_location is None


def test_answers_are_not_held_back(client, emulator):
    """The emulator sends the body of a response immediately after the head.

    It does not wait 40 ms for the client to acknowledge the head.
    """
    emulator.objects.put("s3://bucket/key", b"x" * 1000)

    def seconds():
        start = monotonic()
        client.get_object("s3://bucket/key")
        return monotonic() - start

    assert min(seconds() for _ in range(5)) < 0.03
