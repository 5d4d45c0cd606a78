"""Authentication of requests: the protocol `Auth` and its general implementations.

Each attempt uses an `Auth` in two steps.  `prepare` obtains everything that requires waiting, such
as credentials.  `apply` runs once a connection is available, so that the signature carries the time
of sending.

This module contains `SigV4Auth`, `CredentialsAuth` and `Unsigned`.  Credential providers define
other implementations: for the login provider's proof of possession, and for the certificate of IAM
Roles Anywhere.
"""

from datetime import datetime
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
    """The authentication of a call's requests."""

    async def prepare(self, system: System, deadline: float | None) -> "PreparedAuth":
        """Return the authentication for the next attempt.

        Raises:
            CredentialsError: There are no credentials, or their provider failed.
            TransportError: The *deadline* passed before there were credentials.
        """
        ...


class PreparedAuth(Auth, Protocol):
    """An `Auth` that can be applied without further waiting.

    Attributes:
        secrets: Values that no message may contain, even if the service repeats them.
    """

    secrets: tuple[str, ...] = ()

    async def prepare(self, system: System, deadline: float | None) -> "PreparedAuth":
        """Return this object."""
        return self

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        """Return *request* with authentication added.

        Args:
            endpoint: The endpoint, with the service and region for the signature.
            request: The request without authentication.
            payload: The body's representation in the signature.
            timestamp: The time of sending, by the service's clock.
        """
        ...


class Unsigned(PreparedAuth):
    """Authentication that adds nothing to a request.

    Args:
        secrets: Values that no message may contain, such as a token in the body.
    """

    def __init__(self, *secrets: str) -> None:
        self.secrets = secrets

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        return request


class CredentialsAuth(PreparedAuth):
    """Authentication that signs with fixed credentials.

    Args:
        credentials: The credentials to sign with.
        secrets: Values that no message may contain, in addition to the secrets in the credentials.
        signer: The signer; None uses SigV4 for the service and region of the endpoint.
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


class SigV4Auth(Auth):
    """Authentication that signs with SigV4 and fetches the credentials for each attempt.

    Credentials are not kept between attempts because they may have been rotated.

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
            # The error is raised in the expression that creates it: a local variable would form a
            # reference cycle with this frame.
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


@lru_cache(64)  # an S3 client may sign for every region
def _sigv4_signer(service: str, region: str) -> Signer:
    return Signer(SigV4(service, region))
