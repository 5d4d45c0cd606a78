"""Loads the credentials of a role that is assumed with a web identity token, as in EKS and in CI.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

from sigv4 import Credentials

from .._aws.auth import Unsigned
from ._sts import STSProvider


class WebIdentityProvider(STSProvider):
    """Uses ``AWS_WEB_IDENTITY_TOKEN_FILE``, ``AWS_ROLE_ARN`` and ``AWS_ROLE_SESSION_NAME``.

    The equivalent settings of a profile are ``web_identity_token_file``, ``role_arn`` and
    ``role_session_name``.  The variables take precedence, unless an argument selected the profile
    or the profile is the source profile of another profile.  The token file is read at each load,
    and the token is sent unchanged.
    """

    async def load(self) -> Credentials | None:
        """Return the role's credentials, or None if no token file is configured.

        Raises:
            CredentialProviderError: No role is configured, the token file cannot be read or is
                empty, or the request to STS failed.
        """
        path = self.variable_or_setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")
        if path is None:
            return None
        role = self.variable_or_setting("AWS_ROLE_ARN", "role_arn")
        if role is None:
            raise self.failure(
                "a web identity token file is configured without a role: set AWS_ROLE_ARN, or "
                f"role_arn in profile {self.context.profile}"
            )
        session = self.variable_or_setting("AWS_ROLE_SESSION_NAME", "role_session_name")
        token = await self.read_text(path, "the web identity token file")
        operation = f"AssumeRoleWithWebIdentity for {role}"
        texts = await self.query(
            "AssumeRoleWithWebIdentity",
            {
                "RoleArn": role,
                "RoleSessionName": session or self.default_session_name,
                "WebIdentityToken": token,
            },
            operation=operation,
            auth=Unsigned(token, token.strip()),
        )
        return self.parse_role_credentials(texts, operation)
