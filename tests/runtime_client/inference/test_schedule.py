"""Tests of the polling schedule: how late an output is found, and how many requests are sent."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    InferenceFailedError,
    Invocation,
    ParamValidationError,
    poll_schedule,
)
from tests.runtime_client.inference.waits import FAIL, INVOCATION, OUT, fails, wait
from tests.runtime_client.scripted_io import (
    FakeS3,
    ScriptedIO,
)


def _late(t, **options):
    """Return the seconds between the appearance of an output at *t* and the end of the wait for
    that output.
    """
    io = ScriptedIO(FakeS3().put(OUT, at=t), **options)
    wait(io, timeout=2 * t + 60)
    return io.elapsed - t


def _allowed(t):
    return max(0.5, min(0.1 * t, 15.0))


@pytest.mark.parametrize("latency", [0.0, 0.05])
@pytest.mark.parametrize(
    "t",
    [
        *(0, 0.1, 0.39, 0.4, 0.41, 1, 2, 3, 4.2, 4.99, 5, 5.01, 7, 10, 30, 60, 100),
        *(145, 150, 151, 155, 200, 300, 600, 900, 1200, 1800, 2700, 3600),
    ],
)
def test_promptness(t, latency):
    """If an output appears t seconds after the wait began, the wait returns the output at most
    max(0.5 s, min(10 % of t, 15 s)) later.
    """
    assert 0 <= _late(t, latency=latency) <= _allowed(t)


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.floats(0, 3600))
def test_promptness_at_any_time(t):
    """For any t of at most an hour, an output that appears t seconds after the wait began is found
    within the limit of `_allowed`.
    """
    assert _late(t) <= _allowed(t)


@settings(deadline=None)  # the test must not fail on a busy machine
@given(st.floats(0, 3600))
def test_promptness_of_a_failure(t):
    """A failure object that appears in the first 4.6 seconds is found within 0.5 s.

    Later, only every second poll requests it, so it is found within 2.2 times the limit for an
    output.
    """
    io = ScriptedIO(FakeS3().put(FAIL, at=t))
    with pytest.raises(InferenceFailedError):
        wait(io, timeout=2 * t + 60)
    assert io.elapsed - t <= (0.5 if t < 4.6 else 2.2 * _allowed(t))


@pytest.mark.parametrize("invocation", [INVOCATION, Invocation(output_location=OUT)])
def test_cost(invocation):
    """A wait of 20 minutes without an output sends fewer than 200 requests."""
    _, io = fails(FakeS3(), invocation, timeout=1200)
    assert len(io.sent) < 200
    assert pytest.approx(io.elapsed) == 1200


def test_custom_schedule():
    """A custom schedule is called with the seconds since the wait began, and returns the interval
    between the starts of two consecutive polls.
    """
    asked = []

    def every_7_seconds(elapsed):
        asked.append(elapsed)
        return 7

    io = ScriptedIO(FakeS3().put(OUT, at=15), latency=1.0)
    wait(io, schedule=every_7_seconds)
    assert asked == [0, 7, 14]
    assert [s.elapsed for s in io.sent if s.request.path == "/out"] == [0, 7, 14, 21]


def test_slow_polls_leave_no_pause():
    """If a poll takes longer than the interval that the schedule returns, the next poll follows
    immediately.
    """
    io = ScriptedIO(FakeS3().put(OUT, at=5), latency=2.0)
    wait(io, schedule=lambda _elapsed: 1)
    assert set(io.slept) == {0.0}


@pytest.mark.parametrize("pause", [0, -1, math.nan, math.inf, None, "1"])
def test_invalid_schedule(pause):
    """If a schedule returns anything but a positive finite number, the wait raises
    ParamValidationError.
    """
    error, io = fails(FakeS3(), schedule=lambda _elapsed: pause)
    assert (type(error), error.argument) == (ParamValidationError, "schedule")
    assert len(io.sent) == 2


def test_schedule_as_documented():
    """The default schedule returns the intervals that its docstring states."""
    assert [pytest.approx(poll_schedule(elapsed)) for elapsed in (0, 4, 10, 150, 160, 3600)] == [
        0.4,
        0.4,
        0.95,
        14.25,
        14.5,
        14.5,
    ]


def test_schedule_that_raises():
    """If the schedule raises an exception, the wait adds a note with the invocation's JSON to the
    exception and raises it again.
    """
    with pytest.raises(ZeroDivisionError) as caught:
        wait(ScriptedIO(FakeS3()), schedule=lambda elapsed: 1 / elapsed)
    (note,) = caught.value.__notes__
    assert (
        Invocation.from_json(
            note.removeprefix("the job is queued; to wait for it again, use the handle ")
        )
        == INVOCATION
    )
