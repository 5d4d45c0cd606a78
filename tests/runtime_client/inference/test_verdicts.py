"""Tests of how polls are classified (missing, denied, stale, transient or final), and of how a wait
reacts to each class.
"""

from datetime import timedelta

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    CredentialProviderError,
    CredentialsError,
    Invocation,
    ObjectNotFoundError,
    Response,
    ServiceError,
    ServiceUnavailableError,
    TransportError,
    WaitTimeoutError,
)
from sigv4 import Credentials
from tests.runtime_client.inference.waits import FAIL, INVOCATION, OUT, UNAVAILABLE, fails, wait
from tests.runtime_client.scripted_io import (
    ACCESS_DENIED,
    CREDENTIALS,
    START,
    FakeS3,
    ScriptedIO,
    core,
    dropped,
    hang,
    run,
    s3_error,
)


@pytest.mark.parametrize(
    ("written", "stale"), [(-3600, True), (-3, True), (-2, False), (0, False), (1, False)]
)
@pytest.mark.parametrize("location", [OUT, FAIL])
def test_stale(location, written, stale):
    """An output or failure object that is more than two seconds older than the job is ignored."""
    s3 = FakeS3().put(location, b"old", written=written)
    s3.put(OUT, b"new", at=30)
    if stale:
        assert wait(ScriptedIO(s3)).body == b"new"
    elif location == OUT:
        assert wait(ScriptedIO(s3)).body == b"old"
    else:
        assert fails(s3)[0].body == b"old"


def test_stale_until_the_timeout():
    """If the object at the output location is still older than the job when the timeout elapses,
    the error mentions the object's age.
    """
    error, _ = fails(FakeS3().put(OUT, written=-60), timeout=10)
    assert "older than the job" in str(error)


@pytest.mark.parametrize("date", [None, START])
def test_unknown_age(date):
    """If the date of the job or of the object is unknown, the wait returns the object as the
    output.
    """
    s3 = FakeS3().put(OUT, written=-3600)
    if date is not None:
        s3 = FakeS3().respond(Response(200, (), b"output"))
    invocation = Invocation(output_location=OUT, date=date)
    assert wait(ScriptedIO(s3), invocation).body == b"output"


# ---- 403 responses


def test_403_does_not_end_a_wait():
    """Without the permission s3:ListBucket, S3 responds with 403 while there is no output, and the
    wait continues until the output appears.
    """
    assert wait(ScriptedIO(FakeS3(listing=False).put(OUT, at=90))).body == b"output"


def test_403_until_the_timeout():
    """If S3 has responded to all polls with 403, the timeout error lists the permissions that may
    be missing.
    """
    error, _ = fails(FakeS3(listing=False), timeout=60)
    assert (type(error), error.access_denied_only) == (WaitTimeoutError, True)
    assert "s3:GetObject" in str(error)
    assert "kms:Decrypt" in str(error)
    assert "s3:ListBucket" in str(error)


@pytest.mark.parametrize("first", [True, False])
def test_403_and_404(first):
    """If S3 responds with 403 for either the output or the failure object, and with 404 for the
    other, the timeout error mentions which object was denied.
    """
    s3 = FakeS3().respond(ACCESS_DENIED, location=OUT if first else FAIL)
    error, _ = fails(s3, timeout=60)
    assert error.access_denied_only is first
    assert ("S3 denied every poll of the output (403)" in str(error)) is first
    assert ("S3 denied the last polls of the failure object (403)" in str(error)) is not first


def test_404_and_then_403():
    """If 404s turn into 403s, the timeout error mentions the 403s, and the grace period starts at
    the first 403.
    """
    s3 = FakeS3().respond(ACCESS_DENIED, since=10, location=OUT)
    error, _ = fails(s3, timeout=60)
    assert not error.access_denied_only
    assert "S3 denied the last polls of the output (403)" in str(error)
    error, io = fails(s3, timeout=60, access_denied_grace=20)
    assert type(error) is AccessDeniedError
    assert 30 <= io.elapsed <= 34


def test_403_and_then_404():
    """If S3 responds with 404 before the grace period for 403s has elapsed, the wait continues."""
    s3 = FakeS3().respond(ACCESS_DENIED, until=15, location=OUT).put(OUT, at=40)
    assert wait(ScriptedIO(s3), access_denied_grace=20).body == b"output"


def test_if_modified_since():
    """A poll sends If-Modified-Since, so that S3 does not return a stale object.

    A 304 response means that the object is stale.
    """
    io = ScriptedIO(FakeS3().respond(Response(304, ()), location=OUT))
    error, _ = fails(None, of=io, timeout=60)
    assert {sent.header("if-modified-since") for sent in io.sent} == {
        "Sun, 22 Nov 2026 11:59:57 GMT"
    }
    assert "the object at the output location is older than the job" in str(error)


@pytest.mark.parametrize("changes", [{"date": None}, {"unique_output_name": True}], ids=str)
def test_unique_output_name(changes):
    """If the output's name is unique or the job's date is unknown, a poll sends no
    If-Modified-Since header, and the wait returns an object of any age.
    """
    io = ScriptedIO(FakeS3().put(OUT, written=-3600))
    assert wait(io, INVOCATION.replace(**changes)).body == b"output"
    assert io.sent[0].header("if-modified-since") is None


def test_access_denied_grace():
    """If access_denied_grace is set, and a wait receives only 403s for that many seconds, the wait
    raises an AccessDeniedError.
    """
    error, io = fails(FakeS3(listing=False), access_denied_grace=20)
    assert (type(error), error.code) == (AccessDeniedError, "AccessDenied")
    assert 20 <= io.elapsed <= 22
    error, io = fails(FakeS3(listing=False), access_denied_grace=0)
    assert (type(error), io.elapsed) == (AccessDeniedError, 0)


def test_access_denied_grace_without_effect():
    """The grace period has no effect if an output appears before the period has elapsed, or if S3
    responds with 404.
    """
    io = ScriptedIO(FakeS3(listing=False).put(OUT, at=10))
    assert wait(io, access_denied_grace=20).body == b"output"
    error, _ = fails(FakeS3(), timeout=60, access_denied_grace=20)
    assert type(error) is WaitTimeoutError


def test_bare_403():
    """A 403 response without a body, such as one from a proxy, does not end the wait."""
    s3 = FakeS3().respond(Response(403, ()), until=10).put(OUT)
    assert wait(ScriptedIO(s3)).body == b"output"


KMS = "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource"
ENDS = [
    (s3_error(404, "NoSuchBucket"), ObjectNotFoundError, "NoSuchBucket"),
    (s3_error(403, "AccessDenied", KMS), AccessDeniedError, "AccessDenied"),
    (s3_error(403, "InvalidAccessKeyId"), AccessDeniedError, "InvalidAccessKeyId"),
    (s3_error(403, "SignatureDoesNotMatch"), AccessDeniedError, "SignatureDoesNotMatch"),
    (s3_error(400, "ExpiredToken"), AccessDeniedError, "ExpiredToken"),
    (s3_error(401, "AccessDenied"), AccessDeniedError, "AccessDenied"),
    (s3_error(403, "AccountProblem"), AccessDeniedError, "AccountProblem"),
    (s3_error(403, "InvalidObjectState"), AccessDeniedError, "InvalidObjectState"),
    (s3_error(400, "KMS.DisabledException"), ServiceError, "KMS.DisabledException"),
    (s3_error(400, "InvalidRequest"), ServiceError, "InvalidRequest"),
    (Response(301, ()), ServiceError, "301"),
    (dropped("InvalidURL", retryable=False), TransportError, None),
]


@pytest.mark.parametrize(
    ("answer", "kind", "code"), ENDS, ids=lambda value: getattr(value, "status", value)
)
@pytest.mark.parametrize("location", [OUT, FAIL])
def test_permanent_errors(location, answer, kind, code):
    """A permanent error in response to a poll ends the wait immediately."""
    error, io = fails(FakeS3().respond(answer, location=location))
    assert (type(error), error.code, io.elapsed) == (kind, code, 0)


@pytest.mark.parametrize(
    "answer",
    [
        UNAVAILABLE,
        s3_error(500, "InternalError"),
        s3_error(503, "SlowDown"),
        s3_error(400, "RequestTimeout"),
        Response(502, ()),
        dropped(),
        dropped("ConnectError", accepted=False),
        hang,
        Response(200, (), b"out", complete=False),
    ],
    ids=[
        *("503", "500", "SlowDown", "RequestTimeout", "502"),
        *("dropped", "no connection", "hanging", "broken off"),
    ],
)
def test_outage_does_not_end_a_wait(answer):
    """If S3 or the network fails for an hour, the wait continues and then returns the output."""
    s3 = FakeS3().respond(answer, since=1, until=3601).put(OUT, at=30, written=30)
    io = ScriptedIO(s3)
    assert wait(io, timeout=7200).body == b"output"
    assert 3601 <= io.elapsed < 3700


def test_outage_until_the_timeout():
    """If an outage lasts until the timeout, the last transient error is the cause of the timeout
    error.
    """
    error, _ = fails(FakeS3().respond(UNAVAILABLE), timeout=60)
    assert isinstance(error.__cause__, ServiceUnavailableError)


def test_expired_credentials():
    """If the credentials expire, the wait ends with an error that contains the invocation, so that
    the caller can wait for the job again.
    """
    short = Credentials("AKID", "canary-secret", "token", START + timedelta(seconds=30))
    io = ScriptedIO(FakeS3())
    with pytest.raises(CredentialsError) as caught:
        run(core(io, short).wait(INVOCATION, timeout=60))
    assert caught.value.invocation is INVOCATION


def test_outage_is_named():
    """If all polls failed, the timeout error contains the message of the failure, and does not
    mention the endpoint as a possible cause.
    """
    s3 = FakeS3()
    s3.respond(s3_error(503, "SlowDown", "Reduce your rate"))
    error, _ = fails(s3, timeout=5)
    assert "Reduce your rate" in str(error)
    assert "scaling up" not in str(error)


def test_transient_failure_of_the_provider():
    """A retryable error of the credentials provider does not end a wait, but an error that is not
    retryable does.
    """

    def flaky():
        if io.elapsed < 10:
            raise credentials_error
        return CREDENTIALS

    io = ScriptedIO(FakeS3().put(OUT))
    credentials_error = CredentialProviderError("down", provider="vault")
    credentials_error.retryable = True
    assert run(core(io, flaky).wait(INVOCATION, timeout=60)).body == b"output"
    error, _ = fails(None, of=(io := ScriptedIO(FakeS3())), timeout=5, credentials=flaky)
    assert "last polling error: down" in str(error)
    credentials_error.retryable = False
    error, _ = fails(None, of=(io := ScriptedIO(FakeS3())), timeout=5, credentials=flaky)
    assert error is credentials_error


@pytest.mark.parametrize("raised", [ConnectionResetError, TimeoutError, ZeroDivisionError])
def test_credentials_function_that_fails_once(raised):
    """If a credentials function raises a connection error or a TimeoutError, the wait continues;
    any other exception ends it.
    """
    failures = [raised("down")]

    def flaky():
        if failures:
            raise failures.pop()
        return CREDENTIALS

    io = ScriptedIO(FakeS3().put(OUT))
    if raised is ZeroDivisionError:
        error, _ = fails(None, of=io, credentials=flaky)
        assert "ZeroDivisionError" in str(error)
    else:
        assert wait(io, credentials=flaky).body == b"output"


def test_wrong_region():
    """If the output is in another region, only the first request of the wait is redirected; later
    requests are sent to the right region.
    """
    away = Response(301, {"x-amz-bucket-region": "eu-north-1"})

    def s3(io, sent):
        home = ".eu-north-1." in sent.origin
        return FakeS3().put(OUT, at=10)(io, sent) if home else away

    io = ScriptedIO(s3)
    assert wait(io).body == b"output"
    assert sum(".eu-west-1." in sent.origin for sent in io.sent) == 1
