"""
Amazon SageMaker asynchronous inference without the AWS SDK: sign, invoke, wait, answer.

    from sagemaker_runtime_client import SageMakerRuntimeClient

    with SageMakerRuntimeClient(region="eu-west-1") as client:
        output = client.infer("my-endpoint", b"1,2,3", content_type="text/csv", timeout=600)

Importing it loads neither httpx nor cryptography nor asyncio; httpx comes with the first request.
"""

from ._async_client import AsyncSageMakerRuntimeClient
from ._client import SageMakerRuntimeClient
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
    RuntimeClientError,
    ServiceError,
    ServiceUnavailableError,
    ThrottlingError,
    TransportError,
    WaitTimeoutError,
)
from ._http import Request, Response
from ._invoke import Invocation, InvokeEndpointAsyncRequest
from ._outcome import Output, poll_schedule
from ._s3 import S3Object
from ._version import __version__
from .credentials import DefaultChain, default_chain

__all__ = [
    "__version__",
    "AccessDeniedError",
    "AsyncSageMakerRuntimeClient",
    "ChecksumError",
    "ConfigError",
    "CredentialProviderError",
    "CredentialsError",
    "default_chain",
    "DefaultChain",
    "InferenceFailedError",
    "InternalFailureError",
    "Invocation",
    "InvokeEndpointAsyncRequest",
    "NoCredentialsError",
    "NoOutputLocationError",
    "ObjectNotFoundError",
    "Output",
    "ParamValidationError",
    "poll_schedule",
    "Request",
    "RequestValidationError",
    "Response",
    "RuntimeClientError",
    "S3Object",
    "SageMakerRuntimeClient",
    "ServiceError",
    "ServiceUnavailableError",
    "ThrottlingError",
    "TransportError",
    "WaitTimeoutError",
]
