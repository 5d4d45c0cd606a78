"""Loads credentials from environment variables.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sigv4 import Credentials

from ._provider import Provider


class EnvironmentProvider(Provider):
    """Uses ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN``.

    The session token is optional, and so are ``AWS_CREDENTIAL_EXPIRATION`` and ``AWS_ACCOUNT_ID``.
    """

    async def load(self) -> Credentials | None:
        """Return the credentials in the environment, or None if ``AWS_ACCESS_KEY_ID`` is not set.

        Raises:
            CredentialProviderError: ``AWS_SECRET_ACCESS_KEY`` is not set, or a variable is
                malformed.
        """
        variables = self.system.environ
        access_key_id = variables.get("AWS_ACCESS_KEY_ID")
        if not access_key_id:
            return None
        secret_access_key = variables.get("AWS_SECRET_ACCESS_KEY")
        if not secret_access_key:
            raise self.failure("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not")
        try:
            return Credentials(
                access_key_id,
                secret_access_key,
                _token(variables),
                _expiration(variables.get("AWS_CREDENTIAL_EXPIRATION")),
                account_id=variables.get("AWS_ACCOUNT_ID") or None,
            )
        except ValueError as error:
            message = f"the credentials in environment variables are malformed: {error}"
            raise self.failure(message) from None


def _token(variables: Mapping[str, str]) -> str | None:
    """Return the session token without surrounding whitespace, or None if there is no token.

    Lambda sets both AWS_SESSION_TOKEN and AWS_SECURITY_TOKEN; older tools set only the latter.
    boto3 also removes the whitespace, which a header value must not contain at its end.
    """
    token = variables.get("AWS_SESSION_TOKEN") or variables.get("AWS_SECURITY_TOKEN") or ""
    return token.strip() or None


def _expiration(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(
            "AWS_CREDENTIAL_EXPIRATION must be in ISO 8601, such as 2026-11-22T12:00:00Z"
        ) from None
