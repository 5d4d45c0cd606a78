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
    """
    ``sso_account_id`` and ``sso_role_name``, with ``sso_session`` or the legacy keys.

    The token is read anew each time.  Of a session, it is refreshed where it has less than 15
    minutes left, and the file rewritten; while that fails, it serves until it expires.
    """

    async def load(self) -> Credentials | None:
        """
        Return the role's credentials, or None if the profile has no account and role.

        Raises:
            CredentialProviderError: A setting is missing or contradicts another, nobody has logged
                in, the token has expired, or IAM Identity Center refuses.
        """
        login = self._login()
        if login is None:
            return None
        return await self._role_credentials(login, await TokenCache(self, login).access_token())

    def _login(self) -> Login | None:
        """Return what the profile says of its login, or None if it says nothing."""
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
            raise self.failure(f"profile {profile} uses SSO and lacks {', '.join(missing)}")
        # The name is the AWS CLI's, and nothing secret.
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
        """Return a profile's settings and those of its ``[sso-session NAME]``, if they agree."""
        profile = self.context.profile
        session = self.context.profiles.sso_sessions.get(name)
        if session is None:
            raise self.failure(
                f"profile {profile} has sso_session {name}, and there is no [sso-session {name}]"
            )
        for key, value in session.items():
            if section.get(key, value) != value:
                raise self.failure(
                    f"{key} of profile {profile} is not the one of [sso-session {name}]; "
                    "take it out of the profile"
                )
        return {**section, **session}

    async def _role_credentials(self, login: Login, token: str) -> Credentials:
        """
        Return the role's credentials.

        Source: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
        """
        role, account = percent_encode(login.role_name), percent_encode(login.account_id)
        path = f"/federation/credentials?role_name={role}&account_id={account}"
        try:
            response = await self.ask(
                self.endpoint("sso", login.region),
                Request("GET", path, (("x-amz-sso_bearer_token", token),)),
                operation=f"GetRoleCredentials of profile {self.context.profile}",
                auth=Unsigned(token),
            )
        except CredentialProviderError as error:
            if error.status_code == 401:
                error.message += f": {login.hint}"
                error.args = (error.message,)
            raise
        answer = json_object(response.body) or {}
        return self.parse_credentials(
            "the answer to GetRoleCredentials",
            as_object(answer.get("roleCredentials")),
            CAMEL_CASE,
            login.account_id,
        )
