"""
A role that a profile assumes with the keys of another profile, or of where the program runs.

    [profile analyst]
    role_arn = arn:aws:iam::123456789012:role/analyst
    source_profile = me            or: credential_source = Ec2InstanceMetadata

The source may be a role itself, and so on.

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

# Takes the context of a profile and the name of a provider; without a name, every provider is asked
# that a source profile may use.
ResolveSource = Callable[[Context, str | None], Awaitable[Credentials | None]]

_log = logging.getLogger("sagemaker_runtime_client")

# Values of credential_source, and the provider of each.
_CREDENTIAL_SOURCES = {
    "Ec2InstanceMetadata": "instance-metadata",
    "EcsContainer": "container",
    "Environment": "environment",
}


class AssumeRoleProvider(STSProvider):
    """
    ``role_arn`` with ``source_profile`` or ``credential_source``.

    The profile may have ``role_session_name``, ``external_id``, ``duration_seconds`` and
    ``mfa_serial`` as well; the context's `mfa_token` is asked for the code at every refresh.

    Args:
        context: What it works with.
        name: Its name.
        resolve_source: Returns the credentials that the role is assumed with.
        visited: The profiles whose source this one is, outermost first.
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
        """
        Return the role's credentials, or None if the profile assumes none.

        Raises:
            CredentialProviderError: The profile's settings contradict each other or lead in a
                circle, its source has no keys, or STS refuses.
        """
        if not _assumes_role(self.section):
            return None
        source = await self._source_credentials()
        code = await self._mfa_code()
        operation = f"AssumeRole of profile {self.context.profile}"
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
        """Return the keys that the role is assumed with."""
        source_profile = self.setting("source_profile")
        credential_source = self.setting("credential_source")
        if source_profile is None and credential_source is not None:
            return await self._from_credential_source(credential_source)
        if source_profile is not None and credential_source is None:
            return await self._from_profile(source_profile)
        have = "neither" if source_profile is None else "both"
        raise self.failure(
            f"profile {self.context.profile} has role_arn and {have} of source_profile and "
            "credential_source; give it one"
        )

    async def _from_credential_source(self, source: str) -> Credentials:
        """Return the keys of where the program runs."""
        profile = self.context.profile
        if source not in _CREDENTIAL_SOURCES:
            raise self.failure(
                f"profile {profile} has credential_source {source}; "
                f"it must be one of {', '.join(_CREDENTIAL_SOURCES)}"
            )
        credentials = await self._resolve_source(self.context, _CREDENTIAL_SOURCES[source])
        if credentials is None:
            message = f"profile {profile} has credential_source {source}, which has no credentials"
            raise self.failure(message, retryable=True)
        return credentials

    async def _from_profile(self, name: str) -> Credentials:
        """Return the keys of the profile *name*, which may assume a role as well."""
        profile, profiles = self.context.profile, self.context.profiles.profiles
        if name not in profiles:
            raise self.failure(f"profile {profile} has source_profile {name}, which is nowhere")
        section = profiles[name]
        is_static = "aws_access_key_id" in section or "aws_secret_access_key" in section
        # A profile may be its own source, but only for the keys in it.
        if name in self._visited and not (name == profile and is_static):
            circle = " -> ".join((*self._visited, name))
            raise self.failure(f"the source_profile of profiles leads in a circle: {circle}")
        source = self.context._replace(profile=name, explicit=True)
        if _assumes_role(section) and not is_static:
            role = AssumeRoleProvider(source, self.name, self._resolve_source, self._visited)
            credentials = await role.load()
        else:
            credentials = await self._resolve_source(source, None)
        if credentials is None:
            message = f"profile {name}, the source_profile of {profile}, has no credentials"
            raise self.failure(message)
        return credentials

    async def _mfa_code(self) -> str | None:
        """Return the code of the MFA device, if the profile has one."""
        serial, mfa_token = self.setting("mfa_serial"), self.context.mfa_token
        if serial is None:
            return None
        if mfa_token is None:
            raise self.failure(
                f"profile {self.context.profile} has mfa_serial, and nothing supplies the code: "
                "give default_chain mfa_token=, a function"
            )
        code = await self.ask_user("mfa_token", mfa_token, serial)
        if not isinstance(code, str) or not code.isascii() or not code.isdigit():
            raise self.failure("mfa_token must return the digits that the MFA device shows")
        return code

    def _duration(self) -> str | None:
        """Return ``duration_seconds`` if it is a number; AWS's tools ignore anything else, too."""
        text = self.setting("duration_seconds")
        if text is None or (text.isascii() and text.isdigit()):
            return text
        profile = self.context.profile
        _log.warning("profile %s: duration_seconds is no number, and ignored", profile)
        return None


def _assumes_role(section: Section) -> bool:
    """Tell whether a profile assumes a role with keys; with a web identity, another provider does."""
    has_role = text_setting(section, "role_arn") is not None
    return has_role and "web_identity_token_file" not in section
