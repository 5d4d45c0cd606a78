"""Wait for the output or the failure, on a clock that costs no time."""

import json
import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import (
    AccessDeniedError,
    ConfigError,
    CredentialProviderError,
    CredentialsError,
    InferenceFailedError,
    Invocation,
    NoOutputLocationError,
    ObjectNotFoundError,
    Output,
    ParamValidationError,
    Response,
    RuntimeClientError,
    ServiceError,
    ServiceUnavailableError,
    TransportError,
    WaitTimeoutError,
    poll_schedule,
)
from sigv4 import Credentials
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

OUT, FAIL = "s3://bucket/out", "s3://bucket/fail"
INVOCATION = Invocation(
    inference_id="id",
    output_location=OUT,
    failure_location=FAIL,
    date=START,
    attempts=2,
)
UNAVAILABLE = s3_error(503, "ServiceUnavailable")


def wait(io, invocation=INVOCATION, *, timeout=600.0, credentials=CREDENTIALS, **arguments):
    """Wait, and return the output or raise."""
    return run(core(io, credentials).wait(invocation, timeout=timeout, **arguments))


def fails(s3, invocation=INVOCATION, *, of=None, **arguments):
    """Wait in vain; return the error and the outside world."""
    io = of or ScriptedIO(s3)
    with pytest.raises(RuntimeClientError) as caught:
        wait(io, invocation, **arguments)
    assert invocation is caught.value.invocation
    return caught.value, io


def test_output():
    """The output object becomes an output."""
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
    assert expected == output
    assert 1 == len({expected, output})
    assert {"a": 1} == output.json()
    assert '{"a":1}' == output.text
    assert '"a"' not in repr(output)


# ---- the schedule


def _late(t, **options):
    """Return how long after *t* an output that appears then is returned."""
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
    """A result that appears at t is returned by t + max(0.5 s, min(10 % of t, 15 s))."""
    assert 0 <= _late(t, latency=latency) <= _allowed(t)


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(0, 3600))
def test_promptness_at_any_time(t):
    """The same for any t up to an hour."""
    assert _late(t) <= _allowed(t)


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(0, 3600))
def test_promptness_of_a_failure(t):
    """A failure is looked for as often at first, then at every second look."""
    io = ScriptedIO(FakeS3().put(FAIL, at=t))
    with pytest.raises(InferenceFailedError):
        wait(io, timeout=2 * t + 60)
    assert io.elapsed - t <= (0.5 if t < 4.6 else 2.2 * _allowed(t))


@pytest.mark.parametrize("invocation", [INVOCATION, Invocation(output_location=OUT)])
def test_cost(invocation):
    """A wait of 20 minutes costs under 200 requests."""
    _, io = fails(FakeS3(), invocation, timeout=1200)
    assert len(io.sent) < 200
    assert 1200 == pytest.approx(io.elapsed)


def test_ones_own_schedule():
    """The schedule is an argument: it takes the seconds waited, and gives those to pause."""
    asked = []

    def every_7_seconds(elapsed):
        asked.append(elapsed)
        return 7

    io = ScriptedIO(FakeS3().put(OUT, at=15), latency=1.0)
    wait(io, schedule=every_7_seconds)
    assert [0, 7, 14] == asked
    assert [0, 7, 14, 21] == [s.elapsed for s in io.sent if s.request.path == "/out"]


def test_slow_looks_leave_no_pause():
    """Where a look takes longer than the pause, the next one follows at once."""
    io = ScriptedIO(FakeS3().put(OUT, at=5), latency=2.0)
    wait(io, schedule=lambda _elapsed: 1)
    assert {0.0} == set(io.slept)


@pytest.mark.parametrize("pause", [0, -1, math.nan, math.inf, None, "1"])
def test_schedule_that_is_none(pause):
    """A schedule that would stop the wait or spin is refused."""
    error, io = fails(FakeS3(), schedule=lambda _elapsed: pause)
    assert (ParamValidationError, "schedule") == (type(error), error.argument)
    assert 2 == len(io.sent)


def test_schedule_in_words():
    """As its documentation says."""
    assert [0.4, 0.4, 0.95, 14.25, 14.5, 14.5] == [
        pytest.approx(poll_schedule(elapsed)) for elapsed in (0, 4, 10, 150, 160, 3600)
    ]


# ---- the deadline


@pytest.mark.parametrize("timeout", [0, 0.1, 1, 59, 60.5, 61, 300, 1200])
@pytest.mark.parametrize(
    ("trouble", "latency"),
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
def test_ends_at_its_deadline(trouble, latency, timeout):
    """Whatever S3 does, a wait ends at its deadline, and no later than a last look takes."""
    s3 = FakeS3() if trouble is None else FakeS3().trouble(trouble)
    error, io = fails(s3, of=ScriptedIO(s3, latency=latency), timeout=timeout)
    assert WaitTimeoutError is type(error)
    assert timeout <= io.elapsed + 1e-6
    assert io.elapsed <= timeout + 1.01


def test_looks_at_the_deadline():
    """An answer that came just before the deadline is seen at the deadline."""
    io = ScriptedIO(FakeS3().put(OUT, at=99.9))
    assert b"output" == wait(io, timeout=100).body
    io = ScriptedIO(FakeS3().put(FAIL, at=99.9))
    with pytest.raises(InferenceFailedError):
        wait(io, timeout=100)


def test_last_look_has_its_time():
    """The look at the deadline is not cut off: it has a second."""
    io = ScriptedIO(FakeS3().put(OUT, at=99.9), latency=0.9)
    assert b"output" == wait(io, timeout=100).body


@pytest.mark.parametrize("timeout", [-1, math.nan, math.inf, -math.inf])
def test_timeout_that_is_none(timeout):
    """A wait has an end."""
    error, io = fails(FakeS3(), timeout=timeout)
    assert (ParamValidationError, "timeout", []) == (type(error), error.argument, io.sent)


def test_timeout():
    """The error of a wait in vain says what there is to know, and carries the invocation."""
    error, _ = fails(FakeS3(), timeout=30)
    assert (
        "no answer to inference id after 30 s; the endpoint may be scaling up from no instances, "
        "or its queue be long"
    ) == str(error)
    assert error.retryable
    assert not error.access_denied_only
    assert error.__cause__ is None


def test_wait_again():
    """With the error's invocation one waits again."""
    io = ScriptedIO(FakeS3().put(OUT, at=40))
    error, _ = fails(None, of=io, timeout=30)
    assert b"output" == wait(io, error.invocation, timeout=30).body
    assert io.elapsed < 41


# ---- output and failure


def test_output_wins():
    """Where both are there the output wins."""
    assert b"output" == wait(ScriptedIO(FakeS3().put(OUT).put(FAIL))).body


def test_output_wins_if_it_comes_in_between():
    """Even if the failure was seen first."""
    io = ScriptedIO(FakeS3().put(FAIL).put(OUT, at=0.1, written=0), latency=0.1)
    assert b"output" == wait(io).body


def test_no_failure_location():
    """Without a failure path only the output is looked for, and the timeout says what that means."""
    error, io = fails(FakeS3(), Invocation(output_location=OUT), timeout=30)
    assert {"/out"} == {sent.request.path for sent in io.sent}
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
def test_nowhere_to_look(invocation, argument):
    """An invocation with another host's location cannot be waited for."""
    error, io = fails(FakeS3(), invocation)
    assert (ParamValidationError, argument, []) == (type(error), error.argument, io.sent)


def test_no_output_location():
    """Where the service did not say where the output will be, nobody can wait for it."""
    error, io = fails(FakeS3(), Invocation(inference_id="id"))
    assert (NoOutputLocationError, []) == (type(error), io.sent)
    assert "id" == error.invocation.inference_id


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
def test_arguments_that_nobody_can_wait_with(arguments):
    """What is wrong with an argument of the wait is an error that names it."""
    with pytest.raises(ParamValidationError) as caught:
        run(core(ScriptedIO(FakeS3())).wait(INVOCATION, **{"timeout": 1, **arguments}))
    assert caught.value.argument in arguments


def test_no_invocation():
    """Only a handle can be waited for."""
    with pytest.raises(ParamValidationError, match="not str"):
        run(core(ScriptedIO(FakeS3())).wait("handle", timeout=1))


def test_trouble_is_named():
    """A wait that saw only trouble says so, and does not guess about the endpoint."""
    cloud = FakeS3()
    cloud.trouble(s3_error(503, "SlowDown", "Reduce your rate"))
    error, _ = fails(cloud, timeout=5)
    assert "Reduce your rate" in str(error)
    assert "scaling up" not in str(error)


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
    """A failure object is an error with its text, whatever its form."""
    error, _ = fails(FakeS3().put(FAIL, body, at=2))
    assert InferenceFailedError is type(error)
    assert (FAIL, body) == (error.failure_location, error.body)
    assert reason is None or reason == error.reason
    says = error.reason or "the failure object is empty"
    assert f"inference id failed: {says}" == str(error)
    assert not error.retryable


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary())
def test_any_failure(body):
    """Arbitrary bytes are a failure."""
    error, _ = fails(FakeS3().put(FAIL, body))
    assert body == error.body


# ---- stale objects


@pytest.mark.parametrize(
    ("written", "stale"), [(-3600, True), (-3, True), (-2, False), (0, False), (1, False)]
)
@pytest.mark.parametrize("location", [OUT, FAIL])
def test_stale(location, written, stale):
    """An object older than the job, less two seconds for clocks, is no answer."""
    s3 = FakeS3().put(location, b"old", written=written)
    s3.put(OUT, b"new", at=30)
    if stale:
        assert b"new" == wait(ScriptedIO(s3)).body
    elif location == OUT:
        assert b"old" == wait(ScriptedIO(s3)).body
    else:
        assert b"old" == fails(s3)[0].body


def test_stale_to_the_end():
    """The timeout says that an older object is there."""
    error, _ = fails(FakeS3().put(OUT, written=-60), timeout=10)
    assert "older than the job" in str(error)


@pytest.mark.parametrize("date", [None, START])
def test_age_that_is_not_known(date):
    """Without the job's date, or the object's, whatever is there is the answer."""
    s3 = FakeS3().put(OUT, written=-3600)
    if date is not None:
        s3 = FakeS3().trouble(Response(200, (), b"output"))
    invocation = Invocation(output_location=OUT, date=date)
    assert b"output" == wait(ScriptedIO(s3), invocation).body


# ---- refusals


def test_403_is_waited_through():
    """Without s3:ListBucket a missing key is 403, and the output comes all the same."""
    assert b"output" == wait(ScriptedIO(FakeS3(listing=False).put(OUT, at=90))).body


def test_403_to_the_end():
    """If there was nothing but 403, the timeout says so, and names both permissions."""
    error, _ = fails(FakeS3(listing=False), timeout=60)
    assert (WaitTimeoutError, True) == (type(error), error.access_denied_only)
    assert "s3:GetObject" in str(error)
    assert "kms:Decrypt" in str(error)
    assert "s3:ListBucket" in str(error)


@pytest.mark.parametrize("first", [True, False])
def test_403_and_404(first):
    """A 404 for one of the objects does not hide the 403s for the other."""
    s3 = FakeS3().trouble(ACCESS_DENIED, location=OUT if first else FAIL)
    error, _ = fails(s3, timeout=60)
    assert first is error.access_denied_only
    assert ("403 each time: s3:GetObject is needed to read the output" in str(error)) is first
    assert ("403 for the failure object: without s3:GetObject" in str(error)) is not first


def test_404_and_then_403():
    """An object that appears and may not be read is told, and ends the wait after a grace of its own."""
    s3 = FakeS3().trouble(ACCESS_DENIED, since=10, location=OUT)
    error, _ = fails(s3, timeout=60)
    assert not error.access_denied_only
    assert "403 in the end: s3:GetObject is needed to read the output" in str(error)
    error, io = fails(s3, timeout=60, access_denied_grace=20)
    assert AccessDeniedError is type(error)
    assert 30 <= io.elapsed <= 34


def test_403_and_then_404():
    """A 404 begins the grace anew."""
    s3 = FakeS3().trouble(ACCESS_DENIED, until=15, location=OUT).put(OUT, at=40)
    assert b"output" == wait(ScriptedIO(s3), access_denied_grace=20).body


def test_only_what_is_new_is_asked_for():
    """S3 is told from when on an object counts, and need not send an older one."""
    io = ScriptedIO(FakeS3().trouble(Response(304, ()), location=OUT))
    error, _ = fails(None, of=io, timeout=60)
    assert {"Sun, 22 Nov 2026 11:59:57 GMT"} == {
        sent.header("if-modified-since") for sent in io.sent
    }
    assert "at the output's location is an object that is older than the job" in str(error)


@pytest.mark.parametrize("changes", [{"date": None}, {"has_new_name": True}], ids=str)
def test_nothing_older_can_be_there(changes):
    """Under a name that is new for certain, or without a date, any object is the answer."""
    io = ScriptedIO(FakeS3().put(OUT, written=-3600))
    assert b"output" == wait(io, INVOCATION.replace(**changes)).body
    assert None is io.sent[0].header("if-modified-since")


@pytest.mark.parametrize("timeout", [0, 2])
def test_output_that_takes_longer_than_the_wait(timeout):
    """An output that is there at the end is read whole, if that takes no more than a minute."""

    def slow(io, sent):
        left = sent.deadline - io.monotonic()
        io.elapsed += min(left, 50.0)
        headers = {"last-modified": "Sun, 22 Nov 2026 12:00:00 GMT"}
        return Response(200, headers, b"whole" if left > 50 else b"wh", complete=left > 50)

    io = ScriptedIO(FakeS3().trouble(slow, location=OUT))
    assert b"whole" == wait(io, timeout=timeout).body


def test_output_that_takes_too_long():
    """An output that never comes whole ends the wait all the same."""

    def endless(io, sent):
        io.elapsed = max(io.elapsed, sent.deadline - 1000.0)
        return Response(200, {}, b"wh", complete=False)

    error, io = fails(FakeS3().trouble(endless, location=OUT), timeout=2)
    assert WaitTimeoutError is type(error)
    assert "the answer broke off" in str(error)
    assert io.elapsed < 70


def test_credentials_that_fail_for_a_while():
    """A source of credentials that fails for a while is waited through, as S3 is."""

    def flaky():
        if io.elapsed < 10:
            raise credentials_error
        return CREDENTIALS

    io = ScriptedIO(FakeS3().put(OUT))
    credentials_error = CredentialProviderError("down", provider="vault")
    credentials_error.retryable = True
    assert b"output" == run(core(io, flaky).wait(INVOCATION, timeout=60)).body
    error, _ = fails(None, of=(io := ScriptedIO(FakeS3())), timeout=5, credentials=flaky)
    assert "not every poll succeeded: down" in str(error)
    credentials_error.retryable = False
    error, _ = fails(None, of=(io := ScriptedIO(FakeS3())), timeout=5, credentials=flaky)
    assert error is credentials_error


@pytest.mark.parametrize("raised", [ConnectionResetError, TimeoutError, ZeroDivisionError])
def test_function_for_credentials_that_fails_once(raised):
    """A function that could not reach its source is asked again; one that is wrong ends the wait."""
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
        assert b"output" == wait(io, credentials=flaky).body


@pytest.mark.parametrize("timeout", [0, 1])
@pytest.mark.parametrize("kept", [True, False])
def test_credentials_that_take_longer_than_the_wait(timeout, kept):
    """The last look has its time, however long it took to have credentials for it, each time even."""
    taken = []

    def slow():
        if not (taken and kept):
            io.elapsed += 5
        taken.append(True)
        return CREDENTIALS

    io = ScriptedIO(FakeS3().put(OUT), latency=0.9)
    assert b"output" == wait(io, timeout=timeout, credentials=slow).body


def test_loading_that_takes_longer_than_the_wait():
    """Nor does the last look pay for what has to be loaded before anything can be sent."""
    io = ScriptedIO(FakeS3().put(OUT), latency=0.9)
    loaded = []

    async def prepare(origin):
        loaded.append(origin)
        io.elapsed += 5

    io.prepare = prepare
    assert b"output" == wait(io, timeout=0).body
    assert [io.sent[0].origin] == loaded


def test_the_last_look_is_short():
    """All that is asked in it shares a second."""
    error, io = fails(FakeS3(), timeout=0, of=ScriptedIO(FakeS3(), latency=0.6))
    assert WaitTimeoutError is type(error)
    assert 0.99 <= io.elapsed <= 1.01


def test_schedule_that_raises():
    """What the caller's schedule raises is the caller's, with the handle as a note."""
    with pytest.raises(ZeroDivisionError) as caught:
        wait(ScriptedIO(FakeS3()), schedule=lambda elapsed: 1 / elapsed)
    (note,) = caught.value.__notes__
    assert INVOCATION == Invocation.from_json(note.removeprefix("the job goes on; its handle is "))


def test_access_denied_grace():
    """With a grace, 403s alone end the wait once it is over, with the refusal itself."""
    error, io = fails(FakeS3(listing=False), access_denied_grace=20)
    assert (AccessDeniedError, "AccessDenied") == (type(error), error.code)
    assert 20 <= io.elapsed <= 22
    error, io = fails(FakeS3(listing=False), access_denied_grace=0)
    assert (AccessDeniedError, 0) == (type(error), io.elapsed)


def test_access_denied_grace_that_is_not_needed():
    """The output within the grace, or a 404, and it is as if there were none."""
    io = ScriptedIO(FakeS3(listing=False).put(OUT, at=10))
    assert b"output" == wait(io, access_denied_grace=20).body
    error, _ = fails(FakeS3(), timeout=60, access_denied_grace=20)
    assert WaitTimeoutError is type(error)


def test_bare_403():
    """A 403 without a body, as a proxy writes it, is waited through too."""
    s3 = FakeS3().trouble(Response(403, ()), until=10).put(OUT)
    assert b"output" == wait(ScriptedIO(s3)).body


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
def test_ends_at_once(location, answer, kind, code):
    """What waiting does not mend ends the wait."""
    error, io = fails(FakeS3().trouble(answer, location=location))
    assert (kind, code, 0) == (type(error), error.code, io.elapsed)


@pytest.mark.parametrize(
    "answer",
    [
        UNAVAILABLE,
        s3_error(500, "InternalError"),
        s3_error(503, "SlowDown"),
        s3_error(400, "RequestTimeout"),
        Response(502, ()),
        dropped(),
        dropped("ConnectError", taken=False),
        hang,
        Response(200, (), b"out", complete=False),
    ],
    ids=[
        *("503", "500", "SlowDown", "RequestTimeout", "502"),
        *("dropped", "no connection", "hanging", "broken off"),
    ],
)
def test_trouble_is_waited_through(answer):
    """An hour's outage of S3 or of the network does not end a wait."""
    s3 = FakeS3().trouble(answer, since=1, until=3601).put(OUT, at=30, written=30)
    io = ScriptedIO(s3)
    assert b"output" == wait(io, timeout=7200).body
    assert 3601 <= io.elapsed < 3700


def test_trouble_to_the_end():
    """The timeout is due to the trouble that there was."""
    error, _ = fails(FakeS3().trouble(UNAVAILABLE), timeout=60)
    assert isinstance(error.__cause__, ServiceUnavailableError)


def test_expired_credentials():
    """Keys that expire meanwhile end the wait; it can be taken up with new ones."""
    short = Credentials("AKID", "canary-secret", "token", START + timedelta(seconds=30))
    io = ScriptedIO(FakeS3())
    with pytest.raises(CredentialsError) as caught:
        run(core(io, short).wait(INVOCATION, timeout=60))
    assert INVOCATION is caught.value.invocation


def test_settings_that_do_not_fit():
    """Even an error of the settings carries the invocation."""
    io = ScriptedIO(FakeS3())
    with pytest.raises(ConfigError) as caught:
        run(core(io, s3_endpoint_url="nonsense").wait(INVOCATION, timeout=60))
    assert INVOCATION is caught.value.invocation


def test_wrong_region():
    """A bucket in another region is found there at each look, with one detour in all."""
    away = Response(301, {"x-amz-bucket-region": "eu-north-1"})

    def s3(io, sent):
        home = ".eu-north-1." in sent.origin
        return FakeS3().put(OUT, at=10)(io, sent) if home else away

    io = ScriptedIO(s3)
    assert b"output" == wait(io).body
    assert 1 == sum(".eu-west-1." in sent.origin for sent in io.sent)
