"""Test jobs from their submission to the handler that gets their notifications."""

import pytest

from sagemaker_runtime_client import InferenceFailedError, SageMakerRuntimeClient, handlers
from sagemaker_runtime_client.emulator import Emulator, Faults, ModelFailure, Notifications

OUTPUTS = "s3://sagemaker-emulator/async-endpoint-outputs/"
NOTIFICATIONS = Notifications(success_topic="success", error_topic="error", objects=[OUTPUTS])
DECORATORS = {
    "s3": handlers.s3_handler,
    "sns": handlers.sns_handler,
    "sqs": handlers.sqs_handler,
}
FAILED = (b"3", b"7")
REPEATED = b"5"


def model(request):
    """Return the payload, or fail if the payload is in `FAILED`."""
    if request.body in FAILED:
        raise ModelFailure("no", status_code=400)
    return request.body


@pytest.fixture
def run():
    """Return a function that runs ten jobs, and returns the outputs and failures that were handled."""

    def run(by):
        told, clients = [], []

        def handle(event):
            """Record the output or the failure reason; raise an error for the first event of one
            job.
            """
            try:
                body = clients[0].fetch(event).body
            except InferenceFailedError as error:
                body = str(error.reason)[:11].encode()
            if body == REPEATED and REPEATED not in told and not clients[1:]:
                clients.append(None)
                raise ValueError
            told.append(body)

        handler = DECORATORS[by](handle)
        with Emulator(model, notifications=NOTIFICATIONS, notify=handler, notify_by=by) as emulator:
            emulator.faults.always(Faults.DUPLICATED, on="Publish")
            with SageMakerRuntimeClient(
                region=emulator.region,
                credentials=emulator.credentials,
                endpoint_url=emulator.url,
                s3_endpoint_url=emulator.url,
                allowed_locations=[OUTPUTS],
            ) as client:
                clients.append(client)
                for number in range(10):
                    client.invoke_endpoint_async("e", body=str(number).encode())
                emulator.wait_idle()
                emulator.advance(60)
                emulator.wait_idle()
        return sorted(told)

    return run


COMPLETED = [b"%d" % number for number in range(10) if b"%d" % number not in FAILED]


@pytest.mark.parametrize("by", ["sqs", "sns"])
def test_results(run, by):
    """Each job is handled once, although notifications are duplicated and the handler fails once."""
    assert run(by) == [*COMPLETED, b"ClientError", b"ClientError"]


def test_objects(run):
    """Each output object is handled once, although the handler fails once."""
    assert run("s3") == COMPLETED
