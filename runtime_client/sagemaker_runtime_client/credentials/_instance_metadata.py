"""Loads the role credentials of an EC2 instance from the instance metadata service (IMDS).

If the service does not respond or returns no credentials, the provider counts as not configured,
because the program probably does not run on EC2, or the instance has no role.  If the service is
down during a refresh, the earlier credentials stay in use (`ProviderSpec.static_stability`).

Source:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html and
botocore 1.44, utils.py, InstanceMetadataFetcher.
"""

import logging
import re
from collections.abc import Callable
from datetime import timedelta

from sigv4 import Credentials

from .._errors import TransportError
from .._io.message import Request, Response
from ._fetching import header_value, json_object
from ._requests import ServiceProvider

_log = logging.getLogger("sagemaker_runtime_client")

Headers = tuple[tuple[str, str], ...]

_TOKEN_PATH = "/latest/api/token"
_ROLE_PATH = "/latest/meta-data/iam/security-credentials/"
_REGION_PATH = "/latest/meta-data/placement/region"
_LIFETIME = ("x-aws-ec2-metadata-token-ttl-seconds", "21600")
_PARTS = ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")

_is_origin = re.compile(r"https?://[^/?#@\s\\]+(/[!-~]*)?").fullmatch
_is_role = re.compile(r"[\w+=,.@-]+", re.ASCII).fullmatch

# The service is sometimes late to replace credentials, and AWS still accepts the old credentials.
# If the service returns credentials that have expired, or that will expire within _MARGIN plus a
# random part of _JITTER, their expiration is set to that much time after they are loaded.
_MARGIN = timedelta(minutes=12)
_JITTER = timedelta(minutes=8)


class _NotAvailableError(Exception):
    """Raised if the service does not supply the requested token, credentials or region."""


class InstanceMetadataProvider(ServiceProvider):
    """Provides the credentials of the role of the EC2 instance on which the program runs.

    The provider uses IMDSv2, which requires a token.  If the token request is rejected or its
    response is lost (on the way to a container, the response may exceed the hop limit), the
    provider falls back to IMDSv1, unless ``AWS_EC2_METADATA_V1_DISABLED`` forbids that.
    ``AWS_EC2_METADATA_DISABLED=true`` disables both versions.
    """

    async def load(self) -> Credentials | None:
        """Return the role's credentials; None if the service is disabled or absent, or has no role.

        Raises:
            CredentialProviderError: The service issues no token and IMDSv1 is disabled, the
                response is malformed, or the configured endpoint is not a URL.
        """
        if self.context.config.ec2_metadata_disabled:
            return None
        try:
            return self._extended(await self._credentials())
        except _NotAvailableError:
            return None

    async def region(self) -> str | None:
        """Return the instance's region, or None if the service is disabled or does not supply it.

        Raises:
            CredentialProviderError: The service issues no token and IMDSv1 is disabled, or the
                configured endpoint is not a URL.
        """
        if self.context.config.ec2_metadata_disabled:
            return None
        try:
            return (await self._get(_REGION_PATH, await self._token_header(), bool)).strip()
        except _NotAvailableError:
            return None

    @property
    def _origin(self) -> str:
        origin = self.context.config.metadata_endpoint
        if not _is_origin(origin):
            raise self.failure(
                "ec2_metadata_service_endpoint (AWS_EC2_METADATA_SERVICE_ENDPOINT) must be a URL such "
                "as http://host:port"
            )
        return origin

    async def _credentials(self) -> Credentials:
        headers = await self._token_header()
        role = (await self._get(_ROLE_PATH, headers, bool)).strip()
        if not _is_role(role):
            raise self.failure(
                f"the instance metadata service at {self._origin} returned an invalid role name"
            )
        text = await self._get(_ROLE_PATH + role, headers, json_object)
        parts = json_object(text) or {}
        if not all(parts.get(name) for name in _PARTS):
            # A response with status 200 may contain an error, for example if EC2 may not assume the
            # role.
            _log.warning(
                "the instance metadata service returned no credentials (code %s)", parts.get("Code")
            )
            raise _NotAvailableError
        return self.parse_credentials("the instance metadata response", parts, _PARTS)

    async def _token_header(self) -> Headers:
        """Return the header with an IMDSv2 token, or no headers if IMDSv1 has to be used.

        Source: botocore 1.44, utils.py, IMDSFetcher._fetch_metadata_token.
        """
        responded = False
        for _ in range(self.context.config.metadata_service_num_attempts):
            try:
                response = await self._send("PUT", _TOKEN_PATH, (_LIFETIME,))
            except TransportError as error:
                if error.possibly_accepted:  # the response was lost, perhaps due to the hop limit
                    return self._version_1()
                continue
            if response.status == 200 and (token := header_value(response.body.decode("latin-1"))):
                return (("x-aws-ec2-metadata-token", token),)
            if response.status == 400:
                raise _NotAvailableError
            if response.status in {403, 404, 405}:
                return self._version_1()
            responded = True
        if responded:  # the service does not issue tokens, and IMDSv1 needs none
            return self._version_1()
        raise _NotAvailableError

    def _version_1(self) -> Headers:
        """Return no headers, because IMDSv1 requires none; raise an error if IMDSv1 is disabled."""
        if self.context.config.ec2_metadata_v1_disabled:
            raise self.failure(
                f"the instance metadata service at {self._origin} returned no IMDSv2 token, and "
                "IMDSv1 is disabled by ec2_metadata_v1_disabled",
                retryable=True,
            )
        return ()

    async def _get(self, path: str, headers: Headers, usable: Callable[[str], object]) -> str:
        """Return the text at *path*; try again if a request fails or its text is not *usable*."""
        for _ in range(self.context.config.metadata_service_num_attempts):
            try:
                response = await self._send("GET", path, headers)
            except TransportError as error:
                _log.debug("instance metadata request for %s failed: %s", path, error)
                continue
            text = response.body.decode("utf-8", "replace")
            if response.status == 200 and response.complete and usable(text):
                return text
            _log.debug(
                "instance metadata request for %s got no usable response (status %s)",
                path,
                response.status,
            )
        raise _NotAvailableError

    async def _send(self, method: str, path: str, headers: Headers) -> Response:
        timeout = self.context.config.metadata_service_timeout
        return await self.ask_agent(self._origin, Request(method, path, headers), timeout)

    def _extended(self, credentials: Credentials) -> Credentials:
        """Return *credentials*, with a later expiration if they expire soon or have expired."""
        ends, now = credentials.expiration, self.system.now()
        offset = _MARGIN + _JITTER * self.system.random()
        if ends is None or now < ends - offset:
            return credentials
        extended = credentials.replace(expiration=now + offset)
        _log.warning(
            "the instance metadata service returned credentials that expire at %s; using them until %s",
            ends,
            extended.expiration,
        )
        return extended
