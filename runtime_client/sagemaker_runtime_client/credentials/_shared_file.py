"""
A key that stands in the shared files.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from typing import ClassVar

from sigv4 import Credentials

from ._provider import Context
from ._values import failure, profile_section, setting

_NAME = "shared-files"


class SharedFileProvider:
    """``aws_access_key_id``, ``aws_secret_access_key``, ``aws_session_token``, ``aws_account_id``."""

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the profile's key, or None if it has none.

        Raises:
            CredentialProviderError: It has an id and no secret, or what can be no key.
        """
        section = profile_section(context)
        access_key_id = setting(section, "aws_access_key_id")
        if access_key_id is None:
            return None
        secret_access_key = setting(section, "aws_secret_access_key")
        if secret_access_key is None:
            raise failure(
                _NAME,
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
                _NAME, f"the key of profile {context.profile} is malformed: {error}"
            ) from None
