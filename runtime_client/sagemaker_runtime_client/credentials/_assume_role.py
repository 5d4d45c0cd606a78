"""
A role that a profile assumes with the keys of another profile, or of where the program runs.

    [profile analyst]
    role_arn = arn:aws:iam::123456789012:role/analyst
    source_profile = me            or: credential_source = Ec2InstanceMetadata

The source may be a role itself, and so on.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

import logging
from typing import ClassVar

from sigv4 import Credentials

from .._settings.profiles import Section
from ._chain import SOURCES, resolve_profile
from ._provider import Context
from ._sts import assume_role, default_session_name
from ._values import answered, failure, profile_section, setting

_log = logging.getLogger("sagemaker_runtime_client")

_NAME = "assume-role"

# Values of credential_source, and who then supplies the keys.
_SOURCES = {
    "Ec2InstanceMetadata": "instance-metadata",
    "EcsContainer": "container",
    "Environment": "environment",
}


class AssumeRoleProvider:
    """
    ``role_arn`` with ``source_profile`` or ``credential_source``.

    The profile may have ``role_session_name``, ``external_id``, ``duration_seconds`` and
    ``mfa_serial`` as well; the context's `mfa_token` is asked for the code at every refresh.
    """

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the role's credentials, or None if the profile assumes none.

        Raises:
            CredentialProviderError: The profile's settings contradict each other or lead in a
                circle, its source has no keys, or STS refuses.
        """
        if not _assumes_role(profile_section(context)):
            return None
        return await self._role(context, (context.profile,))

    async def _role(self, context: Context, visited: tuple[str, ...]) -> Credentials:
        """Return the credentials of the role of the profile in force."""
        section = profile_section(context)
        source = await self._source(context, visited)
        code = await self._mfa_code(context, setting(section, "mfa_serial"))
        return await assume_role(
            context,
            _NAME,
            "AssumeRole",
            {
                "RoleArn": setting(section, "role_arn"),
                "RoleSessionName": setting(section, "role_session_name")
                or default_session_name(context),
                "ExternalId": setting(section, "external_id"),
                "DurationSeconds": _duration(context, setting(section, "duration_seconds")),
                "SerialNumber": setting(section, "mfa_serial"),
                "TokenCode": code,
            },
            doing=f"AssumeRole of profile {context.profile}",
            credentials=source,
            secrets=() if code is None else (code,),
        )

    async def _source(self, context: Context, visited: tuple[str, ...]) -> Credentials:
        """Return the keys that the role is assumed with."""
        section = profile_section(context)
        source_profile = setting(section, "source_profile")
        credential_source = setting(section, "credential_source")
        if source_profile is None and credential_source is not None:
            return await _from_surroundings(context, credential_source)
        if source_profile is not None and credential_source is None:
            return await self._from_profile(context, source_profile, visited)
        have = "neither" if source_profile is None else "both"
        raise failure(
            _NAME,
            f"profile {context.profile} has role_arn and {have} of source_profile and "
            "credential_source; give it one",
        )

    async def _from_profile(
        self, context: Context, name: str, visited: tuple[str, ...]
    ) -> Credentials:
        """Return the keys of the profile *name*, which may be a role's as well."""
        profile = context.profile
        if name not in context.profiles.profiles:
            raise failure(_NAME, f"profile {profile} has source_profile {name}, which is nowhere")
        source = context._replace(profile=name, explicit=True)
        section = profile_section(source)
        is_static = "aws_access_key_id" in section or "aws_secret_access_key" in section
        # A profile may be its own source, if only for the keys that stand in it.
        if name in visited and not (name == profile and is_static):
            circle = " -> ".join((*visited, name))
            raise failure(_NAME, f"the source_profile of profiles leads in a circle: {circle}")
        if _assumes_role(section) and not is_static:
            return await self._role(source, (*visited, name))
        credentials = await resolve_profile(source)
        if credentials is None:
            raise failure(
                _NAME, f"profile {name}, the source_profile of {profile}, has no credentials"
            )
        return credentials

    async def _mfa_code(self, context: Context, serial: str | None) -> str | None:
        """Return the code of the MFA device, where one is asked for."""
        if serial is None:
            return None
        if context.mfa_token is None:
            raise failure(
                _NAME,
                f"profile {context.profile} has mfa_serial, and nothing supplies the code: "
                "give default_chain mfa_token=, a function",
            )
        code = await answered(_NAME, "mfa_token", context.mfa_token, serial)
        if not isinstance(code, str) or not code.isascii() or not code.isdigit():
            raise failure(_NAME, "mfa_token must return the digits that the MFA device shows")
        return code


def _assumes_role(section: Section) -> bool:
    """Tell whether a profile assumes a role with keys; with a web identity, another provider does."""
    return setting(section, "role_arn") is not None and "web_identity_token_file" not in section


async def _from_surroundings(context: Context, source: str) -> Credentials:
    """Return the keys of where the program runs."""
    if source not in _SOURCES:
        raise failure(
            _NAME,
            f"profile {context.profile} has credential_source {source}; "
            f"it must be one of {', '.join(_SOURCES)}",
        )
    credentials = await SOURCES[_SOURCES[source]].provider().load(context)
    if credentials is None:
        raise failure(
            _NAME,
            f"profile {context.profile} has credential_source {source}, which has no credentials",
            retryable=True,
        )
    return credentials


def _duration(context: Context, text: str | None) -> str | None:
    """Return ``duration_seconds`` if it is a number; what is none, AWS's tools ignore as well."""
    if text is None or (text.isascii() and text.isdigit()):
        return text
    _log.warning("profile %s: duration_seconds is no number, and ignored", context.profile)
    return None
