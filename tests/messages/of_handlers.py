"""Messages of the handlers for Lambda functions."""

from asyncio import CancelledError

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    PreconditionFailedError,
    SageMakerRuntimeClient,
)
from sagemaker_runtime_client.handlers import (
    Claim,
    Job,
    MemoryClaims,
    S3Claims,
    sns_handler,
    sqs_handler,
    sqs_submitter,
)
from sagemaker_runtime_client.handlers._batch import _check_claim
from sagemaker_runtime_client.handlers._submitter import _to_job
from tests.messages.picking import pick_line
from tests.runtime_client.handlers.lambda_events import (
    QUEUE,
    Context,
    as_text,
    completed,
    sns_event,
    sqs_event,
)
from tests.runtime_client.scripted_io import run

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/handlers",)

client = SageMakerRuntimeClient(region="eu-west-1")
async_client = AsyncSageMakerRuntimeClient(region="eu-west-1")


class BrokenClaims(MemoryClaims):
    """Claims that can be neither released nor recorded as done."""

    def done(self, *_arguments):
        """Raise an error, as if the store could not be reached."""
        raise OSError("no connection")

    release = done


def handle(*messages, function=bool, seconds=60, queue=QUEUE, **options):
    """Pass SQS messages to a handler."""
    handler = sqs_handler(**options)(function)
    return handler(sqs_event(*messages, queue=queue), Context(seconds))


def fail(_event):
    """Raise an error, as a user's function may do."""
    raise RuntimeError("broken")


async def cancel(_event):
    """Raise the error of a task that was cancelled."""
    raise CancelledError


def lost():
    """Record a message as done after its claim expired and another invocation claimed the message."""
    claims = MemoryClaims()
    first = claims.claim("key", 0.0)
    claims.claim("key", 60.0)
    claims.done(first)


def busy():
    """Handle a message while another handler is handling it."""
    claims = MemoryClaims()
    inner = sqs_handler(claims=claims)(bool)
    event = sqs_event(completed())
    handle(completed(), claims=claims, function=lambda _event: inner(event, Context()))


def lost_in_s3():
    """Record a message as done after its claim in S3 was replaced."""

    class Client:
        def put_object(self, *_arguments, **_options):
            raise PreconditionFailedError("no", status_code=412)

    run(S3Claims(Client(), "s3://bucket/prefix/").done(Claim("key", "claimed")))


def submit(function=None, **options):
    """Decorate a function with `sqs_submitter`."""
    return sqs_submitter(client, **{"endpoint_name": "e", **options})(function)


MESSAGES = [
    # Arguments.
    (
        lambda: handle(allowed_locations=["my-bucket"]),
        "allowed_locations must contain locations of the forms s3://bucket and s3://bucket/prefix/, but item 1 has neither form",
    ),
    (
        lambda: sqs_handler(17),
        "function must be a function of one event, not int",
    ),
    (submit, "function must be a function of one message, not NoneType"),
    (
        lambda: submit(endpoint_name=None),
        "pass either endpoint_name, or router and routing_target",
    ),
    (
        lambda: submit(endpoint_name=None, router="r"),
        "pass router and routing_target together",
    ),
    (
        lambda: submit(output_prefix="s3://bucket/key"),
        "output_prefix must be a location such as s3://bucket/prefix/",
    ),
    (
        lambda: S3Claims(client, "s3://bucket/key"),
        "prefix must be a location such as s3://bucket/prefix/",
    ),
    (
        lambda: handle(claims=S3Claims(async_client, "s3://bucket/prefix/")),
        "claims uses an async client, which only an async function can use: pass a SageMakerRuntimeClient, or decorate an async function",
    ),
    (lambda: MemoryClaims(max_keys=0), "max_keys must be at least 1"),
    (
        lambda: handle(claims={}),
        "claims must have the methods of handlers.Claims, which dict has not",
    ),
    (lambda: handle(reserve=-1), "reserve must be a number of seconds from 0 to 900"),
    (lambda: handle(on_ignored=17), "on_ignored must be a function, not int"),
    (Job, "pass either payload or input_location"),
    # Events.
    (
        lambda: sqs_handler(bool)({"Records": [{"eventSource": "aws:s3"}]}, None),
        "event must be what Lambda passes for aws:sqs: check which event source invokes this function",
    ),
    (
        lambda: submit(lambda _message: "text")(sqs_event("a"), None),
        "record 0 of 1 failed",
    ),
    (
        lambda: _to_job("text"),
        "the function must return bytes, a Job or None, not str",
    ),
    # Log lines about messages that are delivered again.
    (lambda: handle(completed(), function=fail), "record 0 of 1 failed"),
    (
        lambda: handle(as_text("{")),
        "record 0 of 1 was not handled: the message is malformed: the message is not JSON",
    ),
    (
        lambda: handle(completed(), trusted_sources=["arn:aws:sqs:eu-west-1:1:other"]),
        "record 0 of 1 was not handled: the message is untrusted: its source is not one of trusted_sources",
    ),
    (
        lambda: handle(completed(), allowed_locations=["s3://other"]),
        "record 0 of 1 was not handled: the message is untrusted: its location is outside allowed_locations",
    ),
    (
        lambda: handle(completed(), seconds=0.5),
        "record 0 of 1 was not handled: too little time was left to handle the message",
    ),
    (busy, "record 0 of 1 was not handled: the message is being handled elsewhere"),
    (
        lambda: handle("{", completed(), queue=f"{QUEUE}.fifo"),
        "record 1 of 2 was not handled: an earlier message of the FIFO queue was not handled",
    ),
    (
        lambda: pick_line(lambda: handle(*[completed()] * 10_001), "record 0 "),
        "record 0 of 10001 was not handled: the message is malformed: Records has more than 10,000 records",
    ),
    (
        lambda: pick_line(lambda: handle(*[completed()] * 10_001), "record 1 "),
        "record 1 of 10001 was not handled: the event has too many records",
    ),
    (
        lambda: sns_handler(cancel)(sns_event(completed()), Context()),
        "the function was cancelled",
    ),
    # Claims.
    (
        lambda: _check_claim(None),
        "claims must return a Claim whose state is claimed, done, busy",
    ),
    (
        lost_in_s3,
        "the claim key expired, and another invocation has claimed the message since",
    ),
    (lost, "the claim key expired, and another thread has claimed the message since"),
    (
        lambda: handle(completed(), claims=BrokenClaims()),
        "could not record that a message was handled",
    ),
    (
        lambda: pick_line(
            lambda: handle(completed(), claims=BrokenClaims(), function=fail), "could not release"
        ),
        "could not release a claim, which expires by itself",
    ),
]
