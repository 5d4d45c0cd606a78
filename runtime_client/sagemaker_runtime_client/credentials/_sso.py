"""Loads a role's credentials from IAM Identity Center with the token that ``aws sso login`` cached.

    [profile dev]                       [sso-session corp]
    sso_session = corp                  sso_region = eu-west-1
    sso_account_id = 123456789012       sso_start_url = https://corp.awsapps.com/start
    sso_role_name = Developer

In the legacy form, the profile itself contains sso_region and sso_start_url, and the token is not
refreshed.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html and botocore
1.44, credentials.py.
"""

from hashlib import sha1

from sigv4 import Credentials, percent_encode

from .._aws.auth import Unsigned
from .._errors import CredentialProviderError
from .._io.message import Request
from .._settings.profiles import Section
from ._fetching import CAMEL_CASE, as_object, json_object
from ._provider import text_setting
from ._requests import ServiceProvider
from ._sso_token import Login, TokenCache

_FOLDER = "~/.aws/sso/cache"
_KEYS = ("sso_account_id", "sso_role_name", "sso_region", "sso_start_url")


class SSOProvider(ServiceProvider):
    """Uses ``sso_account_id`` and ``sso_role_name`` with ``sso_session`` or the legacy settings.

    The token is read from the cache at each load.  The token of an sso-session is refreshed when
    less than 15 minutes are left until it expires, and the cache file is rewritten.  If the refresh
    fails, the token stays in use until it expires.
    """

    async def load(self) -> Credentials | None:
        """Return the role's credentials, or None if the profile does not use IAM Identity Center.

        Raises:
            CredentialProviderError: A setting is missing or contradicts another, the user has not
                logged in, the token has expired, or the request to IAM Identity Center failed.
        """
        login = self._login()
        if login is None:
            return None
        return await self._role_credentials(login, await TokenCache(self, login).access_token())

    def _login(self) -> Login | None:
        """Return the profile's login; None if neither sso_account_id nor sso_role_name is set."""
        profile, section = self.context.profile, self.section
        if "sso_account_id" not in section and "sso_role_name" not in section:
            return None
        session = self.setting("sso_session")
        if session is not None:
            section = self._with_session(section, session)
        values = [text_setting(section, key) for key in _KEYS]
        account_id, role_name, region, start_url = values
        if account_id is None or role_name is None or region is None or start_url is None:
            missing = [key for key, value in zip(_KEYS, values, strict=True) if value is None]
            raise self.failure(
                f"profile {profile} uses IAM Identity Center but does not set {', '.join(missing)}"
            )
        # The AWS CLI names the cache file after this SHA-1 digest, which is not used for security.
        digest = sha1((session or start_url).encode(), usedforsecurity=False).hexdigest()
        return Login(
            session,
            account_id,
            role_name,
            region,
            start_url,
            self.cache_path(_FOLDER, digest),
            f"run `aws sso login --profile {profile}`",
        )

    def _with_session(self, section: Section, name: str) -> Section:
        """Return the profile's settings merged with those of ``[sso-session NAME]``.

        Raises:
            CredentialProviderError: The section does not exist, or the profile and the section have
                different values for a setting.
        """
        profile = self.context.profile
        session = self.context.profiles.sso_sessions.get(name)
        if session is None:
            raise self.failure(
                f"profile {profile} names sso_session {name}, but the config file has no section "
                f"[sso-session {name}]"
            )
        for key, value in session.items():
            if section.get(key, value) != value:
                raise self.failure(
                    f"{key} in profile {profile} differs from [sso-session {name}]: "
                    "remove it from the profile"
                )
        return {**section, **session}

    async def _role_credentials(self, login: Login, token: str) -> Credentials:
        """Call GetRoleCredentials and return the role's credentials.

        Source: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
        """
        role, account = percent_encode(login.role_name), percent_encode(login.account_id)
        path = f"/federation/credentials?role_name={role}&account_id={account}"
        try:
            response = await self.ask(
                self.endpoint("sso", login.region),
                Request("GET", path, (("x-amz-sso_bearer_token", token),)),
                operation=f"GetRoleCredentials for profile {self.context.profile}",
                auth=Unsigned(token),
            )
        except CredentialProviderError as error:
            if error.status_code == 401:
                error.message += f": {login.hint}"
                error.args = (error.message,)
            raise
        document = json_object(response.body) or {}
        return self.parse_credentials(
            "the response to GetRoleCredentials",
            as_object(document.get("roleCredentials")),
            CAMEL_CASE,
            login.account_id,
        )
