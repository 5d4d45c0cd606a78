"""
The token of IAM Identity Center in the AWS CLI's cache: read, refreshed, and written back.

Source: https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html and
botocore 1.44, tokens.py.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from .._errors import CredentialProviderError
from .._io.message import Request
from ._provider import Context
from ._requests import JSON, ask, endpoint
from ._values import (
    failure,
    header_value,
    instant,
    is_json,
    json_object,
    read_text,
    timestamp,
)

_log = logging.getLogger("sagemaker_runtime_client")

_TO_REFRESH = ("refreshToken", "clientId", "clientSecret", "registrationExpiresAt")
# A token that has less left is refreshed.
_WINDOW = timedelta(minutes=15)


@frozen
class Login:
    """
    What a profile says of its login.

    Attributes:
        session: The name of its sso-session; None in the legacy form.
        account_id: The account of the role.
        role_name: The role.
        region: Where IAM Identity Center is.
        start_url: Where people log in.
        path: Where the token is.
        hint: What to do without one.
    """

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


async def access_token(context: Context, provider: str, login: Login) -> str:
    """
    Return a token that still counts; a session's is refreshed before it ends.

    Raises:
        CredentialProviderError: There is none, or it has expired.
    """
    token = await _cached(context, provider, login)
    if login.session is not None and token.expires_at - context.io.now() < _WINDOW:
        token = await _refreshed(context, provider, login, token)
    if token.expires_at <= context.io.now():
        raise failure(provider, f"the SSO token {login.path} has expired: {login.hint}")
    return token.access_token


async def _cached(context: Context, provider: str, login: Login) -> _Token:
    """Return the token in the cache."""
    try:
        text = await read_text(context, provider, login.path, "the SSO token", is_json)
    except CredentialProviderError as error:
        message = f"{error.message}: {login.hint}"
        raise failure(provider, message, retryable=error.retryable) from error
    token = _token(json_object(text) or {})
    if token is None:
        raise failure(provider, f"the SSO token {login.path} is malformed: {login.hint}")
    return token


def _token(document: Mapping[str, Any]) -> _Token | None:
    """Return the token in a document, from the cache or for it; None where it has none that serves."""
    access_token = header_value(str(document.get("accessToken") or ""))
    try:
        expires_at = instant(document.get("expiresAt"))
    except ValueError:
        return None
    return None if access_token is None else _Token(access_token, expires_at, document)


async def _refreshed(context: Context, provider: str, login: Login, token: _Token) -> _Token:
    """Return a new token, written into the cache as well; the one in the cache where that fails."""
    try:
        document = await _new_document(context, provider, login, token.document)
        if (new := _token(document)) is None:
            raise failure(provider, "the answer to CreateToken has a malformed accessToken")
    except CredentialProviderError as error:
        _log.warning("the SSO token %s was not refreshed: %s", login.path, error)
        return await _cached(context, provider, login)  # another process may have been quicker
    try:
        await context.io.write_file(login.path, json.dumps(document, indent=2).encode())
    except OSError as error:
        _log.warning("the SSO token %s cannot be written: %s", login.path, error.strerror)
    return new


async def _new_document(
    context: Context, provider: str, login: Login, document: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the cache shall hold from now on."""
    known = {name: document.get(name) for name in _TO_REFRESH}
    if not all(isinstance(value, str) and value for value in known.values()):
        raise failure(provider, f"it cannot be refreshed: {login.hint}")
    if _passed(context, known["registrationExpiresAt"]):
        raise failure(provider, f"its registration has expired: {login.hint}")
    body = {"grantType": "refresh_token", **known}
    del body["registrationExpiresAt"]
    response = await ask(
        context,
        provider,
        endpoint(context, provider, "sso-oidc", login.region),
        Request("POST", "/token", (JSON,), json.dumps(body).encode()),
        doing="CreateToken",
        secrets=(str(known["refreshToken"]), str(known["clientSecret"])),
    )
    answer = json_object(response.body) or {}
    access_token, lifetime = answer.get("accessToken"), answer.get("expiresIn")
    if not isinstance(access_token, str) or not isinstance(lifetime, int) or not access_token:
        raise failure(provider, "the answer to CreateToken has no accessToken or no expiresIn")
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
