"""
What sources of credentials hand over, read with care: settings, files, JSON, instants.

Whatever is missing or malformed becomes an error that names it, and repeats nothing of it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from typing import Any

from sigv4 import Credentials

from .._errors import CredentialProviderError, RuntimeClientError
from .._limits import CREDENTIALS_FILE_SIZE
from .._settings.profiles import Section, expand_user
from ._provider import Context

# Seconds between two looks at a file that is not whole: a program that rewrites it is done by then.
_PAUSES = (0.05, 0.1, 0.2)

# What the parts of credentials are called in answers and cached files.
PASCAL_CASE = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
CAMEL_CASE = ("accessKeyId", "secretAccessKey", "sessionToken", "expiration")


def failure(provider: str, message: str, *, retryable: bool = False) -> CredentialProviderError:
    """Return the error of a source that is configured and failed."""
    error = CredentialProviderError(message, provider=provider)
    error.retryable = retryable
    return error


def without_cryptography(provider: str, what: str, error: ImportError) -> CredentialProviderError:
    """Return the error of a source that needs a package that a lean installation leaves out."""
    return failure(
        provider,
        f"{what} needs the package cryptography: pip install cryptography"
        f" (here its import fails: {error})",
    )


def profile_section(context: Context) -> Section:
    """Return what the profile in force says; nothing where there is no such profile."""
    return context.profiles.profiles.get(context.profile, {})


def setting(section: Section, key: str) -> str | None:
    """Return the text of *key*; None where it is absent, empty or a section of its own."""
    value = section.get(key)
    return value if isinstance(value, str) and value else None


def variable_or_setting(context: Context, variable: str, key: str) -> str | None:
    """Return a variable's text, else the profile's; a profile named by an argument stands alone."""
    text = None if context.explicit else context.io.environ.get(variable)
    return text or setting(profile_section(context), key)


async def read_text(
    context: Context,
    provider: str,
    path: str,
    what: str,
    is_whole: Callable[[str], object] = str.strip,
) -> str:
    """
    Return the text of a file.

    One that is not there, or not whole, is read again after a pause: another program may be at it.

    Args:
        provider: Who asks.
        path: The file's path; ``~`` and ``~user`` are expanded.
        what: What the file is, for messages: ``the token file``.
        is_whole: Tells whether a text is all of it; that of a file without a text never is.
    """
    path = expanded(context, path)
    pauses = iter(_PAUSES)
    text = await _text(context, provider, path, what)
    while text is None or not is_whole(text):
        pause = next(pauses, None)
        if pause is None:
            raise _not_whole(provider, f"{what} {path}", text)
        await context.io.sleep(pause)
        text = await _text(context, provider, path, what)
    return text


def _not_whole(provider: str, what: str, text: str | None) -> CredentialProviderError:
    """Return the error of a file that stays away or broken; what is broken may be mended soon."""
    if text is None:
        return failure(provider, f"{what} does not exist")
    fault = "is malformed" if text.strip() else "is empty"
    return failure(provider, f"{what} {fault}", retryable=True)


async def _text(context: Context, provider: str, path: str, what: str) -> str | None:
    """Return what a file holds now; None if there is no such file."""
    try:
        data = await context.io.read_file(path, CREDENTIALS_FILE_SIZE)
        return None if data is None else data.decode()
    except OSError as error:
        raise failure(provider, f"{what} {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise failure(provider, f"{what} {path} is not text") from None


async def answered(
    provider: str, name: str, ask: Callable[[str], "str | Awaitable[str]"], question: str
) -> Any:
    """Return what the function *ask*, which the caller gave as *name*, answers to *question*."""
    try:
        answer = ask(question)
        return await answer if isawaitable(answer) else answer
    except RuntimeClientError:
        raise
    except Exception as error:
        raise failure(provider, f"{name} failed: {type(error).__name__}") from error


def header_value(text: str) -> str | None:
    """
    Return a secret as the value of a header; None for what can be none.

    Blanks and line ends around it are no part of it (RFC 9110, section 5.5).  Who gets None names the
    secret, and never shows it: h11 would show what it refuses.
    """
    value = text.strip()
    return value if value and value.isascii() and value.isprintable() else None


def expanded(context: Context, path: str) -> str:
    """Return a path with a user's folder in place of ``~`` or ``~name``."""
    return expand_user(path, context.io.environ, context.io.home)


def cache_path(context: Context, folder: str, name: str) -> str:
    """Return the path of a file in *folder*."""
    return expanded(context, f"{folder.rstrip('/')}/{name}")


def is_json(text: str) -> bool:
    """Tell whether a text is a JSON object, and all of it."""
    return json_object(text) is not None


def json_object(data: bytes | str) -> dict[str, Any] | None:
    """Return a JSON object; None for whatever else *data* is."""
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return as_object(document) if isinstance(document, dict) else None


def as_object(value: Any) -> dict[str, Any]:
    """Return what is a JSON object as one; an empty one for whatever else *value* is."""
    checked: Any = value  # as pyright sees it, a dict of nothing known
    return dict(checked) if isinstance(value, dict) else {}


def instant(value: object) -> datetime:
    """
    Return the instant that a text in ISO 8601 or a number of milliseconds since 1970 stands for.

    Raises:
        ValueError: It stands for none.
    """
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.removesuffix("UTC").rstrip())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
        except OverflowError as error:
            raise ValueError("out of range") from error
    raise ValueError("neither a text nor a number")


def timestamp(moment: datetime) -> str:
    """Return an instant as the AWS CLI writes it into its caches."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def credentials_from(
    provider: str,
    where: str,
    parts: Mapping[str, Any],
    names: tuple[str, str, str, str],
    account_id: object = None,
    *,
    temporary: bool = True,
) -> Credentials:
    """
    Return the credentials in an answer or a file.

    Args:
        provider: Who asks.
        where: What holds them, for messages: ``the answer of STS``.
        parts: What it holds.
        names: What it calls key id, secret, token and expiration.
        account_id: The account, if it is a text.
        temporary: Whether token and expiration must be there.
    """
    missing = [name for name in names[: 4 if temporary else 2] if parts.get(name) in (None, "")]
    if missing:
        raise failure(provider, f"{where} has no {', '.join(missing)}", retryable=True)
    key_id, secret, token, expiration = [parts.get(name) or None for name in names]
    if isinstance(token, str):  # it becomes a header, of which blanks around it are no part
        token = token.strip() or None
    try:
        ends = None if expiration is None else instant(expiration)
    except ValueError:
        raise failure(provider, f"{where} has a malformed {names[3]}", retryable=True) from None
    try:
        return Credentials(
            key_id,  # type: ignore[arg-type]  # the value class refuses what is no text
            secret,  # type: ignore[arg-type]
            token,
            ends,
            account_id=account_id if isinstance(account_id, str) and account_id else None,
        )
    except (TypeError, ValueError) as error:
        raise failure(provider, f"{where} is malformed: {error}") from None
