"""Test the whole loop: jobs are submitted, and a handler of this package is told their results."""

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
    """Return the payload, or fail."""
    if request.body in FAILED:
        raise ModelFailure("no", status_code=400)
    return request.body


@pytest.fixture
def run():
    """Return a function that runs ten jobs, and returns what a handler was told about them."""

    def run(by):
        told, clients = [], []

        def handle(event):
            """Record the output or the failure; fail for the first notification about one job."""
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
    """Each job is handled once, although each notification is duplicated and one call fails."""
    assert run(by) == [*COMPLETED, b"ClientError", b"ClientError"]


def test_objects(run):
    """Each output is handled once, although one call fails."""
    assert run("s3") == COMPLETED
