"""The objects created from a client's settings: transport, authentication and service clients."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from sigv4 import Credentials, CredentialsProvider

from .._aws.auth import Auth, CredentialsAuth, SigV4Auth
from .._aws.call import ServiceClient
from .._aws.endpoint import Endpoint, Endpoints
from .._aws.retry import ServiceClock, ServiceState
from .._aws.user_agent import is_in_lambda, trace_headers, user_agent
from .._io.generation import importing
from .._io.system import System
from .._settings.config import Config
from .._settings.context import Context, OpenTransport
from ..credentials import ChainAuth, ChainCredentials, open_context

if TYPE_CHECKING:  # imported when S3 is first needed, to keep other first calls fast
    from cryptography.x509 import Certificate

    from .._s3.client import S3

SuppliedCredentials = Credentials | CredentialsProvider | None


async def open_session(
    system: System,
    open_transport: OpenTransport,
    arguments: Mapping[str, object],
    credentials: SuppliedCredentials,
) -> Session:
    """Resolve the settings, and return a session that uses them.

    Args:
        system: Provides files and environment variables.
        open_transport: Creates the transport.
        arguments: The settings that the caller passed, keyed by name.  A setting that is None comes
            from the environment or the profile, or has its default.
        credentials: The credentials, or their provider; None uses the provider chain.

    Raises:
        ConfigError: A file or a setting is malformed.
    """
    context = await open_context(system, open_transport, arguments)
    with importing():
        import_module("email.utils")  # needed to parse dates in responses; a later import may fail
    return Session(context, _auth(context, credentials))


def _auth(context: Context, credentials: SuppliedCredentials) -> Auth:
    if isinstance(credentials, Credentials):
        return CredentialsAuth(credentials)
    if credentials is not None:
        return SigV4Auth(credentials)

    async def get_context() -> Context:
        return context

    return ChainAuth(ChainCredentials(context.system, get_context))


class _Shared(NamedTuple):
    """The objects that a session shares with the sessions derived from it.

    Attributes:
        clock: The clock correction.
        states: The states of the services, keyed by service name.
        redirects: The endpoints for buckets in other regions, keyed by bucket name.
        sns_certificates: The certificates with which SNS signs messages, keyed by their URL.
    """

    clock: ServiceClock
    states: dict[str, ServiceState]
    redirects: dict[str, Endpoints]
    sns_certificates: dict[str, list[Certificate]]


class Session:
    """The clients of SageMaker Runtime, inference routers and S3, for one set of settings.

    The SageMaker Runtime client is created immediately, and the others on first use.  If two
    threads create the same client at the same time, the session keeps the one that is stored last.
    There is no lock, because a fork could copy a lock in the acquired state.

    Args:
        context: The settings and the transport.
        auth: The authentication of requests.
        shared: The objects that another session shares with this one; None if there is no other
            session.

    Attributes:
        transport: Sends the requests.
        runtime: The SageMaker Runtime client.
    """

    def __init__(self, context: Context, auth: Auth, shared: _Shared | None = None) -> None:
        self._context, self._auth = context, auth
        self._shared = shared or _Shared(ServiceClock(), {}, {}, {})
        self._endpoint: Endpoint | None = None
        self._router: tuple[ServiceClient, Endpoint] | None = None
        self._s3: S3 | None = None
        self.transport = context.transport
        self.runtime = self._service_client("runtime")

    def with_changes(self, changes: Config) -> "Session":
        """Return a session with the settings in *changes* and the other settings of this session.

        The sessions share the transport, the authentication, the clock correction, the retry
        quotas, the rate limiters and the known regions of buckets.
        """
        config = self._context.config.with_changes(changes)
        return Session(self._context.replace(config=config), self._auth, self._shared)

    def deadline(self, start: float, timeout: float | None) -> float | None:
        """Return the deadline of a call that started at *start*; None if there is no time limit."""
        seconds = self._context.config.timeout if timeout is None else timeout
        return None if seconds == inf else start + seconds

    @property
    def endpoint(self) -> Endpoint:
        """The SageMaker Runtime endpoint."""
        if self._endpoint is None:
            config = self._context.config
            self._endpoint = config.endpoints.sagemaker_runtime(config.endpoint_url)
        return self._endpoint

    @property
    def router(self) -> tuple[ServiceClient, Endpoint]:
        """The client and the endpoint of SageMaker Inference Router Runtime."""
        if self._router is None:
            config = self._context.config
            endpoint = config.endpoints.inference_router(config.router_endpoint_url)
            self._router = self._service_client("router"), endpoint
        return self._router

    def read_timeout(self, seconds: float | None) -> float | None:
        """Return the read timeout of an operation that needs *seconds*; None means the setting."""
        config = self._context.config
        is_given = "read_timeout" in config.given
        return None if seconds is None or is_given else max(seconds, config.read_timeout)

    @property
    def s3(self) -> S3:
        """The S3 client."""
        if self._s3 is None:
            self._s3 = self._make_s3()
        return self._s3

    @property
    def sns(self) -> tuple[ServiceClient, dict[str, list[Certificate]]]:
        """The client that downloads certificates of SNS, and the certificates that it has found."""
        return self._service_client("sns"), self._shared.sns_certificates

    def _make_s3(self) -> S3:
        with importing():
            from .._s3.client import S3

        config = self._context.config
        return S3(
            self._service_client("s3"),
            config.endpoints,
            config.s3_endpoint_url,
            config.s3_addressing_style,
            sends_checksums=config.request_checksum_calculation == "when_supported",
            download_checksum=config.response_checksum_validation == "when_supported",
            redirects=self._shared.redirects,
            allowed_locations=config.allowed_locations,
            expected_bucket_owner=config.expected_bucket_owner,
        )

    def _service_client(self, service: str) -> ServiceClient:
        """Return a new client of *service*; each service has its own quota and rate limiter."""
        config, environ = self._context.config, self._context.system.environ
        policy, (clock, states, *_) = config.retry_policy, self._shared
        if service not in states:
            state = ServiceState(self._context.system, clock, adaptive=policy.adaptive)
            states.setdefault(service, state)
        agent = ("user-agent", user_agent(config.retry_mode, config.app_id, environ))
        return ServiceClient(
            self._context.system,
            self.transport,
            self._auth,
            policy,
            headers=[agent],
            trace_headers=partial(trace_headers, environ) if is_in_lambda(environ) else None,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            state=states[service],
        )
