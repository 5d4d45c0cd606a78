"""The base class of providers that send requests to an AWS service or to a local agent."""

from collections.abc import Callable

from .._aws.auth import Auth, Unsigned
from .._aws.call import ServiceClient
from .._aws.endpoint import Endpoint
from .._aws.error_response import json_error
from .._aws.operation import Operation
from .._aws.user_agent import user_agent
from .._errors import ConfigError, CredentialProviderError, RuntimeClientError, ServiceError
from .._io.message import Request, Response
from ._fetching import FetchingProvider

JSON = ("content-type", "application/json")

UNSIGNED = Unsigned()


class ServiceProvider(FetchingProvider):
    """A provider that sends requests to an AWS service or to an agent on this machine."""

    def endpoint(self, service: str, region: str | None = None) -> Endpoint:
        """Return the endpoint of *service* in *region*, which defaults to the configured region."""
        try:
            return self.context.config.endpoint(service, region)
        except ConfigError as error:
            raise self.failure(error.message) from None

    async def ask(
        self,
        endpoint: Endpoint,
        request: Request,
        *,
        operation: str,
        parse_error: Callable[[Response], ServiceError] = json_error,
        auth: Auth = UNSIGNED,
    ) -> Response:
        """Send a request, retry it as configured, and return the response.

        Args:
            endpoint: The endpoint of the service.
            request: The request to send.
            operation: The operation's name in messages, such as ``AssumeRole for profile x``.
            parse_error: Returns the error in an error response.
            auth: Authenticates the request, and holds the secrets that no message may contain.

        Raises:
            CredentialProviderError: The service rejected the request, or the last attempt failed.
                The code, status and request id of the error are those of the last attempt.
        """
        config = self.context.config
        client = ServiceClient(
            self.system,
            self.context.transport,
            auth,
            config.retry_policy,
            headers=[self._user_agent],
            read_timeout=config.read_timeout,
        )
        try:
            return await client.send(Operation(endpoint, request, parse_error))
        except RuntimeClientError as error:
            raise self._wrap_error(operation, error) from error

    def _wrap_error(self, operation: str, error: RuntimeClientError) -> CredentialProviderError:
        result = self.failure(f"{operation} failed: {error.message}", retryable=error.retryable)
        result.code = error.code
        result.status_code = error.status_code
        result.request_id = error.request_id
        result.attempts = error.attempts
        return result

    async def ask_agent(self, origin: str, request: Request, seconds: float) -> Response:
        """Send one unsigned request directly to an agent on this machine, bypassing any proxy.

        Args:
            origin: The agent's origin, such as ``http://169.254.170.2``.
            request: The request to send.
            seconds: The time limit for the response.  It excludes the import of modules, which may
                take longer than this limit in a Lambda function or container with a tenth of a CPU.

        Raises:
            TransportError: The agent cannot be reached, or no complete response arrived within the
                time limit.
        """
        transport, sent = self.context.transport, request.with_headers([self._user_agent])
        await transport.prepare(origin, direct=True)
        deadline = self.system.monotonic() + seconds
        return await transport.send(origin, lambda: sent, deadline, direct=True)

    @property
    def _user_agent(self) -> tuple[str, str]:
        config = self.context.config
        text = user_agent(config.retry_mode, config.app_id, self.system.environ)
        return "user-agent", text
