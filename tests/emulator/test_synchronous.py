"""Test synchronous invocations and sessions."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from itertools import repeat
from threading import Event, Thread

import pytest
from botocore.exceptions import ClientError

from sagemaker_runtime_client.emulator import Emulator, Faults, ModelFailure, ModelResponse
from tests.emulator.wire import TIMEOUT, call, send, sign_request

ENDPOINT, ROUTER = "/endpoints/my-endpoint/invocations", "/inference-routers/r/invocations"
TARGET = {"x-amzn-sagemaker-routing-target-name": "my-target"}
SESSION = "x-amzn-sagemaker-session-id"
NEW_SESSION = "x-amzn-sagemaker-new-session-id"
CLOSED_SESSION = "x-amzn-sagemaker-closed-session-id"


def invoke(emulator, headers=(), body=b"in", target=ENDPOINT):
    """Send a synchronous invocation, and return the response."""
    return call(emulator, "POST", target, headers, body)


def test_output():
    """A model gets the arguments of a synchronous invocation; the response has the model's output."""
    seen = []

    def model(request):
        seen.append(request)
        return ModelResponse(b"out", "text/plain", "c=d")

    headers = {
        "content-type": "text/csv",
        "accept": "text/plain",
        "x-amzn-sagemaker-custom-attributes": "a=b",
        "x-amzn-sagemaker-inference-id": "mine",
        "x-amzn-sagemaker-target-variant": "blue",
    }
    with Emulator(model) as emulator:
        response = invoke(emulator, headers)
        assert emulator.jobs == ()
    (request,) = seen
    assert (response.status, response.body) == (200, b"out")
    assert response.headers["content-type"] == "text/plain"
    assert response.headers["x-amzn-invoked-production-variant"] == "blue"
    assert response.headers["x-amzn-sagemaker-custom-attributes"] == "c=d"
    assert NEW_SESSION not in response.headers
    assert (request.body, request.content_type, request.accept) == (b"in", "text/csv", "text/plain")
    assert (request.custom_attributes, request.inference_id) == ("a=b", "mine")
    assert (request.endpoint_name, request.session_id) == ("my-endpoint", None)


def test_defaults(emulator):
    """If no variant is requested, the response contains the default one.  The body may be empty."""
    response = invoke(emulator, body=b"")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["x-amzn-invoked-production-variant"] == "AllTraffic"
    assert "x-amzn-sagemaker-custom-attributes" not in response.headers


def raise_value_error(_request):
    """Act as a model that raises an exception."""
    raise ValueError("no digit")


def raise_failure(_request):
    """Act as a model whose container responds with the status 404."""
    raise ModelFailure(b"\xff", status_code=404)


@pytest.mark.parametrize(
    ("model", "status", "message"),
    [(raise_value_error, 500, "ValueError: no digit"), (raise_failure, 404, "\ufffd")],
)
def test_model_error(model, status, message):
    """If a model raises an exception, the response is a ModelError with its status and message."""
    with Emulator(model) as emulator:
        response = invoke(emulator)
    assert (response.status, response.headers["x-amzn-errortype"]) == (424, "ModelError")
    document = json.loads(response.body)
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/my-endpoint"
    assert message in document.pop("Message")
    assert document == {
        "OriginalStatusCode": status,
        "OriginalMessage": message,
        "LogStreamArn": arn,
    }


def test_time_limit():
    """A synchronous invocation fails if the model runs for 60 seconds."""
    started = Event()

    def model(request):
        started.set()
        request.cancelled.wait(TIMEOUT)
        return b""

    responses = []
    with Emulator(model) as emulator:
        thread = Thread(target=lambda: responses.append(invoke(emulator)))
        thread.start()
        assert started.wait(TIMEOUT)
        emulator.advance(60)
        thread.join(TIMEOUT)
    assert [response.status for response in responses] == [424]
    assert json.loads(responses[0].body)["OriginalStatusCode"] == 0


def test_stop():
    """If the emulator stops while a model is running, the model's request is cancelled."""
    started, cancelled = Event(), []

    def model(request):
        started.set()
        cancelled.append(request.cancelled.wait(TIMEOUT))
        return b""

    with Emulator(model) as emulator:
        thread = Thread(target=lambda: send_ignoring(emulator))
        thread.start()
        assert started.wait(TIMEOUT)
    thread.join(TIMEOUT)
    assert cancelled == [True]


def send_ignoring(emulator):
    """Send an invocation, and ignore the error if the emulator closes the connection."""
    with suppress(OSError, HTTPException):
        send(emulator, sign_request(emulator, "POST", ENDPOINT, (), b"in"))


@pytest.mark.parametrize("target", [ENDPOINT, ROUTER])
def test_too_large(emulator, target):
    """A payload of 6,291,456 bytes is accepted.

    A larger payload is rejected with the status 413 and without an error code.
    """
    largest = bytes(6_291_456)
    assert len(invoke(emulator, TARGET, largest, target).body) == 6_291_456
    response = invoke(emulator, TARGET, largest + b"x", target)
    assert response.status == 413
    assert "x-amzn-errortype" not in response.headers


def test_sessions():
    """A new session expires after 20 minutes, and the model gets its ID with each request.

    A request for an unknown or expired session is rejected.
    """
    now = [datetime(2026, 11, 22, 12, tzinfo=UTC)]
    with Emulator(lambda request: request.session_id, clock=lambda: now[0]) as emulator:

        def signed(session):
            request = sign_request(emulator, "POST", ENDPOINT, {SESSION: session}, at=now[0])
            return send(emulator, request)

        opened = signed("NEW_SESSION")
        session, _, expires = opened.headers[NEW_SESSION].partition("; ")
        assert (opened.body.decode(), expires) == (session, "Expires=2026-11-22T12:20:00Z")
        again = signed(session)
        assert (again.body.decode(), NEW_SESSION in again.headers) == (session, False)
        now[0] += timedelta(minutes=20)
        for unknown in (session, "unknown"):
            response = signed(unknown)
            assert response.status == 400
            assert response.headers["x-amzn-errortype"] == "ValidationError"


@pytest.mark.parametrize("as_iterator", [False, True])
def test_closed_session(as_iterator):
    """If the model closes the session, the response contains its ID, which is no longer valid."""

    def model(request):
        body = iter([request.body]) if as_iterator else request.body
        return ModelResponse(body, closes_session=request.body == b"close")

    with Emulator(model) as emulator:
        opened = invoke(emulator, {SESSION: "NEW_SESSION"})
        headers = {SESSION: opened.headers[NEW_SESSION].partition(";")[0]}
        assert CLOSED_SESSION not in invoke(emulator, headers).headers
        closed = invoke(emulator, headers, b"close")
        assert (closed.body, closed.headers[CLOSED_SESSION]) == (b"close", headers[SESSION])
        assert invoke(emulator, headers).status == 400
        assert CLOSED_SESSION not in invoke(emulator, (), b"close").headers


def test_sessions_of_boto3(boto):
    """Boto3 opens, uses and closes a session."""

    def model(request):
        return ModelResponse(request.session_id.encode(), closes_session=request.body == b"close")

    with Emulator(model) as emulator:
        runtime = boto("sagemaker-runtime", emulator)
        opened = runtime.invoke_endpoint(EndpointName="e", Body=b"", SessionId="NEW_SESSION")
        session = opened["Body"].read().decode()
        assert opened["NewSessionId"].startswith(f"{session}; Expires=2")
        closed = runtime.invoke_endpoint(EndpointName="e", Body=b"close", SessionId=session)
        assert (closed["Body"].read().decode(), closed["ClosedSessionId"]) == (session, session)
        with pytest.raises(ClientError, match="not found or expired") as caught:
            runtime.invoke_endpoint(EndpointName="e", Body=b"", SessionId=session)
        assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_joined_parts():
    """If a model returns an iterator, the response contains the joined parts, encoded as UTF-8."""
    with Emulator(lambda _: iter([b"a", "", "\xe9"])) as emulator:
        assert invoke(emulator).body == b"a\xc3\xa9"


@pytest.mark.parametrize("target", [ENDPOINT, ROUTER])
def test_too_large_output(target):
    """If the output exceeds 6,291,456 bytes, the invocation fails, even if the output is endless."""
    with Emulator(lambda _: repeat(bytes(1_000_000))) as emulator:
        response = invoke(emulator, TARGET, target=target)
    assert response.status == 424
    assert "more than 6291456 bytes" in json.loads(response.body)["OriginalMessage"]


def test_faults(emulator):
    """A fault for InvokeEndpoint applies to this operation, but not to InvokeInferenceRouter."""
    emulator.faults.once(Faults.MODEL_NOT_READY, on="InvokeEndpoint")
    assert invoke(emulator, TARGET, target=ROUTER).status == 200
    response = invoke(emulator)
    assert response.status == 429
    assert response.headers["x-amzn-errortype"] == "ModelNotReadyException"
    assert [request.operation for request in emulator.requests] == [
        "InvokeInferenceRouter",
        "InvokeEndpoint",
    ]


def test_unknown_endpoint():
    """If endpoints are configured, calls to others are rejected, but any router is accepted."""
    with Emulator(endpoints=["other"]) as emulator:
        assert invoke(emulator).status == 400
        assert invoke(emulator, TARGET, target=ROUTER).status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/endpoints/e/invocations-bidirectional-stream",
        "/endpoints/e",
        "/inference-routers/r/other",
        "/inference-routers/r/x/invocations",
    ],
)
def test_unsupported_operation(emulator, target):
    """A request to the path of an unsupported operation is rejected with the status 404."""
    assert call(emulator, "POST", target, (), b"").status == 404
