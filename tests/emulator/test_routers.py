"""Test inference routers, which move jobs between the destinations of a routing target."""

import json
from threading import Event

import pytest

from sagemaker_runtime_client.emulator import Emulator, ModelFailure
from tests.emulator.wire import INPUT, TIMEOUT, call

ROUTER = "/inference-routers/r/invocations"
QUEUED = "/inference-routers/r/async-invocations"
TARGET = {"x-amzn-sagemaker-routing-target-name": "my-target"}
OUTPUT = "x-amzn-sagemaker-outputlocation"
FAILURE = "x-amzn-sagemaker-failurelocation"
DESTINATIONS = {"my-target": ["first", "second"]}


def invoke(emulator, target):
    """Send an invocation to an inference router, and return the response."""
    headers = TARGET if target == ROUTER else {**TARGET, **INPUT}
    return call(emulator, "POST", target, headers)


def name_of_endpoint(request):
    """Act as a model that returns the name of its endpoint."""
    return request.endpoint_name


def without_capacity(names, status=503):
    """Return a model that lacks capacity on the endpoints with these names."""

    def model(request):
        if request.endpoint_name in names:
            raise ModelFailure(f"no capacity on {request.endpoint_name}", status_code=status)
        return request.endpoint_name

    return model


def routed(emulator):
    """Queue a job whose input exists, and return the headers of the 202 response."""
    emulator.objects.put("s3://bucket/in", b"in")
    response = invoke(emulator, QUEUED)
    assert response.status == 202
    return response.headers


def test_router():
    """The model gets the routing target as the endpoint name.

    The response headers contain the ARN of the target and the routing reason.
    """
    with Emulator(lambda request: request.endpoint_name) as emulator:
        response = invoke(emulator, ROUTER)
    assert response.body == b"my-target"
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/my-target"
    assert response.headers["x-amzn-sagemaker-invoked-routed-resource-arn"] == arn
    assert response.headers["x-amzn-sagemaker-invoked-routing-reason"] == "local-preferred"


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
    """For an expired job, a router writes a failure object with the configured or a default text."""
    with Emulator(concurrency=0, expired_text=text) as emulator:
        response = call(emulator, "POST", QUEUED, {**TARGET, **INPUT})
        emulator.advance(21_600)
        location = response.headers["x-amzn-sagemaker-failurelocation"]
        assert emulator.objects.wait_for(location).body.decode().startswith(expected)


@pytest.mark.parametrize("target", [ROUTER, QUEUED])
@pytest.mark.parametrize("headers", [{}, {"x-amzn-sagemaker-routing-target-name": "a_b"}])
def test_target_of_a_router(emulator, target, headers):
    """A router request with a missing or invalid routing target is rejected.

    The error code is ValidationException, as in the router's service.
    """
    response = call(emulator, "POST", target, {**INPUT, **headers})
    assert response.status == 400
    assert response.headers["x-amzn-errortype"] == "ValidationException"
    assert "'routingTargetName'" in json.loads(response.body)["Message"]


@pytest.mark.parametrize(("headers", "body"), [({}, b"x"), (INPUT, b"x"), ({}, b"")])
def test_input_of_a_router(emulator, headers, body):
    """A router job that has no input location, or that has a body, is rejected."""
    response = call(emulator, "POST", QUEUED, {**TARGET, **headers}, body)
    assert response.headers["x-amzn-errortype"] == "ValidationException"
    assert "InputLocation" in json.loads(response.body)["Message"]


def test_backlog():
    """A job moves if it waits too long for a destination; its output location stays the same."""
    options = {"destinations": DESTINATIONS, "max_time_in_backlog": 60}
    with Emulator(name_of_endpoint, **options) as emulator:
        emulator.set_concurrency(0, endpoint="first")
        location = routed(emulator)[OUTPUT]
        (job,) = emulator.jobs
        assert (job.state, job.destination) == ("queued", "first")
        emulator.advance(59)
        assert job.state == "queued"
        emulator.advance(1)
        assert emulator.objects.wait_for(location).body == b"second"
        emulator.wait_idle()
    assert (job.state, job.destination) == ("completed", "second")
    assert job.invocation.output_location == location


def test_destination_with_its_own_concurrency():
    """A job that waits for a paused destination runs there when the concurrency is raised."""
    with Emulator(name_of_endpoint, destinations=DESTINATIONS) as emulator:
        emulator.set_concurrency(0, endpoint="first")
        location = routed(emulator)[OUTPUT]
        emulator.set_concurrency(1, endpoint="first")
        assert emulator.objects.wait_for(location).body == b"first"


@pytest.mark.parametrize("status", [429, 503])
def test_missing_capacity(status):
    """A job moves to the next destination if the first one fails with 429 or 503."""
    model = without_capacity({"first"}, status)
    with Emulator(model, destinations=DESTINATIONS) as emulator:
        assert emulator.objects.wait_for(routed(emulator)[OUTPUT]).body == b"second"


def test_failure_of_a_destination():
    """A job whose model fails with 500 does not move to the next destination."""
    with Emulator(without_capacity({"first"}, 500), destinations=DESTINATIONS) as emulator:
        failure = emulator.objects.wait_for(routed(emulator)[FAILURE])
        emulator.wait_idle()
    assert failure.body == b"no capacity on first"
    assert [(job.state, job.destination) for job in emulator.jobs] == [("failed", "first")]


def test_no_capacity_at_all():
    """If all destinations lack capacity, the failure object contains the last failure."""
    model = without_capacity({"first", "second"})
    with Emulator(model, destinations=DESTINATIONS) as emulator:
        failure = emulator.objects.wait_for(routed(emulator)[FAILURE])
        emulator.wait_idle()
    assert failure.body == b"no capacity on second"
    assert [job.state for job in emulator.jobs] == ["failed"]


def test_no_destination_takes_the_job():
    """If a job waits too long for each destination, it fails, and its failure object is written."""
    with Emulator(concurrency=0, destinations=DESTINATIONS) as emulator:
        location = routed(emulator)[FAILURE]
        emulator.advance(900)
        wait_for_destination(emulator, "second")
        emulator.advance(900)
        failure = emulator.objects.wait_for(location)
        emulator.wait_idle()
    assert failure.body.startswith(b"No destination took the request")
    assert [job.state for job in emulator.jobs] == ["failed"]


def wait_for_destination(emulator, name):
    """Wait until the only job waits for the destination with this name."""
    while emulator.jobs[0].destination != name:
        emulator.advance(0)


def test_time_to_live_of_a_moved_job():
    """The time to live of a moved job includes the time that it waited for earlier destinations."""
    running = Event()

    def model(request):
        running.set()
        request.cancelled.wait(TIMEOUT)
        return b""

    options = {"destinations": DESTINATIONS, "max_time_in_backlog": 21_599}
    with Emulator(model, concurrency=0, **options) as emulator:
        location = routed(emulator)[FAILURE]
        emulator.advance(21_599)
        wait_for_destination(emulator, "second")
        emulator.advance(1)
        assert emulator.objects.wait_for(location).body.startswith(b"The request expired")
        emulator.wait_idle()
    assert [(job.state, job.destination) for job in emulator.jobs] == [("expired", "second")]
    assert not running.is_set()


def served_by(response):
    """Return the endpoint that served a synchronous call, and the reason why the router chose it."""
    arn = response.headers["x-amzn-sagemaker-invoked-routed-resource-arn"]
    return arn.rpartition("/")[2], response.headers["x-amzn-sagemaker-invoked-routing-reason"]


def test_synchronous_call():
    """A synchronous call runs on the first destination of the routing target."""
    with Emulator(name_of_endpoint, destinations=DESTINATIONS) as emulator:
        response = invoke(emulator, ROUTER)
    assert response.body == b"first"
    assert served_by(response) == ("first", "local-preferred")


@pytest.mark.parametrize("status", [429, 503])
def test_synchronous_call_moves(status):
    """A synchronous call moves to the next destination if the first one fails with 429 or 503."""
    with Emulator(without_capacity({"first"}, status), destinations=DESTINATIONS) as emulator:
        response = invoke(emulator, ROUTER)
    assert response.body == b"second"
    assert served_by(response) == ("second", "failover")


@pytest.mark.parametrize(
    ("names", "status", "server"),
    [({"first"}, 500, "first"), ({"first", "second"}, 503, "second")],
    ids=["another failure", "a second failure"],
)
def test_synchronous_call_fails(names, status, server):
    """A synchronous call moves only once, and not if the model fails for another reason."""
    destinations = {"my-target": ["first", "second", "third"]}
    with Emulator(without_capacity(names, status), destinations=destinations) as emulator:
        response = invoke(emulator, ROUTER)
    document = json.loads(response.body)
    assert (response.status, document["OriginalStatusCode"]) == (424, status)
    assert document["OriginalMessage"] == f"no capacity on {server}"
    assert document["LogStreamArn"].endswith(f"/{server}")


def test_synchronous_call_skips():
    """A synchronous call skips destinations that are paused.

    If all destinations are paused, the response is a ServiceUnavailableException.
    """
    with Emulator(name_of_endpoint, concurrency=0, destinations=DESTINATIONS) as emulator:
        emulator.set_concurrency(0, endpoint="first")
        response = invoke(emulator, ROUTER)
        emulator.set_concurrency(0, endpoint="second")
        unavailable = invoke(emulator, ROUTER)
        emulator.set_concurrency(1, endpoint="first")
        resumed = invoke(emulator, ROUTER)
    assert served_by(response) == ("second", "failover")
    assert unavailable.status == 503
    assert unavailable.headers["x-amzn-errortype"] == "ServiceUnavailableException"
    assert json.loads(unavailable.body)["Message"].startswith("No destination of the routing")
    assert served_by(resumed) == ("first", "local-preferred")


def test_job_of_boto3(boto):
    """A job that boto3 queues through a router moves to a destination with capacity."""
    with Emulator(without_capacity({"first"}), destinations=DESTINATIONS) as emulator:
        emulator.objects.put("s3://bucket/in", b"in")
        accepted = boto(
            "sagemaker-inference-router-runtime", emulator
        ).invoke_inference_router_async(
            InferenceRouterName="r",
            RoutingTargetName="my-target",
            InputLocation="s3://bucket/in",
            RequestTTLSeconds=60,
        )
        assert emulator.objects.wait_for(accepted["OutputLocation"]).body == b"second"


@pytest.mark.parametrize("endpoints", [[], "first"])
def test_invalid_destinations(endpoints):
    """The destinations of a routing target must be a list that is not empty."""
    with pytest.raises(ValueError, match="destinations must map 'my-target' to a list"):
        Emulator(destinations={"my-target": endpoints})
