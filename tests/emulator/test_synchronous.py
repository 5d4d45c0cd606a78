"""Test synchronous invocations and inference routers."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from threading import Event, Thread

import pytest

from sagemaker_runtime_client.emulator import Emulator, Faults, ModelFailure, ModelResponse
from tests.emulator.wire import INPUT, TIMEOUT, call, send, sign_request

ENDPOINT, ROUTER = "/endpoints/my-endpoint/invocations", "/inference-routers/r/invocations"
QUEUED = "/inference-routers/r/async-invocations"
TARGET = {"x-amzn-sagemaker-routing-target-name": "my-target"}
SESSION = "x-amzn-sagemaker-session-id"
NEW_SESSION = "x-amzn-sagemaker-new-session-id"


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
    """If no variant is requested, it has the default name.  The body may be empty."""
    response = invoke(emulator, body=b"")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["x-amzn-invoked-production-variant"] == "AllTraffic"
    assert "x-amzn-sagemaker-custom-attributes" not in response.headers


def raise_value_error(_request):
    """Fail with an exception, as a model."""
    raise ValueError("no digit")


def raise_failure(_request):
    """Fail with the status 404, as the container of a model."""
    raise ModelFailure(b"\xff", status_code=404)


@pytest.mark.parametrize(
    ("model", "status", "message"),
    [(raise_value_error, 500, "ValueError: no digit"), (raise_failure, 404, "\ufffd")],
)
def test_model_error(model, status, message):
    """If a model raises an exception, the response is a ModelError with the status and the message."""
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

    A larger one is rejected with a 413 without a code.
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


def test_faults(emulator):
    """A fault for a synchronous operation applies only to the operation with this name."""
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
    """If endpoints are configured, others are rejected, but any inference router is accepted."""
    with Emulator(endpoints=["other"]) as emulator:
        assert invoke(emulator).status == 400
        assert invoke(emulator, TARGET, target=ROUTER).status == 200


def test_router():
    """The model gets the routing target as the endpoint name.

    The response headers contain the ARN of the target and the routing reason.
    """
    with Emulator(lambda request: request.endpoint_name) as emulator:
        response = invoke(emulator, TARGET, target=ROUTER)
    assert response.body == b"my-target"
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/my-target"
    assert response.headers["x-amzn-sagemaker-invoked-routed-resource-arn"] == arn
    assert response.headers["x-amzn-sagemaker-invoked-routing-reason"] == "emulated"


def test_job_of_a_router(emulator):
    """An inference router queues a job whose input is in S3, and the job writes its output."""
    emulator.objects.put("s3://bucket/in", b"in")
    response = call(emulator, "POST", QUEUED, {**TARGET, **INPUT})
    assert response.status == 202
    location = response.headers["x-amzn-sagemaker-outputlocation"]
    assert emulator.objects.wait_for(location).body == b"in"
    (job,) = emulator.jobs
    assert job.invocation.request.endpoint_name == "my-target"


@pytest.mark.parametrize(
    ("text", "expected"), [(None, "The request expired"), ("", ""), ("late", "late")]
)
def test_expired_job_of_a_router(text, expected):
    """An inference router writes a failure object for an expired job."""
    with Emulator(concurrency=0, expired_text=text) as emulator:
        response = call(emulator, "POST", QUEUED, {**TARGET, **INPUT})
        emulator.advance(21_600)
        location = response.headers["x-amzn-sagemaker-failurelocation"]
        assert emulator.objects.wait_for(location).body.decode().startswith(expected)


@pytest.mark.parametrize("target", [ROUTER, QUEUED])
@pytest.mark.parametrize("headers", [{}, {"x-amzn-sagemaker-routing-target-name": "a_b"}])
def test_target_of_a_router(emulator, target, headers):
    """A router request with a missing or invalid routing target is rejected.

    The error code is the one that the router's service uses.
    """
    response = call(emulator, "POST", target, {**INPUT, **headers})
    assert response.status == 400
    assert response.headers["x-amzn-errortype"] == "ValidationException"
    assert "'routingTargetName'" in json.loads(response.body)["Message"]


@pytest.mark.parametrize(("headers", "body"), [({}, b"x"), (INPUT, b"x"), ({}, b"")])
def test_input_of_a_router(emulator, headers, body):
    """A router job must have an input location, and must not have a body."""
    response = call(emulator, "POST", QUEUED, {**TARGET, **headers}, body)
    assert response.headers["x-amzn-errortype"] == "ValidationException"
    assert "InputLocation" in json.loads(response.body)["Message"]


@pytest.mark.parametrize(
    "target",
    [
        "/endpoints/e/invocations-response-stream",
        "/endpoints/e",
        "/inference-routers/r/other",
        "/inference-routers/r/x/invocations",
    ],
)
def test_unsupported_operation(emulator, target):
    """The response for the path of an unsupported operation is a 404."""
    assert call(emulator, "POST", target, (), b"").status == 404
