"""
Keys from an agent beside the program: ECS tasks, EKS Pod Identity, and whatever speaks like them.

Where it is asked over plain HTTP, only the agents' own addresses and this machine's are asked: a
URL in a variable shall not carry a token elsewhere.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html and
botocore 1.44, utils.py, ContainerMetadataFetcher.
"""

import re
from ipaddress import ip_address
from typing import ClassVar
from urllib.parse import urlsplit

from sigv4 import Credentials

from .._aws.error_response import json_error
from .._aws.user_agent import user_agent
from .._errors import CredentialProviderError, TransportError
from .._io.message import Request
from ._provider import Context
from ._requests import ask_agent
from ._values import credentials_from, failure, header_value, json_object, read_text

_NAME = "container"
_ECS = "http://169.254.170.2"
_HOSTS = frozenset({"localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"})
_PARTS = ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")

_ATTEMPTS = 3
_PAUSE = 1.0
_TIMEOUT = 2.0

_RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

# Nothing that two readers of URLs could take for two different hosts: no user, no backslash.
_url = re.compile(
    r"(https?://[A-Za-z0-9._\-]+(?::\d+)?|https?://\[[0-9A-Fa-f:.]+\](?::\d+)?)(/[!-~]*)?"
)
_is_path = re.compile(r"/[!-~]*").fullmatch


class ContainerProvider:
    """
    ``AWS_CONTAINER_CREDENTIALS_RELATIVE_URI``, or ``..._FULL_URI``.

    A token, which the request then carries, is in the file that
    ``AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`` names and is read anew each time, or in
    ``AWS_CONTAINER_AUTHORIZATION_TOKEN``.
    """

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the container's credentials, or None if no variable says where they are.

        Raises:
            CredentialProviderError: The URL or the token is not to be used, or the agent fails.
        """
        place = _place(context)
        if place is None:
            return None
        origin, path = place
        token = await _token(context)
        config = context.config
        agent = user_agent(config.retry_mode, config.app_id, context.io.environ)
        headers = [("accept", "application/json"), ("user-agent", agent)]
        if token is not None:
            headers.append(("authorization", token))
        request = Request("GET", path, tuple(headers))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await _ask(context, origin, request)
            except CredentialProviderError as error:
                if attempt == _ATTEMPTS or not error.retryable:
                    error.attempts = attempt
                    raise
            await context.io.sleep(_PAUSE)
        raise AssertionError  # pragma: no cover (the last attempt returns or raises)


def _place(context: Context) -> tuple[str, str] | None:
    """Return origin and path of where the credentials are, if that is somewhere to ask."""
    environ = context.io.environ
    if path := environ.get(_RELATIVE):
        if not _is_path(path):
            raise failure(_NAME, f"{_RELATIVE} must be a path, which begins with /")
        return _ECS, path
    url = environ.get(_FULL)
    if not url:
        return None
    match = _url.fullmatch(url)
    if match is None:
        raise failure(_NAME, f"{_FULL} must be like http://host:port/path")
    origin = match[1]
    host = urlsplit(origin).hostname or ""
    if not url.startswith("https:") and host not in _HOSTS and not _is_loopback(host):
        raise failure(
            _NAME,
            f"{_FULL} names the host {host}; over plain http only a loopback address or one of "
            f"{', '.join(sorted(_HOSTS))} is asked",
        )
    return origin, match[2] or "/"


def _is_loopback(host: str) -> bool:
    """Tell whether *host* is an address of this machine, not a name that looks like one."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _token(context: Context) -> str | None:
    """Return the token to show, if there is one."""
    environ = context.io.environ
    name, token = _TOKEN, environ.get(_TOKEN)
    if path := environ.get(_TOKEN_FILE):
        name = f"the token in {path}"
        token = await read_text(context, _NAME, path, f"the file that {_TOKEN_FILE} names,")
    if not token or not token.strip():
        return None
    if (value := header_value(token)) is None:
        raise failure(_NAME, f"{name} must be a single line of printable ASCII")
    return value


async def _ask(context: Context, origin: str, request: Request) -> Credentials:
    """Ask once."""
    where = f"the container's credentials at {origin}"
    try:
        response = await ask_agent(context, origin, request, _TIMEOUT)
    except TransportError as error:
        message = f"{where} cannot be had: {error.message}"
        raise failure(_NAME, message, retryable=error.retryable) from error
    if response.status != 200:
        # What the agent says stays out: it may repeat the token.
        refusal = failure(_NAME, f"{where} were refused", retryable=True)
        refusal.code, refusal.status_code = json_error(response).code, response.status
        raise refusal
    parts = json_object(response.body)
    if parts is None:
        raise failure(_NAME, f"{where} are no JSON object", retryable=True)
    return credentials_from(_NAME, where, parts, _PARTS, parts.get("AccountId"), temporary=False)
