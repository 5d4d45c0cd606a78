"""Loads the credentials of a role that a profile assumes.

    [profile analyst]
    role_arn = arn:aws:iam::123456789012:role/analyst
    source_profile = me            or: credential_source = Ec2InstanceMetadata

The source profile may itself assume a role.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

import logging
from collections.abc import Awaitable, Callable

from sigv4 import Credentials

from .._aws.auth import CredentialsAuth
from .._settings.context import Context
from .._settings.profiles import Section
from ._provider import text_setting
from ._sts import STSProvider

# A function that receives the context of a profile and the name of a provider, and returns that
# provider's credentials.  If the name is None, the function tries each provider that may supply the
# credentials of a source profile.
ResolveSource = Callable[[Context, str | None], Awaitable[Credentials | None]]

_log = logging.getLogger("sagemaker_runtime_client")

# Maps each value of credential_source to the provider that it selects.
_CREDENTIAL_SOURCES = {
    "Ec2InstanceMetadata": "instance-metadata",
    "EcsContainer": "container",
    "Environment": "environment",
}


class AssumeRoleProvider(STSProvider):
    """Uses ``role_arn`` with ``source_profile`` or ``credential_source``.

    The profile may also set ``role_session_name``, ``external_id``, ``duration_seconds`` and
    ``mfa_serial``.  If ``mfa_serial`` is set, the context's function `mfa_token` supplies the MFA
    code at each refresh.

    Args:
        context: The settings, the shared files, the system and the transport; its profile sets
            ``role_arn``.
        name: The provider's name in messages.
        resolve_source: Returns the credentials with which the role is assumed.
        visited: The profiles whose ``source_profile`` settings led to this profile, in the order in
            which they were read.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        resolve_source: ResolveSource,
        visited: tuple[str, ...] = (),
    ) -> None:
        super().__init__(context, name)
        self._resolve_source = resolve_source
        self._visited = (*visited, context.profile)

    async def load(self) -> Credentials | None:
        """Return the role's credentials; None if the profile has no role or uses a web identity.

        Raises:
            CredentialProviderError: The profile's settings are incomplete, contradict each other or
                form a cycle, the source failed or has no credentials, there is no valid MFA code,
                or the request to STS failed.
        """
        if not _assumes_role(self.section):
            return None
        source = await self._source_credentials()
        code = await self._mfa_code()
        operation = f"AssumeRole for profile {self.context.profile}"
        texts = await self.query(
            "AssumeRole",
            {
                "RoleArn": self.setting("role_arn"),
                "RoleSessionName": self.setting("role_session_name") or self.default_session_name,
                "ExternalId": self.setting("external_id"),
                "DurationSeconds": self._duration(),
                "SerialNumber": self.setting("mfa_serial"),
                "TokenCode": code,
            },
            operation=operation,
            auth=CredentialsAuth(source, code or ""),
        )
        return self.parse_role_credentials(texts, operation)

    async def _source_credentials(self) -> Credentials:
        source_profile = self.setting("source_profile")
        credential_source = self.setting("credential_source")
        if source_profile is None and credential_source is not None:
            return await self._from_credential_source(credential_source)
        if source_profile is not None and credential_source is None:
            return await self._from_profile(source_profile)
        fault = "neither is set" if source_profile is None else "both are set"
        raise self.failure(
            f"profile {self.context.profile}: role_arn requires either source_profile or "
            f"credential_source, but {fault}"
        )

    async def _from_credential_source(self, source: str) -> Credentials:
        """Return the credentials from the environment, container or instance that *source* selects."""
        profile = self.context.profile
        if source not in _CREDENTIAL_SOURCES:
            raise self.failure(
                f"profile {profile}: credential_source must be one of "
                f"{', '.join(_CREDENTIAL_SOURCES)}, not {source}"
            )
        credentials = await self._resolve_source(self.context, _CREDENTIAL_SOURCES[source])
        if credentials is None:
            message = f"profile {profile}: credential_source {source} has no credentials"
            raise self.failure(message, retryable=True)
        return credentials

    async def _from_profile(self, name: str) -> Credentials:
        """Return the credentials of the profile *name*, which may itself assume a role."""
        profile, profiles = self.context.profile, self.context.profiles.profiles
        if name not in profiles:
            raise self.failure(f"profile {profile}: source_profile {name} does not exist")
        section = profiles[name]
        is_static = "aws_access_key_id" in section or "aws_secret_access_key" in section
        # A profile may be its own source_profile only if it contains static credentials.
        if name in self._visited and not (name == profile and is_static):
            cycle = " -> ".join((*self._visited, name))
            raise self.failure(f"the source_profile settings form a cycle: {cycle}")
        source = self.context.replace(profile=name, explicit=True)
        if _assumes_role(section) and not is_static:
            role = AssumeRoleProvider(source, self.name, self._resolve_source, self._visited)
            credentials = await role.load()
        else:
            credentials = await self._resolve_source(source, None)
        if credentials is None:
            raise self.failure(f"profile {profile}: source_profile {name} has no credentials")
        return credentials

    async def _mfa_code(self) -> str | None:
        """Return the current code of the MFA device, or None if ``mfa_serial`` is not set."""
        serial, mfa_token = self.setting("mfa_serial"), self.context.mfa_token
        if serial is None:
            return None
        if mfa_token is None:
            raise self.failure(
                f"profile {self.context.profile} requires an MFA code (mfa_serial): "
                "pass a function as mfa_token= to default_chain"
            )
        code = await self.call_user_function("mfa_token", mfa_token, serial)
        if not isinstance(code, str) or not code.isascii() or not code.isdigit():
            raise self.failure(f"the MFA code of device {serial} must be a string of digits")
        return code

    def _duration(self) -> str | None:
        """Return ``duration_seconds``; like AWS tools, ignore a value that is not a number."""
        text = self.setting("duration_seconds")
        if text is None or (text.isascii() and text.isdigit()):
            return text
        profile = self.context.profile
        _log.warning("profile %s: duration_seconds is not a number and is ignored", profile)
        return None


def _assumes_role(section: Section) -> bool:
    """Return whether a profile assumes a role with the credentials of a source.

    Roles that are assumed with a web identity are handled by `WebIdentityProvider`.
    """
    has_role = text_setting(section, "role_arn") is not None
    return has_role and "web_identity_token_file" not in section
