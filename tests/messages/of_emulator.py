"""Messages of the emulator: its errors in Python, and its error responses."""

import asyncio
import json
import socket
import sys
from importlib import import_module, reload
from time import sleep
from unittest.mock import patch
from xml.etree import ElementTree as ET

from sagemaker_runtime_client.emulator import (
    Emulator,
    Faults,
    ModelFailure,
    ModelRequest,
    ModelResponse,
    ObjectStore,
)
from sagemaker_runtime_client.emulator._queue.queue import InvocationQueue
from sagemaker_runtime_client.emulator._synchronous import SynchronousRoutes
from sigv4 import EventDecoder
from tests.emulator.wire import INPUT, INVOCATION, call

COVERED = ("runtime_client/sagemaker_runtime_client/emulator",)

PACKAGE = "sagemaker_runtime_client.emulator"


def without_starlette():
    """Import the emulator as if starlette were not installed."""
    with patch.dict(sys.modules, starlette=None):
        reload(import_module(PACKAGE))


def enter_twice():
    """Enter the same emulator twice."""
    emulator = Emulator()
    with emulator:
        pass
    with emulator:
        pass


def wait_for_a_paused_queue():
    """Wait for a paused queue, which contains an invocation, to become idle."""
    with Emulator(concurrency=0) as emulator:
        call(emulator, "POST", INVOCATION, (), b"in")
        emulator.wait_idle(timeout=0)


def error(method, target, headers=(), body=b"", **options):
    """Return the message of the error response to a signed request."""
    with Emulator(**options) as emulator:
        return message(call(emulator, method, target, headers, body))


def message(response):
    """Return the message in an error response from SageMaker Runtime or S3."""
    if "json" in response.headers["content-type"]:
        document = json.loads(response.body)
        return document.get("Message", document.get("message"))
    return ET.fromstring(response.body).findtext("Message")


def failure(model, headers=(), body=b"in"):
    """Run an invocation that fails, and return the content of its failure object."""
    with Emulator(model) as emulator:
        response = call(emulator, "POST", INVOCATION, headers, body)
        location = response.headers["x-amzn-sagemaker-failurelocation"]
        return emulator.objects.wait_for(location).body.decode()


def timed_out():
    """Return the content of the failure object of an invocation that takes too long."""
    with Emulator(lambda request: request.cancelled.wait(10) and b"") as emulator:
        response = call(emulator, "POST", INVOCATION, (), b"in")
        while emulator.jobs[0].state != "running":
            sleep(0.001)
        emulator.advance(900)
        location = response.headers["x-amzn-sagemaker-failurelocation"]
        return emulator.objects.wait_for(location).body.decode()


def unreachable():
    """Return the content of the failure object if no container listens at the model's address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return failure(f"http://127.0.0.1:{port}").replace(str(port), "PORT")


TARGET = {"x-amzn-sagemaker-routing-target-name": "t"}


def refuse(_request):
    """Fail like a container that rejects its input."""
    raise ModelFailure("no such digit", status_code=400)


def paused_destination():
    """Return the error message of a router whose only destination is paused."""
    with Emulator() as emulator:
        emulator.set_concurrency(0, endpoint="t")
        target = {"x-amzn-sagemaker-routing-target-name": "t"}
        return message(call(emulator, "POST", "/inference-routers/r/invocations", target, b"in"))


def stopped():
    """Return the failure of a model that is still running when the emulator stops."""

    async def run():
        stopping = asyncio.Event()
        stopping.set()
        queue = InvocationQueue(ObjectStore(), lambda _: asyncio.sleep(10), 1, None)
        routes = SynchronousRoutes(None, queue, None, stopping)
        return await routes._until_stopped(routes._whole(ModelRequest(b"")))

    try:
        asyncio.run(run())
    except ModelFailure as failure:
        return failure.message


def expired(seconds):
    """Return the content of the failure object of a job that an inference router held too long."""
    with Emulator(concurrency=0) as emulator:
        target = "/inference-routers/r/async-invocations"
        response = call(emulator, "POST", target, {**TARGET, **INPUT})
        emulator.advance(seconds)
        location = response.headers["x-amzn-sagemaker-failurelocation"]
        return emulator.objects.wait_for(location).body.decode()


def stream_error(fault):
    """Return the message of the error in a response stream."""
    with Emulator() as emulator:
        emulator.faults.once(fault)
        response = call(emulator, "POST", "/endpoints/e/invocations-response-stream", (), b"in")
    message = [*EventDecoder().decode([response.body])][-1]
    document = json.loads(message.payload or b"{}")
    return document.get("Message", message.headers.get(":error-message"))


def ready_error():
    """Return the message for a model that is not ready."""
    with Emulator() as emulator:
        emulator.faults.once(Faults.MODEL_NOT_READY)
        return message(call(emulator, "POST", "/endpoints/e/invocations", (), b"in"))


MESSAGES = [
    (
        without_starlette,
        """
        the emulator requires starlette and uvicorn; to install them, run:
        pip install 'sagemaker-runtime-client[emulator]'
        """,
    ),
    (
        lambda: import_module(PACKAGE).Refusal,
        """
        sagemaker_runtime_client.emulator.Refusal is deprecated: use
        sagemaker_runtime_client.emulator.ErrorResponse instead
        """,
    ),
    (
        lambda: import_module(PACKAGE).Unknown,
        "module 'sagemaker_runtime_client.emulator' has no attribute 'Unknown'",
    ),
    # Arguments and use of an emulator.
    (
        lambda: Emulator(output_path="bucket"),
        "output_path must be like s3://bucket/prefix, not 'bucket'",
    ),
    (lambda: Emulator(concurrency=-1), "concurrency must be 0 or more, not -1"),
    (
        lambda: Emulator(part_size=0),
        "part_size must be from 1 to 25165824 bytes, not 0",
    ),
    (
        lambda: Emulator(destinations={"t": []}),
        "destinations must map 't' to a list of one or more endpoints",
    ),
    (
        lambda: Emulator("model.py"),
        """
        model must be a function, 'module:function' or the http(s) address of a container,
        not 'model.py'
        """,
    ),
    (lambda: Emulator("json:__doc__"), "model must be callable, not str"),
    (
        lambda: Emulator(asyncio.sleep),
        f"model must not be a coroutine function: {asyncio.sleep!r}",
    ),
    (enter_twice, "an Emulator can be entered only once: create a new one"),
    (lambda: Emulator().url, "the emulator is not running: use it in a with statement"),
    (
        wait_for_a_paused_queue,
        "invocations are still queued or running after 0 s",
    ),
    (
        lambda: Faults().once(Faults.THROTTLED, on="InvokeModel"),
        """
        unknown operations: InvokeModel; the emulator supports AbortMultipartUpload,
        ChangeMessageVisibility, ChangeMessageVisibilityBatch, CompleteMultipartUpload,
        CreateBucket, CreateMultipartUpload, CreateQueue, CreateTopic, DeleteMessage,
        DeleteMessageBatch, DeleteObject, DeleteObjects, DeleteQueue, DeleteTopic, GetObject,
        GetQueueAttributes, GetQueueUrl, GetSubscriptionAttributes, GetTopicAttributes, HeadBucket,
        HeadObject, InvokeEndpoint, InvokeEndpointAsync, InvokeEndpointWithResponseStream,
        InvokeInferenceRouter, InvokeInferenceRouterAsync, ListMultipartUploads, ListObjects,
        ListObjectsV2, ListParts, ListQueues, ListSubscriptions, ListSubscriptionsByTopic,
        ListTopics, Publish, PublishBatch, PurgeQueue, PutObject, ReceiveMessage, SendMessage,
        SendMessageBatch, SetQueueAttributes, SetSubscriptionAttributes, SetTopicAttributes,
        Subscribe, Unsubscribe, UploadPart
        """,
    ),
    (
        lambda: ObjectStore().get("bucket/key"),
        "a location must have the form s3://bucket/key or https://host/key",
    ),
    (
        lambda: ObjectStore().wait_for("s3://bucket/key", timeout=0),
        "no object was written to s3://bucket/key within 0 s",
    ),
    # Failures of a model.
    (
        lambda: failure(lambda _: 42),
        """
        Received server error (500) from model with message "TypeError: a model must return bytes,
        str, an iterator, (bytes or an iterator, content type) or ModelResponse, not int"
        """,
    ),
    (
        lambda: failure(lambda _: (b"", "text/\u20ac")),
        """
        Received server error (500) from model with message "ValueError: the content type of a model
        must be printable ASCII, not 'text/\u20ac'"
        """,
    ),
    (
        lambda: failure(lambda _: ModelResponse(b"", custom_attributes="\u20ac")),
        """
        Received server error (500) from model with message "ValueError: the custom attributes of a
        model must be printable ASCII"
        """,
    ),
    (
        lambda: failure(lambda _: iter([42])),
        """
        Received server error (500) from model with message "TypeError: a model must yield bytes or
        str, not int"
        """,
    ),
    (
        lambda: error("POST", "/endpoints/e/invocations", model=lambda _: bytes(6_291_457)),
        """
        Received server error (0) from model with message "The output of the model has more than
        6291456 bytes."
        """,
    ),
    (unreachable, "Could not reach the model at http://127.0.0.1:PORT: ConnectError"),
    (timed_out, "The model did not respond within 900 seconds."),
    (
        lambda: failure(lambda _: b"", INPUT, b""),
        "Could not download the input s3://bucket/in: NoSuchKey",
    ),
    # Error responses of SageMaker Runtime.
    (
        lambda: error("POST", "/endpoints/my-endpoint/invocations-bidirectional-stream", (), b"in"),
        "The emulator does not support this operation.",
    ),
    (
        lambda: error("POST", INVOCATION, INPUT, endpoints=["other"]),
        "Endpoint my-endpoint of account 000000000000 not found.",
    ),
    (
        lambda: error("POST", INVOCATION),
        "Body and InputLocation are mutually exclusive. Provide exactly one of them.",
    ),
    (
        lambda: error("POST", INVOCATION, (), b"x" * 128_001),
        "Body must have length less than or equal to 128000 bytes.",
    ),
    (
        lambda: error("POST", INVOCATION, {**INPUT, "x-amzn-sagemaker-requestttlseconds": "5"}),
        """
        1 validation error detected: Value '5' at 'requestTTLSeconds' failed to satisfy constraint:
        Member must have value greater than or equal to 60
        """,
    ),
    (
        lambda: error("POST", "/endpoints/e/invocations", {"x-amzn-sagemaker-session-id": "s"}),
        "Session s not found or expired.",
    ),
    (
        lambda: error("POST", "/inference-routers/r/invocations"),
        """
        1 validation error detected: Value null at 'routingTargetName' failed to satisfy constraint:
        Member must not be null
        """,
    ),
    (
        lambda: error("POST", "/inference-routers/r/async-invocations", TARGET, b"x"),
        "InputLocation is required, and a body is not allowed.",
    ),
    (
        lambda: error("POST", "/endpoints/e/invocations", (), b"x", model=refuse),
        'Received client error (400) from model with message "no such digit"',
    ),
    (stopped, "The emulator stopped."),
    (
        paused_destination,
        "No destination of the routing target has the capacity for the request.",
    ),
    (
        lambda: expired(21_600),
        "The request expired in the queue after RequestTTLSeconds.",
    ),
    (
        lambda: expired(900),
        "No destination took the request within MaxTimeInBacklogSeconds.",
    ),
    # Errors in response streams.
    (
        lambda: stream_error(Faults.STREAM_FAILED),
        "The stream processing failed.",
    ),
    (
        lambda: stream_error(Faults.STREAM_ERROR),
        "An internal server error occurred.",
    ),
    (
        ready_error,
        "The model is not ready to serve inference requests.",
    ),
]
