"""
How a request is authenticated: one protocol, `Auth`, and who implements it.

An `Auth` is asked twice for each attempt.  `prepare` gets what has to be waited for, such as credentials.
`apply` is called when there is a connection, so that the signature has the date of sending.

Here are `SigV4Auth`, `CredentialsAuth` and `Unsigned`.  Those of the services that give credentials are
beside their providers: the login's proof of possession, and IAM Roles Anywhere's certificate.
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
    """How the requests of one call are authenticated."""

    async def prepare(self, system: System, deadline: float | None) -> "PreparedAuth":
        """
        Return what authenticates the next attempt.

        Raises:
            CredentialsError: There are no credentials, or their provider failed.
            TransportError: There were none at the *deadline*.
        """
        ...


class PreparedAuth(Auth, Protocol):
    """
    An `Auth` that has all that it needs.

    Attributes:
        secrets: What no message may show, although the service may repeat it.
    """

    secrets: tuple[str, ...] = ()

    async def prepare(self, system: System, deadline: float | None) -> "PreparedAuth":
        """Return itself."""
        return self

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        """
        Return *request* as it is sent.

        Args:
            endpoint: Where it is sent to, and the service and region of its signature.
            request: All of it but what this adds.
            payload: What stands for its body in a signature.
            timestamp: The time of sending, by the service's clock.
        """
        ...


class Unsigned(PreparedAuth):
    """
    Sends requests as they are.

    Args:
        secrets: As for `PreparedAuth`, such as a token in the body.
    """

    def __init__(self, *secrets: str) -> None:
        self.secrets = secrets

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        return request


class CredentialsAuth(PreparedAuth):
    """
    Signs, always with the same credentials.

    Args:
        credentials: Those.
        secrets: As for `PreparedAuth`, beside those of the credentials.
        signer: What signs; None takes SigV4 for the service and region of the endpoint.
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
    """
    Signs with SigV4; each attempt asks for credentials anew, since they may have been rotated.

    Args:
        provider: Whose credentials.
    """

    def __init__(self, provider: CredentialsProvider) -> None:
        self._provider = provider

    async def prepare(self, system: System, deadline: float | None) -> CredentialsAuth:
        try:
            credentials = await system.credentials(self._provider, deadline)
        except RuntimeClientError:
            raise
        except Exception as error:
            # Raised as it is made: a variable of this frame would make a cycle with it.
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


@lru_cache(64)  # a client of S3 may meet every region
def _sigv4_signer(service: str, region: str) -> Signer:
    return Signer(SigV4(service, region))
