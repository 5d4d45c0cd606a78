"""Tests of waiting for an output or a failure, on a simulated clock."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    ConfigError,
    InferenceFailedError,
    Invocation,
    NoOutputLocationError,
    Output,
    ParamValidationError,
)
from tests.runtime_client.inference.waits import FAIL, INVOCATION, OUT, fails, wait
from tests.runtime_client.scripted_io import (
    START,
    FakeS3,
    ScriptedIO,
    core,
    run,
)


def test_output():
    """A wait returns the object at the output location as an `Output`."""
    headers = [("Content-Type", "application/json"), ("x-amz-meta-a", "b")]
    io = ScriptedIO(FakeS3().put(OUT, b'{"a":1}', at=3, headers=headers))
    expected = Output(
        body=b'{"a":1}',
        content_type="application/json",
        metadata={"a": "b"},
        location=OUT,
        last_modified=START + timedelta(seconds=3),
        invocation=INVOCATION,
    )
    output = wait(io)
    assert output == expected
    assert len({expected, output}) == 1
    assert output.json() == {"a": 1}
    assert output.text == '{"a":1}'
    assert '"a"' not in repr(output)


def test_wait_again():
    """After a timeout, the invocation in the error can be waited for again."""
    io = ScriptedIO(FakeS3().put(OUT, at=40))
    error, _ = fails(None, of=io, timeout=30)
    assert wait(io, error.invocation, timeout=30).body == b"output"
    assert io.elapsed < 41


def test_output_and_failure():
    """If both an output and a failure object exist, the wait returns the output."""
    assert wait(ScriptedIO(FakeS3().put(OUT).put(FAIL))).body == b"output"


def test_output_after_a_failure():
    """If an output appears after a failure object was found, but before the wait has ended, the
    wait returns the output.
    """
    io = ScriptedIO(FakeS3().put(FAIL).put(OUT, at=0.1, written=0), latency=0.1)
    assert wait(io).body == b"output"


def test_no_failure_location():
    """If the job has no failure location, only the output is polled, and the timeout error mentions
    that the endpoint has no S3FailurePath.
    """
    error, io = fails(FakeS3(), Invocation(output_location=OUT), timeout=30)
    assert {sent.request.path for sent in io.sent} == {"/out"}
    assert "no S3FailurePath" in str(error)


@pytest.mark.parametrize(
    ("invocation", "argument"),
    [
        (Invocation(output_location="https://evil.example/k"), "invocation.output_location"),
        (
            Invocation(output_location=OUT, failure_location="https://evil.example/k"),
            "invocation.failure_location",
        ),
    ],
    ids=["output elsewhere", "failure elsewhere"],
)
def test_location_on_another_host(invocation, argument):
    """If a location in an invocation is on another host, the wait raises an error before anything
    is sent.
    """
    error, io = fails(FakeS3(), invocation)
    assert (type(error), error.argument, io.sent) == (ParamValidationError, argument, [])


def test_no_output_location():
    """A wait for an invocation without an output location raises NoOutputLocationError."""
    error, io = fails(FakeS3(), Invocation(inference_id="id"))
    assert (type(error), io.sent) == (NoOutputLocationError, [])
    assert error.invocation.inference_id == "id"


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout": "600"},
        {"timeout": None},
        {"access_denied_grace": "1"},
        {"schedule": 5},
    ],
    ids=str,
)
def test_invalid_arguments(arguments):
    """An invalid argument of a wait raises an error that mentions the argument."""
    with pytest.raises(ParamValidationError) as caught:
        run(core(ScriptedIO(FakeS3())).wait(INVOCATION, **{"timeout": 1, **arguments}))
    assert caught.value.argument in arguments


def test_invalid_invocation():
    """A wait raises a ParamValidationError if the first argument is not an `Invocation`."""
    with pytest.raises(ParamValidationError, match="not str"):
        run(core(ScriptedIO(FakeS3())).wait("handle", timeout=1))


REASONS = [
    pytest.param(b"ModelError: boom", "ModelError: boom", id="text"),
    pytest.param(b"  boom\n", "boom", id="text with blanks"),
    pytest.param(b'{"message":"boom"}', "boom", id="JSON"),
    pytest.param(b'{"Message":"boom","x":1}', "boom", id="JSON, upper case"),
    pytest.param(b'{"errorMessage":"boom"}', "boom", id="JSON of Lambda"),
    pytest.param(b'{"error":"boom"}', "boom", id="JSON, error"),
    pytest.param(b'{"failureReason":"boom"}', "boom", id="JSON of the notification"),
    pytest.param(b'{"message":"","error":"boom"}', "boom", id="JSON, empty message"),
    pytest.param(b'{"error":{"a":1}}', '{"error":{"a":1}}', id="JSON of another form"),
    pytest.param(b'"boom"', "boom", id="JSON string"),
    pytest.param(b"[1]", "[1]", id="JSON list"),
    pytest.param(b"", "", id="empty"),
    pytest.param(b"\xff\x00boom", "\ufffd\x00boom", id="binary"),
    pytest.param("käse".encode("utf-16"), None, id="UTF-16"),
    pytest.param(b"x" * 10_000_000, "x" * 2000, id="huge"),
    pytest.param(json.dumps({"message": "x" * 9000}).encode(), "x" * 2000, id="huge JSON"),
    pytest.param(b"[" * 100_000, "[" * 2000, id="nested deeply"),
]


@pytest.mark.parametrize(("body", "reason"), REASONS)
def test_failure(body, reason):
    """A failure object in any format ends the wait with an error that contains the object's text."""
    error, _ = fails(FakeS3().put(FAIL, body, at=2))
    assert type(error) is InferenceFailedError
    assert (error.failure_location, error.body) == (FAIL, body)
    assert reason is None or error.reason == reason
    reason_text = error.reason or f"the failure object {FAIL} is empty"
    assert str(error) == f"inference id failed: {reason_text}"
    assert not error.retryable


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.binary())
def test_any_failure(body):
    """A failure object may contain any bytes, and the error contains the same bytes."""
    error, _ = fails(FakeS3().put(FAIL, body))
    assert error.body == body


def test_invalid_settings():
    """If a setting of the client is invalid, the wait raises a ConfigError that contains the
    invocation.
    """
    io = ScriptedIO(FakeS3())
    with pytest.raises(ConfigError) as caught:
        run(core(io, s3_endpoint_url="nonsense").wait(INVOCATION, timeout=60))
    assert caught.value.invocation is INVOCATION
