"""Tests of the correction of a wrong clock: which responses correct it, by how much, and how often."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from sagemaker_runtime_client import (
    Response,
)
from sagemaker_runtime_client._aws.retry import RetryQuota
from sigv4 import SignatureError
from tests.runtime_client.calls import ENDPOINT, OK, PLAIN, answer, call, caller, refused, succeed
from tests.runtime_client.scripted_io import (
    START,
    ScriptedIO,
    core,
    run,
)


def skewed(hours):
    """Return a function for `ScriptedIO` that acts as a service whose clock is *hours* ahead: it
    rejects requests that are not signed for the time of that clock.
    """

    def judge(_io, sent):
        try:
            sent.verify(ahead=hours * 3600)
        except SignatureError:
            date = format_datetime(sent.at + timedelta(hours=hours), usegmt=True)
            return answer(403, "InvalidSignatureException", date=date)
        return OK

    return judge


@pytest.mark.parametrize("hours", [-24, -0.1, 0.1, 8, 24])
def test_clock_is_corrected(hours):
    """If a request is rejected because this machine's clock is wrong, the Date header of the
    response corrects the clock for an immediate retry and for later calls.
    """
    io = ScriptedIO([skewed(hours)] * 3)
    client = caller(io)
    assert succeed(client).attempts == 2
    assert io.slept == []
    assert succeed(client).attempts == 1


def test_correction_is_an_offset():
    """The correction is stored as an offset, so a later request is signed for the service's time at
    the moment of sending.
    """
    io = ScriptedIO([skewed(1)] * 3)
    client = caller(io)
    run(client.send(call()))
    io.elapsed += 1000
    assert succeed(client).attempts == 1
    assert io.sent[-1].verify(ahead=3600).signed_at == START + timedelta(hours=1, seconds=1000)


@pytest.mark.parametrize("endpoint", [ENDPOINT, PLAIN], ids=["https", "http"])
@pytest.mark.parametrize("hours", [-24.1, 24.1, 24 * 365])
def test_clock_is_not_corrected_by_a_day(hours, endpoint):
    """If the Date header differs by more than a day from this machine's time, it does not correct
    the clock, because a request signed for that date could be replayed much later.
    """
    io = ScriptedIO([skewed(hours)])
    error = refused(io, endpoint=endpoint)
    assert (error.attempts, error.code) == (1, "InvalidSignatureException")
    assert "this machine's clock is" in error.__notes__[0]


def test_accepted_clock_without_tls():
    """Once a service has accepted a request of a client, a later Date header changes the clock
    correction only if TLS authenticates the response.
    """
    io = ScriptedIO([skewed(1), skewed(1), OK, skewed(2)])
    client = caller(io)
    assert succeed(client, endpoint=PLAIN).attempts == 2
    assert succeed(client, endpoint=PLAIN).attempts == 1
    assert refused(io, of=client, endpoint=PLAIN).attempts == 1
    io = ScriptedIO([OK, skewed(2), skewed(2)])
    client = caller(io)
    run(client.send(call()))
    assert succeed(client).attempts == 2


def test_clock_corrected_by_a_concurrent_call_without_tls():
    """If a concurrent call corrects the clock, and a request that was signed with the old clock is
    then rejected, the request is retried with the corrected clock.
    """

    def overtaken(io, sent):
        assert succeed(client, endpoint=PLAIN).attempts == 2
        return skewed(1)(io, sent)

    client = caller(ScriptedIO([overtaken, *[skewed(1)] * 3]))
    assert succeed(client, endpoint=PLAIN).attempts == 2


def test_success_with_an_earlier_offset_without_tls():
    """If a concurrent call changes the clock correction, the success of a request that was signed
    with the earlier correction does not confirm the new one.
    """
    lie = answer(403, "RequestTimeTooSkewed", date="Sun, 22 Nov 2026 17:00:00 GMT")

    def overtaken(_io, _sent):
        assert (
            refused(io, of=client, endpoint=PLAIN).code == "400"
        )  # this call adopts the wrong date
        return OK

    io = ScriptedIO([overtaken, lie, answer(400), skewed(0), skewed(0)])
    client = caller(io)
    assert succeed(client, endpoint=PLAIN).attempts == 1
    assert succeed(client, endpoint=PLAIN).attempts == 2


def test_clock_corrected_by_a_head_response():
    """A 403 response to a HEAD request has no error code.

    If its Date header differs from this machine's time, the clock is corrected, and the request is
    retried.
    """
    date = format_datetime(START + timedelta(hours=1), usegmt=True)
    io = ScriptedIO([Response(403, {"date": date}), Response(200, {"content-length": "4"})])
    assert run(core(io).head_object("s3://bucket/key")).size == 4
    io.sent[1].verify("s3", ahead=3600)


@pytest.mark.parametrize("minutes", [-4, 4])
def test_smallest_correction(minutes):
    """If a request is rejected, an error of four minutes in this machine's clock is enough for a
    correction, although services accept a difference of up to five minutes.
    """
    assert succeed(caller(ScriptedIO([skewed(minutes / 60)] * 2))).attempts == 2


def test_rejection_with_the_correct_clock():
    """If the clock has already been corrected, and the service rejects a signature with a date that
    agrees with the correction, the request is not retried.
    """
    date = format_datetime(START + timedelta(hours=1), usegmt=True)
    io = ScriptedIO([skewed(1)] * 2 + [answer(403, "InvalidSignatureException", date=date)])
    client = caller(io)
    run(client.send(call()))
    assert refused(io, of=client).attempts == 1


@pytest.mark.parametrize(
    "code",
    ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "SignatureDoesNotMatch"],
)
def test_codes_that_correct_the_clock(code):
    """A rejection with any of the error codes that can mean a wrong date corrects the clock."""
    date = "Sun, 22 Nov 2026 13:00:00 GMT"
    io = ScriptedIO([answer(403, code, date=date), OK])
    run(caller(io).send(call()))
    assert [s.header("x-amz-date") for s in io.sent] == ["20261122T120000Z", "20261122T130000Z"]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(
            answer(403, "InvalidSignatureException", date="Sun, 22 Nov 2026 13:00:00 GMT", age="9"),
            id="out of a cache",
        ),
        pytest.param(
            answer(403, "InvalidSignatureException", date="Sun, 22 Nov 2026 12:03:59 GMT"),
            id="a clock that is right",
        ),
        pytest.param(
            answer(403, "AccessDenied", date="Sun, 22 Nov 2026 13:00:00 GMT"), id="another code"
        ),
        pytest.param(answer(403, "InvalidSignatureException"), id="no date"),
        pytest.param(
            answer(403, "InvalidSignatureException", date="Fri, 31 Dec 9999 23:59:59 GMT"),
            id="no real date",
        ),
    ],
)
def test_clock_is_not_corrected(failure):
    """A rejection does not correct the clock if its Date header is missing, out of range, from a
    cache or close to this machine's time, or if its error code has another meaning.
    """
    assert refused(ScriptedIO([failure])).attempts == 1


def test_clock_is_not_corrected_twice():
    """During one call, the clock is corrected only once, even if a second rejection contains
    another date.
    """
    dates = ["Sun, 22 Nov 2026 13:00:00 GMT", "Sun, 22 Nov 2026 15:00:00 GMT"]
    io = ScriptedIO([answer(403, "InvalidSignatureException", date=date) for date in dates])
    assert refused(io).attempts == 2


def test_correction_counts_as_an_attempt():
    """With max_attempts=1, a rejection that corrects the clock is not followed by a retry, but
    later calls use the corrected time.
    """
    io = ScriptedIO([skewed(1)] * 2)
    client = caller(io, max_attempts=1)
    assert refused(io, of=client).attempts == 1
    assert succeed(client).attempts == 1


def test_new_generation():
    """After a fork or in a restored snapshot, the client discards its clock correction, and its
    retry quota is full again.
    """
    io = ScriptedIO([skewed(1), skewed(1), *[answer(503)] * 3, skewed(0)])
    client = caller(io)
    assert succeed(client).attempts == 2
    assert refused(io, of=client).attempts == 3
    assert client._state.quota.available < RetryQuota.CAPACITY
    io.life = 2
    assert succeed(client).attempts == 1
    assert client._state.quota.available == RetryQuota.CAPACITY
