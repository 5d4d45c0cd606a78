"""
Keys of an EC2 instance's role, from the instance metadata service (IMDS).

No answer means that the program does not run on EC2, or that the instance has no role: both are
"not configured here".  So a refresh may fail while the service is down; the credentials are then
kept (`ProviderSpec.static_stability`).

Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
and botocore 1.44, utils.py, InstanceMetadataFetcher.
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

# Keys whose end is nearer than this, and up to 8 minutes more, are taken to last as long again:
# the service is late in replacing them, and AWS still takes them.
_MARGIN = timedelta(minutes=12)
_JITTER = timedelta(minutes=8)


class _SilentError(Exception):
    """The service is not there, or has nothing to say."""


class InstanceMetadataProvider(ServiceProvider):
    """
    The role of the EC2 instance that the program runs on.

    Version 2 of the service is asked, which gives a token first; version 1 where that is
    refused or does not arrive (a container's network may be one hop too far), unless
    ``AWS_EC2_METADATA_V1_DISABLED`` shuts that out.  ``AWS_EC2_METADATA_DISABLED=true`` shuts
    out both.
    """

    async def load(self) -> Credentials | None:
        """
        Return the role's credentials, or None if there is no service or no role.

        Raises:
            CredentialProviderError: The service gives no token, and version 1 is shut out; or the
                endpoint in the settings is malformed.
        """
        if self.context.config.ec2_metadata_disabled:
            return None
        try:
            return self._prolonged(await self._credentials())
        except _SilentError:
            return None

    async def region(self) -> str | None:
        """Return the instance's region, or None if there is no service; raises what `load` raises."""
        if self.context.config.ec2_metadata_disabled:
            return None
        try:
            return (await self._get(_REGION_PATH, await self._token_header(), bool)).strip()
        except _SilentError:
            return None

    @property
    def _origin(self) -> str:
        """Where the service is."""
        origin = self.context.config.metadata_endpoint
        if not _is_origin(origin):
            raise self.failure("ec2_metadata_service_endpoint must be like http://host:port")
        return origin

    async def _credentials(self) -> Credentials:
        headers = await self._token_header()
        role = (await self._get(_ROLE_PATH, headers, bool)).strip()
        if not _is_role(role):
            raise self.failure(f"the instance metadata at {self._origin} names no role")
        text = await self._get(_ROLE_PATH + role, headers, json_object)
        parts = json_object(text) or {}
        if not all(parts.get(name) for name in _PARTS):
            # 200 and an error: EC2 may not take on the role, for example.
            _log.warning("the instance metadata has no credentials: %s", parts.get("Code"))
            raise _SilentError
        return self.parse_credentials("the instance metadata", parts, _PARTS)

    async def _token_header(self) -> Headers:
        """
        Return the header with a token of version 2; none, where version 1 is to be asked.

        Source: botocore 1.44, utils.py, IMDSFetcher._fetch_metadata_token.
        """
        answered = False
        for _ in range(self.context.config.metadata_service_num_attempts):
            try:
                response = await self._send("PUT", _TOKEN_PATH, (_LIFETIME,))
            except TransportError as error:
                if error.possibly_accepted:  # the answer got lost: one hop too far, perhaps
                    return self._version_1()
                continue
            if response.status == 200 and (token := header_value(response.body.decode("latin-1"))):
                return (("x-aws-ec2-metadata-token", token),)
            if response.status == 400:
                raise _SilentError
            if response.status in {403, 404, 405}:
                return self._version_1()
            answered = True
        if answered:  # it does not give tokens, and version 1 needs none
            return self._version_1()
        raise _SilentError

    def _version_1(self) -> Headers:
        """Return the headers for version 1, which are none, if it is allowed."""
        if self.context.config.ec2_metadata_v1_disabled:
            raise self.failure(
                f"the instance metadata at {self._origin} gives no token, and version 1 is "
                "disabled by ec2_metadata_v1_disabled",
                retryable=True,
            )
        return ()

    async def _get(self, path: str, headers: Headers, usable: Callable[[str], object]) -> str:
        """Return what is at *path*, once it is *usable*."""
        for _ in range(self.context.config.metadata_service_num_attempts):
            try:
                response = await self._send("GET", path, headers)
            except TransportError as error:
                _log.debug("instance metadata: %s", error)
                continue
            text = response.body.decode("utf-8", "replace")
            if response.status == 200 and response.complete and usable(text):
                return text
            _log.debug("instance metadata: %s for %s", response.status, path)
        raise _SilentError

    async def _send(self, method: str, path: str, headers: Headers) -> Response:
        timeout = self.context.config.metadata_service_timeout
        return await self.ask_agent(self._origin, Request(method, path, headers), timeout)

    def _prolonged(self, credentials: Credentials) -> Credentials:
        """Return credentials that end soon with a later end, so that they are still signed with."""
        ends, now = credentials.expiration, self.system.now()
        offset = _MARGIN + _JITTER * self.system.random()
        if ends is None or now < ends - offset:
            return credentials
        _log.warning("the instance metadata's credentials end at %s; they are kept for now", ends)
        return credentials.replace(expiration=now + offset)
