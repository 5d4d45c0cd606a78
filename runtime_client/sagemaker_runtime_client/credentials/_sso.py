"""
IAM Identity Center: a role's keys for the token that ``aws sso login`` left in its cache.

    [profile dev]                       [sso-session corp]
    sso_session = corp                  sso_region = eu-west-1
    sso_account_id = 123456789012       sso_start_url = https://corp.awsapps.com/start
    sso_role_name = Developer

In the legacy form, the session's two keys stand in the profile, and the token is not refreshed.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html and
botocore 1.44, credentials.py.
"""

from hashlib import sha1
from typing import ClassVar

from sigv4 import Credentials, percent_encode

from .._errors import CredentialProviderError
from .._io.message import Request
from .._settings.profiles import Section
from ._provider import Context
from ._requests import ask, endpoint
from ._sso_token import Login, access_token
from ._values import (
    CAMEL_CASE,
    as_object,
    cache_path,
    credentials_from,
    failure,
    json_object,
    profile_section,
    setting,
)

_NAME = "sso"
_FOLDER = "~/.aws/sso/cache"
_KEYS = ("sso_account_id", "sso_role_name", "sso_region", "sso_start_url")


class SSOProvider:
    """
    ``sso_account_id`` and ``sso_role_name``, with ``sso_session`` or the legacy keys.

    The token is read anew each time.  Of a session, it is refreshed where it has less than 15
    minutes left, and the file rewritten; while that fails, it serves until it expires.
    """

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the role's credentials, or None if the profile has no account and role.

        Raises:
            CredentialProviderError: A setting is missing or contradicts another, nobody has logged
                in, the token has expired, or IAM Identity Center refuses.
        """
        login = _login(context)
        if login is None:
            return None
        return await _role_credentials(context, login, await access_token(context, _NAME, login))


def _login(context: Context) -> Login | None:
    """Return what the profile says of its login, or None if it says nothing."""
    profile = context.profile
    section = profile_section(context)
    if "sso_account_id" not in section and "sso_role_name" not in section:
        return None
    session = setting(section, "sso_session")
    if session is not None:
        section = _with_session(context, section, session)
    account_id, role_name, region, start_url = values = [setting(section, key) for key in _KEYS]
    if account_id is None or role_name is None or region is None or start_url is None:
        missing = [key for key, value in zip(_KEYS, values, strict=True) if value is None]
        raise failure(_NAME, f"profile {profile} uses SSO and lacks {', '.join(missing)}")
    # The name is the AWS CLI's, and nothing secret.
    digest = sha1((session or start_url).encode(), usedforsecurity=False).hexdigest()
    return Login(
        session,
        account_id,
        role_name,
        region,
        start_url,
        cache_path(context, _FOLDER, f"{digest}.json"),
        f"run `aws sso login --profile {profile}`",
    )


def _with_session(context: Context, section: Section, name: str) -> Section:
    """Return a profile's settings and those of its ``[sso-session NAME]``, if they agree."""
    session = context.profiles.sso_sessions.get(name)
    if session is None:
        raise failure(
            _NAME,
            f"profile {context.profile} has sso_session {name}, and there is no "
            f"[sso-session {name}]",
        )
    for key, value in session.items():
        if section.get(key, value) != value:
            raise failure(
                _NAME,
                f"{key} of profile {context.profile} is not the one of [sso-session {name}]; "
                "take it out of the profile",
            )
    return {**section, **session}


async def _role_credentials(context: Context, login: Login, token: str) -> Credentials:
    """
    Return the role's credentials.

    Source: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
    """
    role, account = percent_encode(login.role_name), percent_encode(login.account_id)
    path = f"/federation/credentials?role_name={role}&account_id={account}"
    try:
        response = await ask(
            context,
            _NAME,
            endpoint(context, _NAME, "sso", login.region),
            Request("GET", path, (("x-amz-sso_bearer_token", token),)),
            doing=f"GetRoleCredentials of profile {context.profile}",
            secrets=(token,),
        )
    except CredentialProviderError as error:
        if error.status_code == 401:
            error.message += f": {login.hint}"
            error.args = (error.message,)
        raise
    answer = json_object(response.body) or {}
    return credentials_from(
        _NAME,
        "the answer to GetRoleCredentials",
        as_object(answer.get("roleCredentials")),
        CAMEL_CASE,
        login.account_id,
    )
