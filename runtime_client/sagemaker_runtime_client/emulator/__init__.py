"""
SageMaker asynchronous inference on this machine, for tests and for trying things out.

Real sockets, every signature verified, a queue, a model, and the switches for what production
does to people.  Point the client at it, or boto3:

    from sagemaker_runtime_client.emulator import Emulator, Faults

    with Emulator(model=lambda request: request.body.upper()) as emulator:
        os.environ.update(emulator.environ)
        emulator.faults.once(Faults.THROTTLED_NULL, on="InvokeEndpointAsync")
        ...

Needs the extra ``emulator``: starlette and uvicorn.
"""

try:
    import starlette as _starlette
    import uvicorn as _uvicorn
except ImportError as error:
    raise ImportError(
        "the emulator needs starlette and uvicorn: pip install sagemaker-runtime-client[emulator]"
    ) from error

from ._emulator import Emulator, serve
from ._faults import Faults, Garbled, Latency, Reset, StaleOutput
from ._models import ModelFailure, ModelRequest, ModelResponse, echo
from ._objects import ObjectStore, StoredObject
from ._queue import Invocation, Job
from ._records import ReceivedRequest
from ._reply import Refusal

__all__ = [
    "echo",
    "Emulator",
    "Faults",
    "Garbled",
    "Invocation",
    "Job",
    "Latency",
    "ModelFailure",
    "ModelRequest",
    "ModelResponse",
    "ObjectStore",
    "ReceivedRequest",
    "Refusal",
    "Reset",
    "serve",
    "StaleOutput",
    "StoredObject",
]

del _starlette, _uvicorn
