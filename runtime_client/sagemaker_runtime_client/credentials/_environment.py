"""
Credentials from environment variables.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
"""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from sigv4 import Credentials

from .._errors import CredentialProviderError, NoCredentialsError

_NAME = "environment"


@frozen
class EnvironmentProvider:
    """
    ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_CREDENTIAL_EXPIRATION``.

    They are looked at anew for each signature, so that rotated keys are seen.

    Attributes:
        environ: The variables.
    """

    environ: Mapping[str, str] = field(repr=False)

    def get(self) -> Credentials:
        """
        Return the credentials in the environment.

        Raises:
            NoCredentialsError: ``AWS_ACCESS_KEY_ID`` is not set, or empty.
            CredentialProviderError: It is set, and the rest does not go with it.
        """
        access_key_id = self.environ.get("AWS_ACCESS_KEY_ID")
        if not access_key_id:
            raise NoCredentialsError(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the "
                "client credentials=",
                tried=(_NAME,),
            )
        secret_access_key = self.environ.get("AWS_SECRET_ACCESS_KEY")
        if not secret_access_key:
            raise CredentialProviderError(
                "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not", provider=_NAME
            )
        try:
            # Lambda and older tools know the token under either name.
            return Credentials(
                access_key_id,
                secret_access_key,
                self.environ.get("AWS_SESSION_TOKEN")
                or self.environ.get("AWS_SECURITY_TOKEN")
                or None,
                _instant(self.environ.get("AWS_CREDENTIAL_EXPIRATION")),
            )
        except ValueError as error:
            raise CredentialProviderError(
                f"the credentials in the environment are malformed: {error}", provider=_NAME
            ) from None

    async def aget(self) -> Credentials:
        """Return what `get` returns: there is nothing to wait for."""
        return self.get()


def _instant(text: str | None) -> datetime | None:
    """Return the instant of an ISO 8601 text, or None without one."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError("AWS_CREDENTIAL_EXPIRATION must be like 2026-11-22T12:00:00Z") from None
