"""Tests of polling during an S3 outage and with a wrong clock, and of the effect of failed polls on
other calls.
"""

import pytest

from sagemaker_runtime_client import WaitTimeoutError
from tests.runtime_client.inference.waits import INVOCATION, OUT
from tests.runtime_client.scripted_io import (
    NO_SUCH_KEY,
    FakeS3,
    ScriptedIO,
    accepted,
    core,
    dropped,
    run,
    s3_error,
)

SLOW_DOWN = s3_error(503, "SlowDown")
failures = pytest.mark.parametrize("failure", [SLOW_DOWN, dropped()], ids=["503", "dropped"])


@failures
def test_a_failed_poll_is_not_retried(failure):
    """During an S3 outage, a wait sends its requests at the same times as without an outage."""
    requests = {}
    for answer in (NO_SUCH_KEY, failure):
        io = ScriptedIO(FakeS3().respond(answer))
        with pytest.raises(WaitTimeoutError):
            run(core(io).wait(INVOCATION, timeout=60, schedule=lambda _: 1.0))
        requests[answer] = [sent.elapsed for sent in io.sent if sent.elapsed < 60]
    assert requests[NO_SUCH_KEY] == requests[failure]


@failures
def test_polls_do_not_use_the_quota(failure):
    """Failed polls do not use up the retry quota, so other calls of the same client can still be
    retried.
    """
    io = ScriptedIO(FakeS3().respond(failure, until=7200).put(OUT, at=0, written=7200))
    client = core(io)
    assert run(client.wait(INVOCATION, timeout=9000)).body == b"output"
    for _ in range(3):
        answers = iter([s3_error(500, "InternalError"), SLOW_DOWN, accepted(b"")])
        io._answers = lambda *_, answers=answers: next(answers)
        run(client.put_object("s3://bucket/key", b"body"))


@pytest.mark.parametrize("fails_for", [0.3, 0.7])
def test_the_final_poll_is_repeated(fails_for):
    """If the final poll fails with a transient error, it is repeated within the one second that the
    final poll may take.
    """
    io = ScriptedIO(FakeS3().respond(SLOW_DOWN, until=fails_for).put(OUT, written=0))
    assert run(core(io).wait(INVOCATION, timeout=0)).body == b"output"
    assert io.elapsed <= 1.0


def test_the_final_poll_is_repeated_only_a_few_times():
    """During an S3 outage, the final poll takes at most one second and sends at most eight
    requests.
    """
    io = ScriptedIO(FakeS3().respond(SLOW_DOWN))
    with pytest.raises(WaitTimeoutError, match="last polling error"):
        run(core(io).wait(INVOCATION, timeout=0))
    assert io.elapsed <= 1.0
    assert len(io.sent) <= 2 * 4


def test_a_wrong_clock_is_corrected_in_a_poll():
    """If a poll is rejected because this machine's clock is wrong, the clock is corrected, and the
    poll is repeated immediately.
    """
    late = s3_error(
        403, "RequestTimeTooSkewed", headers=[("date", "Sun, 22 Nov 2026 12:00:00 GMT")]
    )
    answers = iter([late])
    s3 = FakeS3().put(OUT, written=0)
    io = ScriptedIO(lambda io, sent: next(answers, None) or s3(io, sent), clock_error=-3600)
    assert run(core(io).wait(INVOCATION, timeout=0)).body == b"output"
    assert [sent.elapsed for sent in io.sent] == [0.0, 0.0]
