"""
A base class for providers that fetch their credentials: from a file, a program or a service.

A part that is missing or malformed becomes an error that names it, and repeats nothing of it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from typing import Any, cast

from sigv4 import Credentials

from .._errors import CredentialProviderError, RuntimeClientError
from .._limits import CREDENTIALS_FILE_SIZE
from .._settings.profiles import expand_user
from ._provider import Provider

# Seconds between attempts to read a file that is not whole: a program that rewrites it is done by then.
_PAUSES = (0.05, 0.1, 0.2)

# What the parts of credentials are called in answers and cached files.
PASCAL_CASE = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
CAMEL_CASE = ("accessKeyId", "secretAccessKey", "sessionToken", "expiration")


class FetchingProvider(Provider):
    """What providers share that read files, call the user's functions and parse credentials."""

    def expand_path(self, path: str) -> str:
        """Return a path with a user's folder in place of ``~`` or ``~name``."""
        return expand_user(path, self.system.environ, self.system.home)

    def cache_path(self, folder: str, digest: str) -> str:
        """Return the path of a file that the AWS CLI names after a digest."""
        return self.expand_path(f"{folder.rstrip('/')}/{digest}.json")

    async def read_text(
        self, path: str, label: str, is_whole: Callable[[str], object] = str.strip
    ) -> str:
        """
        Return the text of a file.

        A file that is absent, or not whole, is read again after a pause: another program may be
        writing it.

        Args:
            path: The file's path; ``~`` and ``~user`` are expanded.
            label: What messages call the file: ``the token file``.
            is_whole: Tells whether a text is complete; an empty file never is.
        """
        path = self.expand_path(path)
        pauses = iter(_PAUSES)
        text = await self._read_once(path, label)
        while text is None or not is_whole(text):
            pause = next(pauses, None)
            if pause is None:
                raise self._not_whole(f"{label} {path}", text)
            await self.system.sleep(pause)
            text = await self._read_once(path, label)
        return text

    def _not_whole(self, label: str, text: str | None) -> CredentialProviderError:
        if text is None:
            return self.failure(f"{label} does not exist")
        fault = "is malformed" if text.strip() else "is empty"
        return self.failure(f"{label} {fault}", retryable=True)  # it may be repaired soon

    async def _read_once(self, path: str, label: str) -> str | None:
        """Return the text of a file now; None if there is no such file."""
        try:
            data = await self.system.read_file(path, CREDENTIALS_FILE_SIZE)
            return None if data is None else data.decode()
        except OSError as error:
            raise self.failure(f"{label} {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise self.failure(f"{label} {path} is not text") from None

    async def ask_user(
        self, name: str, function: Callable[[str], "str | Awaitable[str]"], question: str
    ) -> object:
        """Return the answer of a function that the user gave as *name*."""
        try:
            answer = function(question)
            return await answer if isawaitable(answer) else answer
        except RuntimeClientError:
            raise
        except Exception as error:
            raise self.failure(f"{name} failed: {type(error).__name__}") from error

    def without_cryptography(self, label: str, error: ImportError) -> CredentialProviderError:
        """Return the error for a package that a lean installation leaves out."""
        return self.failure(
            f"{label} needs the package cryptography: pip install cryptography"
            f" (here its import fails: {error})"
        )

    def parse_credentials(
        self,
        label: str,
        parts: Mapping[str, object],
        names: tuple[str, str, str, str],
        account_id: object = None,
        *,
        temporary: bool = True,
    ) -> Credentials:
        """
        Return the credentials in an answer or a file.

        Args:
            label: What messages call the answer or file: ``the answer of STS``.
            parts: What it holds.
            names: What it calls key id, secret, token and expiration.
            account_id: The account, if it is a text.
            temporary: Whether token and expiration must be there.
        """
        missing = [name for name in names[: 4 if temporary else 2] if parts.get(name) in (None, "")]
        if missing:
            raise self.failure(f"{label} has no {', '.join(missing)}", retryable=True)
        # The value class refuses what is not a text.
        fields: list[Any] = [parts.get(name) or None for name in names]
        key_id, secret, token, expiration = fields
        if isinstance(token, str):  # it becomes a header, and blanks around a header are dropped
            token = token.strip() or None
        try:
            ends = None if expiration is None else parse_timestamp(expiration)
        except ValueError:
            raise self.failure(f"{label} has a malformed {names[3]}", retryable=True) from None
        try:
            return Credentials(
                key_id,
                secret,
                token,
                ends,
                account_id=account_id if isinstance(account_id, str) and account_id else None,
            )
        except (TypeError, ValueError) as error:
            raise self.failure(f"{label} is malformed: {error}") from None


def header_value(text: str) -> str | None:
    """
    Return a secret as the value of a header; None if it cannot be one.

    Blanks and line ends around a value are not part of it (RFC 9110, section 5.5).  A caller that gets
    None names the secret in its error and does not show it: h11's own error would show it.
    """
    value = text.strip()
    return value if value and value.isascii() and value.isprintable() else None


def is_json(text: str) -> bool:
    """Tell whether a text is a complete JSON object."""
    return json_object(text) is not None


def json_object(data: bytes | str) -> dict[str, object] | None:
    """Return a JSON object; None if *data* is anything else."""
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", document) if isinstance(document, dict) else None


def as_object(value: object) -> dict[str, object]:
    """Return *value* if it is a JSON object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def parse_timestamp(value: object) -> datetime:
    """
    Return the moment of a text in ISO 8601, or of a number of milliseconds since 1970.

    Raises:
        ValueError: It is neither.
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


def format_timestamp(moment: datetime) -> str:
    """Return a moment as the AWS CLI writes it into its caches."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
