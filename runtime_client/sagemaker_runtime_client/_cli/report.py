"""Builds the report of the command `credentials` about the credentials and their source."""

from attrs import frozen

from sigv4 import Credentials

from .._aws.auth import CredentialsAuth
from .._settings.context import Context
from ..credentials._chain import ResolvedCredentials
from ..credentials._provider import Provider
from ..credentials._sts import STSProvider

_SHOWN = 4
# The environment variable and the profile key that contain the role, keyed by provider name.
_ROLES = {
    "assume-role": ("", "role_arn"),
    "web-identity": ("AWS_ROLE_ARN", "role_arn"),
    "sso": ("", "sso_role_name"),
    "roles-anywhere": ("ROLES_ANYWHERE_ROLE_ARN", "roles_anywhere_role_arn"),
}


@frozen
class Report:
    """Facts about credentials, without secrets.

    Attributes:
        provider: The name of the provider that returned the credentials.
        profile: The name of the profile in use.
        region: The configured region, or None if there is none.
        access_key_id: The access key ID, masked except for its last four characters.
        account_id: The account ID, or None if it is unknown.
        role: The name or the ARN of the role, or None if it is unknown.
        expiration: The expiration time in ISO 8601, or None if the credentials do not expire.
        identity: The ARN returned by STS, or None if no request was sent to STS.
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
    """Return a report about credentials.

    Args:
        context: The context that the credential providers use.
        resolved: The credentials and the provider that returned them.
        verify: Whether to request the identity of the credentials from STS.
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
    """Return the account ID in the role's ARN.

    If the role is not an ARN, return the profile's ``sso_account_id``, or None if it is not set.
    """
    parts = (role or "").split(":")
    return parts[4] if len(parts) == 6 else provider.setting("sso_account_id")


async def _identity(context: Context, credentials: Credentials) -> tuple[str, str]:
    """Return the ARN and the account ID that STS returns for the credentials."""
    sts, action = STSProvider(context, "sts"), "GetCallerIdentity"
    texts = await sts.query(action, {}, operation=action, auth=CredentialsAuth(credentials))
    arn, account = texts.get("Arn"), texts.get("Account")
    if not arn or not account:
        raise sts.failure(f"the response to {action} lacks Arn or Account")
    return arn, account
