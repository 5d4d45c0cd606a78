"""
The order in which providers of credentials are asked: the first that has any answers.

A provider's module is imported when its turn comes; in Lambda, where the environment has the keys,
that is one.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html, and
botocore 1.44, credentials.py, for the order.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sigv4 import Credentials

from .._errors import NoCredentialsError
from .._io.generation import importing
from .._settings.context import Context
from ._provider import Provider


class ProviderSpec(NamedTuple):
    """
    A provider of credentials, before it is imported.

    Attributes:
        name: What messages call it.
        import_class: Imports the provider's class, and returns it.
        absent: Why it has nothing, when it has nothing; ``{profile}`` is the profile's name.
        usable_as_source_profile: Whether a profile that others name as their source may use it.
        skipped_with_explicit_profile: Whether it is left out where an argument names the profile.
        cached: Whether its credentials are cached; if not, it is asked for each signature.
        advisory_window: Seconds before the end in which a refresh is due, at the most.
        advisory_fraction: ... and which fraction of the lifetime at the most.
        static_stability: Whether its credentials are kept while no others are to be had.
    """

    name: str
    import_class: Callable[[], Callable[[Context, str], Provider]]
    absent: str
    usable_as_source_profile: bool = False
    skipped_with_explicit_profile: bool = False
    cached: bool = True
    advisory_window: float = 15 * 60.0
    advisory_fraction: float = 1 / 4
    static_stability: bool = False

    def create(self, context: Context) -> Provider:
        """Import the provider's class, and return a provider over *context*."""
        with importing():
            provider_class = self.import_class()
        return provider_class(context, self.name)


# The imports are statements, so that what freezes a program (PyInstaller, Nuitka) sees them.


def _environment() -> type[Provider]:
    from ._environment import EnvironmentProvider

    return EnvironmentProvider


def _assume_role() -> Callable[[Context, str], Provider]:
    from ._assume_role import AssumeRoleProvider

    return partial(AssumeRoleProvider, resolve_source=resolve_source)


def _web_identity() -> type[Provider]:
    from ._web_identity import WebIdentityProvider

    return WebIdentityProvider


def _sso() -> type[Provider]:
    from ._sso import SSOProvider

    return SSOProvider


def _shared_file() -> type[Provider]:
    from ._shared_file import SharedCredentialsFileProvider

    return SharedCredentialsFileProvider


def _login() -> type[Provider]:
    from ._login import LoginProvider

    return LoginProvider


def _process() -> type[Provider]:
    from ._process import ProcessProvider

    return ProcessProvider


def _config_file() -> type[Provider]:
    from ._shared_file import ConfigFileProvider

    return ConfigFileProvider


def _roles_anywhere() -> type[Provider]:
    from ._roles_anywhere import RolesAnywhereProvider

    return RolesAnywhereProvider


def _container() -> type[Provider]:
    from ._container import ContainerProvider

    return ContainerProvider


def _instance_metadata() -> type[Provider]:
    from ._instance_metadata import InstanceMetadataProvider

    return InstanceMetadataProvider


ORDER = (
    ProviderSpec(
        "environment",
        _environment,
        "AWS_ACCESS_KEY_ID is not set",
        skipped_with_explicit_profile=True,
        cached=False,
    ),
    ProviderSpec("assume-role", _assume_role, "profile {profile} has no role_arn"),
    ProviderSpec(
        "web-identity",
        _web_identity,
        "neither AWS_WEB_IDENTITY_TOKEN_FILE nor web_identity_token_file in profile {profile}",
        usable_as_source_profile=True,
    ),
    ProviderSpec(
        "sso",
        _sso,
        "profile {profile} has neither sso_account_id nor sso_role_name",
        usable_as_source_profile=True,
    ),
    ProviderSpec(
        "shared-credentials-file",
        _shared_file,
        "profile {profile} has no aws_access_key_id in the credentials file",
        usable_as_source_profile=True,
    ),
    ProviderSpec(
        "login",
        _login,
        "profile {profile} has no login_session",
        usable_as_source_profile=True,
        advisory_window=5 * 60.0,
        advisory_fraction=1 / 2,
    ),
    ProviderSpec(
        "process",
        _process,
        "profile {profile} has no credential_process",
        usable_as_source_profile=True,
    ),
    ProviderSpec(
        "config-file",
        _config_file,
        "profile {profile} has no aws_access_key_id in the config file",
        usable_as_source_profile=True,
    ),
    ProviderSpec(
        "roles-anywhere",
        _roles_anywhere,
        "neither ROLES_ANYWHERE_ROLE_ARN nor roles_anywhere_role_arn in profile {profile}",
    ),
    ProviderSpec(
        "container",
        _container,
        "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    ProviderSpec(
        "instance-metadata",
        _instance_metadata,
        "AWS_EC2_METADATA_DISABLED is set, or no metadata service answers, or it knows no role",
        static_stability=True,
    ),
)


PROVIDERS = {spec.name: spec for spec in ORDER}


class SkippedProvider(NamedTuple):
    """
    A provider that had nothing.

    Attributes:
        name: The provider's.
        reason: Why it had nothing.
    """

    name: str
    reason: str


class ResolvedCredentials(NamedTuple):
    """
    Credentials, and where they are from.

    Attributes:
        credentials: The credentials.
        spec: Where they are from.
        provider: The provider that had them, and is asked for the next.
    """

    credentials: Credentials
    spec: ProviderSpec
    provider: Provider


async def search(
    context: Context, skipped: list[SkippedProvider] | None = None
) -> ResolvedCredentials:
    """
    Ask one provider after the other, and return the first credentials.

    Args:
        context: What the providers work with.
        skipped: Gets those that had nothing.

    Raises:
        NoCredentialsError: None has any; the message says why.
        CredentialProviderError: One is configured, and failed.
    """
    skipped = [] if skipped is None else skipped
    for spec in ORDER:
        if spec.skipped_with_explicit_profile and context.explicit:
            reason = f"profile {context.profile} was asked for"
            skipped.append(SkippedProvider(spec.name, reason))
            continue
        provider = spec.create(context)
        credentials = await provider.load()
        if credentials is not None:
            return ResolvedCredentials(credentials, spec, provider)
        skipped.append(SkippedProvider(spec.name, spec.absent.format(profile=context.profile)))
    tried = "; ".join(f"{name}: {reason}" for name, reason in skipped)
    raise NoCredentialsError(
        f"no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or "
        f"give the client credentials=.  Tried {tried}",
        tried=tuple(name for name, _ in skipped),
    )


async def resolve_source(context: Context, name: str | None) -> Credentials | None:
    """
    Return the credentials that a role is assumed with; None without any.

    Args:
        context: What the providers work with; its profile is the source.
        name: The provider to ask; None for each that a source profile may use.
    """
    if name is not None:
        return await PROVIDERS[name].create(context).load()
    for spec in ORDER:
        if spec.usable_as_source_profile:
            credentials = await spec.create(context).load()
            if credentials is not None:
                return credentials
    return None
