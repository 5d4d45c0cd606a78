"""
The actions of STS, in its query protocol.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from sigv4 import Credentials

from .._aws.error_response import query_error, xml_texts
from .._io.message import Request
from ._provider import Context
from ._requests import ask, endpoint
from ._values import PASCAL_CASE, credentials_from

_VERSION = "2011-06-15"
_FORM = ("content-type", "application/x-www-form-urlencoded; charset=utf-8")


def default_session_name(context: Context) -> str:
    """Return the name of a session that nobody named."""
    return f"sagemaker-runtime-client-{context.io.now().timestamp():.0f}"


async def query(
    context: Context,
    provider: str,
    action: str,
    parameters: Mapping[str, str | None],
    *,
    doing: str,
    credentials: Credentials | None,
    secrets: tuple[str, ...] = (),
) -> dict[str, str]:
    """
    Return the texts of an action's result, by their paths in it.

    Args:
        provider: Who asks.
        action: Such as ``AssumeRole``.
        parameters: The action's; None leaves one out.
        doing: The action as messages call it.
        credentials: Who signs; None for an action that is not signed.
        secrets: What of the parameters may not show in a message.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    body = urlencode({"Action": action, "Version": _VERSION, **given}).encode()
    response = await ask(
        context,
        provider,
        # Without a region, the global endpoint: as botocore has it.
        endpoint(context, provider, "sts", context.config.region or "aws-global"),
        Request("POST", "/", (_FORM,), body),
        doing=doing,
        parse_error=query_error,
        credentials=credentials,
        secrets=secrets,
    )
    result = f"{action}Result/"
    texts = xml_texts(response.body).items()
    return {path.removeprefix(result): text for path, text in texts if path.startswith(result)}


async def assume_role(
    context: Context,
    provider: str,
    action: str,
    parameters: Mapping[str, str | None],
    *,
    doing: str,
    credentials: Credentials | None,
    secrets: tuple[str, ...] = (),
) -> Credentials:
    """Return a role's temporary credentials; the action is one of AssumeRole's kind, see `query`."""
    texts = await query(
        context,
        provider,
        action,
        parameters,
        doing=doing,
        credentials=credentials,
        secrets=secrets,
    )
    parts = {name: texts.get(f"Credentials/{name}") for name in PASCAL_CASE}
    arn = texts.get("AssumedRoleUser/Arn", "").split(":")
    account_id = arn[4] if len(arn) == 6 else None  # arn:PARTITION:sts::ACCOUNT:assumed-role/...
    return credentials_from(provider, f"the answer to {doing}", parts, PASCAL_CASE, account_id)
