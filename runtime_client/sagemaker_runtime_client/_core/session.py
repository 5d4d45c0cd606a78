"""A client's settings at work: what it speaks to, once they are known."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING

from sigv4 import Credentials, CredentialsProvider

from .._aws.auth import Auth, CredentialsAuth, SigV4Auth
from .._aws.call import ServiceClient
from .._aws.endpoint import Endpoint
from .._aws.retry import ServiceClock
from .._aws.user_agent import is_in_lambda, trace_headers, user_agent
from .._io.generation import importing
from .._io.system import System
from .._settings.context import Context, OpenTransport
from ..credentials import ChainAuth, ChainCredentials, open_context

if TYPE_CHECKING:  # imported when S3 is needed, which is not by the first call
    from .._s3.client import S3

SuppliedCredentials = Credentials | CredentialsProvider | None


async def open_session(
    system: System,
    open_transport: OpenTransport,
    arguments: Mapping[str, object],
    credentials: SuppliedCredentials,
) -> "Session":
    """
    Find out the settings, and return what they lead to.

    Args:
        system: Where files and variables are.
        open_transport: Makes the transport.
        arguments: The settings that the caller gave, by name; None leaves one to the environment.
        credentials: Who signs; None takes the chain's credentials.

    Raises:
        ConfigError: A file or a setting is malformed.
    """
    context = await open_context(system, open_transport, arguments)
    with importing():
        import_module("email.utils")  # for a response's date; later it may not be had
    return Session(context, _auth(context, credentials))


def _auth(context: Context, credentials: SuppliedCredentials) -> Auth:
    if isinstance(credentials, Credentials):
        return CredentialsAuth(credentials)
    if credentials is not None:
        return SigV4Auth(credentials)

    async def given() -> Context:
        return context

    return ChainAuth(ChainCredentials(context.system, given))


class Session:
    """
    SageMaker Runtime and S3, as a client's settings lead to them; each is made when it is first used.

    Where two threads make one at the same time, the last one is kept.  There is no lock, which a fork
    might leave held.

    Args:
        context: The settings.
        auth: How requests are authenticated.

    Attributes:
        transport: What sends requests.
        runtime: What makes the calls to SageMaker Runtime.
    """

    def __init__(self, context: Context, auth: Auth) -> None:
        self._context, self._auth = context, auth
        self._clock = ServiceClock()
        self._endpoint: Endpoint | None = None
        self._s3: "S3 | None" = None
        self.transport = context.transport
        self.runtime = self._service_client()

    def deadline(self, start: float, timeout: float | None) -> float | None:
        """Return when a call that began at *start* must have ended; None for no limit."""
        seconds = self._context.config.timeout if timeout is None else timeout
        return None if seconds == inf else start + seconds

    @property
    def endpoint(self) -> Endpoint:
        """Where SageMaker Runtime is."""
        if self._endpoint is None:
            config = self._context.config
            self._endpoint = config.endpoints.sagemaker_runtime(config.endpoint_url)
        return self._endpoint

    @property
    def s3(self) -> "S3":
        """Objects of S3."""
        if self._s3 is None:
            self._s3 = self._make_s3()
        return self._s3

    def _make_s3(self) -> "S3":
        with importing():
            from .._s3.client import S3

        config = self._context.config
        return S3(
            self._service_client(),
            config.endpoints,
            config.s3_endpoint_url,
            config.s3_addressing_style,
            upload_checksum=config.request_checksum_calculation == "when_supported",
            download_checksum=config.response_checksum_validation == "when_supported",
        )

    def _service_client(self) -> ServiceClient:
        """Return what makes the calls to one service: each has a quota and a pace of its own."""
        config, environ = self._context.config, self._context.system.environ
        agent = ("user-agent", user_agent(config.retry_mode, config.app_id, environ))
        return ServiceClient(
            self._context.system,
            self.transport,
            self._auth,
            config.retry_policy,
            headers=[agent],
            trace_headers=partial(trace_headers, environ) if is_in_lambda(environ) else None,
            attempt_timeout=config.read_timeout,
            clock=self._clock,
        )
