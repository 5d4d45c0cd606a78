"""The base class of providers that call STS, which uses the AWS query protocol.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from sigv4 import Credentials

from .._aws.auth import Auth
from .._aws.error_response import query_error, xml_texts
from .._io.message import Request
from ._fetching import PASCAL_CASE
from ._requests import ServiceProvider

_VERSION = "2011-06-15"
_FORM = ("content-type", "application/x-www-form-urlencoded; charset=utf-8")


class STSProvider(ServiceProvider):
    """A provider that sends requests to STS and parses the credentials in the responses."""

    @property
    def default_session_name(self) -> str:
        """The role session name to use if none is configured."""
        return f"sagemaker-runtime-client-{self.system.now().timestamp():.0f}"

    async def query(
        self,
        action: str,
        parameters: Mapping[str, str | None],
        *,
        operation: str,
        auth: Auth,
    ) -> dict[str, str]:
        """Call an STS action, and return the texts of its result's elements, keyed by element path.

        Args:
            action: The action's name, such as ``AssumeRole``.
            parameters: The action's parameters; those that are None are left out.
            operation: The operation's name in messages.
            auth: Authenticates the request, and holds the secrets that no message may contain.

        Raises:
            CredentialProviderError: STS rejected the request, or the last attempt failed.
        """
        known = {name: value for name, value in parameters.items() if value is not None}
        body = urlencode({"Action": action, "Version": _VERSION, **known}).encode()
        response = await self.ask(
            # Like botocore, use the global endpoint if no region is set.
            self.endpoint("sts", self.context.config.region or "aws-global"),
            Request("POST", "/", (_FORM,), body),
            operation=operation,
            parse_error=query_error,
            auth=auth,
        )
        result = f"{action}Result/"
        texts = xml_texts(response.body).items()
        return {path.removeprefix(result): text for path, text in texts if path.startswith(result)}

    def parse_role_credentials(self, texts: Mapping[str, str], operation: str) -> Credentials:
        """Return the temporary credentials in the result of *operation*."""
        parts = {name: texts.get(f"Credentials/{name}") for name in PASCAL_CASE}
        # arn:PARTITION:sts::ACCOUNT:assumed-role/...
        arn = texts.get("AssumedRoleUser/Arn", "").split(":")
        account_id = arn[4] if len(arn) == 6 else None
        return self.parse_credentials(
            f"the response to {operation}", parts, PASCAL_CASE, account_id
        )
