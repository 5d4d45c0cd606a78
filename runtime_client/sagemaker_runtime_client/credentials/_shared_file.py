"""
A key that stands in the shared files, of which either is a source of its own.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from typing import ClassVar

from sigv4 import Credentials

from ._provider import Context
from ._values import failure, profile_section, setting


class SharedCredentialsFileProvider:
    """``aws_access_key_id`` and what goes with it in the credentials file."""

    name: ClassVar[str] = "shared-credentials-file"
    _is_in_credentials_file: ClassVar[bool] = True

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the profile's key, or None if it has none.

        Raises:
            CredentialProviderError: It has an id and no secret, or what can be no key.
        """
        section = profile_section(context)
        access_key_id = setting(section, "aws_access_key_id")
        is_in_credentials_file = context.profile in context.profiles.with_key_in_credentials_file
        if access_key_id is None or is_in_credentials_file != self._is_in_credentials_file:
            return None
        secret_access_key = setting(section, "aws_secret_access_key")
        if secret_access_key is None:
            raise failure(
                self.name,
                f"profile {context.profile} has aws_access_key_id and no aws_secret_access_key",
            )
        try:
            return Credentials(
                access_key_id,
                secret_access_key,
                setting(section, "aws_session_token") or setting(section, "aws_security_token"),
                account_id=setting(section, "aws_account_id"),
            )
        except ValueError as error:
            raise failure(
                self.name, f"the key of profile {context.profile} is malformed: {error}"
            ) from None


class ConfigFileProvider(SharedCredentialsFileProvider):
    """The same in the config file, which comes after the programs that a profile names."""

    name: ClassVar[str] = "config-file"
    _is_in_credentials_file: ClassVar[bool] = False
