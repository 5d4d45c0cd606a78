"""What the command line says of credentials: who answered, whose keys they are, until when."""

from attrs import frozen

from sigv4 import Credentials

from .._aws.auth import CredentialsAuth
from .._settings.context import Context
from ..credentials._chain import ResolvedCredentials
from ..credentials._provider import Provider
from ..credentials._sts import STSProvider

_SHOWN = 4
# What tells the role, by provider: a variable, and a key of the profile.
_ROLES = {
    "assume-role": ("", "role_arn"),
    "web-identity": ("AWS_ROLE_ARN", "role_arn"),
    "sso": ("", "sso_role_name"),
    "roles-anywhere": ("ROLES_ANYWHERE_ROLE_ARN", "roles_anywhere_role_arn"),
}


@frozen
class Report:
    """
    Where credentials come from; nothing in it is secret.

    Attributes:
        provider: The provider that answered.
        profile: The profile in force.
        region: The region in force; None without one.
        access_key_id: The last characters of it.
        account_id: The account, where that is known.
        role: The role, where that is known: its name or its ARN.
        expiration: When the credentials end, in ISO 8601; None if they do not.
        identity: What STS says, if it was asked.
    """

    provider: str
    profile: str
    region: str | None
    access_key_id: str
    account_id: str | None
    role: str | None
    expiration: str | None
    identity: str | None


async def report(context: Context, resolved: ResolvedCredentials, *, verify: bool) -> Report:
    """
    Return what is known of credentials.

    Args:
        context: What the providers work with.
        resolved: The credentials, and their provider.
        verify: Whether to ask STS whose they are.
    """
    credentials, provider = resolved.credentials, resolved.provider
    identity, account_id = await _identity(context, credentials) if verify else (None, None)
    role = provider.variable_or_setting(*_ROLES.get(provider.name, ("", "")))
    ends = credentials.expiration
    return Report(
        provider=provider.name,
        profile=context.profile,
        region=context.config.region,
        access_key_id="*" * 16 + credentials.access_key_id[-_SHOWN:],
        account_id=account_id or credentials.account_id or _account(provider, role),
        role=role,
        expiration=None if ends is None else f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        identity=identity,
    )


def _account(provider: Provider, role: str | None) -> str | None:
    """Return the account in a role's ARN, or else the profile's."""
    parts = (role or "").split(":")
    return parts[4] if len(parts) == 6 else provider.setting("sso_account_id")


async def _identity(context: Context, credentials: Credentials) -> tuple[str, str]:
    """Return whose the credentials are, as STS says: ARN and account."""
    sts, action = STSProvider(context, "sts"), "GetCallerIdentity"
    texts = await sts.query(action, {}, operation=action, auth=CredentialsAuth(credentials))
    arn, account = texts.get("Arn"), texts.get("Account")
    if not arn or not account:
        raise sts.failure(f"the answer to {action} has no Arn or no Account")
    return arn, account
