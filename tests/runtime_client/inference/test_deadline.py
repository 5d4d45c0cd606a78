"""Tests of the end of a wait: its deadline and its final poll."""

import math

import pytest

from sagemaker_runtime_client import (
    InferenceFailedError,
    ParamValidationError,
    Response,
    WaitTimeoutError,
)
from tests.runtime_client.inference.waits import FAIL, OUT, UNAVAILABLE, fails, wait
from tests.runtime_client.scripted_io import (
    ACCESS_DENIED,
    CREDENTIALS,
    FakeS3,
    ScriptedIO,
    dropped,
    hang,
    s3_error,
)


@pytest.mark.parametrize("timeout", [0, 0.1, 1, 59, 60.5, 61, 300, 1200])
@pytest.mark.parametrize(
    ("failure", "latency"),
    [
        (None, 0.0),
        (None, 0.3),
        (ACCESS_DENIED, 0.01),
        (UNAVAILABLE, 0.01),
        (s3_error(503, "SlowDown"), 0.01),
        (dropped(), 0.01),
        (hang, 0.0),
    ],
    ids=["404", "404, slowly", "403", "503", "SlowDown", "dropped", "hanging"],
)
def test_ends_at_its_deadline(failure, latency, timeout):
    """If no output appears, a wait ends at its deadline plus at most one second for the final poll,
    whether S3 responds with an error, is slow, or does not respond.
    """
    s3 = FakeS3() if failure is None else FakeS3().respond(failure)
    error, io = fails(s3, of=ScriptedIO(s3, latency=latency), timeout=timeout)
    assert type(error) is WaitTimeoutError
    assert timeout <= io.elapsed + 1e-6
    assert io.elapsed <= timeout + 1.01


def test_polls_at_the_deadline():
    """The final poll of a wait finds an output or a failure object that appears just before the
    deadline.
    """
    io = ScriptedIO(FakeS3().put(OUT, at=99.9))
    assert wait(io, timeout=100).body == b"output"
    io = ScriptedIO(FakeS3().put(FAIL, at=99.9))
    with pytest.raises(InferenceFailedError):
        wait(io, timeout=100)


def test_final_poll_has_its_time():
    """The final poll starts at the deadline and may take one second, so it finds an output even if
    S3 is slow.
    """
    io = ScriptedIO(FakeS3().put(OUT, at=99.9), latency=0.9)
    assert wait(io, timeout=100).body == b"output"


@pytest.mark.parametrize("timeout", [-1, math.nan, math.inf, -math.inf])
def test_invalid_timeout(timeout):
    """A wait rejects a timeout that is negative or not finite, before anything is sent."""
    error, io = fails(FakeS3(), timeout=timeout)
    assert (type(error), error.argument, io.sent) == (ParamValidationError, "timeout", [])


def test_timeout():
    """The timeout error contains the invocation, mentions probable causes, and is retryable."""
    error, _ = fails(FakeS3(), timeout=30)
    assert str(error) == (
        "inference id: no output at s3://bucket/out after 30 s; the endpoint may still be scaling "
        "up from zero instances, or its queue may be long"
    )
    assert error.retryable
    assert not error.access_denied_only
    assert error.__cause__ is None


@pytest.mark.parametrize("timeout", [0, 2])
def test_slow_output(timeout):
    """If S3 has started to send an output when the wait's deadline passes, the wait still reads the
    output completely, provided that this takes at most a minute.
    """

    def slow(io, sent):
        left = sent.deadline - io.monotonic()
        io.elapsed += min(left, 50.0)
        headers = {"last-modified": "Sun, 22 Nov 2026 12:00:00 GMT"}
        return Response(200, headers, b"whole" if left > 50 else b"wh", complete=left > 50)

    io = ScriptedIO(FakeS3().respond(slow, location=OUT))
    assert wait(io, timeout=timeout).body == b"whole"


def test_output_that_is_never_complete():
    """If an output never arrives completely, the wait ends about a minute after its deadline with
    an error that mentions the incomplete response.
    """

    def endless(io, sent):
        io.elapsed = max(io.elapsed, sent.deadline - 1000.0)
        return Response(200, {}, b"wh", complete=False)

    error, io = fails(FakeS3().respond(endless, location=OUT), timeout=2)
    assert type(error) is WaitTimeoutError
    assert "the response ended before it was complete" in str(error)
    assert io.elapsed < 70


@pytest.mark.parametrize("timeout", [0, 1])
@pytest.mark.parametrize("is_cached", [True, False])
def test_slow_credentials(timeout, is_cached):
    """The final poll may take one second, which starts only after the credentials have been
    fetched.
    """
    requested = []

    def slow():
        if not (requested and is_cached):
            io.elapsed += 5
        requested.append(True)
        return CREDENTIALS

    io = ScriptedIO(FakeS3().put(OUT), latency=0.9)
    assert wait(io, timeout=timeout, credentials=slow).body == b"output"


def test_slow_loading():
    """The final poll may take one second, which starts only after the transport has been loaded."""
    io = ScriptedIO(FakeS3().put(OUT), latency=0.9)
    loaded = []

    async def prepare(origin):
        loaded.append(origin)
        io.elapsed += 5

    io.prepare = prepare
    assert wait(io, timeout=0).body == b"output"
    assert loaded == [io.sent[0].origin]


def test_the_final_poll_is_short():
    """All requests of the final poll together take at most one second."""
    error, io = fails(FakeS3(), timeout=0, of=ScriptedIO(FakeS3(), latency=0.6))
    assert type(error) is WaitTimeoutError
    assert 0.99 <= io.elapsed <= 1.01
