"""Two Lambda functions: one submits jobs, and the other handles the notifications about their
results.
"""

from typing import Any

from digits import predict

from sagemaker_runtime_client import SageMakerRuntimeClient, events, handlers
from sagemaker_runtime_client.emulator import Emulator

ENDPOINT = "handwritten-digits"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:images"
BUCKET = "s3://sagemaker-emulator/"


def run(bodies: list[str]) -> tuple[list[Any], list[str], int]:
    """Submit each message, deliver everything twice, and return the results that were handled.

    Returns:
        The model's answers in the order of *bodies*, the reasons of the failures, and the number of
        messages and notifications that were delivered again without effect.
    """
    answers: dict[str, Any] = {}
    failures: list[str] = []

    def notify(event: dict[str, Any], context: object) -> object:
        return told(event, context)

    with (
        Emulator(model=predict, endpoints=[ENDPOINT], notify=notify, notify_by="sqs") as emulator,
        SageMakerRuntimeClient(
            region=emulator.region,
            credentials=emulator.credentials,
            endpoint_url=emulator.url,
            s3_endpoint_url=emulator.url,
            allowed_locations=[BUCKET],
        ) as client,
    ):

        @handlers.sqs_submitter(
            client, ENDPOINT, claims=handlers.S3Claims(client, f"{BUCKET}submitted/")
        )
        def submit(message: handlers.Message) -> handlers.Job:
            return handlers.Job(message.body.encode(), content_type="text/csv")

        @handlers.sqs_handler(claims=handlers.S3Claims(client, f"{BUCKET}told/"))
        def told(event: events.Completed | events.Failed | events.ObjectCreated) -> None:
            if isinstance(event, events.Failed):
                failures.append(event.reason)
            elif isinstance(event, events.Completed):
                assert event.inference_id not in answers
                answers[event.inference_id] = client.fetch(event).json()

        batch = _batch(bodies)
        for _ in range(2):
            assert submit(batch, None) == {"batchItemFailures": []}
            emulator.wait_idle()
        calls = emulator.function_calls
        for call in calls:
            assert (call.result, told(call.event, None)) == ({"batchItemFailures": []},) * 2
        assert len(emulator.jobs) == len(bodies)
    names = [handlers.Message(body, f"m{n}", QUEUE).job_name for n, body in enumerate(bodies)]
    redelivered = len(bodies) + sum(len(call.event["Records"]) for call in calls)
    return [answers[name] for name in names if name in answers], failures, redelivered


def _batch(bodies: list[str]) -> dict[str, Any]:
    """Return the event that Lambda passes for SQS messages with these bodies."""
    records = [
        {
            "messageId": f"m{number}",
            "body": body,
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE,
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}
