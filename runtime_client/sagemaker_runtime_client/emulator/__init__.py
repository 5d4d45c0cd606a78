"""An emulator of SageMaker inference, S3, SNS and SQS, for tests and for local experiments.

The emulator listens on real sockets, verifies every signature, queues asynchronous invocations, and
runs a model.  It can inject failures that occur in production.  It works with this package's client
and with boto3:

    from sagemaker_runtime_client.emulator import Emulator, Faults

    with Emulator(model=lambda request: request.body.upper()) as emulator:
        os.environ.update(emulator.environ)
        emulator.faults.once(Faults.THROTTLED_NULL, on="InvokeEndpointAsync")
        ...

It requires the ``emulator`` extra, which installs starlette and uvicorn.
"""

try:
    import starlette as _starlette
    import uvicorn as _uvicorn
except ImportError as error:
    raise ImportError(
        "the emulator requires starlette and uvicorn; to install them, run: "
        "pip install 'sagemaker-runtime-client[emulator]'"
    ) from error

from typing import Any
from warnings import warn

from ._emulator import Emulator
from ._fault_types import (
    BrokenBody,
    BrokenStream,
    Delivery,
    EarlySuccess,
    Latency,
    MalformedResponse,
    NoContinue,
    Reset,
    SlowBody,
    StaleOutput,
)
from ._faults import Faults
from ._models.values import ModelFailure, ModelRequest, ModelResponse, echo
from ._notifications.configuration import Notifications
from ._notifications.lambda_context import LambdaContext
from ._notifications.sources import FunctionCall
from ._queue.jobs import Invocation, Job
from ._records import ReceivedRequest
from ._reply import ErrorResponse
from ._s3.objects import ObjectStore
from ._s3.stored import StoredObject
from ._serving import serve

__all__ = [
    "BrokenBody",
    "BrokenStream",
    "Delivery",
    "EarlySuccess",
    "echo",
    "Emulator",
    "ErrorResponse",
    "Faults",
    "FunctionCall",
    "Invocation",
    "Job",
    "LambdaContext",
    "Latency",
    "MalformedResponse",
    "ModelFailure",
    "ModelRequest",
    "ModelResponse",
    "NoContinue",
    "Notifications",
    "ObjectStore",
    "ReceivedRequest",
    "Reset",
    "serve",
    "SlowBody",
    "StaleOutput",
    "StoredObject",
]

del _starlette, _uvicorn

# Maps public names of version 0.1.0 to their new names.
_RENAMED = {"Garbled": "MalformedResponse", "Refusal": "ErrorResponse"}


def __getattr__(name: str) -> Any:
    """Return a renamed public object by its former name, and issue a DeprecationWarning."""
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warn(
        f"{__name__}.{name} is deprecated: use {__name__}.{_RENAMED[name]} instead",
        DeprecationWarning,
        stacklevel=2,
    )
    return globals()[_RENAMED[name]]
