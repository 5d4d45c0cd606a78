"""
A role assumed with a token that an identity provider writes into a file: EKS (IRSA), CI systems.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

from sigv4 import Credentials

from .._aws.auth import Unsigned
from ._sts import STSProvider


class WebIdentityProvider(STSProvider):
    """
    ``AWS_WEB_IDENTITY_TOKEN_FILE``, ``AWS_ROLE_ARN``, ``AWS_ROLE_SESSION_NAME``; or from a profile.

    There they are ``web_identity_token_file``, ``role_arn`` and ``role_session_name``; a variable
    wins, unless the profile was named by an argument.  The file is read anew each time, and sent
    as it is.
    """

    async def load(self) -> Credentials | None:
        """
        Return the role's credentials, or None if there is no token file.

        Raises:
            CredentialProviderError: There is no role, or no token in the file, or STS refuses.
        """
        path = self.variable_or_setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")
        if path is None:
            return None
        role = self.variable_or_setting("AWS_ROLE_ARN", "role_arn")
        if role is None:
            raise self.failure(
                "there is a web identity token file, and no role: set AWS_ROLE_ARN, or role_arn "
                f"in profile {self.context.profile}"
            )
        session = self.variable_or_setting("AWS_ROLE_SESSION_NAME", "role_session_name")
        token = await self.read_text(path, "the web identity token file")
        operation = f"AssumeRoleWithWebIdentity of {role}"
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
