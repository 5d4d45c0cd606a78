"""Messages about wrong uses of a client, and about names that have changed."""

import errno

import sagemaker_runtime_client as package
from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    Invocation,
    RuntimeClientError,
    SageMakerRuntimeClient,
    ServiceError,
)
from sagemaker_runtime_client._clients import sync_method
from sagemaker_runtime_client._io.stderr_log import log_to_stderr
from sagemaker_runtime_client._limits import bounded
from tests.messages.templates import ROOT
from tests.runtime_client.scripted_io import run

# The files and folders in the code whose messages must all be in a table.
COVERED = tuple(
    f"runtime_client/sagemaker_runtime_client/{file.name}"
    for file in sorted((ROOT / "runtime_client" / "sagemaker_runtime_client").glob("*.py"))
)

CLIENT = SageMakerRuntimeClient(region="eu-west-1")


async def on_invocation(_invocation):
    """Accept a handle, and do nothing."""


def out_of_descriptors():
    """Make a call in a process that has no free file descriptor."""

    async def operation(_core):
        raise OSError(errno.EMFILE, "Too many open files")

    return sync_method(operation)(CLIENT)


def service_error():
    """Return the string form of an error with a code, a status, a request ID and attempts."""
    error = ServiceError(
        "Endpoint not found", code="ValidationError", status_code=400, request_id="R1"
    )
    error.attempts = 2
    return str(error)


MESSAGES = [
    (
        lambda: CLIENT.infer("endpoint", b"1"),
        "SageMakerRuntimeClient.infer() missing 1 required keyword-only argument: 'timeout'",
    ),
    (
        lambda: CLIENT.wait(1, 2, 3),
        "SageMakerRuntimeClient.wait() takes 2 positional arguments but 4 were given",
    ),
    (
        lambda: run(AsyncSageMakerRuntimeClient().aclose(1)),
        "AsyncSageMakerRuntimeClient.aclose() takes 1 positional argument but 2 were given",
    ),
    (
        lambda: CLIENT.infer("endpoint", b"1", timeout=60, on_invocation=on_invocation),
        (
            "SageMakerRuntimeClient cannot await on_invocation: pass a plain function instead of "
            "the async function on_invocation"
        ),
    ),
    (
        out_of_descriptors,
        (
            "the call failed: too many open files; close some, raise the limit (ulimit -n) or "
            "lower max_connections"
        ),
    ),
    (
        service_error,
        "Endpoint not found (code ValidationError, status 400, request id R1, attempts 2)",
    ),
    (
        lambda: bounded(b"12345", 4),
        "[Errno 27] more than 4 bytes",
    ),
    (
        lambda: RuntimeClientError().may_have_been_taken,
        "may_have_been_taken is deprecated: use possibly_accepted instead",
    ),
    (
        lambda: Invocation().has_new_name,
        "Invocation.has_new_name is deprecated: use unique_output_name instead",
    ),
    (
        lambda: Invocation().output,
        "'Invocation' object has no attribute 'output'",
    ),
    (
        lambda: package.Client,
        "module 'sagemaker_runtime_client' has no attribute 'Client'",
    ),
    (
        lambda: log_to_stderr("verbose"),
        "SAGEMAKER_RUNTIME_LOG is ignored: it must be one of debug, info, warning",
    ),
]
