"""Tests of `fetch`: what it requests, returns and raises for each type of event."""

import logging
import pickle
from datetime import timedelta

import pytest

from sagemaker_runtime_client import (
    InferenceFailedError,
    Invocation,
    LocationNotAllowedError,
    Output,
    ParamValidationError,
    Response,
    ResponseTooLargeError,
    RuntimeClientError,
    WaitTimeoutError,
)
from sagemaker_runtime_client.events import Completed, Failed, Ignored, ObjectCreated, parse
from tests.runtime_client.clients import often, settings
from tests.runtime_client.core.test_allowed_locations import (
    ALLOWED,
    GOOD,
    HOSTILE,
    INSIDE,
    INVALID,
    OUTSIDE,
    SECRET,
    assert_quiet,
    is_allowed,
    requested,
    secret_unless_allowed,
)
from tests.runtime_client.scripted_io import START, FakeS3, ScriptedIO, core, run

OUT, FAIL = "s3://bucket/out/1", "s3://bucket/fail/1"
JOB = Invocation(
    inference_id="id",
    output_location=OUT,
    failure_location=FAIL,
    endpoint_name="e",
    date=START,
)
COMPLETED = Completed(
    inference_id="id",
    endpoint_name="e",
    output_location=OUT,
    received_time=START,
    content_type="text/csv",
)
FAILED = Failed(inference_id="id", endpoint_name="e", reason="ClientError: no", received_time=START)
CREATED = ObjectCreated("bucket", "out/1")
TRUSTED = COMPLETED.replace(trusted=True, body=b"from the event")
BUCKET = ["s3://bucket"]


def fetch(s3, event, allowed=None, **arguments):
    """Fetch the result of an event, and return the output and the paths that were requested."""
    io = ScriptedIO(s3)
    output = run(core(io, allowed_locations=allowed).fetch(event, **arguments))
    return output, [sent.request.path for sent in io.sent]


def fails(kind, s3, event, allowed=None, **arguments):
    """Expect an error of exactly this class from `fetch`; return it and the requested paths."""
    io = ScriptedIO(s3)
    with pytest.raises(RuntimeClientError) as caught:
        run(core(io, allowed_locations=allowed).fetch(event, **arguments))
    assert type(caught.value) is kind
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), vars(again)) == (str(caught.value), vars(caught.value))
    return caught.value, [sent.request.path for sent in io.sent]


def stored():
    """Return a fake S3 that contains the output of the job."""
    return FakeS3().put(OUT, b"stored")


# The two ways in which a caller can confirm the location in an event: either one is enough.
CONFIRMED = {"invocation": {"invocation": JOB}, "allowed_locations": {"allowed": BUCKET}}
each_confirmation = pytest.mark.parametrize("confirmed", CONFIRMED.values(), ids=CONFIRMED)


class TestCompleted:
    @each_confirmation
    def test_output(self, confirmed):
        """If the invocation or an allowed location confirms the event, one request reads the
        output.
        """
        output, paths = fetch(stored(), COMPLETED, **confirmed)
        assert (output.body, output.location, paths) == (b"stored", OUT, ["/out/1"])
        assert output.invocation == confirmed.get("invocation", COMPLETED.invocation)

    @pytest.mark.parametrize("event", [COMPLETED, TRUSTED], ids=["location", "body"])
    def test_unconfirmed(self, event):
        """An event without *invocation* or an allowed location causes no request, but an error."""
        error, paths = fails(ParamValidationError, stored(), event)
        assert (error.argument, paths) == ("event", [])
        assert "invocation=" in str(error)
        assert "allowed_locations=" in str(error)

    @each_confirmation
    def test_body(self, confirmed):
        """For a trusted event with a body, `fetch` returns this body without a request."""
        output, paths = fetch(stored(), TRUSTED, **confirmed)
        job = confirmed.get("invocation", COMPLETED.invocation)
        expected = Output(b"from the event", "text/csv", location=OUT, invocation=job)
        assert (output, output.size, paths) == (expected, 14, [])

    def test_empty_body(self):
        """If the body of a trusted event is empty, `fetch` returns an empty output."""
        assert fetch(stored(), TRUSTED.replace(body=b""), BUCKET)[0].body == b""

    def test_untrusted_body(self):
        """If an event is not trusted, its body is ignored, and the output is read from S3."""
        event = TRUSTED.replace(trusted=False)
        assert fetch(stored(), event, BUCKET)[0].body == b"stored"

    def test_max_size(self):
        """If the body of an event is larger than max_size, `fetch` raises an error without a
        request.
        """
        assert fetch(stored(), TRUSTED, BUCKET, max_size=14)[0].size == 14
        error, paths = fails(ResponseTooLargeError, stored(), TRUSTED, BUCKET, max_size=13)
        assert (error.limit, paths) == (13, [])

    @each_confirmation
    def test_missing(self, confirmed):
        """If there is no output, a single poll is made, and the WaitTimeoutError contains the
        handle.
        """
        error, paths = fails(WaitTimeoutError, FakeS3(), COMPLETED, **confirmed)
        assert paths[0] == "/out/1"
        assert error.invocation == confirmed.get("invocation", COMPLETED.invocation)

    def test_timeout(self):
        """With a timeout, `fetch` polls S3 until the output exists."""
        output, paths = fetch(FakeS3().put(OUT, at=5), COMPLETED, BUCKET, timeout=30)
        assert output.body == b"output"
        assert len(paths) > 1

    @pytest.mark.parametrize("job", [JOB, None])
    def test_stale(self, job):
        """An object that was written before the job was submitted does not count as the output."""
        s3 = FakeS3().put(OUT, written=-60)
        fails(WaitTimeoutError, s3, COMPLETED, BUCKET, invocation=job)

    def test_failure_object(self):
        """If S3 contains only the failure object, `fetch` raises InferenceFailedError for a success
        event.
        """
        error, _ = fails(
            InferenceFailedError, FakeS3().put(FAIL, b"boom"), COMPLETED, invocation=JOB
        )
        assert error.reason == "boom"

    @pytest.mark.parametrize(
        "changes",
        [
            {"inference_id": "other"},
            {"endpoint_name": "other"},
            {"inference_router_name": "other"},
            {"output_location": "s3://bucket/out/2"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("allowed", [None, BUCKET])
    def test_another_job(self, changes, allowed):
        """An event that contradicts the invocation is rejected, even if its location is allowed."""
        job = JOB.replace(inference_router_name="r")
        error, paths = fails(
            ParamValidationError, stored(), COMPLETED.replace(**changes), allowed, invocation=job
        )
        assert (error.argument, paths) == ("event", [])
        assert "about another job" in str(error)
        assert error.invocation == job

    def test_forms(self):
        """The s3:// form and the https:// form of one location do not contradict each other."""
        job = JOB.replace(output_location="https://bucket.s3.amazonaws.com/out/1")
        assert fetch(stored(), COMPLETED, invocation=job)[0].body == b"stored"

    def test_unknown_fields(self):
        """A field that is missing in the event or the invocation does not contradict the other one."""
        bare = Completed(output_location=OUT)
        assert fetch(stored(), bare, invocation=JOB)[0].body == b"stored"
        assert fetch(stored(), COMPLETED.replace(output_location=None), invocation=JOB)[1]
        assert fetch(stored(), COMPLETED, invocation=Invocation(output_location=OUT))[1]

    def test_location_from_event(self):
        """If the invocation has no output location, an allowed location in the event is used."""
        job = Invocation(inference_id="id", date=START)
        output, _ = fetch(stored(), COMPLETED, BUCKET, invocation=job)
        assert output.invocation == job.replace(output_location=OUT)
        assert fails(ParamValidationError, stored(), COMPLETED, invocation=job)[1] == []

    @pytest.mark.parametrize("job", [None, Invocation()])
    def test_no_location(self, job):
        """If neither the event nor the invocation has an output location, nothing is sent."""
        event = COMPLETED.replace(output_location=None)
        error, paths = fails(ParamValidationError, stored(), event, BUCKET, invocation=job)
        assert (error.argument, paths) == ("event", [])

    def test_handle_outside(self):
        """A location in the invocation is also rejected if it is not allowed."""
        allowed = ["s3://bucket/fail/"]
        for event in (COMPLETED, FAILED, CREATED):
            error, paths = fails(LocationNotAllowedError, stored(), event, allowed, invocation=JOB)
            assert (error.invocation, paths) == (JOB, [])


class TestFailed:
    def test_failure_object(self):
        """If the invocation has a failure location, the reason is read from the failure object."""
        s3 = FakeS3().put(FAIL, b"from S3")
        error, paths = fails(InferenceFailedError, s3, FAILED, invocation=JOB)
        assert (error.reason, error.failure_location) == ("from S3", FAIL)
        assert paths == ["/out/1", "/fail/1", "/out/1"]

    def test_output(self):
        """If S3 contains the output, `fetch` returns it despite the failure event and failure
        object.
        """
        s3 = stored().put(FAIL, b"from S3")
        assert fetch(s3, FAILED, invocation=JOB)[0].body == b"stored"

    def test_neither(self):
        """If S3 contains neither the output nor the failure object, the failure event is not
        believed.
        """
        fails(WaitTimeoutError, FakeS3(), FAILED, invocation=JOB)

    @pytest.mark.parametrize(
        ("event", "confirmed"),
        [
            (FAILED, {"invocation": JOB.replace(failure_location=None)}),
            (FAILED, {"allowed": BUCKET}),
            (FAILED.replace(trusted=True), {}),
        ],
        ids=["invocation", "allowed_locations", "trusted"],
    )
    def test_reason(self, event, confirmed):
        """If there is no failure location to read, the error contains the event's reason."""
        error, paths = fails(InferenceFailedError, stored(), event, **confirmed)
        assert (error.reason, error.failure_location, paths) == ("ClientError: no", None, [])
        assert str(error) == "inference id failed: ClientError: no"
        assert error.inference_id == "id"

    def test_unconfirmed(self):
        """A failure event that is not trusted, without an invocation or allowed location, is
        rejected.
        """
        error, _ = fails(ParamValidationError, stored(), FAILED)
        assert error.argument == "event"
        assert "invocation=" in str(error)
        assert "allowed_locations=" in str(error)

    def test_body(self):
        """The body of a failure event is in the error only if the event is trusted."""
        event = FAILED.replace(trusted=True, body=b"boom")
        assert fails(InferenceFailedError, stored(), event)[0].body == b"boom"
        event = event.replace(trusted=False)
        assert fails(InferenceFailedError, stored(), event, BUCKET)[0].body == b""

    def test_hostile_reason(self):
        """A long reason is shortened, and its line breaks do not appear in the error's message."""
        event = FAILED.replace(reason="a\nERROR b" + "x" * 4000)
        error, _ = fails(InferenceFailedError, stored(), event, BUCKET)
        assert len(error.reason) == 2000
        assert str(error).isprintable()

    def test_no_reason(self):
        """If a failure event has no reason, `fetch` still raises InferenceFailedError."""
        error, _ = fails(InferenceFailedError, stored(), FAILED.replace(reason=None), BUCKET)
        assert (error.reason, str(error)) == ("", "inference id failed: the event has no reason")

    def test_locations(self):
        """If both locations in a failure event are allowed, the reason is read from S3."""
        event = FAILED.replace(output_location=OUT, failure_location=FAIL)
        s3 = FakeS3().put(FAIL, b"from S3")
        assert fails(InferenceFailedError, s3, event, BUCKET)[0].reason == "from S3"
        fails(ParamValidationError, s3, event)
        only = event.replace(output_location=None)
        error, paths = fails(InferenceFailedError, s3, only, BUCKET)
        assert (error.failure_location, paths) == (FAIL, [])

    def test_another_failure_location(self):
        """If the failure location contradicts the invocation, nothing is sent."""
        event = FAILED.replace(failure_location="s3://bucket/fail/2")
        error, paths = fails(ParamValidationError, stored(), event, BUCKET, invocation=JOB)
        assert (error.argument, paths) == ("event", [])


class TestObjectCreated:
    @each_confirmation
    def test_output(self, confirmed):
        """If the new object's location is confirmed, the object is read as the output."""
        output, paths = fetch(stored(), CREATED, **confirmed)
        assert (output.body, output.location, paths) == (b"stored", OUT, ["/out/1"])

    def test_failure(self):
        """If the new object is the failure object of the invocation, `fetch` raises its reason."""
        s3 = FakeS3().put(FAIL, b"boom")
        event = ObjectCreated("bucket", "fail/1")
        assert fails(InferenceFailedError, s3, event, invocation=JOB)[0].reason == "boom"

    def test_unconfirmed(self):
        """A new object without an invocation or allowed location causes no request."""
        error, paths = fails(ParamValidationError, stored(), CREATED)
        assert (error.argument, paths) == ("event", [])

    @pytest.mark.parametrize("key", ["a+b", "a%20b"])
    def test_encoded_key(self, key):
        """If a key may be encoded, the object is read only if it matches the invocation."""
        location = "s3://bucket/a b"
        event = ObjectCreated("bucket", key)
        error, paths = fails(ParamValidationError, stored(), event, BUCKET)
        assert (error.argument, paths) == ("event", [])
        job = Invocation(output_location=location)
        output, paths = fetch([Response(200, (), b"x")], event, invocation=job)
        assert (output.location, paths) == (location, ["/a%20b"])

    @pytest.mark.parametrize("job", [JOB, Invocation()])
    def test_another_object(self, job):
        """A new object that does not belong to the invocation is rejected."""
        event = ObjectCreated("bucket", "out/2")
        error, paths = fails(ParamValidationError, stored(), event, BUCKET, invocation=job)
        assert (error.argument, paths, error.invocation) == ("event", [], job)

    def test_forms(self):
        """A new object may match an invocation whose output location is an https:// URL."""
        job = Invocation(output_location="https://bucket.s3.amazonaws.com/out/1")
        assert fetch(stored(), CREATED, invocation=job)[0].body == b"stored"


class TestArguments:
    @pytest.mark.parametrize("event", [Ignored("test", "a test message of S3"), None, {}, "x", JOB])
    def test_event(self, event):
        """A value that is not an event with a result raises an error before anything is sent."""
        error, paths = fails(ParamValidationError, stored(), event, BUCKET, invocation=JOB)
        assert (error.argument, paths) == ("event", [])

    @pytest.mark.parametrize(
        ("arguments", "argument"),
        [
            ({"invocation": "x"}, "invocation"),
            ({"invocation": COMPLETED}, "invocation"),
            ({"timeout": -1}, "timeout"),
            ({"timeout": "1"}, "timeout"),
            ({"max_size": -1}, "max_size"),
        ],
    )
    def test_others(self, arguments, argument):
        """An invalid argument is rejected even if the body of a trusted event makes requests
        unnecessary.
        """
        error, paths = fails(ParamValidationError, stored(), TRUSTED, BUCKET, **arguments)
        assert (error.argument, paths) == (argument, [])


# Hostile values for the fields of events, and locations that may or may not be allowed.
TEXTS = [None, "", "x\nERROR forged", "../../x", "https://evil.example/", "y" * 4000]
LOCATIONS = [*OUTSIDE, *INVALID, *INSIDE]
EVENTS = [
    *[COMPLETED.replace(output_location=text, trusted=t) for text in LOCATIONS for t in (0, 1)],
    *[FAILED.replace(output_location=GOOD, failure_location=text) for text in LOCATIONS],
    *[FAILED.replace(output_location=text, failure_location=GOOD) for text in LOCATIONS],
    *[ObjectCreated(text, "out/1") for text in ("theirs", "ours", "", "ours/", "a@b", "x\n")],
    *[ObjectCreated("ours", text.partition("ours/")[2]) for text in LOCATIONS],
    *[
        event.replace(output_location=GOOD, **{field: text})
        for event in (COMPLETED, FAILED)
        for field in ("inference_id", "endpoint_name", "inference_router_name", "region", "source")
        for text in [*TEXTS, *HOSTILE["inference_id"]]
    ],
    *[
        COMPLETED.replace(output_location=GOOD, received_time=START + timedelta(days=days))
        for days in (-40_000, 400_000)
    ],
    *[FAILED.replace(reason=text) for text in TEXTS],
]


class TestHostileEvents:
    @pytest.mark.parametrize(
        "job", [None, Invocation(output_location=GOOD), Invocation(inference_id="id")], ids=str
    )
    @pytest.mark.parametrize("allowed", [None, ALLOWED], ids=["", "allowed_locations"])
    def test_events(self, job, allowed, caplog):
        """For any hostile field, only confirmed locations are requested, and errors and logs
        contain no line breaks.
        """
        caplog.set_level(logging.DEBUG)
        for event in EVENTS:
            io = ScriptedIO(secret_unless_allowed)
            with pytest.raises(RuntimeClientError) as caught:
                run(core(io, allowed_locations=allowed).fetch(event, invocation=job))
            found = [requested(sent) for sent in io.sent]
            assert [pair for pair in found if not is_allowed(*pair)] == []
            if allowed is None:
                assert {*found} <= ({("ours", "out/1")} if job and job.output_location else set())
            assert_quiet(caught.value, caplog)

    @pytest.mark.parametrize("location", OUTSIDE)
    def test_messages(self, location):
        """A message whose output location is not allowed causes no request."""
        message = {
            "invocationStatus": "Completed",
            "requestParameters": {"endpointName": "e"},
            "responseParameters": {"outputLocation": location},
            "inferenceId": "id",
        }
        io = ScriptedIO(lambda *_: Response(200, (), SECRET))
        for event in parse(message):
            for allowed in (None, ALLOWED):
                with pytest.raises(ParamValidationError):
                    run(core(io, allowed_locations=allowed).fetch(event))
        assert io.sent == []


class TestClients:
    def test_results(self, plain_driver, emulator):
        """Blocking and async clients return the output of a job, and raise the error of a failed
        one.
        """
        client = plain_driver.client(**settings(emulator))
        job = client.infer("e", b"x", timeout=60, schedule=often).invocation
        event = Completed(inference_id=job.inference_id, output_location=job.output_location)
        assert client.fetch(event, invocation=job, timeout=60).body == b"X"
        emulator.objects.put("s3://bucket/fail", b"boom")
        job = Invocation(output_location="s3://bucket/none", failure_location="s3://bucket/fail")
        with pytest.raises(InferenceFailedError, match="boom"):
            client.fetch(Failed(reason="notified"), invocation=job)
