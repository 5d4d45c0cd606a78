"""
Keys from an agent beside the program: ECS tasks, EKS Pod Identity, and agents with the same protocol.

Over plain HTTP, only the agents' known addresses and those of this machine are asked: a URL in a
variable must not send a token elsewhere.

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

# Nothing that two readers of URLs could take for two different hosts: no user, no backslash.
_url = re.compile(
    r"(https?://[A-Za-z0-9._\-]+(?::\d+)?|https?://\[[0-9A-Fa-f:.]+\](?::\d+)?)(/[!-~]*)?"
)
_is_path = re.compile(r"/[!-~]*").fullmatch


class ContainerProvider(ServiceProvider):
    """
    ``AWS_CONTAINER_CREDENTIALS_RELATIVE_URI``, or ``..._FULL_URI``.

    A token, which the request then carries, is in the file that
    ``AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`` names and is read anew each time, or in
    ``AWS_CONTAINER_AUTHORIZATION_TOKEN``.
    """

    async def load(self) -> Credentials | None:
        """
        Return the container's credentials, or None if no variable says where they are.

        Raises:
            CredentialProviderError: The URL or the token is not to be used, or the agent fails.
        """
        place = self._origin_and_path()
        if place is None:
            return None
        origin, path = place
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
        """Return where the credentials are; None if no variable says so."""
        environ = self.system.environ
        if path := environ.get(_RELATIVE):
            if not _is_path(path):
                raise self.failure(f"{_RELATIVE} must be a path, which begins with /")
            return _ECS, path
        url = environ.get(_FULL)
        if not url:
            return None
        match = _url.fullmatch(url)
        if match is None:
            raise self.failure(f"{_FULL} must be like http://host:port/path")
        origin = match[1]
        host = urlsplit(origin).hostname or ""
        if not url.startswith("https:") and host not in _HOSTS and not _is_loopback(host):
            raise self.failure(
                f"{_FULL} names the host {host}; over plain http only a loopback address or one of "
                f"{', '.join(sorted(_HOSTS))} is asked"
            )
        return origin, match[2] or "/"

    async def _token(self) -> str | None:
        environ = self.system.environ
        label, token = _TOKEN, environ.get(_TOKEN)
        if path := environ.get(_TOKEN_FILE):
            label = f"the token in {path}"
            token = await self.read_text(path, f"the file that {_TOKEN_FILE} names,")
        if not token or not token.strip():
            return None
        if (value := header_value(token)) is None:
            raise self.failure(f"{label} must be a single line of printable ASCII")
        return value

    async def _attempt(self, origin: str, request: Request) -> Credentials:
        label = f"the container's credentials at {origin}"
        try:
            response = await self.ask_agent(origin, request, _TIMEOUT)
        except TransportError as error:
            message = f"{label} cannot be had: {error.message}"
            raise self.failure(message, retryable=error.retryable) from error
        if response.status != 200:
            # What the agent says stays out: it may repeat the token.
            refusal = self.failure(f"{label} were refused", retryable=True)
            refusal.code, refusal.status_code = json_error(response).code, response.status
            raise refusal
        parts = json_object(response.body)
        if parts is None:
            raise self.failure(f"{label} are no JSON object", retryable=True)
        account_id = parts.get("AccountId")
        return self.parse_credentials(label, parts, _PARTS, account_id, temporary=False)


def _is_loopback(host: str) -> bool:
    """Tell whether *host* is an address of this machine, not a name that looks like one."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
