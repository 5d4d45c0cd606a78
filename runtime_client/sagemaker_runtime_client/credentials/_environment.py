"""
Credentials from environment variables.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from sigv4 import Credentials

from .._errors import CredentialProviderError
from ._provider import Context

_NAME = "environment"


class EnvironmentProvider:
    """
    ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``.

    With them may stand ``AWS_CREDENTIAL_EXPIRATION`` and ``AWS_ACCOUNT_ID``.
    """

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the credentials in the environment, or None if ``AWS_ACCESS_KEY_ID`` is not set.

        Raises:
            CredentialProviderError: It is set, and the rest does not go with it.
        """
        variables = context.io.environ
        access_key_id = variables.get("AWS_ACCESS_KEY_ID")
        if not access_key_id:
            return None
        secret_access_key = variables.get("AWS_SECRET_ACCESS_KEY")
        if not secret_access_key:
            raise CredentialProviderError(
                "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not", provider=_NAME
            )
        try:
            # Lambda and older tools know the token under either name.
            return Credentials(
                access_key_id,
                secret_access_key,
                _token(variables),
                _instant(variables.get("AWS_CREDENTIAL_EXPIRATION")),
                account_id=variables.get("AWS_ACCOUNT_ID") or None,
            )
        except ValueError as error:
            raise CredentialProviderError(
                f"the credentials in the environment are malformed: {error}", provider=_NAME
            ) from None


def _token(variables: Mapping[str, str]) -> str | None:
    """Return the token, less blanks around it, which are no part of a header and which boto3 leaves out."""
    token = variables.get("AWS_SESSION_TOKEN") or variables.get("AWS_SECURITY_TOKEN") or ""
    return token.strip() or None


def _instant(text: str | None) -> datetime | None:
    """Return the instant of an ISO 8601 text, or None without one."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError("AWS_CREDENTIAL_EXPIRATION must be like 2026-11-22T12:00:00Z") from None
