"""
A role assumed with a token that an identity provider writes into a file: EKS (IRSA), CI systems.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

from typing import ClassVar

from sigv4 import Credentials

from ._provider import Context
from ._sts import assume_role, default_session_name
from ._values import failure, read_text, variable_or_setting

_NAME = "web-identity"


class WebIdentityProvider:
    """
    ``AWS_WEB_IDENTITY_TOKEN_FILE``, ``AWS_ROLE_ARN``, ``AWS_ROLE_SESSION_NAME``; or from a profile.

    There they are ``web_identity_token_file``, ``role_arn`` and ``role_session_name``; a variable
    wins, unless the profile was named by an argument.  The file is read anew each time, and sent
    as it is.
    """

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the role's credentials, or None if there is no token file.

        Raises:
            CredentialProviderError: There is no role, or no token in the file, or STS refuses.
        """
        path = variable_or_setting(
            context, "AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"
        )
        if path is None:
            return None
        role = variable_or_setting(context, "AWS_ROLE_ARN", "role_arn")
        if role is None:
            raise failure(
                _NAME,
                "there is a web identity token file, and no role: set AWS_ROLE_ARN, or role_arn "
                f"in profile {context.profile}",
            )
        session = variable_or_setting(context, "AWS_ROLE_SESSION_NAME", "role_session_name")
        token = await read_text(context, _NAME, path, "the web identity token file")
        return await assume_role(
            context,
            _NAME,
            "AssumeRoleWithWebIdentity",
            {
                "RoleArn": role,
                "RoleSessionName": session or default_session_name(context),
                "WebIdentityToken": token,
            },
            doing=f"AssumeRoleWithWebIdentity of {role}",
            credentials=None,
            secrets=(token, token.strip()),
        )
