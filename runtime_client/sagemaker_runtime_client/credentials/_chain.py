"""The credential providers in the order in which they are searched.

The search ends at the first provider that has credentials.  A provider's module is imported only
when the provider is tried.  In Lambda, where environment variables contain the credentials, only
one of these modules is imported.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html, and botocore
1.44, credentials.py, for the order.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from sigv4 import Credentials

from .._errors import NoCredentialsError
from .._io.generation import importing
from .._io.system import System
from .._settings.context import Context, KeyPassphrase, MFAToken, OpenTransport, load_context
from ._provider import Provider


class ProviderSpec(NamedTuple):
    """A description of a credential provider, available before the provider's module is imported.

    Attributes:
        name: The provider's name in messages.
        import_class: Imports and returns the provider's class.
        absent: The reason to report if the provider has no credentials; ``{profile}`` is replaced
            by the profile's name.
        usable_as_source_profile: Whether the provider may supply the credentials of a profile that
            is the ``source_profile`` of another profile.
        skipped_with_explicit_profile: Whether the provider is skipped if an argument selects the
            profile.
        cached: Whether the provider's credentials are cached; if not, they are loaded for each
            signature.
        advisory_window: The maximum length of the advisory window before the expiration, in
            seconds.
        advisory_fraction: The maximum length of the advisory window as a fraction of the lifetime
            of the credentials.
        static_stability: Whether expired credentials stay in use while the provider cannot supply
            new ones.
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
        """Import the provider's class, and return an instance that uses *context*."""
        with importing():
            provider_class = self.import_class()
        return provider_class(context, self.name)


# The functions below contain import statements, not importlib calls, because PyInstaller and Nuitka
# find the modules of a program by its import statements.


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
        "neither AWS_WEB_IDENTITY_TOKEN_FILE nor web_identity_token_file of profile {profile} is set",
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
        "neither ROLES_ANYWHERE_ROLE_ARN nor roles_anywhere_role_arn of profile {profile} is set",
    ),
    ProviderSpec(
        "container",
        _container,
        "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
    ),
    ProviderSpec(
        "instance-metadata",
        _instance_metadata,
        "AWS_EC2_METADATA_DISABLED is true, the metadata service did not respond, or it has no role",
        static_stability=True,
    ),
)


PROVIDERS = {spec.name: spec for spec in ORDER}


class SkippedProvider(NamedTuple):
    """A provider that had no credentials.

    Attributes:
        name: The provider's name.
        reason: Why it had no credentials.
    """

    name: str
    reason: str


class ResolvedCredentials(NamedTuple):
    """Credentials and the provider that supplied them.

    Attributes:
        credentials: The credentials that the search found.
        spec: The description of the provider.
        provider: The provider, whose `load` is called again when the credentials have to be
            refreshed.
    """

    credentials: Credentials
    spec: ProviderSpec
    provider: Provider


async def search(
    context: Context, skipped: list[SkippedProvider] | None = None
) -> ResolvedCredentials:
    """Try the providers in order, and return the first credentials found.

    Args:
        context: The context that the providers use.
        skipped: A list to which the providers without credentials are appended.

    Raises:
        NoCredentialsError: No provider has credentials; the message lists each provider with the
            reason.
        CredentialProviderError: A provider is configured but failed.
    """
    skipped = [] if skipped is None else skipped
    for spec in ORDER:
        if spec.skipped_with_explicit_profile and context.explicit:
            reason = f"profile {context.profile} was selected explicitly"
            skipped.append(SkippedProvider(spec.name, reason))
            continue
        provider = spec.create(context)
        credentials = await provider.load()
        if credentials is not None:
            return ResolvedCredentials(credentials, spec, provider)
        skipped.append(SkippedProvider(spec.name, spec.absent.format(profile=context.profile)))
    tried = "; ".join(f"{name} ({reason})" for name, reason in skipped)
    raise NoCredentialsError(
        "no credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or configure a "
        f"profile, or pass credentials= to the client. Providers tried: {tried}",
        tried=tuple(name for name, _ in skipped),
    )


async def resolve_source(context: Context, name: str | None) -> Credentials | None:
    """Return the credentials with which a role is assumed, or None if there are none.

    Args:
        context: The context that the providers use; its profile is the source profile.
        name: The name of the provider to use; None to try each provider that is usable for a source
            profile.
    """
    if name is not None:
        return await PROVIDERS[name].create(context).load()
    for spec in ORDER:
        if spec.usable_as_source_profile:
            credentials = await spec.create(context).load()
            if credentials is not None:
                return credentials
    return None


async def open_context(
    system: System,
    open_transport: OpenTransport,
    arguments: Mapping[str, object],
    mfa_token: MFAToken | None = None,
    key_passphrase: KeyPassphrase | None = None,
) -> Context:
    """Return the settings; with ``region_from_instance``, a missing region is the instance's."""
    context = await load_context(system, open_transport, arguments, mfa_token, key_passphrase)
    config = context.config
    if config.region is not None or not config.region_from_instance:
        return context
    with importing():
        from ._instance_metadata import InstanceMetadataProvider

    region = await InstanceMetadataProvider(context, "instance-metadata").region()
    return context.replace(config=config.with_region(region))
