"""All errors of this package, in one tree.

    RuntimeClientError
    ├── ConfigError (ValueError)           a setting is missing or malformed
    ├── ParamValidationError (ValueError)  an argument is invalid; nothing was sent
    │   └── LocationNotAllowedError        outside `allowed_locations` (in `_s3.objects`)
    ├── CredentialsError                   no usable credentials are available
    │   ├── NoCredentialsError             no credentials were found
    │   └── CredentialProviderError        a configured credential source failed
    ├── SourceError                        an upload's source failed or changed (in `_io.sources`)
    ├── TargetError                        a download's target cannot be used (in `_io.targets`)
    ├── TransportError                     no complete response was received
    │   ├── ChecksumError                  an object does not match its checksum
    │   ├── ResponseTooLargeError          a response exceeds its size limit
    │   └── ResponseStreamError            a streamed response broke off (in `model_errors`)
    ├── ServiceError                       the service returned an error
    │   ├── ThrottlingError                too many requests
    │   │   └── ModelNotReadyError         the model is not ready (in `model_errors`)
    │   ├── ServiceUnavailableError        status 503
    │   ├── InternalFailureError           status 500
    │   ├── RequestValidationError         the service rejected an argument
    │   ├── AccessDeniedError              invalid credentials or missing permissions
    │   ├── ObjectNotFoundError            S3: no such key or bucket
    │   ├── PreconditionFailedError        S3: the object exists or has changed (in `_s3.objects`)
    │   ├── ObjectReplacedError            S3: the object changed meanwhile (in `_s3.downloads`)
    │   ├── ModelError                     the model failed (in `model_errors`)
    │   ├── ModelStreamError               the model failed while responding (in `model_errors`)
    │   └── InternalStreamFailureError     AWS failed while responding (in `model_errors`)
    ├── NoOutputLocationError              the job is queued, but its output location is unknown
    ├── InferenceFailedError               the model failed
    ├── WaitTimeoutError                   no output appeared within the timeout
    └── SignatureError                     a message is not from SNS (in `events`)

Every error can be pickled, and none contains a secret.
"""

from datetime import datetime
from warnings import warn

from ._value import JobHandle


class RuntimeClientError(Exception):
    """Base class of all errors of this package.

    Attributes:
        message: What failed and why, without the values of the attributes below.
        code: The error code of the service, such as ``ValidationError``, or None.
        status_code: The HTTP status of the last response, or None if there was no response.
        request_id: The request id of the last response, for questions to AWS support, or None.
        attempts: The number of requests that were sent.
        retryable: Whether the same call may succeed later.
        possibly_accepted: Whether the service may have accepted an attempt although the call
            failed.  After `invoke_endpoint_async` the job may then be queued, and after
            `invoke_endpoint` the model may have run.
        invocation: The `Invocation` of the job, or None if it is not known; pass it to ``wait`` to
            wait again.
        inference_id: The id of the job if the job is queued or may be queued (`possibly_accepted`);
            otherwise None.
    """

    retryable: bool = False

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status_code = status_code
        self.request_id = request_id
        self.attempts = 0
        self.possibly_accepted = False
        self.invocation: JobHandle | None = None
        self.inference_id: str | None = None

    @property
    def may_have_been_taken(self) -> bool:
        """The former name of `possibly_accepted`; deprecated."""
        message = "may_have_been_taken is deprecated: use possibly_accepted instead"
        warn(message, DeprecationWarning, stacklevel=2)
        return self.possibly_accepted

    def __setstate__(self, state: dict[str, object] | None) -> None:
        """Restore the attributes of an error that this or an earlier version pickled."""
        renamed = {"may_have_been_taken": "possibly_accepted"}
        for name, value in (state or {}).items():
            self.__dict__[renamed.get(name, name)] = value

    def __str__(self) -> str:
        """Return the message, then the error code, status, request id and attempts if known."""
        facts = {"code": self.code, "status": self.status_code, "request id": self.request_id}
        facts["attempts"] = self.attempts if self.attempts > 1 else None
        known = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        return f"{self.message} ({known})" if known else self.message


class ConfigError(RuntimeClientError, ValueError):
    """A setting is missing or malformed, or it contradicts another setting.

    The message explains how to fix the setting.
    """


class ParamValidationError(RuntimeClientError, ValueError):
    """An argument is invalid for the reason that the message states.  Nothing was sent.

    Attributes:
        argument: The name of the argument.
    """

    def __init__(self, message: str = "", *, argument: str = "") -> None:
        super().__init__(message)
        self.argument = argument


class CredentialsError(RuntimeClientError):
    """No usable credentials are available, for example because they have expired."""


class NoCredentialsError(CredentialsError):
    """None of the credential sources has credentials.

    Configure one of the sources, or pass credentials to the client.

    Attributes:
        tried: The names of all sources, in the order in which they were tried.
    """

    def __init__(self, message: str = "", *, tried: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.tried = tried


class CredentialProviderError(CredentialsError):
    """A configured credential source failed.

    The message states what to fix; ``sagemaker-runtime credentials`` shows all sources.

    Attributes:
        provider: The name of the source, such as ``sso``.
    """

    def __init__(self, message: str = "", *, provider: str = "") -> None:
        super().__init__(message)
        self.provider = provider


class TransportError(RuntimeClientError):
    """No complete response was received: the connection failed, timed out or was dropped.

    The client has already retried the request as its settings allow.  By default
    (``retry_ambiguous=True``) it also retries a request that may have queued a job.  Check
    `possibly_accepted` before you submit the job again: the job may already be queued.
    """

    retryable = True


class ChecksumError(TransportError):
    """A downloaded object does not match the checksum that S3 has stored.

    The client has already retried the download.  To skip the check, use the setting
    ``response_checksum_validation="when_required"``.
    """


class ResponseTooLargeError(TransportError):
    """A response exceeds its size limit.  The client discards the response and does not retry.

    To read a larger object, pass a larger ``max_size``.  If another response is too large, check
    the endpoint and the proxy, because the response probably does not come from AWS.

    Attributes:
        limit: The limit in bytes.
    """

    retryable = False

    def __init__(
        self,
        message: str = "",
        *,
        limit: int = 0,
        status_code: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, request_id=request_id)
        self.limit = limit


class ServiceError(RuntimeClientError):
    """The service returned an error; see `code`.

    Subclasses exist for the common codes.  For any other code, a plain `ServiceError` is raised.

    Attributes:
        retry_after: The pause in seconds that the service requests before a retry, or None.
        date: The service's time in the response; None if it is from a cache or has no date.
        region: The region of the bucket if S3 reports it, or None.
    """

    retry_after: float | None = None
    date: datetime | None = None
    region: str | None = None


class ThrottlingError(ServiceError):
    """The service throttled the request and all allowed retries.  Send fewer requests."""

    retryable = True


class ServiceUnavailableError(ServiceError):
    """The service was unavailable (status 503), even for the retries.  Try again later."""

    retryable = True


class InternalFailureError(ServiceError):
    """The service failed internally (status 500).  If this persists, send AWS the `request_id`."""

    retryable = True


class RequestValidationError(ServiceError):
    """The service rejected an argument, or the endpoint does not exist; see the message."""


class AccessDeniedError(ServiceError):
    """The credentials are invalid or expired, or a permission is missing; see `code`.

    The description of each operation states the required permission, such as
    ``sagemaker:InvokeEndpointAsync``.  Reading an object requires ``s3:GetObject``, and also
    ``kms:Decrypt`` if the object is encrypted with a KMS key.
    """


class ObjectNotFoundError(ServiceError):
    """The key (``NoSuchKey``) or the bucket (``NoSuchBucket``) does not exist in S3."""


class NoOutputLocationError(RuntimeClientError):
    """The service queued the job but returned no output location, which ``wait`` needs.

    The job is queued.  If the endpoint sends notifications, they contain the output location.
    """

    invocation: JobHandle  # pyright: ignore[reportIncompatibleVariableOverride]


class InferenceFailedError(RuntimeClientError):
    """The inference failed: the endpoint wrote a failure object to S3.

    Read `reason` and the endpoint's log in CloudWatch before you submit the job again.

    Attributes:
        failure_location: The S3 URI of the failure object.
        reason: The message or else the text of the failure object; at most 2000 characters.
        body: The first 1,048,576 bytes of the failure object.
    """

    invocation: JobHandle  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        message: str = "",
        *,
        failure_location: str | None = None,
        reason: str = "",
        body: bytes = b"",
    ) -> None:
        super().__init__(message)
        self.failure_location = failure_location
        self.reason = reason
        self.body = body


class WaitTimeoutError(RuntimeClientError):
    """Neither an output nor a failure object was found within the timeout.

    The inference may still succeed.  Pass `invocation` to ``wait`` to wait again.

    Attributes:
        access_denied_only: Whether S3 responded to each request for the output with 403, which it
            also does for a missing key without ``s3:ListBucket``, or without ``s3:GetObject``.
    """

    retryable = True
    invocation: JobHandle  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, message: str = "", *, access_denied_only: bool = False) -> None:
        super().__init__(message)
        self.access_denied_only = access_denied_only
