"""Constants for running the command-line tool as a separate process, and a model for the emulator."""

import json
import os
import sys
from pathlib import Path

from sagemaker_runtime_client.emulator import ModelFailure

ROOT = Path(__file__).parent.parent.parent.parent
SOURCES = os.pathsep.join([str(ROOT), str(ROOT / "runtime_client")])
PROGRAM = f"{sys.executable} -m sagemaker_runtime_client"


def model(request):
    """Return the payload in upper case, or raise ModelFailure for the payloads `fail` and `forge`."""
    if request.body == b"fail":
        raise ModelFailure('{"message": "out of memory"}')
    if request.body == b"forge":
        raise ModelFailure("out of memory\x1b[2K\nsagemaker-runtime: done\u202e")
    return request.body.upper(), request.content_type or "text/plain"


def yielding_model(request):
    """Yield the name of the endpoint and the payload; fail for lack of capacity on `busy`."""
    if request.endpoint_name == "busy":
        raise ModelFailure("busy", status_code=503)
    yield request.endpoint_name
    yield request.body


def notified(event, context):
    """Print the states of the jobs in an event of SQS, or fail for an event of another service."""
    del context
    messages = [json.loads(record["body"])["Message"] for record in event["Records"]]
    print("notified of", *[json.loads(message)["invocationStatus"] for message in messages])
