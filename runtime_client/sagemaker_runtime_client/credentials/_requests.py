"""Requests to the services that give out credentials: signed or not, tried again, errors translated."""

from collections.abc import Callable
from datetime import datetime

from sigv4 import Credentials, as_provider

from .._aws.call import Caller
from .._aws.endpoint import Endpoint
from .._aws.error_response import json_error
from .._aws.operation import Call
from .._aws.user_agent import user_agent
from .._errors import ConfigError, CredentialProviderError, RuntimeClientError, ServiceError
from .._io.message import Request, Response
from ._provider import Context
from ._values import failure

Sign = Callable[[Endpoint, Request, datetime], Request]

JSON = ("content-type", "application/json")

_NOBODY = Credentials("anonymous", "anonymous")


def _unsigned(_endpoint: Endpoint, request: Request, _at: datetime) -> Request:
    return request


def endpoint(context: Context, provider: str, service: str, region: str | None = None) -> Endpoint:
    """Return the endpoint of *service*, in the region in force or another one."""
    try:
        return context.config.endpoint(service, region)
    except ConfigError as error:
        raise failure(provider, error.message) from None


async def ask_agent(context: Context, origin: str, request: Request, seconds: float) -> Response:
    """
    Send one request to an agent of this machine, unsigned and past any proxy.

    Args:
        seconds: How long it has for its answer, not counting what has to be loaded here first: that
            alone can take longer where a function or a container has a tenth of a processor.

    Raises:
        TransportError: There was no answer in time.
    """
    await context.io.prepare(origin, direct=True)
    deadline = context.io.monotonic() + seconds
    return await context.io.send(origin, lambda: request, deadline, direct=True)


async def ask(
    context: Context,
    provider: str,
    endpoint: Endpoint,
    request: Request,
    *,
    doing: str,
    parse_error: Callable[[Response], ServiceError] = json_error,
    credentials: Credentials | None = None,
    sign: Sign = _unsigned,
    secrets: tuple[str, ...] = (),
) -> Response:
    """
    Send a request until it is answered, refused for good or not worth another attempt.

    Args:
        provider: Who asks.
        doing: What failed, if it fails, such as ``AssumeRole of profile x``.
        credentials: Who signs it with SigV4; without, *sign* does, or nobody.
        secrets: What of the request may not show in a message.

    Raises:
        CredentialProviderError: With the facts of the last attempt's failure.
    """
    config, io = context.config, context.io
    caller = Caller(
        io,
        as_provider(credentials or _NOBODY),
        config.retry_policy,
        lambda: [("user-agent", user_agent(config.retry_mode, config.app_id, io.environ))],
        patience=config.read_timeout,
    )
    call = Call(endpoint, request, parse_error, sign=None if credentials else sign, secrets=secrets)
    try:
        return (await caller.call(call)).response
    except RuntimeClientError as error:
        raise translated(provider, doing, error) from error


def translated(provider: str, doing: str, error: RuntimeClientError) -> CredentialProviderError:
    """Return a failure with the facts of *error*."""
    result = failure(provider, f"{doing} failed: {error.message}", retryable=error.retryable)
    result.code = error.code
    result.status_code = error.status_code
    result.request_id = error.request_id
    result.attempts = error.attempts
    return result
