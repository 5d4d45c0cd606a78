"""Tests of one call: its signature, attempts, retry quota, deadline, headers, error messages and
log lines.
"""

import logging
from datetime import timedelta

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    InternalFailureError,
    RequestValidationError,
    Response,
    RuntimeClientError,
    ServiceError,
    ServiceUnavailableError,
    ThrottlingError,
    TransportError,
)
from sagemaker_runtime_client._aws.auth import CredentialsAuth
from sagemaker_runtime_client._aws.call import ServiceClient
from sagemaker_runtime_client._aws.retry import RetryPolicy, RetryQuota
from sagemaker_runtime_client._limits import INVOCATION
from sigv4 import SignatureError
from tests.runtime_client.calls import (
    ENDPOINT,
    LOCATION,
    OK,
    answer,
    call,
    caller,
    refused,
    succeed,
)
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    ScriptedIO,
    accepted,
    core,
    dropped,
    run,
)


def test_success():
    """A successful call sends one request and does not pause."""
    io = ScriptedIO([OK])
    progress = succeed(caller(io))
    assert (progress.attempts, progress.possibly_accepted_since) == (1, None)
    assert io.slept == []
    (sent,) = io.sent
    assert sent.url == f"{ENDPOINT.origin}/endpoints/e/async-invocations"
    assert (sent.request.body, sent.header("x-amzn-one")) == (b"body", "1")
    assert sent.verify().access_key_id == CREDENTIALS.access_key_id


# Each entry consists of the failure, the pause after the failure, whether the service may have
# accepted the request, and the error class.
FAILURES = [
    pytest.param(answer(400, "ThrottlingException"), 0.5, False, ThrottlingError, id="throttled"),
    pytest.param(answer(429), 0.5, False, ThrottlingError, id="429"),
    pytest.param(
        Response(400, {}, b'{"message":null}'), 0.5, False, ThrottlingError, id="null message"
    ),
    pytest.param(answer(500), 0.025, True, InternalFailureError, id="500"),
    pytest.param(answer(408), 0.025, False, ServiceError, id="408"),
    pytest.param(answer(502), 0.025, True, ServiceError, id="502"),
    pytest.param(answer(503), 0.025, False, ServiceUnavailableError, id="503"),
    pytest.param(answer(504), 0.025, True, ServiceError, id="504"),
    pytest.param(dropped("ReadError"), 0.025, True, TransportError, id="dropped"),
    pytest.param(
        dropped("ConnectError", accepted=False), 0.025, False, TransportError, id="not connected"
    ),
    pytest.param(
        answer(503, x_amz_retry_after="3000"), 3.0, False, ServiceUnavailableError, id="asked to"
    ),
    pytest.param(
        answer(503, x_amz_retry_after="30000"), 5.025, False, ServiceUnavailableError, id="too long"
    ),
]


@pytest.mark.parametrize(("failure", "pause", "ambiguous", "_kind"), FAILURES)
def test_retried(failure, pause, ambiguous, _kind):
    """A transient failure or a throttled request is retried after a pause, and the retry has a new
    signature and a new date.
    """
    io = ScriptedIO([failure, OK], latency=2.0)
    progress = succeed(caller(io))
    assert (progress.attempts, progress.possibly_accepted_since is not None) == (2, ambiguous)
    assert io.slept == [pytest.approx(pause)]
    first, second = io.sent
    assert second.at - first.at == timedelta(seconds=2 + pause)
    for sent in io.sent:
        sent.verify()
    assert first.header("x-amz-date") != second.header("x-amz-date")
    with pytest.raises(SignatureError):
        first.verify(ahead=2)


@pytest.mark.parametrize(("failure", "_pause", "ambiguous", "kind"), FAILURES)
def test_last_failure(failure, _pause, ambiguous, kind):
    """If all three attempts fail, the call raises the last failure as an error.

    The error contains the number of attempts and whether the service may have accepted the request.
    """
    io = ScriptedIO([failure, failure, failure])
    error = refused(io)
    assert type(error) is kind
    assert (error.attempts, error.possibly_accepted, error.retryable) == (3, ambiguous, True)
    assert "attempts 3" in str(error)
    assert len(io.slept) == 2


def test_pauses_double():
    """The upper bound of the pause doubles with each retry."""
    io = ScriptedIO([answer(500)] * 9, random=1.0)
    refused(io, of=caller(io, max_attempts=9))
    assert io.slept == pytest.approx([0.05 * 2**i for i in range(8)])


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (answer(400, "ValidationError"), RequestValidationError),
        (answer(403, "AccessDeniedException"), AccessDeniedError),
        (answer(400, "ExpiredTokenException"), AccessDeniedError),
        (answer(404), ServiceError),
        (answer(424, "ModelError"), ServiceError),
        (answer(530), ServiceError),
        (dropped("InvalidURL", accepted=False, retryable=False), TransportError),
    ],
    ids=lambda value: getattr(value, "status", None) or getattr(value, "message", None),
)
def test_not_retried(failure, kind):
    """A permanent failure is raised without a retry."""
    error = refused(ScriptedIO([failure]))
    assert (type(error), error.attempts) == (kind, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 300])
def test_redirects_are_not_followed(status):
    """A redirect is an error, so that no signed request is sent to a host that a response
    specifies.
    """
    io = ScriptedIO([Response(status, {"location": "https://elsewhere.example/"})])
    error = refused(io)
    assert (type(error), error.status_code) == (ServiceError, status)
    assert len(io.sent) == 1


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_max_attempts(attempts):
    """The retry policy limits the number of attempts, and a header of each request contains the
    number of the attempt and the limit.
    """
    io = ScriptedIO([answer(503)] * attempts)
    assert refused(io, of=caller(io, max_attempts=attempts)).attempts == attempts
    numbers = [f"attempt={n}; max={attempts}" for n in range(1, attempts + 1)]
    assert [sent.header("amz-sdk-request") for sent in io.sent] == numbers


@pytest.mark.parametrize("failure", [answer(500), dropped()], ids=["500", "dropped"])
def test_ambiguous(failure):
    """With retry_ambiguous=False, an attempt is not retried if the service may have accepted it."""
    io = ScriptedIO([answer(503), failure])
    error = refused(io, of=caller(io, retry_ambiguous=False))
    assert (error.attempts, error.possibly_accepted) == (2, True)


def test_ambiguous_and_idempotent():
    """If the service may have accepted an attempt, an idempotent operation is retried even with
    retry_ambiguous=False.
    """
    io = ScriptedIO([dropped(), OK])
    assert succeed(caller(io, retry_ambiguous=False), idempotent=True).attempts == 2


def test_ambiguity_is_remembered():
    """If the service may have accepted one attempt, the call reports this even if later attempts
    were rejected or succeeded.
    """
    io = ScriptedIO([dropped(), answer(503), answer(400, "ValidationError")])
    assert refused(io).possibly_accepted
    io = ScriptedIO([dropped(), answer(503), OK])
    assert succeed(caller(io)).possibly_accepted_since is not None


def test_incomplete_response():
    """If a response is incomplete, an idempotent operation is retried, and raises a TransportError
    after the last attempt. For an operation that queues a job, an incomplete response is a
    success.
    """
    part = Response(200, {}, b"par", complete=False)
    io = ScriptedIO([part, OK])
    assert run(caller(io).send(call(idempotent=True))) is OK
    queued = call()._replace(limit=INVOCATION)
    assert run(caller(ScriptedIO([part])).send(queued)) is part
    error = refused(ScriptedIO([part] * 3), idempotent=True)
    assert (type(error), error.status_code) == (TransportError, 200)


# ---- quota and deadline


def test_quota_ends_retries():
    """After a client has used up its retry quota, a failed call is not retried, and a note of the
    error mentions the quota.
    """
    io = ScriptedIO(lambda *_: answer(500))
    client = caller(io, max_attempts=36)
    assert refused(io, of=client).attempts == 36
    error = refused(io, of=client)
    assert error.attempts == 1
    assert error.__notes__ == ["not retried: this client has used up its retry quota"]


def test_each_service_has_a_quota():
    """S3 and SageMaker Runtime have separate quotas, as in botocore, where each has its own client."""
    io = ScriptedIO(lambda _io, sent: answer(503) if ".s3." in sent.origin else accepted())
    client = core(io, max_attempts=36)
    for expected in (36, 1):
        with pytest.raises(ServiceError) as caught:
            run(client.get_object(LOCATION))
        assert caught.value.attempts == expected
    io._answers = lambda io, _sent: answer(503) if len(io.sent) == 38 else accepted()
    assert run(client.invoke_endpoint_async("e", input_location=LOCATION)).attempts == 2


def test_each_service_has_a_rate_limiter():
    """In the adaptive mode, throttling by S3 does not slow down requests to SageMaker Runtime."""
    io = ScriptedIO(lambda _io, sent: answer(429) if ".s3." in sent.origin else accepted())
    client = core(io, retry_mode="adaptive")
    with pytest.raises(ThrottlingError):
        run(client.get_object(LOCATION))
    io.slept.clear()
    for _ in range(20):
        run(client.invoke_endpoint_async("e", input_location=LOCATION))
    assert io.slept == []


def test_quota_is_returned():
    """A successful call gives the tokens of its last retry back to the quota, or one token if it
    made no retry.
    """
    io = ScriptedIO([answer(500), answer(503), OK, OK])
    client = caller(io)
    run(client.send(call()))
    assert client._state.quota.available == RetryQuota.CAPACITY - 14
    run(client.send(call()))
    assert client._state.quota.available == RetryQuota.CAPACITY - 13


@pytest.mark.parametrize(("after", "attempts"), [(0.5, 1), (0.51, 2)])
def test_deadline(after, attempts):
    """If a pause would end at or after the deadline, the call does not retry.

    Each request receives the deadline.
    """
    io = ScriptedIO([answer(429)] * 3)
    deadline = io.monotonic() + after
    error = refused(io, deadline=deadline)
    assert error.attempts == attempts
    assert [sent.deadline for sent in io.sent] == [deadline] * attempts


def test_closed_client():
    """If the request cannot be sent because the user-supplied HTTP client is closed, the error
    reports zero attempts.
    """
    closed = RuntimeClientError(
        "http_client is closed; create a new client with an open http_client"
    )
    assert refused(ScriptedIO([closed])).attempts == 0


# ---- headers


def test_attempt_headers():
    """The attempts of a call share an ID and are numbered; each call has its own ID."""
    io = ScriptedIO([answer(503), OK, OK])
    client = caller(io)
    run(client.send(call()))
    run(client.send(call()))
    ids = [sent.header("amz-sdk-invocation-id") for sent in io.sent]
    assert ids[0] == ids[1] != ids[2]
    assert [sent.header("amz-sdk-request") for sent in io.sent] == [
        "attempt=1; max=3",
        "attempt=2; max=3",
        "attempt=1; max=3",
    ]


def test_ttl():
    """If the service's time is known, a header of a retry contains the time, by the service's
    clock, at which the attempt ends.
    """
    # This machine's clock is 10 s slow and the pause is 3 s, so the second attempt starts at
    # 12:00:03 service time.
    date = "Sun, 22 Nov 2026 12:00:00 GMT"
    io = ScriptedIO([answer(503, date=date, x_amz_retry_after="3000"), OK], clock_error=-10)
    run(
        ServiceClient(io, io, CredentialsAuth(CREDENTIALS), RetryPolicy(), read_timeout=5.0).send(
            call()
        )
    )
    assert io.sent[1].header("amz-sdk-request") == "ttl=20261122T120008Z; attempt=2; max=3"


def test_no_ttl_after_a_dropped_connection():
    """After a dropped connection, the `amz-sdk-request` header of the next attempt contains no ttl,
    even if an earlier response contained the service's time.
    """
    io = ScriptedIO([answer(503, date="Sun, 22 Nov 2026 12:00:00 GMT"), dropped(), OK])
    run(caller(io).send(call()))
    assert io.sent[2].header("amz-sdk-request") == "attempt=3; max=3"


def test_attempt_headers_are_not_signed():
    """The attempt headers and the user agent are not signed, as in botocore."""
    io = ScriptedIO([OK])
    run(caller(io).send(call()))
    signed = set(io.sent[0].verify().signed_headers)
    assert not {"amz-sdk-request", "amz-sdk-invocation-id", "user-agent"} & signed


def test_user_agent():
    """Every request has a User-Agent header."""
    io = ScriptedIO([accepted()], {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"})
    run(core(io, app_id="my app").invoke_endpoint_async("e", input_location=LOCATION))
    agent = io.sent[0].header("user-agent")
    assert agent.startswith("sagemaker-runtime-client/")
    assert agent.endswith(" exec-env/AWS_Lambda_python3.13 app/my-app")


def test_trace_header():
    """In Lambda, the trace ID is read again for each request, because each event has its own trace
    ID. The trace header is not signed.
    """
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": "Root=1;Sampled=1"}

    def next_event(_io, _sent):
        environ["_X_AMZN_TRACE_ID"] = "Root=2\n"
        return answer(503)

    io = ScriptedIO([next_event, accepted()], environ)
    run(core(io).invoke_endpoint_async("e", input_location=LOCATION))
    assert [s.header("x-amzn-trace-id") for s in io.sent] == ["Root=1;Sampled=1", "Root=2%0A"]
    assert "x-amzn-trace-id" not in io.sent[0].verify().signed_headers


# ---- secrets

SECRETS = {
    "secret key": CREDENTIALS.secret_access_key,
    "session token": CREDENTIALS.session_token,
    "custom attributes": "patient=Alice; ward=7",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("filler", [0, 2030, 2040], ids=lambda filler: f"after {filler}")
def test_no_secret_is_repeated(caplog, secret, filler):
    """If the service's response repeats a secret, no error and no log line contains even the first
    four characters of the secret.
    """
    caplog.set_level(logging.DEBUG)
    message = "x" * filler + f"denied: {secret} is wrong, {secret}!"
    io = ScriptedIO([answer(403, "AccessDeniedException", message)])
    with pytest.raises(AccessDeniedError) as caught:
        run(
            core(io).invoke_endpoint_async(
                "e", input_location=LOCATION, custom_attributes=SECRETS["custom attributes"]
            )
        )
    error = caught.value
    for text in (str(error), repr(error), error.message, *map(str, error.args), caplog.text):
        assert secret[:4] not in text
    assert error.message.startswith("x" * filler + "denied"[: 2048 - filler])


@pytest.mark.parametrize("length", range(1, 41))
def test_no_prefix_of_a_secret(length):
    """If a message is truncated within a secret, it contains at most three characters of the
    secret.
    """
    secret = CREDENTIALS.secret_access_key
    message = "x" * (2048 - length) + secret
    error = refused(ScriptedIO([answer(403, "AccessDeniedException", message)]))
    shown = secret[:length] if length < 4 else "..."
    assert error.message == "x" * (2048 - length) + shown


def test_no_signature_is_repeated():
    """If the service's response repeats a signature, the error message does not contain the
    signature.
    """
    message = (
        "Authorization header requires 'Credential' parameter. Authorization=AWS4-HMAC-SHA256 "
        f"SignedHeaders=host;x-amz-date, Signature={'0a' * 32}"
    )
    error = refused(ScriptedIO([answer(403, "IncompleteSignatureException", message)]))
    assert error.message == message.replace("0a" * 32, "...")


@pytest.mark.parametrize(("value", "message"), [("aba", "an abacus"), ("abac", "an ...us")])
def test_short_values_are_not_redacted(value, message):
    """Custom attributes of fewer than four characters are not redacted in error messages, because
    such short strings also occur in other words.
    """
    io = ScriptedIO([answer(400, "ValidationError", "an abacus")])
    with pytest.raises(RequestValidationError) as caught:
        run(core(io).invoke_endpoint_async("e", input_location=LOCATION, custom_attributes=value))
    assert caught.value.message == message


def _logged(caplog, *answers, level=logging.DEBUG, **arguments):
    """Queue a job, and return the level and the end of the message (after the URL) of each log
    line.
    """
    caplog.set_level(level, "sagemaker_runtime_client")
    io = ScriptedIO([*answers, accepted()])
    run(core(io).invoke_endpoint_async("e", input_location=LOCATION, **arguments))
    start = f"POST {ENDPOINT.origin}/endpoints/e/async-invocations"
    for record in caplog.records:
        assert record.getMessage().startswith(start)
    return [(record.levelname, record.getMessage()[len(start) :]) for record in caplog.records]


def test_log(caplog):
    """The log lines of a call contain the inference ID and the number of the attempt, and the line
    of a success also contains the request ID. A retry is logged as INFO.
    """
    assert _logged(caplog, answer(503), inference_id="id", custom_attributes="canary") == [
        ("DEBUG", " (inference id id): attempt 1 of 3 failed: m (code 503, status 503)"),
        (
            "INFO",
            " (inference id id): attempt 1 of 3 failed; retrying in 0.03 s: m (code 503, status 503)",
        ),
        ("DEBUG", " (inference id id): attempt 2 of 3 succeeded (status 202, request id R1)"),
    ]


def test_log_of_a_possible_duplicate(caplog):
    """A retry that may execute a request twice is logged as a warning."""
    lines = _logged(
        caplog, dropped(), level=logging.INFO, inference_id="id", generate_inference_id=False
    )
    assert lines == [
        (
            "WARNING",
            (
                " (inference id id): attempt 1 of 3 failed; retrying in 0.03 s, although the service "
                "may have accepted a previous attempt, so the request may be executed twice: ReadError"
            ),
        )
    ]


def test_log_of_a_wrong_clock(caplog):
    """A retry after a clock correction is logged as a warning."""
    refusal = answer(403, "RequestExpired", date="Sun, 22 Nov 2026 13:00:00 GMT")
    lines = _logged(caplog, refusal, level=logging.INFO, generate_inference_id=False)
    assert lines == [
        (
            "WARNING",
            (
                ": attempt 1 of 3 was rejected because this machine's clock differs from the service's "
                "clock by 1:00:00; retrying with the service's time"
            ),
        )
    ]


def test_no_log_of_a_success_without_debug(caplog):
    """If DEBUG is not enabled, a success at the first attempt is not logged."""
    assert _logged(caplog, level=logging.INFO) == []
