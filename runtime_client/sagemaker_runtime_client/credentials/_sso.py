"""
IAM Identity Center: a role's keys for the token that ``aws sso login`` left in its cache.

    [profile dev]                       [sso-session corp]
    sso_session = corp                  sso_region = eu-west-1
    sso_account_id = 123456789012       sso_start_url = https://corp.awsapps.com/start
    sso_role_name = Developer

In the legacy form, the session's two keys stand in the profile, and the token is not refreshed.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html and
botocore 1.44, credentials.py and tokens.py.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any, ClassVar

from attrs import field, frozen

from sigv4 import Credentials, percent_encode

from .._errors import CredentialProviderError
from .._http import Request
from .._profile_file import Section
from ._provider import Context
from ._requests import JSON, ask, endpoint
from ._values import (
    CAMEL_CASE,
    as_object,
    cache_path,
    credentials_from,
    failure,
    instant,
    json_object,
    profile_section,
    read_text,
    setting,
    timestamp,
)

_log = logging.getLogger("sagemaker_runtime_client")

_NAME = "sso"
_FOLDER = "~/.aws/sso/cache"
_KEYS = ("sso_account_id", "sso_role_name", "sso_region", "sso_start_url")
_TO_REFRESH = ("refreshToken", "clientId", "clientSecret", "registrationExpiresAt")
# A token that has less left is refreshed.
_WINDOW = timedelta(minutes=15)


@frozen
class _Login:
    """What a profile says of its login: the role, where, and where the token is."""

    session: str | None
    account_id: str
    role_name: str
    region: str
    start_url: str
    path: str
    hint: str


@frozen
class _Token:
    """What the cache holds."""

    access_token: str = field(repr=False)
    expires_at: datetime
    document: Mapping[str, Any] = field(repr=False)


@frozen
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
        token = await _token(context, login)
        if login.session is not None and token.expires_at - context.io.now() < _WINDOW:
            token = await _refreshed(context, login, token)
        if token.expires_at <= context.io.now():
            raise failure(_NAME, f"the SSO token in {login.path} has expired: {login.hint}")
        return await _role_credentials(context, login, token.access_token)


def _login(context: Context) -> _Login | None:
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
    return _Login(
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


async def _token(context: Context, login: _Login) -> _Token:
    """Return the token in the cache."""
    try:
        text = await read_text(context, _NAME, login.path, "the SSO token")
    except CredentialProviderError as error:
        raise failure(_NAME, f"{error.message}: {login.hint}") from error
    document = json_object(text) or {}
    access_token = document.get("accessToken")
    try:
        expires_at = instant(document.get("expiresAt"))
    except ValueError:
        expires_at = None
    if not isinstance(access_token, str) or not access_token or expires_at is None:
        raise failure(_NAME, f"the SSO token {login.path} is malformed: {login.hint}")
    if not (access_token.isascii() and access_token.isprintable()):
        raise failure(_NAME, f"the SSO token {login.path} is malformed: {login.hint}")
    return _Token(access_token, expires_at, document)


async def _refreshed(context: Context, login: _Login, token: _Token) -> _Token:
    """Return a new token, written into the cache as well; the one in the cache where that fails."""
    try:
        document = await _new_document(context, login, token.document)
    except CredentialProviderError as error:
        _log.warning("the SSO token %s was not refreshed: %s", login.path, error)
        return await _token(context, login)  # another process may have been quicker
    try:
        await context.io.write_file(login.path, json.dumps(document, indent=2).encode())
    except OSError as error:
        _log.warning("the SSO token %s cannot be written: %s", login.path, error.strerror)
    return _Token(document["accessToken"], instant(document["expiresAt"]), document)


async def _new_document(
    context: Context, login: _Login, document: Mapping[str, Any]
) -> dict[str, Any]:
    """
    Return what the cache shall hold from now on.

    Source: https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html
    """
    known = {name: document.get(name) for name in _TO_REFRESH}
    if not all(isinstance(value, str) and value for value in known.values()):
        raise failure(_NAME, f"it cannot be refreshed: {login.hint}")
    if _passed(context, known["registrationExpiresAt"]):
        raise failure(_NAME, f"its registration has expired: {login.hint}")
    body = {"grantType": "refresh_token", **known}
    del body["registrationExpiresAt"]
    response = await ask(
        context,
        _NAME,
        endpoint(context, _NAME, "sso-oidc", login.region),
        Request("POST", "/token", (JSON,), json.dumps(body).encode()),
        doing="CreateToken",
        secrets=(str(known["refreshToken"]), str(known["clientSecret"])),
    )
    answer = json_object(response.body) or {}
    access_token, lifetime = answer.get("accessToken"), answer.get("expiresIn")
    if not isinstance(access_token, str) or not isinstance(lifetime, int) or not access_token:
        raise failure(_NAME, "the answer to CreateToken has no accessToken or no expiresIn")
    expires_at = context.io.now() + timedelta(seconds=max(0, min(lifetime, 10**8)))
    refreshed = {
        "startUrl": login.start_url,
        "region": login.region,
        "accessToken": access_token,
        "expiresAt": timestamp(expires_at),
        "clientId": known["clientId"],
        "clientSecret": known["clientSecret"],
        "registrationExpiresAt": known["registrationExpiresAt"],
    }
    if isinstance(answer.get("refreshToken"), str):
        refreshed["refreshToken"] = answer["refreshToken"]
    return refreshed


def _passed(context: Context, text: object) -> bool:
    """Tell whether the instant *text* has passed; of what is no instant, it has."""
    try:
        return instant(text) <= context.io.now()
    except ValueError:
        return True


async def _role_credentials(context: Context, login: _Login, token: str) -> Credentials:
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
