"""
The order in which sources of credentials are asked: the first that has any answers.

A source's module is imported when its turn comes; in Lambda, where the environment has the keys,
that is one.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html, and
botocore 1.44, credentials.py, for the order.
"""

from collections.abc import Callable
from typing import NamedTuple

from sigv4 import Credentials

from .._errors import NoCredentialsError
from .._io.generation import importing
from ._provider import Context, Provider


class Source(NamedTuple):
    """
    A source of credentials, before it is imported.

    Attributes:
        name: What messages call it.
        provider: Imports the source, and returns it.
        absent: Why it has nothing, when it has nothing; ``{profile}`` is the profile's name.
        of_profile: Whether a profile that others name as their source may be of this kind.
        of_process: Whether it is left out where an argument names the profile.
        kept: Whether its credentials are kept; if not, it is asked for each signature.
        window: Seconds before the end in which a refresh is due, at the most.
        share: ... and which part of the lifetime at the most.
        static_stability: Whether its credentials are kept while no others are to be had.
    """

    name: str
    provider: Callable[[], Provider]
    absent: str
    of_profile: bool = False
    of_process: bool = False
    kept: bool = True
    window: float = 15 * 60.0
    share: float = 1 / 4
    static_stability: bool = False

    def load(self) -> Provider:
        """Import the source, and return it."""
        with importing():
            return self.provider()


# The imports are statements, so that what freezes a program (PyInstaller, Nuitka) sees them.


def _environment() -> Provider:
    from ._environment import EnvironmentProvider

    return EnvironmentProvider()


def _assume_role() -> Provider:
    from ._assume_role import AssumeRoleProvider

    return AssumeRoleProvider()


def _web_identity() -> Provider:
    from ._web_identity import WebIdentityProvider

    return WebIdentityProvider()


def _sso() -> Provider:
    from ._sso import SSOProvider

    return SSOProvider()


def _shared_file() -> Provider:
    from ._shared_file import SharedCredentialsFileProvider

    return SharedCredentialsFileProvider()


def _login() -> Provider:
    from ._login import LoginProvider

    return LoginProvider()


def _process() -> Provider:
    from ._process import ProcessProvider

    return ProcessProvider()


def _config_file() -> Provider:
    from ._shared_file import ConfigFileProvider

    return ConfigFileProvider()


def _roles_anywhere() -> Provider:
    from ._roles_anywhere import RolesAnywhereProvider

    return RolesAnywhereProvider()


def _container() -> Provider:
    from ._container import ContainerProvider

    return ContainerProvider()


def _instance_metadata() -> Provider:
    from ._instance_metadata import InstanceMetadataProvider

    return InstanceMetadataProvider()


ORDER = (
    Source(
        "environment",
        _environment,
        "AWS_ACCESS_KEY_ID is not set",
        of_process=True,
        kept=False,
    ),
    Source("assume-role", _assume_role, "profile {profile} has no role_arn"),
    Source(
        "web-identity",
        _web_identity,
        "neither AWS_WEB_IDENTITY_TOKEN_FILE nor web_identity_token_file in profile {profile}",
        of_profile=True,
    ),
    Source(
        "sso",
        _sso,
        "profile {profile} has neither sso_account_id nor sso_role_name",
        of_profile=True,
    ),
    Source(
        "shared-credentials-file",
        _shared_file,
        "profile {profile} has no aws_access_key_id in the credentials file",
        of_profile=True,
    ),
    Source(
        "login",
        _login,
        "profile {profile} has no login_session",
        of_profile=True,
        window=5 * 60.0,
        share=1 / 2,
    ),
    Source(
        "process",
        _process,
        "profile {profile} has no credential_process",
        of_profile=True,
    ),
    Source(
        "config-file",
        _config_file,
        "profile {profile} has no aws_access_key_id in the config file",
        of_profile=True,
    ),
    Source(
        "roles-anywhere",
        _roles_anywhere,
        "neither ROLES_ANYWHERE_ROLE_ARN nor roles_anywhere_role_arn in profile {profile}",
    ),
    Source(
        "container",
        _container,
        "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    Source(
        "instance-metadata",
        _instance_metadata,
        "AWS_EC2_METADATA_DISABLED is set, or no metadata service answers, or it knows no role",
        static_stability=True,
    ),
)


SOURCES = {source.name: source for source in ORDER}


class Skipped(NamedTuple):
    """
    A source that had nothing.

    Attributes:
        name: The source's.
        reason: Why it had nothing.
    """

    name: str
    reason: str


class Found(NamedTuple):
    """
    Credentials, and where they are from.

    Attributes:
        credentials: The credentials.
        source: Where they are from.
        provider: The same, imported.
    """

    credentials: Credentials
    source: Source
    provider: Provider


async def search(context: Context, skipped: list[Skipped] | None = None) -> Found:
    """
    Ask one source after the other, and return the first credentials.

    Args:
        context: What the sources work with.
        skipped: Gets those that had nothing.

    Raises:
        NoCredentialsError: None has any; the message says why.
        CredentialProviderError: One is configured, and failed.
    """
    skipped = [] if skipped is None else skipped
    for source in ORDER:
        if source.of_process and context.explicit:
            skipped.append(Skipped(source.name, f"profile {context.profile} was asked for"))
            continue
        provider = source.load()
        credentials = await provider.load(context)
        if credentials is not None:
            return Found(credentials, source, provider)
        skipped.append(Skipped(source.name, source.absent.format(profile=context.profile)))
    tried = "; ".join(f"{source.name}: {source.reason}" for source in skipped)
    raise NoCredentialsError(
        f"no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or "
        f"give the client credentials=.  Tried {tried}",
        tried=tuple(source.name for source in skipped),
    )


async def resolve_profile(context: Context) -> Credentials | None:
    """Return the credentials of a profile that another one names as its source; None without any."""
    for source in ORDER:
        if source.of_profile:
            credentials = await source.load().load(context)
            if credentials is not None:
                return credentials
    return None
