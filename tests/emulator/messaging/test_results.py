"""Test the notifications about results of asynchronous inferences."""

import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest

from sagemaker_runtime_client import events
from sagemaker_runtime_client.emulator import (
    Emulator,
    Faults,
    ModelFailure,
    ModelResponse,
    Notifications,
)
from tests.emulator.messaging.boto_queue import subscribed_queue

TOPICS = Notifications(success_topic="success", error_topic="error")
WITH_RESPONSES = Notifications(
    success_topic="success",
    error_topic="error",
    include_inference_response_in=["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"],
)
ROUTER_TOPICS = Notifications(
    success_topic="success",
    error_topic="error",
    router_success_topic="router-success",
    router_error_topic="router-error",
    include_inference_response_in=["SUCCESS_NOTIFICATION_TOPIC"],
)
REASON = "Received server error (500) from model. See the SageMaker Endpoint logs in your account"
TAIL = " for more information."


def refuse(request):
    """Fail with the status that the payload contains."""
    raise ModelFailure(b"no\xff", status_code=int(request.body))


@pytest.fixture
def announced(boto):
    """Return a function that runs one job, and returns the response to its request and its
    notifications.
    """

    def run(notifications, model, body=b"in", topics=("success", "error"), **arguments):
        with Emulator(model, notifications=notifications, clock=lambda: datetime.now(UTC)) as one:
            queue = subscribed_queue(boto, one, *topics)
            runtime = boto("sagemaker-runtime", one)
            one.objects.put("s3://bucket/in put", body)
            accepted = runtime.invoke_endpoint_async(
                EndpointName="my-endpoint", InputLocation="s3://bucket/in put", **arguments
            )
            one.wait_idle()
            return accepted, queue.messages()

    return run


def without_times(message):
    """Return a notification without its times, after checking that receivedTime precedes eventTime."""
    times = [message[name] for name in ("receivedTime", "eventTime")]
    assert times == sorted(times)
    return {name: value for name, value in message.items() if not name.endswith("Time")}


def test_completed(announced):
    """The notification about a successful inference has the fields of a real one."""
    accepted, (message,) = announced(
        TOPICS,
        lambda _: ModelResponse(b"out", "text/plain"),
        InferenceId="mine",
        Accept="text/*",
        ContentType="text/csv",
        CustomAttributes="c=1",
    )
    assert without_times(message) == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "text/*",
            "contentType": "text/csv",
            "customAttributes": "c=1",
            "endpointName": "my-endpoint",
            "inputLocation": "s3://bucket/in put",
        },
        "responseParameters": {
            "contentType": "text/plain",
            "outputLocation": accepted["OutputLocation"],
        },
        "inferenceId": "mine",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (b"500", REASON + TAIL),
        (
            b"400",
            REASON.replace("server error (500)", "client error (400)").join(
                ["ClientError: ", TAIL]
            ),
        ),
        (b"0", "no\ufffd"),
    ],
)
def test_failed(announced, status, reason):
    """The notification about a failed inference contains a reason, but no responseParameters."""
    accepted, (message,) = announced(TOPICS, refuse, status)
    assert without_times(message) == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Failed",
        "requestParameters": {
            "endpointName": "my-endpoint",
            "inputLocation": "s3://bucket/in put",
        },
        "failureReason": reason,
        "inferenceId": accepted["InferenceId"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def test_included_responses(announced):
    """A notification includes a response of at most 128 KiB if the configuration requests this."""
    _, (completed,) = announced(WITH_RESPONSES, lambda _: b"\xff" * 131_072)
    assert b64decode(completed["responseBody"]["content"]) == b"\xff" * 131_072
    assert completed["responseBody"]["encoding"] == "BASE64"
    _, (large,) = announced(WITH_RESPONSES, lambda _: b"\xff" * 131_073)
    assert "responseBody" not in large
    _, (failed,) = announced(WITH_RESPONSES, refuse, b"500")
    assert failed["responseBody"]["content"] == "no\ufffd"
    assert "encoding" not in failed["responseBody"]


def test_inline_input(boto):
    """The notification about an inline payload contains no input location."""
    with Emulator(notifications=TOPICS, clock=lambda: datetime.now(UTC)) as emulator:
        queue = subscribed_queue(boto, emulator, "success", RawMessageDelivery="true")
        runtime = boto("sagemaker-runtime", emulator)
        runtime.invoke_endpoint_async(EndpointName="e", Body=b"in")
        emulator.wait_idle()
        (body,) = queue.bodies()
    assert json.loads(body)["requestParameters"] == {"endpointName": "e"}


def test_expired_jobs(boto):
    """If a failure object is written for an expired job, the job's failure is announced."""
    with Emulator(notifications=TOPICS, concurrency=0, expired_text="expired") as emulator:
        queue = subscribed_queue(boto, emulator, "error")
        runtime = boto("sagemaker-runtime", emulator)
        runtime.invoke_endpoint_async(EndpointName="e", Body=b"in")
        emulator.advance(21_600)
        emulator.wait_idle()
        assert [message["failureReason"] for message in queue.messages()] == ["expired"]


def router_messages(boto, model, **options):
    """Run a job of an inference router, and return the topic and content of each notification."""
    destinations = {"t": ["a", "b"]}
    found = []
    with Emulator(
        model, notifications=ROUTER_TOPICS, destinations=destinations, **options
    ) as emulator:
        queue = subscribed_queue(
            boto, emulator, "success", "error", "router-success", "router-error"
        )
        emulator.objects.put("s3://bucket/in", b"in")
        boto("sagemaker-inference-router-runtime", emulator).invoke_inference_router_async(
            InferenceRouterName="r", RoutingTargetName="t", InputLocation="s3://bucket/in"
        )
        emulator.wait_idle()
        for body in queue.bodies():
            envelope = json.loads(body)
            message = json.loads(envelope["Message"])
            parameters = message["requestParameters"]
            topic = envelope["TopicArn"].rpartition(":")[2]
            router = parameters.get("inferenceRouterName")
            found.append((topic, parameters["endpointName"], router, "responseBody" in message))
    return found


def test_router(boto):
    """If one destination fails and the next succeeds, both endpoints and the router announce this."""

    def model(request):
        if request.endpoint_name == "a":
            raise ModelFailure("busy", status_code=503)
        return b"out"

    assert router_messages(boto, model) == [
        ("error", "a", None, False),
        ("success", "b", None, True),
        ("router-success", "b", "r", False),
    ]


def test_router_that_fails(boto):
    """If no destination accepts a job, only the router announces the failure."""
    assert router_messages(boto, lambda _: b"", concurrency=0, max_time_in_backlog=0.01) == [
        ("router-error", "b", "r", False)
    ]


def test_a_deleted_topic(boto):
    """If a topic was deleted, its notification is lost, but the job is completed."""
    with Emulator(notifications=TOPICS) as emulator:
        sns = boto("sns", emulator)
        sns.delete_topic(TopicArn=sns.create_topic(Name="success")["TopicArn"])
        boto("sagemaker-runtime", emulator).invoke_endpoint_async(EndpointName="e", Body=b"in")
        emulator.wait_idle()
        assert [job.state for job in emulator.jobs] == ["completed"]


@pytest.mark.parametrize(("fault", "copies"), [(Faults.LOST, 0), (Faults.DUPLICATED, 2)])
def test_lost_and_duplicated_notifications(boto, fault, copies):
    """`LOST` and `DUPLICATED` also apply to notifications that the emulator itself publishes."""
    with Emulator(notifications=TOPICS) as emulator:
        queue = subscribed_queue(boto, emulator, "success")
        emulator.faults.once(fault, on="Publish")
        boto("sagemaker-runtime", emulator).invoke_endpoint_async(EndpointName="e", Body=b"in")
        emulator.wait_idle()
        assert len(queue.messages()) == copies


def test_parsed(boto):
    """`events.parse` can parse a notification that boto3 has received from the emulator."""
    with Emulator(notifications=WITH_RESPONSES) as emulator:
        queue = subscribed_queue(boto, emulator, "success")
        runtime = boto("sagemaker-runtime", emulator)
        accepted = runtime.invoke_endpoint_async(EndpointName="e", Body=b"in", InferenceId="i")
        emulator.wait_idle()
        response = queue.sqs.receive_message(QueueUrl=queue.url)
        arn = queue.arn
    (event,) = events.parse(response, source=arn, trusted_sources=[arn])
    assert isinstance(event, events.Completed)
    assert (event.inference_id, event.output_location, event.body) == (
        "i",
        accepted["OutputLocation"],
        b"in",
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"success_topic": "a b"}, "success_topic must be a name"),
        ({"object_queue": "q.fifo"}, "object_queue must be a name"),
        ({"include_inference_response_in": ["BOTH"]}, "include_inference_response_in must contain"),
        ({"objects": "s3://bucket/"}, "objects must be a list"),
        ({"objects": ["bucket"]}, "objects must be a list"),
    ],
)
def test_wrong_configuration(arguments, text):
    """An invalid argument of `Notifications` raises an error that names the argument."""
    with pytest.raises(ValueError, match=text):
        Notifications(**arguments)
