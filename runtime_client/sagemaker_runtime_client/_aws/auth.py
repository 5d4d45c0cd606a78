"""Authentication of requests: the protocol `Auth` and its general implementations.

Each attempt uses an `Auth` in two steps.  `prepare` obtains everything that requires waiting, such
as credentials.  `apply` runs when a connection is available, so that the signature contains the
time at which the request is sent.

This module contains `SigV4Auth`, `CredentialsAuth` and `Unsigned`.  Credential providers define two
more implementations: one adds the login provider's proof of possession, and one signs with an IAM
Roles Anywhere certificate.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from sigv4 import (
    Credentials,
    CredentialsProvider,
    ExpiredCredentialsError,
    InvalidRequestError,
    Payload,
    SignableRequest,
    Signer,
    SigV4,
)

from .._errors import (
    CredentialProviderError,
    CredentialsError,
    ParamValidationError,
    RuntimeClientError,
)
from .._io.message import Request
from .._io.system import System
from .._value import type_name
from .endpoint import Endpoint


class Auth(Protocol):
    """Authenticates the requests of a call."""

    async def prepare(self, system: System, deadline: float | None) -> PreparedAuth:
        """Return the authentication for the next attempt.

        Raises:
            CredentialsError: There are no credentials, or the credentials provider failed.
            TransportError: The deadline passed before credentials were available.
        """
        ...


class PreparedAuth(Auth, Protocol):
    """An `Auth` whose `apply` can be called without further waiting.

    Attributes:
        secrets: Values that are redacted in error messages if the service repeats them there.
    """

    secrets: tuple[str, ...] = ()

    async def prepare(self, system: System, deadline: float | None) -> PreparedAuth:
        """Return this object, which needs no preparation."""
        return self

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        """Return a copy of *request* with authentication added.

        Args:
            endpoint: The endpoint, which provides the service and region for the signature.
            request: The request without authentication.
            payload: The request body, in the form in which it is signed.
            timestamp: The time of sending, corrected to the service's clock.
        """
        ...


class Unsigned(PreparedAuth):
    """Authentication that adds nothing to a request.

    Args:
        secrets: Values that no error message may contain, such as a token in the request body.
    """

    def __init__(self, *secrets: str) -> None:
        self.secrets = secrets

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        return request


class CredentialsAuth(PreparedAuth):
    """Authentication that signs with the credentials it was created with.

    Args:
        credentials: The credentials to sign with.
        secrets: Values that no error message may contain, in addition to the secrets in the
            credentials.
        signer: The signer.  If it is None, requests are signed with SigV4 for the service and
            region of the endpoint.
    """

    def __init__(
        self, credentials: Credentials, *secrets: str, signer: Signer | None = None
    ) -> None:
        self._credentials = credentials
        self._signer = signer
        self.secrets = (
            credentials.secret_access_key,
            credentials.session_token or "",
            *secrets,
        )

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        signer = self._signer or _sigv4_signer(endpoint.service, endpoint.region)
        url = endpoint.origin + request.path
        try:
            signable = SignableRequest(request.method, url, request.headers, payload)
            signature = signer.sign(signable, self._credentials, at=timestamp)
        except ExpiredCredentialsError as error:
            raise CredentialsError(str(error)) from None
        except InvalidRequestError as error:
            raise ParamValidationError(str(error)) from None
        return request.with_headers(signature.headers.items())

    def presign(
        self, endpoint: Endpoint, request: Request, timestamp: datetime, expires: int
    ) -> tuple[str, datetime]:
        """Return a URL that anyone can use for *request*, and the time at which the URL expires.

        Args:
            endpoint: The endpoint, which provides the service and region for the signature.
            request: The request, whose headers are all signed, and whose body is not.
            timestamp: The time from which the URL is valid.
            expires: How long the URL is valid, in seconds, unless the credentials expire earlier.
        """
        signer = _sigv4_signer(endpoint.service, endpoint.region)
        signable = SignableRequest(request.method, endpoint.origin + request.path, request.headers)
        try:
            url = signer.presign(signable, self._credentials, at=timestamp, expires=expires)
        except ExpiredCredentialsError as error:
            raise CredentialsError(str(error)) from None
        end = timestamp.replace(microsecond=0) + timedelta(seconds=expires)
        return url, min(end, self._credentials.expiration or end)


class SigV4Auth(Auth):
    """Authentication that gets credentials for each attempt and signs with SigV4.

    The provider is called again for each attempt, because the credentials may have been rotated.

    Args:
        provider: The credentials provider.
    """

    def __init__(self, provider: CredentialsProvider) -> None:
        self._provider = provider

    async def prepare(self, system: System, deadline: float | None) -> CredentialsAuth:
        try:
            credentials = await system.credentials(self._provider, deadline)
        except RuntimeClientError:
            raise
        except Exception as error:
            # The error is created in the raise statement.  If a local variable referred to the
            # error, there would be a reference cycle, because the error's traceback refers to this
            # frame.
            raise self._failure(
                f"raised {type(error).__name__}; see this error's __cause__",
                retryable=isinstance(error, ConnectionError | TimeoutError),
            ) from error
        if not isinstance(credentials, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise self._failure(
                f"returned {type_name(credentials)}; it must return sigv4.Credentials"
            )
        return CredentialsAuth(credentials)

    def _failure(self, fault: str, *, retryable: bool = False) -> CredentialProviderError:
        name = type(self._provider).__name__
        failure = CredentialProviderError(
            f"the provider passed as credentials= ({name}) {fault}", provider=name
        )
        failure.retryable = retryable
        return failure


@lru_cache(64)  # an S3 client needs one signer for each region that it uses
def _sigv4_signer(service: str, region: str) -> Signer:
    return Signer(SigV4(service, region))
