"""Messages of `fetch`: events that announce no result, are about another job, or may be forged."""

from sagemaker_runtime_client import Invocation
from sagemaker_runtime_client.events import Completed, Failed, Ignored, ObjectCreated
from tests.runtime_client.scripted_io import ScriptedIO, core, run

# The files and folders in the code whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/_core/fetch.py",)

OUT = "s3://bucket/out"
COMPLETED = Completed(inference_id="id", output_location=OUT)


def fetch(event, invocation=None, allowed=("s3://bucket",), **arguments):
    """Fetch the result of an event."""
    client = core(ScriptedIO([]), allowed_locations=allowed)
    return run(client.fetch(event, invocation=invocation, **arguments))


MESSAGES = [
    (
        lambda: fetch(Ignored("test", "a test message of S3")),
        "event announces no result: test, a test message of S3",
    ),
    (
        lambda: fetch({"Records": []}),
        "event must be Completed, Failed or ObjectCreated from events.parse, not dict",
    ),
    (
        lambda: fetch(Completed(inference_id="id")),
        "event has no output_location, and neither has invocation",
    ),
    (
        lambda: fetch(COMPLETED.replace(body=b"12", trusted=True), max_size=1),
        "the output in the event has more than 1 bytes (max_size)",
    ),
    (lambda: fetch(Failed("id", reason="no memory")), "inference id failed: no memory"),
    (lambda: fetch(Failed("id")), "inference id failed: the event has no reason"),
    (
        lambda: fetch(ObjectCreated("bucket", "a+b")),
        "event has a key that may be percent-encoded or not: pass the job's invocation=",
    ),
    (
        lambda: fetch(ObjectCreated("bucket", "other"), Invocation("id", OUT)),
        "event is about another object than the results of invocation",
    ),
    (
        lambda: fetch(COMPLETED, Invocation("other", OUT)),
        "event is about another job: inference_id is not that of invocation",
    ),
    (
        lambda: fetch(COMPLETED, allowed=None),
        (
            "event.output_location may be forged: pass the job's invocation=, or create the client "
            "with allowed_locations="
        ),
    ),
]
