"""Loads credentials from the local agent of ECS or EKS Pod Identity, or from a compatible agent.

Plain HTTP is allowed only for the agents' known addresses, loopback addresses and ``localhost``.
Therefore a URL in an environment variable cannot cause a token to be sent unencrypted to another
host.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html and
botocore 1.44, utils.py, ContainerMetadataFetcher.
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from sigv4 import Credentials

from .._aws.error_response import json_error
from .._errors import CredentialProviderError, TransportError
from .._io.message import Request
from ._fetching import header_value, json_object
from ._requests import ServiceProvider

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

# The pattern excludes user names and backslashes, because URL parsers may disagree about which part
# of such a URL is the host.
_url = re.compile(
    r"(https?://[A-Za-z0-9._\-]+(?::\d+)?|https?://\[[0-9A-Fa-f:.]+\](?::\d+)?)(/[!-~]*)?"
)
_is_path = re.compile(r"/[!-~]*").fullmatch


class ContainerProvider(ServiceProvider):
    """Uses ``AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`` or ``AWS_CONTAINER_CREDENTIALS_FULL_URI``.

    If a token is configured, it is sent with the request.  The token is the content of the file at
    the path ``AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE``, which is read at each load, or otherwise
    the value of ``AWS_CONTAINER_AUTHORIZATION_TOKEN``.
    """

    async def load(self) -> Credentials | None:
        """Return the container's credentials, or None if neither variable is set.

        Raises:
            CredentialProviderError: The URL or the token is not valid, the token file cannot be
                read, or the last attempt to obtain credentials from the agent failed.
        """
        location = self._origin_and_path()
        if location is None:
            return None
        origin, path = location
        headers = [("accept", "application/json")]
        token = await self._token()
        if token is not None:
            headers.append(("authorization", token))
        request = Request("GET", path, tuple(headers))
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._attempt(origin, request)
            except CredentialProviderError as error:
                if attempt == _ATTEMPTS or not error.retryable:
                    error.attempts = attempt
                    raise
            await self.system.sleep(_PAUSE)
        raise AssertionError  # pragma: no cover (the last attempt returns or raises)

    def _origin_and_path(self) -> tuple[str, str] | None:
        """Return the origin and path of the agent's URL, or None if neither variable is set."""
        environ = self.system.environ
        if path := environ.get(_RELATIVE):
            if not _is_path(path):
                raise self.failure(f"{_RELATIVE} must be a URL path that starts with /")
            return _ECS, path
        url = environ.get(_FULL)
        if not url:
            return None
        match = _url.fullmatch(url)
        if match is None:
            raise self.failure(f"{_FULL} must be a URL such as http://host:port/path")
        origin = match[1]
        host = urlsplit(origin).hostname or ""
        if not url.startswith("https:") and host not in _HOSTS and not _is_loopback(host):
            raise self.failure(
                f"{_FULL} must use https for the host {host}: plain http is allowed only for loopback "
                f"addresses and {', '.join(sorted(_HOSTS))}"
            )
        return origin, match[2] or "/"

    async def _token(self) -> str | None:
        environ = self.system.environ
        label, token = _TOKEN, environ.get(_TOKEN)
        if path := environ.get(_TOKEN_FILE):
            label = f"the token in {path}"
            token = await self.read_text(path, f"{_TOKEN_FILE}: the file")
        if not token or not token.strip():
            return None
        if (value := header_value(token)) is None:
            raise self.failure(f"{label} must be a single line of printable ASCII")
        return value

    async def _attempt(self, origin: str, request: Request) -> Credentials:
        label = f"the container credentials response from {origin}"
        try:
            response = await self.ask_agent(origin, request, _TIMEOUT)
        except TransportError as error:
            message = f"the container credentials request to {origin} failed: {error.message}"
            raise self.failure(message, retryable=error.retryable) from error
        if response.status != 200:
            # The agent's message is not shown, because it may repeat the token.
            message = f"the container credentials request to {origin} was rejected"
            rejection = self.failure(message, retryable=True)
            rejection.code, rejection.status_code = json_error(response).code, response.status
            raise rejection
        parts = json_object(response.body)
        if parts is None:
            raise self.failure(f"{label} is not a JSON object", retryable=True)
        account_id = parts.get("AccountId")
        return self.parse_credentials(label, parts, _PARTS, account_id, temporary=False)


def _is_loopback(host: str) -> bool:
    """Return whether *host* is a loopback IP address; host names are not resolved."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
