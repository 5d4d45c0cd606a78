"""One call: credentials, signature, attempts, and what is told of them."""

import logging
from datetime import timedelta
from email.utils import format_datetime

import pytest

from sagemaker_runtime_client import (
    AccessDeniedError,
    CredentialProviderError,
    CredentialsError,
    InternalFailureError,
    NoCredentialsError,
    ParamValidationError,
    Request,
    RequestValidationError,
    Response,
    RuntimeClientError,
    ServiceError,
    ServiceUnavailableError,
    ThrottlingError,
    TransportError,
)
from sagemaker_runtime_client._call import Call, Caller
from sagemaker_runtime_client._endpoint import Endpoint
from sagemaker_runtime_client._retry import RetryPolicy, RetryQuota
from sagemaker_runtime_client._service_error import json_error
from sigv4 import Credentials, SignatureError, as_provider
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    REGION,
    START,
    ScriptedIO,
    accepted,
    core,
    dropped,
    run,
)

OK = Response(200, {"x-amzn-requestid": "R"})
ENDPOINT = Endpoint(f"https://runtime.sagemaker.{REGION}.amazonaws.com", "sagemaker", REGION)
PLAIN = ENDPOINT._replace(origin="http://localhost:8080")
LOCATION = "s3://bucket/in"


def answer(status, code=None, message="m", **headers):
    """Return an error of the service."""
    named = {} if code is None else {"x-amzn-errortype": code}
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {**named, **headers}, b'{"message":"%s"}' % message.encode())


def caller(io, credentials=CREDENTIALS, **policy):
    """Return a caller over *io*."""
    return Caller(io, as_provider(credentials), RetryPolicy(**policy))


def call(**parts):
    """Return a call that is not idempotent, unless *parts* say otherwise."""
    request = Request("POST", "/endpoints/e/async-invocations", (("x-amzn-one", "1"),), b"body")
    given = {"endpoint": ENDPOINT, "idempotent": False, **parts}
    return Call(request=request, parse_error=json_error, **given)


def refused(io, *, of=None, **parts):
    """Make a call that fails, and return its error."""
    with pytest.raises(RuntimeClientError) as caught:
        run((of or caller(io)).call(call(**parts)))
    return caught.value


def test_success():
    """One request, one answer, no pause."""
    io = ScriptedIO([OK])
    reply = run(caller(io).call(call()))
    assert (OK, 1, False) == (reply.response, reply.attempts, reply.possibly_duplicated)
    assert [] == io.slept
    (sent,) = io.sent
    assert f"{ENDPOINT.origin}/endpoints/e/async-invocations" == sent.url
    assert (b"body", "1") == (sent.request.body, sent.header("x-amzn-one"))
    assert CREDENTIALS.access_key_id == sent.verify().access_key_id


# what comes back, the pause after the first of it, whether it may have been taken, the error at last
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
        dropped("ConnectError", taken=False), 0.025, False, TransportError, id="not connected"
    ),
    pytest.param(
        answer(503, x_amz_retry_after="3000"), 3.0, False, ServiceUnavailableError, id="asked to"
    ),
    pytest.param(
        answer(503, x_amz_retry_after="30000"), 5.025, False, ServiceUnavailableError, id="too long"
    ),
]


@pytest.mark.parametrize(("failure", "pause", "taken", "_kind"), FAILURES)
def test_tried_again(failure, pause, taken, _kind):
    """A failure that may pass is tried again after its pause, signed anew with the date of then."""
    io = ScriptedIO([failure, OK], latency=2.0)
    reply = run(caller(io).call(call()))
    assert (2, taken) == (reply.attempts, reply.possibly_duplicated)
    assert [pytest.approx(pause)] == io.slept
    first, second = io.sent
    assert timedelta(seconds=2 + pause) == second.at - first.at
    for sent in io.sent:
        sent.verify()
    assert first.header("x-amz-date") != second.header("x-amz-date")
    with pytest.raises(SignatureError):
        first.verify(ahead=2)


@pytest.mark.parametrize(("failure", "_pause", "taken", "kind"), FAILURES)
def test_given_up(failure, _pause, taken, kind):
    """After three attempts the last failure is raised, with what the attempts add up to."""
    io = ScriptedIO([failure, failure, failure])
    error = refused(io)
    assert kind is type(error)
    assert (3, taken, True) == (error.attempts, error.may_have_been_taken, error.retryable)
    assert "attempts 3" in str(error)
    assert 2 == len(io.slept)


def test_pauses_grow():
    """Each pause may be twice the last."""
    io = ScriptedIO([answer(500)] * 9, random=1.0)
    refused(io, of=caller(io, max_attempts=9))
    assert pytest.approx([0.05 * 2**i for i in range(8)]) == io.slept


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (answer(400, "ValidationError"), RequestValidationError),
        (answer(403, "AccessDeniedException"), AccessDeniedError),
        (answer(400, "ExpiredTokenException"), AccessDeniedError),
        (answer(404), ServiceError),
        (answer(424, "ModelError"), ServiceError),
        (answer(530), ServiceError),
        (dropped("InvalidURL", taken=False, retryable=False), TransportError),
    ],
    ids=lambda value: getattr(value, "status", None) or getattr(value, "message", None),
)
def test_not_tried_again(failure, kind):
    """A failure that will be the same next time is raised at once."""
    error = refused(ScriptedIO([failure]))
    assert (kind, 1) == (type(error), error.attempts)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 300])
def test_redirects_are_not_followed(status):
    """A redirect is an error: nobody named in an answer receives a signed request."""
    io = ScriptedIO([Response(status, {"location": "https://elsewhere.example/"})])
    error = refused(io)
    assert (ServiceError, status) == (type(error), error.status_code)
    assert 1 == len(io.sent)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_max_attempts(attempts):
    """The number of attempts is the policy's, and AWS is told it."""
    io = ScriptedIO([answer(503)] * attempts)
    assert attempts == refused(io, of=caller(io, max_attempts=attempts)).attempts
    numbers = [f"attempt={n}; max={attempts}" for n in range(1, attempts + 1)]
    assert numbers == [sent.header("amz-sdk-request") for sent in io.sent]


@pytest.mark.parametrize("failure", [answer(500), dropped()], ids=["500", "dropped"])
def test_ambiguous(failure):
    """Without leave to repeat what may have been taken, that failure is raised, and says so."""
    io = ScriptedIO([answer(503), failure])
    error = refused(io, of=caller(io, retry_ambiguous=False))
    assert (2, True) == (error.attempts, error.may_have_been_taken)


def test_ambiguous_and_idempotent():
    """What is idempotent is repeated all the same."""
    io = ScriptedIO([dropped(), OK])
    assert 2 == run(caller(io, retry_ambiguous=False).call(call(idempotent=True))).attempts


def test_ambiguity_stays():
    """One attempt that may have been taken is remembered, whatever the later ones say."""
    io = ScriptedIO([dropped(), answer(503), answer(400, "ValidationError")])
    assert refused(io).may_have_been_taken
    io = ScriptedIO([dropped(), answer(503), OK])
    assert run(caller(io).call(call())).possibly_duplicated


def test_incomplete_answer():
    """An answer that broke off is tried again, if that is harmless; if not, it is a success."""
    part = Response(200, {}, b"par", complete=False)
    io = ScriptedIO([part, OK])
    assert OK is run(caller(io).call(call(idempotent=True))).response
    assert part is run(caller(ScriptedIO([part])).call(call())).response
    error = refused(ScriptedIO([part] * 3), idempotent=True)
    assert (TransportError, 200) == (type(error), error.status_code)


# ---- the clock


def skewed(hours):
    """Return a service whose clock is *hours* ahead of ours, and which insists on it."""

    def judge(_io, sent):
        try:
            sent.verify(ahead=hours * 3600)
        except SignatureError:
            date = format_datetime(sent.at + timedelta(hours=hours), usegmt=True)
            return answer(403, "InvalidSignatureException", date=date)
        return OK

    return judge


@pytest.mark.parametrize("hours", [-24, -0.1, 0.1, 8, 24])
def test_clock_is_set_once(hours):
    """A clock that is off is set from the answer's Date, without a pause, and stays so."""
    io = ScriptedIO([skewed(hours)] * 3)
    client = caller(io)
    assert 2 == run(client.call(call())).attempts
    assert [] == io.slept
    assert 1 == run(client.call(call())).attempts


def test_clock_that_goes_on():
    """The offset is kept, not the instant: later requests have the service's time of then."""
    io = ScriptedIO([skewed(1)] * 3)
    client = caller(io)
    run(client.call(call()))
    io.elapsed += 1000
    assert 1 == run(client.call(call())).attempts
    assert START + timedelta(hours=1, seconds=1000) == io.sent[-1].verify(ahead=3600).signed_at


@pytest.mark.parametrize("endpoint", [ENDPOINT, PLAIN], ids=["https", "http"])
@pytest.mark.parametrize("hours", [-24.1, 24.1, 24 * 365])
def test_clock_is_not_set_to_another_day(hours, endpoint):
    """A date more than a day away is nobody's clock: what is signed for it could be used long after."""
    io = ScriptedIO([skewed(hours)])
    error = refused(io, endpoint=endpoint)
    assert (1, "InvalidSignatureException") == (error.attempts, error.code)
    assert "ahead of this machine's" in error.__notes__[0]


def test_clock_that_was_right_over_http():
    """Without TLS a date that anybody may have written moves no clock that was right before."""
    io = ScriptedIO([skewed(1), skewed(1), OK, skewed(2)])
    client = caller(io)
    assert 2 == run(client.call(call(endpoint=PLAIN))).attempts
    assert 1 == run(client.call(call(endpoint=PLAIN))).attempts
    assert 1 == refused(io, of=client, endpoint=PLAIN).attempts
    io = ScriptedIO([OK, skewed(2), skewed(2)])
    client = caller(io)
    run(client.call(call()))
    assert 2 == run(client.call(call())).attempts


def test_clock_that_another_call_has_set_over_http():
    """Calls that were under way with the old clock are tried again with the one that was right since."""

    def overtaken(io, sent):
        assert 2 == run(client.call(call(endpoint=PLAIN))).attempts
        return skewed(1)(io, sent)

    client = caller(ScriptedIO([overtaken, *[skewed(1)] * 3]))
    assert 2 == run(client.call(call(endpoint=PLAIN))).attempts


def test_clock_after_a_head():
    """A HEAD's refusal has no body to name its reason; where its date is another one, that is tried."""
    date = format_datetime(START + timedelta(hours=1), usegmt=True)
    io = ScriptedIO([Response(403, {"date": date}), Response(200, {"content-length": "4"})])
    assert 4 == run(core(io).head_object("s3://bucket/key")).size
    io.sent[1].verify("s3", ahead=3600)


@pytest.mark.parametrize("minutes", [-4, 4])
def test_least_skew(minutes):
    """Four minutes are enough to be the reason: services allow five."""
    assert 2 == run(caller(ScriptedIO([skewed(minutes / 60)] * 2)).call(call())).attempts


def test_clock_that_is_right_by_now():
    """Once the clock is set, a refusal at the service's own time has another reason."""
    date = format_datetime(START + timedelta(hours=1), usegmt=True)
    io = ScriptedIO([skewed(1)] * 2 + [answer(403, "InvalidSignatureException", date=date)])
    client = caller(io)
    run(client.call(call()))
    assert 1 == refused(io, of=client).attempts


@pytest.mark.parametrize(
    "code",
    ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "SignatureDoesNotMatch"],
)
def test_codes_of_a_clock(code):
    """Each code with which services refuse a clock sets it."""
    date = "Sun, 22 Nov 2026 13:00:00 GMT"
    io = ScriptedIO([answer(403, code, date=date), OK])
    run(caller(io).call(call()))
    assert ["20261122T120000Z", "20261122T130000Z"] == [s.header("x-amz-date") for s in io.sent]


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
def test_clock_is_not_set(failure):
    """Without a date that can be the reason, a refusal is final."""
    assert 1 == refused(ScriptedIO([failure])).attempts


def test_clock_is_not_set_twice():
    """A service that cannot make up its mind gets no third request."""
    dates = ["Sun, 22 Nov 2026 13:00:00 GMT", "Sun, 22 Nov 2026 15:00:00 GMT"]
    io = ScriptedIO([answer(403, "InvalidSignatureException", date=date) for date in dates])
    assert 2 == refused(io).attempts


def test_clock_counts_as_an_attempt():
    """A call of one attempt is not tried again for the clock either, but the next call has it."""
    io = ScriptedIO([skewed(1)] * 2)
    client = caller(io, max_attempts=1)
    assert 1 == refused(io, of=client).attempts
    assert 1 == run(client.call(call())).attempts


def test_new_generation():
    """After a fork or a restore a client knows nothing of the service's clock, and has its quota again."""
    io = ScriptedIO([skewed(1), skewed(1), *[answer(503)] * 3, skewed(0)])
    client = caller(io)
    assert 2 == run(client.call(call())).attempts
    assert 3 == refused(io, of=client).attempts
    assert RetryQuota.CAPACITY > client._quota.available
    io.life = 2
    assert 1 == run(client.call(call())).attempts
    assert RetryQuota.CAPACITY == client._quota.available


# ---- quota and deadline


def test_quota_ends_retries():
    """A client whose quota is spent tries nothing again, and says why."""
    io = ScriptedIO(lambda *_: answer(500))
    client = caller(io, max_attempts=36)
    assert 36 == refused(io, of=client).attempts
    error = refused(io, of=client)
    assert 1 == error.attempts
    assert ["not tried again: this client's quota of retries is used up"] == error.__notes__


def test_each_service_has_a_quota():
    """What S3 uses up is not missing for SageMaker Runtime, as botocore has a client for each."""
    io = ScriptedIO(lambda _io, sent: answer(503) if ".s3." in sent.origin else accepted())
    client = core(io, max_attempts=36)
    for expected in (36, 1):
        with pytest.raises(ServiceError) as caught:
            run(client.get_object(LOCATION))
        assert expected == caught.value.attempts
    io._answers = lambda io, _sent: answer(503) if len(io.sent) == 38 else accepted()
    assert 2 == run(client.invoke_endpoint_async("e", input_location=LOCATION)).attempts


def test_each_service_has_a_pace():
    """In the adaptive mode, what S3 throttles does not slow SageMaker Runtime down."""
    io = ScriptedIO(lambda _io, sent: answer(429) if ".s3." in sent.origin else accepted())
    client = core(io, retry_mode="adaptive")
    with pytest.raises(ThrottlingError):
        run(client.get_object(LOCATION))
    io.slept.clear()
    for _ in range(20):
        run(client.invoke_endpoint_async("e", input_location=LOCATION))
    assert [] == io.slept


def test_quota_is_given_back():
    """A success gives back what its last retry took."""
    io = ScriptedIO([answer(500), answer(503), OK, OK])
    client = caller(io)
    run(client.call(call()))
    assert RetryQuota.CAPACITY - 14 == client._quota.available
    run(client.call(call()))
    assert RetryQuota.CAPACITY - 13 == client._quota.available


@pytest.mark.parametrize(("after", "attempts"), [(0.5, 1), (0.51, 2)])
def test_deadline(after, attempts):
    """A pause that would end at the deadline or later is not begun; requests know the deadline."""
    io = ScriptedIO([answer(429)] * 3)
    deadline = io.monotonic() + after
    error = refused(io, deadline=deadline)
    assert attempts == error.attempts
    assert [deadline] * attempts == [sent.deadline for sent in io.sent]


# ---- headers


def test_attempt_headers():
    """All attempts of a call have one id, of its own, and tell their number."""
    io = ScriptedIO([answer(503), OK, OK])
    client = caller(io)
    run(client.call(call()))
    run(client.call(call()))
    ids = [sent.header("amz-sdk-invocation-id") for sent in io.sent]
    assert ids[0] == ids[1] != ids[2]
    assert ["attempt=1; max=3", "attempt=2; max=3", "attempt=1; max=3"] == [
        sent.header("amz-sdk-request") for sent in io.sent
    ]


def test_ttl():
    """Once the service's clock is known, AWS is told until when the attempt may go on."""
    # The local clock is 10 s slow, the pause 3 s: the attempt begins at 12:00:03 of the service.
    date = "Sun, 22 Nov 2026 12:00:00 GMT"
    io = ScriptedIO([answer(503, date=date, x_amz_retry_after="3000"), OK], clock_error=-10)
    run(Caller(io, as_provider(CREDENTIALS), RetryPolicy(), patience=5.0).call(call()))
    assert "ttl=20261122T120008Z; attempt=2; max=3" == io.sent[1].header("amz-sdk-request")


def test_no_ttl_after_a_dropped_connection():
    """No answer, no clock, no ttl."""
    io = ScriptedIO([answer(503, date="Sun, 22 Nov 2026 12:00:00 GMT"), dropped(), OK])
    run(caller(io).call(call()))
    assert "attempt=3; max=3" == io.sent[2].header("amz-sdk-request")


def test_attempt_headers_are_not_signed():
    """As botocore leaves them out."""
    io = ScriptedIO([OK])
    run(caller(io).call(call()))
    signed = set(io.sent[0].verify().signed_headers)
    assert not {"amz-sdk-request", "amz-sdk-invocation-id", "user-agent"} & signed


def test_user_agent():
    """Every request says what it comes from."""
    io = ScriptedIO([accepted()], {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"})
    run(core(io, app_id="my app").invoke_endpoint_async("e", input_location=LOCATION))
    agent = io.sent[0].header("user-agent")
    assert agent.startswith("sagemaker-runtime-client/")
    assert agent.endswith(" exec-env/AWS_Lambda_python3.13 app/my-app")


def test_trace_header():
    """In Lambda the trace id is looked up anew for each request, since each event has its own."""
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": "Root=1;Sampled=1"}

    def next_event(_io, _sent):
        environ["_X_AMZN_TRACE_ID"] = "Root=2\n"
        return answer(503)

    io = ScriptedIO([next_event, accepted()], environ)
    run(core(io).invoke_endpoint_async("e", input_location=LOCATION))
    assert ["Root=1;Sampled=1", "Root=2%0A"] == [s.header("x-amzn-trace-id") for s in io.sent]
    assert "x-amzn-trace-id" not in io.sent[0].verify().signed_headers


# ---- credentials


def test_credentials_are_asked_for_each_attempt():
    """Keys that were rotated meanwhile sign the next attempt."""
    keys = [Credentials("AKID1", "canary-secret1"), Credentials("AKID2", "canary-secret2")]
    io = ScriptedIO([answer(503), OK])
    run(caller(io, iter(keys).__next__).call(call()))
    assert ["AKID1", "AKID2"] == [
        sent.verify(credentials=key).access_key_id for sent, key in zip(io.sent, keys, strict=True)
    ]


def test_expired_credentials():
    """Keys that have expired are not sent."""
    io = ScriptedIO([])
    expired = Credentials("AKID", "canary-secret", expiration=START)
    error = refused(io, of=caller(io, expired))
    assert (CredentialsError, [], 0) == (type(error), io.sent, error.attempts)


def test_closed_client():
    """What is refused before it is sent is no attempt."""
    closed = RuntimeClientError("the http_client that was brought in is closed")
    assert 0 == refused(ScriptedIO([closed])).attempts


def test_failing_source():
    """Whatever a source of credentials raises becomes an error that names it, with the cause."""

    def broken():
        raise KeyError("secret")

    io = ScriptedIO([])
    error = refused(io, of=caller(io, broken))
    assert (CredentialProviderError, "FunctionProvider") == (type(error), error.provider)
    assert "KeyError" in str(error)
    assert "secret" not in str(error)
    assert isinstance(error.__cause__, KeyError)


def test_source_that_says_so_itself():
    """An error of ours is passed on as it is."""

    def none():
        raise NoCredentialsError("nothing", tried=("here",))

    io = ScriptedIO([])
    assert ("here",) == refused(io, of=caller(io, none)).tried


@pytest.mark.parametrize("given", [None, ("AKID", "secret"), "AKID"], ids=repr)
def test_source_of_something_else(given):
    """A provider that returns no Credentials has failed."""

    class Provider:
        def get(self):
            return given

        async def aget(self):
            return given

    io = ScriptedIO([])
    error = refused(io, of=caller(io, Provider()))
    assert (CredentialProviderError, "Provider") == (type(error), error.provider)


def test_unsignable_request():
    """A header that cannot go on the wire is the caller's error, and nothing is sent."""
    io = ScriptedIO([])
    request = Request("POST", "/", (("x", "a\nb"),))
    with pytest.raises(ParamValidationError):
        run(caller(io).call(Call(ENDPOINT, request, json_error)))
    assert [] == io.sent


# ---- signed otherwise


def test_signed_otherwise():
    """A call may bring its own signature, made anew for each attempt; the key is not asked for."""
    io = ScriptedIO([answer(500), OK])
    signed = []

    def sign(endpoint, request, at):
        signed.append((endpoint, at))
        return Request(request.method, request.path, (*request.headers, ("x-signed", str(at))))

    def unasked():
        raise AssertionError

    run(Caller(io, as_provider(unasked), RetryPolicy()).call(call(sign=sign, idempotent=True)))
    assert [ENDPOINT, ENDPOINT] == [endpoint for endpoint, _ in signed]
    assert [str(at) for _, at in signed] == [sent.header("x-signed") for sent in io.sent]
    assert signed[0][1] < signed[1][1]
    assert [None, None] == [sent.header("authorization") for sent in io.sent]


def test_clock_of_another_signature():
    """Such a signature, too, is made by the service's clock once that is known."""
    date = format_datetime(START + timedelta(hours=1), usegmt=True)
    io = ScriptedIO([answer(403, "InvalidSignatureException", date=date), OK])
    instants = []

    def sign(_endpoint, request, at):
        instants.append(at)
        return request

    run(caller(io).call(call(sign=sign)))
    assert [START, START + timedelta(hours=1)] == instants


@pytest.mark.parametrize(
    "sign", [None, lambda _endpoint, request, _at: request], ids=["own", "other"]
)
def test_secrets_of_a_call(sign):
    """What a call names as its secrets is not repeated."""
    io = ScriptedIO([answer(400, "ValidationError", "not my-secret")])
    error = refused(io, sign=sign, secrets=("my-secret",))
    assert "not ..." == error.message
    assert "my-secret" not in repr(call(secrets=("my-secret",)))


# ---- secrets

SECRETS = {
    "secret key": CREDENTIALS.secret_access_key,
    "session token": CREDENTIALS.session_token,
    "custom attributes": "patient=Alice; ward=7",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("filler", [0, 2030, 2040], ids=lambda filler: f"after {filler}")
def test_no_secret_is_repeated(caplog, secret, filler):
    """What the service repeats of secrets is in no error and in no log, whole or in part."""
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
def test_no_beginning_of_a_secret(length):
    """A message that is cut within a secret does not end with more than three letters of it."""
    secret = CREDENTIALS.secret_access_key
    message = "x" * (2048 - length) + secret
    error = refused(ScriptedIO([answer(403, "AccessDeniedException", message)]))
    shown = secret[:length] if length < 4 else "..."
    assert "x" * (2048 - length) + shown == error.message


def test_no_signature_is_repeated():
    """Nor is the signature, which services repeat of a header that they find incomplete."""
    said = (
        "Authorization header requires 'Credential' parameter. Authorization=AWS4-HMAC-SHA256 "
        f"SignedHeaders=host;x-amz-date, Signature={'0a' * 32}"
    )
    error = refused(ScriptedIO([answer(403, "IncompleteSignatureException", said)]))
    assert said.replace("0a" * 32, "...") == error.message


@pytest.mark.parametrize(("value", "says"), [("aba", "an abacus"), ("abac", "an ...us")])
def test_short_values_are_no_secrets(value, says):
    """Custom attributes of a letter or two would make holes into every message."""
    io = ScriptedIO([answer(400, "ValidationError", "an abacus")])
    with pytest.raises(RequestValidationError) as caught:
        run(core(io).invoke_endpoint_async("e", input_location=LOCATION, custom_attributes=value))
    assert says == caught.value.message


def test_log(caplog):
    """Each attempt is a line of DEBUG: what, where to, which, and what came."""
    caplog.set_level(logging.DEBUG, "sagemaker_runtime_client")
    io = ScriptedIO([answer(503), accepted()])
    run(core(io).invoke_endpoint_async("e", input_location=LOCATION, custom_attributes="canary"))
    url = f"POST {ENDPOINT.origin}/endpoints/e/async-invocations"
    assert [
        f"{url}, attempt 1: m (code 503, status 503)",
        f"{url}, attempt 2: Response(status=202, complete=True) R1",
    ] == [record.getMessage() for record in caplog.records]
    assert {"DEBUG"} == {record.levelname for record in caplog.records}
