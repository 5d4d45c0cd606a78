"""Reads and refreshes the IAM Identity Center token in the AWS CLI's cache.

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
# A token is refreshed when less than this much time is left until it expires.
_WINDOW = timedelta(minutes=15)


@frozen
class Login:
    """An IAM Identity Center login, as configured in a profile.

    Attributes:
        session: The name of the sso-session; None in the legacy form, which has no sso-session.
        account_id: The account of the role.
        role_name: The name of the role.
        region: The region of IAM Identity Center.
        start_url: The URL at which users log in.
        path: The path of the file that contains the cached token.
        hint: What the user should do if there is no valid token.
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
    """A token from the cache, with the JSON document that contains it."""

    access_token: str = field(repr=False)
    expires_at: datetime
    document: Mapping[str, object] = field(repr=False)


@frozen
class TokenCache:
    """The token of a login, in the file where the AWS CLI stores it.

    Attributes:
        provider: The provider, which reads the file, requests new tokens and creates the errors.
        login: The login to which the token belongs.
    """

    provider: ServiceProvider
    login: Login

    async def access_token(self) -> str:
        """Return a valid access token; the token of an sso-session is refreshed before it expires.

        Raises:
            CredentialProviderError: The cache file cannot be read, has no valid token, or has an
                expired token that cannot be refreshed.
        """
        login, now = self.login, self.provider.system.now
        token = await self._read()
        if login.session is not None and token.expires_at - now() < _WINDOW:
            token = await self._refresh(token)
        if token.expires_at <= now():
            message = f"the SSO token in {login.path} has expired: {login.hint}"
            raise self.provider.failure(message)
        return token.access_token

    async def _read(self) -> _Token:
        provider, login = self.provider, self.login
        try:
            text = await provider.read_text(login.path, "the SSO token file", is_json)
        except CredentialProviderError as error:
            message = f"{error.message}: {login.hint}"
            raise provider.failure(message, retryable=error.retryable) from error
        token = _parse(json_object(text) or {})
        if token is None:
            raise provider.failure(
                f"the SSO token file {login.path} must contain accessToken and expiresAt: "
                f"{login.hint}"
            )
        return token

    async def _refresh(self, token: _Token) -> _Token:
        """Return a new token, and cache it; after a failure, return the cached token."""
        provider, path = self.provider, self.login.path
        try:
            document = await self._new_document(token.document)
            if (new := _parse(document)) is None:
                raise provider.failure("the response to CreateToken has an invalid accessToken")
        except CredentialProviderError as error:
            _log.warning("could not refresh the SSO token in %s: %s", path, error)
            return await self._read()  # another process may have refreshed the token
        try:
            await provider.system.write_file(path, json.dumps(document, indent=2).encode())
        except OSError as error:
            _log.warning("cannot write the refreshed SSO token to %s: %s", path, error.strerror)
        return new

    async def _new_document(self, document: Mapping[str, object]) -> dict[str, object]:
        """Request a new token and return the new content of the cache file."""
        provider, login = self.provider, self.login
        known = {name: document.get(name) for name in _TO_REFRESH}
        missing = [name for name, value in known.items() if not (isinstance(value, str) and value)]
        if missing:
            raise provider.failure(f"the file is missing {', '.join(missing)}: {login.hint}")
        if _has_passed(known["registrationExpiresAt"], provider.system.now()):
            raise provider.failure(f"the client registration in the file has expired: {login.hint}")
        body = {"grantType": "refresh_token", **known}
        del body["registrationExpiresAt"]
        response = await provider.ask(
            provider.endpoint("sso-oidc", login.region),
            Request("POST", "/token", (JSON,), json.dumps(body).encode()),
            operation="CreateToken",
            auth=Unsigned(str(known["refreshToken"]), str(known["clientSecret"])),
        )
        result = json_object(response.body) or {}
        access_token, lifetime = result.get("accessToken"), result.get("expiresIn")
        if not isinstance(access_token, str) or not isinstance(lifetime, int) or not access_token:
            raise provider.failure(
                "the response to CreateToken must contain accessToken and expiresIn"
            )
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
        if isinstance(result.get("refreshToken"), str):
            refreshed["refreshToken"] = result["refreshToken"]
        return refreshed


def _parse(document: Mapping[str, object]) -> _Token | None:
    """Return the token in a document, or None if the document has no valid token."""
    access_token = header_value(str(document.get("accessToken") or ""))
    try:
        expires_at = parse_timestamp(document.get("expiresAt"))
    except ValueError:
        return None
    return None if access_token is None else _Token(access_token, expires_at, document)


def _has_passed(text: object, now: datetime) -> bool:
    """Return whether a timestamp is in the past; treat a malformed timestamp as past."""
    try:
        return parse_timestamp(text) <= now
    except ValueError:
        return True
