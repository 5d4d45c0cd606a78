"""Helpers that make single calls with a `ServiceClient` over scripted I/O."""

import pytest

from sagemaker_runtime_client import (
    Request,
    Response,
    RuntimeClientError,
)
from sagemaker_runtime_client._aws.auth import SigV4Auth
from sagemaker_runtime_client._aws.call import ServiceClient
from sagemaker_runtime_client._aws.endpoint import Endpoint
from sagemaker_runtime_client._aws.error_response import json_error
from sagemaker_runtime_client._aws.operation import Operation, Progress
from sagemaker_runtime_client._aws.retry import RetryPolicy
from sigv4 import as_provider
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    REGION,
    run,
)

OK = Response(200, {"x-amzn-requestid": "R"})
ENDPOINT = Endpoint(f"https://runtime.sagemaker.{REGION}.amazonaws.com", "sagemaker", REGION)
PLAIN = ENDPOINT._replace(origin="http://localhost:8080")
LOCATION = "s3://bucket/in"


def answer(status, code=None, message="m", **headers):
    """Return an error response in the format of SageMaker Runtime."""
    named = {} if code is None else {"x-amzn-errortype": code}
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {**named, **headers}, b'{"message":"%s"}' % message.encode())


def caller(io, credentials=CREDENTIALS, **policy):
    """Return a `ServiceClient` that signs with *credentials* and sends through *io*."""
    return ServiceClient(io, io, SigV4Auth(as_provider(credentials)), RetryPolicy(**policy))


def call(**parts):
    """Return an `Operation` with the fields in *parts*; by default it is not idempotent."""
    request = Request("POST", "/endpoints/e/async-invocations", (("x-amzn-one", "1"),), b"body")
    given = {"endpoint": ENDPOINT, "idempotent": False, **parts}
    return Operation(request=request, parse_error=json_error, **given)


def succeed(client, **parts):
    """Send an operation that succeeds, and return the `Progress` of the call."""
    progress = Progress()
    run(client.send(call(progress=progress, **parts)))
    return progress


def refused(io, *, of=None, **parts):
    """Send an operation that fails, and return the error."""
    with pytest.raises(RuntimeClientError) as caught:
        run((of or caller(io)).send(call(**parts)))
    return caught.value
