"""Messages from `_core` and `_inference`: about arguments, submission, waiting and model calls."""

import math
import pickle
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

from sagemaker_runtime_client import (
    Invocation,
    InvokeEndpointAsyncRequest,
    Response,
    SageMakerRuntimeClient,
    _core,
)
from sagemaker_runtime_client._core.model_stream import ModelStream, StreamContext
from sagemaker_runtime_client._inference.response_stream import EventReader
from sagemaker_runtime_client._inference.stream_items import BytesDecoder, ItemReader, JSONDecoder
from sagemaker_runtime_client._inference.text_stream import EventParser, LineDecoder
from sagemaker_runtime_client._limits import LINE_SIZE
from tests.messages.picking import pick_line, pick_note
from tests.runtime_client.inference.waits import FAIL, INVOCATION, OUT, UNAVAILABLE, wait
from tests.runtime_client.scripted_io import (
    ACCESS_DENIED,
    FakeS3,
    ScriptedIO,
    core,
    dropped,
    run,
)

# The files and folders in the code whose messages must all be in a table.
COVERED = (
    "runtime_client/sagemaker_runtime_client/_core",
    "runtime_client/sagemaker_runtime_client/_inference",
)


def request(**arguments):
    """Create a request with these arguments, and with a body unless another input is given."""
    inputs = {} if {"body", "input_location"} & arguments.keys() else {"body": b"x"}
    return InvokeEndpointAsyncRequest(**{"endpoint_name": "e", **inputs, **arguments})


def submit(payload=b"x", answers=(), **arguments):
    """Submit a payload to services that send the given responses."""
    return run(core(ScriptedIO(answers)).submit("e", payload, **arguments))


def infer(**arguments):
    """Run an inference with these arguments."""
    return run(core(ScriptedIO()).infer("e", b"x", **{"timeout": 60, **arguments}))


def wait_in_vain(s3, invocation=INVOCATION, **arguments):
    """Wait 30 seconds for the output of a job."""
    return wait(ScriptedIO(s3), invocation, timeout=30, **arguments)


def interrupt(*_):
    """Raise KeyboardInterrupt, as Ctrl-C does."""
    raise KeyboardInterrupt


def stale():
    """Return a fake S3 that contains an output written an hour before the job."""
    return FakeS3().put(OUT, written=-3600)


def submit_to_router(**arguments):
    """Submit a payload through an inference router."""
    return run(core(ScriptedIO()).submit(**{"payload": b"x", **arguments}))


def call_model(body=b"x", answers=(), **arguments):
    """Call a model synchronously."""
    return run(core(ScriptedIO(answers)).invoke_endpoint("e", body, **arguments))


NO_OUTPUT = "inference id: no output at s3://bucket/out after 30 s"
PERMISSIONS = (
    "the credentials need s3:GetObject, s3:ListBucket to see that the output does not exist yet, and "
    "kms:Decrypt if it is encrypted with a KMS key; the bucket must belong to expected_bucket_owner if "
    "that is set"
)
SCALING = "the endpoint may still be scaling up from zero instances, or its queue may be long"


def _read_twice():
    """Read a stream with two methods."""
    events = EventReader(ScriptedIO(), retry_model=False)
    events.head = Response(200, {})
    stream = ModelStream(events)
    stream.bytes()
    stream.lines()


def _read_in_two_threads():
    """Read a stream while it is being read."""
    reader = ItemReader(EventReader(ScriptedIO(), retry_model=False), BytesDecoder())
    reader._is_reading = True
    run(reader.fill())


def _enter_twice():
    """Enter the context of a stream a second time."""
    context = StreamContext(None).blocking()
    with suppress(AttributeError):
        context.__enter__()
    context.__enter__()


MESSAGES = [
    # A client.
    (
        lambda: pickle.dumps(SageMakerRuntimeClient()),
        "SageMakerRuntimeClient cannot be pickled or copied: create a client in each process",
    ),
    # Endpoints, routers and input locations.
    (submit_to_router, "endpoint_name or router is required"),
    (
        lambda: submit_to_router(endpoint_name="e", router="r"),
        "endpoint_name cannot be combined with router and routing_target: pass one or the other",
    ),
    (
        lambda: submit_to_router(router="r"),
        "routing_target is required: pass router and routing_target together",
    ),
    (
        lambda: submit_to_router(routing_target="t"),
        "router is required: pass router and routing_target together",
    ),
    (
        lambda: submit_to_router(router="r", routing_target="t", inline=True),
        "inline cannot be True with router: a router reads from S3",
    ),
    (
        lambda: submit_to_router(router="r", routing_target="t"),
        (
            "input_prefix is required, such as s3://bucket/inputs/: the payload must be uploaded to S3, "
            "because an inference router reads it from there"
        ),
    ),
    (
        lambda: submit_to_router(
            router="r", routing_target="t", input_prefix="s3://b/", filename="f" * 65
        ),
        "filename must have 1 to 64 characters, not 65",
    ),
    (lambda: run(core(ScriptedIO()).infer("e", timeout=60)), "payload is required"),
    # Synchronous calls.
    (
        lambda: call_model(session_id="my session"),
        "session_id must be 'NEW_SESSION', or contain only letters, digits and inner hyphens",
    ),
    (
        lambda: call_model(bytes(6_291_457)),
        "body must have at most 6,291,456 bytes, not 6,291,457: use submit or infer for it",
    ),
    (
        lambda: call_model(wait_until_ready=-1),
        "wait_until_ready must be a number of seconds from 0 to 1,000,000,000",
    ),
    (
        lambda: call_model(answers=[Response(200, (), b"", complete=False)]),
        (
            "POST https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/e/invocations: the response "
            "ended before it was complete"
        ),
    ),
    # The arguments of a request.
    (lambda: request(endpoint_name=7), "endpoint_name must be a str, not int"),
    (
        lambda: request(endpoint_name="e" * 64),
        "endpoint_name must have 1 to 63 characters, not 64",
    ),
    (
        lambda: request(endpoint_name="my_endpoint"),
        "endpoint_name must contain only letters, digits and inner hyphens",
    ),
    (
        lambda: request(input_location="bucket/key"),
        "input_location must start with s3:// or https://",
    ),
    (
        lambda: request(input_location="s3://b/\ud800"),
        "input_location must not contain lone surrogates, which UTF-8 cannot encode",
    ),
    (
        lambda: request(accept="text/csv\n"),
        "accept must not contain control characters, such as line breaks",
    ),
    (
        lambda: request(accept=" text/csv"),
        "accept must not start or end with white space, which HTTP removes",
    ),
    (lambda: request(inference_id="größe"), "inference_id must be ASCII"),
    (
        lambda: request(s3_output_path_extension="a b"),
        "s3_output_path_extension must contain only letters, digits and !_.*'()/-",
    ),
    (
        lambda: request(filename="a.tar.gz"),
        (
            "filename must start with a letter or digit and contain only letters, digits, -, _ and at "
            "most one dot"
        ),
    ),
    (
        lambda: request(request_ttl_seconds=60.0),
        "request_ttl_seconds must be an int (seconds), not float",
    ),
    (
        lambda: request(request_ttl_seconds=30),
        "request_ttl_seconds must be 60 to 21600 seconds",
    ),
    (lambda: request(body="text"), "body must be bytes, not str: encode it first"),
    (lambda: request(body=BytesIO(b"x")), "body must be bytes, not BytesIO: read it first"),
    (lambda: request(body={}), "body must be bytes, not dict: encode the result of json.dumps"),
    (
        lambda: request(body=b""),
        "body must not be empty: the service treats an empty body as a missing one",
    ),
    (
        lambda: request(body=bytes(128_001)),
        (
            "body must have at most 128,000 bytes, not 128,001: upload it to S3 and pass "
            "input_location instead"
        ),
    ),
    (
        lambda: InvokeEndpointAsyncRequest("e"),
        "body or input_location is required",
    ),
    (
        lambda: request(body=b"x", input_location="s3://b/k"),
        "body cannot be combined with input_location: pass only one of them",
    ),
    (
        lambda: InvokeEndpointAsyncRequest("e", Body=b"x"),
        "InvokeEndpointAsyncRequest.__init__() got an unexpected keyword argument 'Body'",
    ),
    # The arguments of operations.
    (
        lambda: submit(ContentType="text/csv"),
        "submit and infer do not accept ContentType; use content_type instead of ContentType",
    ),
    (
        lambda: submit(input_location="s3://b/k"),
        (
            "submit and infer do not accept input_location; for input that is already in S3, call "
            "invoke_endpoint_async and then wait"
        ),
    ),
    (
        lambda: submit(bytes(200_000)),
        (
            "input_prefix is required, such as s3://bucket/inputs/: the payload must be uploaded to "
            "S3, because it has 200,000 bytes, and a request can carry at most 128,000"
        ),
    ),
    (
        lambda: submit(b""),
        (
            "input_prefix is required, such as s3://bucket/inputs/: the payload must be uploaded to "
            "S3, because it is empty, and a request cannot carry an empty body"
        ),
    ),
    (
        lambda: submit(inline=False),
        (
            "input_prefix is required, such as s3://bucket/inputs/: the payload must be uploaded to "
            "S3, because inline=False was passed"
        ),
    ),
    (lambda: submit(timeout=0), "timeout must be more than 0 seconds"),
    (lambda: infer(timeout=-1), "timeout must be a number of seconds from 0 to 1,000,000,000"),
    (
        lambda: infer(schedule=5),
        (
            "schedule must be a plain (not async) function that accepts the seconds waited so far and "
            "returns the seconds to pause"
        ),
    ),
    (
        lambda: infer(max_size="1 GB"),
        "max_size must be a number of bytes (an int, 0 or more) or None for no limit",
    ),
    (
        lambda: infer(on_invocation="print"),
        "on_invocation must be a function that accepts the Invocation",
    ),
    (
        lambda: wait(ScriptedIO(), {"inference_id": "id"}),
        "invocation must be an Invocation, not dict",
    ),
    (
        lambda: _core.Input,
        "module 'sagemaker_runtime_client._core' has no attribute 'Input'",
    ),
    # The handle of a job.
    (
        lambda: Invocation.from_json("{}"),
        "text must be JSON that Invocation.to_json has written",
    ),
    (
        lambda: Invocation(date=datetime(2026, 11, 22)),  # noqa: DTZ001 (it is what is wrong)
        "date must be a datetime with a time zone, such as datetime.UTC",
    ),
    (
        lambda: Invocation(date=datetime(1, 1, 1, tzinfo=UTC)),
        "date must be in the years 1901 to 8999, not 1",
    ),
    (
        lambda: pick_note(lambda: submit(answers=[dropped()] * 3, inference_id="id")),
        "the job may have been queued, under inference id id",
    ),
    (
        lambda: pick_note(lambda: submit(answers=[dropped()] * 3, generate_inference_id=False)),
        "the job may have been queued, without an inference id",
    ),
    (
        lambda: pick_note(lambda: wait(ScriptedIO(interrupt))),
        (f"the job is queued; to wait for it again, use the handle {INVOCATION.to_json()}"),
    ),
    # The lines of a streamed response.
    (lambda: list(LineDecoder(3).feed(b"abcd")), "a line of the response is longer than 3 bytes"),
    (
        lambda: EventParser().feed("data:" + "x" * (LINE_SIZE + 1)),
        f"an event of the response is longer than {LINE_SIZE:,} characters",
    ),
    (
        lambda: list(JSONDecoder().feed(b"{\n")),
        (
            "the response contains text that is not a JSON document: Expecting property name "
            "enclosed in double quotes"
        ),
    ),
    (
        lambda: list(JSONDecoder().feed(b"[" * 200_000 + b"\n")),
        "the response contains text that is not a JSON document: it is nested too deeply",
    ),
    (
        lambda: list(JSONDecoder().feed(b"1" * 5000 + b"\n")),
        "the response contains text that is not a JSON document: an integer in it has too many digits",
    ),
    (
        _read_in_two_threads,
        (
            "the stream cannot be read: an earlier read was interrupted, or is still in progress in "
            "another thread or task"
        ),
    ),
    (
        _read_twice,
        (
            "the stream has already been read: it can be read once, with one of the methods bytes, "
            "lines, events and json"
        ),
    ),
    (_enter_twice, "the context of a stream can be entered once: call stream_endpoint again"),
    # Waiting for an output.
    (
        lambda: run(core(ScriptedIO()).wait(Invocation("id"), timeout=1)),
        (
            "the service accepted inference id without naming its output location: a notification "
            "with this inference id may name it"
        ),
    ),
    (
        lambda: wait_in_vain(FakeS3().put(FAIL, b"out of memory")),
        "inference id failed: out of memory",
    ),
    (
        lambda: wait_in_vain(FakeS3().put(FAIL, b""), INVOCATION.replace(inference_id=None)),
        "the inference failed: the failure object s3://bucket/fail is empty",
    ),
    (
        lambda: wait_in_vain(FakeS3(), schedule=lambda _: math.nan),
        "schedule must return a number of seconds that is more than 0",
    ),
    (lambda: wait_in_vain(FakeS3()), f"{NO_OUTPUT}; {SCALING}"),
    (
        lambda: wait_in_vain(FakeS3(), INVOCATION.replace(failure_location=None)),
        (
            f"{NO_OUTPUT}; {SCALING}; the endpoint has no S3FailurePath, so a failure of the job would "
            "go unnoticed"
        ),
    ),
    (
        lambda: wait_in_vain(stale()),
        f"{NO_OUTPUT}; the object at the output location is older than the job",
    ),
    (
        lambda: wait_in_vain(FakeS3().respond(UNAVAILABLE)),
        (
            f"{NO_OUTPUT}; last polling error: s3://bucket/fail: the service responded with status "
            "503 and no message"
        ),
    ),
    (
        lambda: wait_in_vain(FakeS3(listing=False)),
        f"{NO_OUTPUT}; S3 denied every poll of the output (403): {PERMISSIONS}",
    ),
    (
        lambda: wait_in_vain(FakeS3().respond(ACCESS_DENIED, since=5, location=OUT)),
        f"{NO_OUTPUT}; S3 denied the last polls of the output (403): {PERMISSIONS}",
    ),
    (
        lambda: wait_in_vain(FakeS3().respond(ACCESS_DENIED, location=FAIL)),
        (
            f"{NO_OUTPUT}; {SCALING}; S3 denied the last polls of the failure object (403): without "
            "s3:GetObject and s3:ListBucket, and kms:Decrypt if it is encrypted with a KMS key, a "
            "failure of the job goes unnoticed"
        ),
    ),
    (
        lambda: pick_line(lambda: wait_in_vain(FakeS3()), "inference id"),
        "inference id: poll 1 found no result; next poll in 0.40 s",
    ),
]
