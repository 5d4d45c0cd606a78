"""Asynchronous and synchronous Amazon SageMaker inference without the AWS SDK.

    from sagemaker_runtime_client import SageMakerRuntimeClient

    with SageMakerRuntimeClient(region="eu-west-1") as client:
        output = client.infer("my-endpoint", b"1,2,3", content_type="text/csv", timeout=600)

The methods of `SageMakerRuntimeClient` block; `AsyncSageMakerRuntimeClient` runs on asyncio or
trio.  All errors that this package defines derive from `RuntimeClientError`.  To log each request
and its outcome on stderr, set the environment variable ``SAGEMAKER_RUNTIME_LOG`` to ``debug`` (or
to ``info`` or ``warning`` for fewer messages).

Importing this package loads neither httpx nor cryptography nor asyncio.  The first request loads
httpx.
"""

from typing import TYPE_CHECKING, Any

from ._clients import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient
from ._errors import (
    AccessDeniedError,
    ChecksumError,
    ConfigError,
    CredentialProviderError,
    CredentialsError,
    InferenceFailedError,
    InternalFailureError,
    NoCredentialsError,
    NoOutputLocationError,
    ObjectNotFoundError,
    ParamValidationError,
    RequestValidationError,
    ResponseTooLargeError,
    RuntimeClientError,
    ServiceError,
    ServiceUnavailableError,
    ThrottlingError,
    TransportError,
    WaitTimeoutError,
)
from ._inference.arguments import poll_schedule
from ._inference.invocation import Invocation
from ._io.message import Request, Response
from ._version import __version__

if TYPE_CHECKING:
    from ._core.model_stream import AsyncModelStream, ModelStream
    from ._core.object_body import AsyncObjectBody, ObjectBody
    from ._inference.invoke_endpoint import ModelOutput
    from ._inference.invoke_endpoint_async import InvokeOptions
    from ._inference.model_errors import (
        InternalStreamFailureError,
        ModelError,
        ModelNotReadyError,
        ModelStreamError,
        ResponseStreamError,
    )
    from ._inference.output import Output
    from ._inference.request import InvokeEndpointAsyncRequest
    from ._inference.text_stream import ServerSentEvent
    from ._io.sources.body import SourceError
    from ._io.targets.target import TargetError
    from ._s3.downloads.folder import FolderDownload
    from ._s3.downloads.names import SkippedObject
    from ._s3.downloads.ranges import ObjectReplacedError
    from ._s3.downloads.result import Download
    from ._s3.listing import MultipartUpload
    from ._s3.objects import LocationNotAllowedError, PreconditionFailedError, S3Object
    from ._s3.options import ObjectOptions
    from ._s3.presign import PresignedURL
    from ._settings.arguments import ClientOptions, Settings
    from .credentials._default import DefaultChain, default_chain
    from .events._signed_message import SignatureError

__all__ = [
    "__version__",
    "AccessDeniedError",
    "AsyncModelStream",
    "AsyncObjectBody",
    "AsyncSageMakerRuntimeClient",
    "ChecksumError",
    "ClientOptions",
    "ConfigError",
    "CredentialProviderError",
    "CredentialsError",
    "default_chain",
    "DefaultChain",
    "Download",
    "FolderDownload",
    "InferenceFailedError",
    "InternalFailureError",
    "InternalStreamFailureError",
    "Invocation",
    "InvokeEndpointAsyncRequest",
    "InvokeOptions",
    "LocationNotAllowedError",
    "ModelError",
    "ModelNotReadyError",
    "ModelOutput",
    "ModelStream",
    "ModelStreamError",
    "MultipartUpload",
    "NoCredentialsError",
    "NoOutputLocationError",
    "ObjectBody",
    "ObjectNotFoundError",
    "ObjectOptions",
    "ObjectReplacedError",
    "Output",
    "ParamValidationError",
    "poll_schedule",
    "PreconditionFailedError",
    "PresignedURL",
    "Request",
    "RequestValidationError",
    "Response",
    "ResponseStreamError",
    "ResponseTooLargeError",
    "RuntimeClientError",
    "S3Object",
    "SageMakerRuntimeClient",
    "ServerSentEvent",
    "ServiceError",
    "ServiceUnavailableError",
    "Settings",
    "SignatureError",
    "SkippedObject",
    "SourceError",
    "TargetError",
    "ThrottlingError",
    "TransportError",
    "WaitTimeoutError",
]


def __getattr__(name: str) -> Any:  # noqa: C901 (one case for each module)
    """Import a public name on first access.  The first call of a client does not need these names.

    Each import is a statement instead of a call to `import_module`, so that tools such as
    PyInstaller and Nuitka find the imported module.
    """
    match name:
        case "default_chain" | "DefaultChain":
            from .credentials import _default

            value = getattr(_default, name)
        case "InvokeEndpointAsyncRequest":
            from ._inference import request

            value = getattr(request, name)
        case "InvokeOptions":
            from ._inference import invoke_endpoint_async

            value = getattr(invoke_endpoint_async, name)
        case (
            "InternalStreamFailureError"
            | "ModelError"
            | "ModelNotReadyError"
            | "ModelStreamError"
            | "ResponseStreamError"
        ):
            from ._inference import model_errors

            value = getattr(model_errors, name)
        case "AsyncModelStream" | "ModelStream" | "ServerSentEvent":
            from ._core import model_stream

            value = getattr(model_stream, name)
        case "ModelOutput" | "Output":
            from . import _core

            value = getattr(_core, name)
        case (
            "AsyncObjectBody"
            | "Download"
            | "FolderDownload"
            | "MultipartUpload"
            | "ObjectBody"
            | "ObjectOptions"
            | "ObjectReplacedError"
            | "PresignedURL"
            | "SkippedObject"
            | "SourceError"
            | "TargetError"
        ):
            from ._core import object_names

            value = getattr(object_names, name)
        case "LocationNotAllowedError" | "PreconditionFailedError" | "S3Object":
            from ._s3 import objects

            value = getattr(objects, name)
        case "SignatureError":
            from . import events

            value = events.SignatureError
        case "ClientOptions" | "Settings":
            from ._settings import arguments

            value = getattr(arguments, name)
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value
