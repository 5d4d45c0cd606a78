"""What the command line says of credentials: who answered, whose keys they are, until when."""

from attrs import frozen

from sigv4 import Credentials

from ._chain import Found
from ._provider import Context
from ._sts import query
from ._values import failure, profile_section, setting

_SHOWN = 4
# What tells the role, by source: a variable, and a key of the profile.
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
        provider: The source that answered.
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


async def report(context: Context, found: Found, *, verify: bool) -> Report:
    """
    Say what is known of credentials.

    Args:
        context: What the sources work with.
        found: The credentials, and their source.
        verify: Whether to ask STS whose they are.
    """
    credentials = found.credentials
    identity, account_id = await _identity(context, credentials) if verify else (None, None)
    role = _role(context, found)
    ends = credentials.expiration
    return Report(
        provider=found.source.name,
        profile=context.profile,
        region=context.config.region,
        access_key_id="*" * 16 + credentials.access_key_id[-_SHOWN:],
        account_id=account_id or credentials.account_id or _account(context, role),
        role=role,
        expiration=None if ends is None else f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        identity=identity,
    )


def _role(context: Context, found: Found) -> str | None:
    """Return the role that the settings name, if the source is one for roles."""
    variable, key = _ROLES.get(found.source.name, ("", ""))
    text = None if context.explicit else context.io.environ.get(variable)
    return text or setting(profile_section(context), key)


def _account(context: Context, role: str | None) -> str | None:
    """Return the account in a role's ARN, or else the profile's."""
    parts = (role or "").split(":")
    return parts[4] if len(parts) == 6 else setting(profile_section(context), "sso_account_id")


async def _identity(context: Context, credentials: Credentials) -> tuple[str, str]:
    """Return whose the credentials are, as STS says: ARN and account."""
    doing = "GetCallerIdentity"
    texts = await query(context, "sts", doing, {}, doing=doing, credentials=credentials)
    arn, account = texts.get("Arn"), texts.get("Account")
    if not arn or not account:
        raise failure("sts", f"the answer to {doing} has no Arn or no Account")
    return arn, account
