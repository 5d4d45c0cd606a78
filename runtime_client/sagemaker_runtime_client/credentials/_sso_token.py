"""
The token of IAM Identity Center in the AWS CLI's cache: read, refreshed, and written back.

Source: https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html and
botocore 1.44, tokens.py.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import field, frozen

from .._aws.auth import Unsigned
from .._errors import CredentialProviderError
from .._io.message import Request
from ._fetching import format_timestamp, header_value, is_json, json_object, parse_timestamp
from ._requests import JSON, ServiceProvider

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
    """A token in the cache, and the whole document that has it."""

    access_token: str = field(repr=False)
    expires_at: datetime
    document: Mapping[str, object] = field(repr=False)


@frozen
class TokenCache:
    """
    The token of a login, in the file that the AWS CLI keeps it in.

    Attributes:
        provider: Reads the file, asks for a new token, and has the errors.
        login: Whose token.
    """

    provider: ServiceProvider
    login: Login

    async def access_token(self) -> str:
        """
        Return a token that is still valid; a session's is refreshed before it ends.

        Raises:
            CredentialProviderError: There is none, or it has expired.
        """
        login, now = self.login, self.provider.system.now
        token = await self._read()
        if login.session is not None and token.expires_at - now() < _WINDOW:
            token = await self._refresh(token)
        if token.expires_at <= now():
            raise self.provider.failure(f"the SSO token {login.path} has expired: {login.hint}")
        return token.access_token

    async def _read(self) -> _Token:
        provider, login = self.provider, self.login
        try:
            text = await provider.read_text(login.path, "the SSO token", is_json)
        except CredentialProviderError as error:
            message = f"{error.message}: {login.hint}"
            raise provider.failure(message, retryable=error.retryable) from error
        token = _parse(json_object(text) or {})
        if token is None:
            raise provider.failure(f"the SSO token {login.path} is malformed: {login.hint}")
        return token

    async def _refresh(self, token: _Token) -> _Token:
        """Return a new token, and write it into the cache; if that fails, the one in the cache."""
        provider, path = self.provider, self.login.path
        try:
            document = await self._new_document(token.document)
            if (new := _parse(document)) is None:
                raise provider.failure("the answer to CreateToken has a malformed accessToken")
        except CredentialProviderError as error:
            _log.warning("the SSO token %s was not refreshed: %s", path, error)
            return await self._read()  # another process may have been quicker
        try:
            await provider.system.write_file(path, json.dumps(document, indent=2).encode())
        except OSError as error:
            _log.warning("the SSO token %s cannot be written: %s", path, error.strerror)
        return new

    async def _new_document(self, document: Mapping[str, object]) -> dict[str, object]:
        """Return what the cache holds after a refresh."""
        provider, login = self.provider, self.login
        known = {name: document.get(name) for name in _TO_REFRESH}
        if not all(isinstance(value, str) and value for value in known.values()):
            raise provider.failure(f"it cannot be refreshed: {login.hint}")
        if _has_passed(known["registrationExpiresAt"], provider.system.now()):
            raise provider.failure(f"its registration has expired: {login.hint}")
        body = {"grantType": "refresh_token", **known}
        del body["registrationExpiresAt"]
        response = await provider.ask(
            provider.endpoint("sso-oidc", login.region),
            Request("POST", "/token", (JSON,), json.dumps(body).encode()),
            operation="CreateToken",
            auth=Unsigned(str(known["refreshToken"]), str(known["clientSecret"])),
        )
        answer = json_object(response.body) or {}
        access_token, lifetime = answer.get("accessToken"), answer.get("expiresIn")
        if not isinstance(access_token, str) or not isinstance(lifetime, int) or not access_token:
            raise provider.failure("the answer to CreateToken has no accessToken or no expiresIn")
        expires_at = provider.system.now() + timedelta(seconds=max(0, min(lifetime, 10**8)))
        refreshed = {
            "startUrl": login.start_url,
            "region": login.region,
            "accessToken": access_token,
            "expiresAt": format_timestamp(expires_at),
            "clientId": known["clientId"],
            "clientSecret": known["clientSecret"],
            "registrationExpiresAt": known["registrationExpiresAt"],
        }
        if isinstance(answer.get("refreshToken"), str):
            refreshed["refreshToken"] = answer["refreshToken"]
        return refreshed


def _parse(document: Mapping[str, object]) -> _Token | None:
    """Return the token in a document; None without a usable one."""
    access_token = header_value(str(document.get("accessToken") or ""))
    try:
        expires_at = parse_timestamp(document.get("expiresAt"))
    except ValueError:
        return None
    return None if access_token is None else _Token(access_token, expires_at, document)


def _has_passed(text: object, now: datetime) -> bool:
    """Tell whether a timestamp has passed; a malformed one has."""
    try:
        return parse_timestamp(text) <= now
    except ValueError:
        return True
