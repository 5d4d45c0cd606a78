"""Exports credentials in the formats of ``aws configure export-credentials``, or as plain JSON.

Unlike the AWS CLI, this module quotes or rejects values, so that a shell cannot execute parts of
them.

Source: https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
"""

import json
from collections.abc import Callable
from shlex import quote

from sigv4 import Credentials

from .._errors import CredentialsError

_Quote = Callable[[str], str]


def _powershell(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _fish(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _cmd(value: str) -> str:
    if {*value} & {*'"%!'}:
        raise CredentialsError(
            "the credentials contain a character that cannot be quoted for cmd: use --export powershell"
        )
    return value


# Maps each shell format to the template of a line that sets a variable, and to the function that
# quotes the value.
_LINES: dict[str, tuple[str, _Quote]] = {
    "env": ("export {name}={value}", quote),
    "env-no-export": ("{name}={value}", quote),
    "powershell": ("$Env:{name}={value}", _powershell),
    "windows-cmd": ('set "{name}={value}"', _cmd),
    "fish": ("set -gx {name} {value}", _fish),
}
_VERSION = {"process": {"Version": 1}, "json": {}}
FORMATS = (*_VERSION, *_LINES)


def exported(credentials: Credentials, format_name: str) -> str:
    """Return credentials, including secrets, in a format that another program can read.

    Args:
        credentials: The credentials to export.
        format_name: One of `FORMATS`.  ``process`` is the output format of a
            ``credential_process``.  ``json`` is the same document without ``Version``.  Every other
            format consists of shell commands that set variables.

    Raises:
        CredentialsError: A value contains a character that cannot be quoted in this format.
    """
    ends = credentials.expiration
    parts: list[tuple[str, str, str | None]] = [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId", credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey", credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", "SessionToken", credentials.session_token),
        ("AWS_CREDENTIAL_EXPIRATION", "Expiration", f"{ends:%Y-%m-%dT%H:%M:%SZ}" if ends else None),
        ("AWS_ACCOUNT_ID", "AccountId", credentials.account_id),
    ]
    if format_name in _VERSION:
        known = {key: value for _, key, value in parts if value is not None}
        return json.dumps({**_VERSION[format_name], **known}, indent=2)
    line, quoted = _LINES[format_name]
    return "\n".join(
        line.format(name=name, value=quoted(value)) for name, _, value in parts if value is not None
    )
