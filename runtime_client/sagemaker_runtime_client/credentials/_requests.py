"""A base class for providers that ask a service: requests are signed or not, retried, and their errors named."""

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
    """What providers share that ask a service of AWS, or an agent of this machine."""

    def endpoint(self, service: str, region: str | None = None) -> Endpoint:
        """Return the endpoint of *service*, in the region in force or another one."""
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
        """
        Send a request until it succeeds, is refused or is not worth another attempt.

        Args:
            endpoint: Where the service is.
            request: What to send.
            operation: What messages call it, such as ``AssumeRole of profile x``.
            parse_error: Returns the error in an answer.
            auth: How it is authenticated, and which secrets in it no message may show.

        Raises:
            CredentialProviderError: With the facts of the last attempt's failure.
        """
        config = self.context.config
        client = ServiceClient(
            self.system,
            self.context.transport,
            auth,
            config.retry_policy,
            headers=[self._user_agent],
            attempt_timeout=config.read_timeout,
        )
        try:
            return await client.send(Operation(endpoint, request, parse_error))
        except RuntimeClientError as error:
            raise self._with_facts(operation, error) from error

    def _with_facts(self, operation: str, error: RuntimeClientError) -> CredentialProviderError:
        result = self.failure(f"{operation} failed: {error.message}", retryable=error.retryable)
        result.code = error.code
        result.status_code = error.status_code
        result.request_id = error.request_id
        result.attempts = error.attempts
        return result

    async def ask_agent(self, origin: str, request: Request, seconds: float) -> Response:
        """
        Send one request to an agent of this machine, unsigned and past any proxy.

        Args:
            origin: Where the agent is.
            request: What to send.
            seconds: How long the agent has for its answer.  What has to be loaded here first does not
                count: that alone can take longer in a function or container with a tenth of a
                processor.

        Raises:
            TransportError: There was no answer in time.
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
