"""
What can go wrong, as one tree.

    RuntimeClientError
    ├── ConfigError (ValueError)           the caller's: a setting is missing or contradicts another
    ├── ParamValidationError (ValueError)  the caller's: an argument breaks a rule of the service
    ├── CredentialsError                   whoever supplies keys: they are there and do not serve
    │   ├── NoCredentialsError             ... every source had nothing
    │   └── CredentialProviderError        ... one is configured and failed
    ├── TransportError                     the network's: no whole answer came
    │   ├── ChecksumError                  ... or not the one that S3 sent
    │   └── ResponseTooLargeError          ... or one that is larger than may be
    ├── ServiceError                       the service's: an answer that is an error
    │   ├── ThrottlingError                too many requests
    │   ├── ServiceUnavailableError        503
    │   ├── InternalFailureError           500
    │   ├── RequestValidationError         the service finds an argument wrong
    │   ├── AccessDeniedError              the credentials, or what they may do
    │   └── ObjectNotFoundError            S3: no such key or bucket
    ├── NoOutputLocationError              the service's: it took the job, and did not say where
    ├── InferenceFailedError               the model's: the failure object is there
    └── WaitTimeoutError                   nobody's yet: neither object is there

Every error pickles, and none holds a secret.
"""

from datetime import datetime
from warnings import warn

from ._value import JobHandle


class RuntimeClientError(Exception):
    """
    Base of everything that this package raises.

    Attributes:
        message: One sentence or more, for people.
        code: The service's name for the error, such as ``ValidationError``; None without one.
        status_code: The HTTP status of the last answer; None where none came.
        request_id: What AWS support asks for; None where none came.
        attempts: How many requests were sent.
        retryable: Whether the same call may succeed later.
        possibly_accepted: Whether some attempt may have reached the service although no answer
            says so.  Of `invoke_endpoint_async` that means: the job may be queued.
        invocation: The `Invocation` that was waited for, to wait again with; None if there is none.
        inference_id: The id of the job that is queued or, where `possibly_accepted`, may be; None
            if there is none.
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
        """Take the attributes of an error that this version or an earlier one pickled."""
        renamed = {"may_have_been_taken": "possibly_accepted"}
        self.__dict__.update(
            {renamed.get(name, name): value for name, value in (state or {}).items()}
        )

    def __str__(self) -> str:
        """Return the message, with the facts that are known."""
        facts = {
            "code": self.code,
            "status": self.status_code,
            "request id": self.request_id,
            "attempts": self.attempts if self.attempts > 1 else None,
        }
        known = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        return f"{self.message} ({known})" if known else self.message


class ConfigError(RuntimeClientError, ValueError):
    """A setting is missing, malformed or contradicts another; the message says which and how to mend it."""


class ParamValidationError(RuntimeClientError, ValueError):
    """
    An argument breaks a rule that the service states; nothing was sent.

    Attributes:
        argument: The argument's name.
    """

    def __init__(self, message: str = "", *, argument: str = "") -> None:
        super().__init__(message)
        self.argument = argument


class CredentialsError(RuntimeClientError):
    """There are credentials, and they do not serve: they expired, say."""


class NoCredentialsError(CredentialsError):
    """
    No source of credentials had any.

    Attributes:
        tried: The names of the sources, in the order asked.
    """

    def __init__(self, message: str = "", *, tried: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.tried = tried


class CredentialProviderError(CredentialsError):
    """
    A source of credentials is configured, and failed.

    Attributes:
        provider: Its name.
    """

    def __init__(self, message: str = "", *, provider: str = "") -> None:
        super().__init__(message)
        self.provider = provider


class TransportError(RuntimeClientError):
    """
    No whole answer came: no connection, a time limit, a connection that broke.

    Look at `possibly_accepted` before sending a job again by hand.
    """

    retryable = True


class ChecksumError(TransportError):
    """
    An object arrived other than it is stored: it has not the checksum that S3 states.

    It was fetched again already.  ``response_checksum_validation="when_required"`` takes it unchecked.
    """


class ResponseTooLargeError(TransportError):
    """
    An answer is larger than what is taken of it.

    Nothing of it was used, and it is not asked for again.  A larger object is read with a larger
    ``max_size``, or in another way; of any other answer, ask who it is that answers in the service's
    place.

    Attributes:
        limit: How many bytes it may have.
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
    """
    The service answered with an error; `code` names it.

    Codes without a class of their own, which AWS adds at any time, are plain `ServiceError`.

    Attributes:
        retry_after: For how many seconds the service asks to be left alone; None if it does not.
        date: The service's clock, unless the answer came out of a cache.
        region: The region that S3 names as the right one; None if it names none.
    """

    retry_after: float | None = None
    date: datetime | None = None
    region: str | None = None


class ThrottlingError(ServiceError):
    """Too many requests.  Send fewer at a time; the client has backed off and tried again already."""

    retryable = True


class ServiceUnavailableError(ServiceError):
    """503: the service cannot take requests just now.  Try again later."""

    retryable = True


class InternalFailureError(ServiceError):
    """500: the service failed.  Try again; if it stays, ask AWS, with the request id."""

    retryable = True


class RequestValidationError(ServiceError):
    """The service finds an argument wrong, or the endpoint does not exist.  The message says which."""


class AccessDeniedError(ServiceError):
    """
    The credentials are wrong or have expired, or their policy does not allow the call.

    `code` tells them apart; invoking needs ``sagemaker:InvokeEndpointAsync``, reading an object
    ``s3:GetObject`` and, if it is encrypted with a KMS key, ``kms:Decrypt``.
    """


class ObjectNotFoundError(ServiceError):
    """S3 has no such key (``NoSuchKey``) or bucket (``NoSuchBucket``)."""


class NoOutputLocationError(RuntimeClientError):
    """
    The service took the job without saying where its output will be, so nobody can wait for it.

    It is queued all the same; a notification may say where.
    """

    invocation: JobHandle  # pyright: ignore[reportIncompatibleVariableOverride]


class InferenceFailedError(RuntimeClientError):
    """
    The inference failed, and the endpoint has said so in the failure object.

    Attributes:
        failure_location: Where the failure object is.
        reason: Its text, or the message in it where it is JSON.
        body: Its bytes, up to the first 1,048,576.
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
    """
    Neither the output nor the failure object was there in time.

    The inference may still succeed: keep `invocation` and wait again.

    Attributes:
        access_denied_only: Whether S3 answered nothing but 403 for the output, as it does for a
            missing key without ``s3:ListBucket``, and for any key without ``s3:GetObject``.
    """

    retryable = True
    invocation: JobHandle  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, message: str = "", *, access_denied_only: bool = False) -> None:
        super().__init__(message)
        self.access_denied_only = access_denied_only
