"""Helpers for tests that wait for jobs with scripted responses."""

import pytest

from sagemaker_runtime_client import (
    Invocation,
    RuntimeClientError,
)
from tests.runtime_client.scripted_io import (
    CREDENTIALS,
    START,
    ScriptedIO,
    core,
    run,
    s3_error,
)

OUT, FAIL = "s3://bucket/out", "s3://bucket/fail"
INVOCATION = Invocation(
    inference_id="id",
    output_location=OUT,
    failure_location=FAIL,
    date=START,
    attempts=2,
)
UNAVAILABLE = s3_error(503, "ServiceUnavailable")


def wait(io, invocation=INVOCATION, *, timeout=600.0, credentials=CREDENTIALS, **arguments):
    """Wait for a job, and return its output."""
    return run(core(io, credentials).wait(invocation, timeout=timeout, **arguments))


def fails(s3, invocation=INVOCATION, *, of=None, **arguments):
    """Wait for a job, expect an error that contains the invocation, and return the error and the
    scripted I/O.
    """
    io = of or ScriptedIO(s3)
    with pytest.raises(RuntimeClientError) as caught:
        wait(io, invocation, **arguments)
    assert caught.value.invocation is invocation
    return caught.value, io
