"""Loads static credentials; the credentials file and the config file have one provider each.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from typing import ClassVar

from sigv4 import Credentials

from ._provider import Provider


class SharedCredentialsFileProvider(Provider):
    """Uses ``aws_access_key_id`` and the related settings in the credentials file."""

    _in_credentials_file: ClassVar[bool] = True

    async def load(self) -> Credentials | None:
        """Return the profile's credentials, or None if the provider's file does not supply them.

        Raises:
            CredentialProviderError: The secret is missing, or a value is malformed.
        """
        profile, profiles = self.context.profile, self.context.profiles
        access_key_id = self.setting("aws_access_key_id")
        in_credentials_file = profile in profiles.with_key_in_credentials_file
        if access_key_id is None or in_credentials_file != self._in_credentials_file:
            return None
        secret_access_key = self.setting("aws_secret_access_key")
        if secret_access_key is None:
            raise self.failure(
                f"profile {profile} has aws_access_key_id but no aws_secret_access_key"
            )
        try:
            return Credentials(
                access_key_id,
                secret_access_key,
                self.setting("aws_session_token") or self.setting("aws_security_token"),
                account_id=self.setting("aws_account_id"),
            )
        except ValueError as error:
            raise self.failure(
                f"the credentials of profile {profile} are malformed: {error}"
            ) from None


class ConfigFileProvider(SharedCredentialsFileProvider):
    """Uses the same settings as `SharedCredentialsFileProvider`, but from the config file."""

    _in_credentials_file: ClassVar[bool] = False
