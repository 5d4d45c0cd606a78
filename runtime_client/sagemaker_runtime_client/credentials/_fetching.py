"""The base class of providers that read credentials from a file, a program or a service.

If a field is missing or malformed, the error mentions the field but never its value.
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

# The pauses in seconds between attempts to read an absent or incomplete file.  They are long enough
# for another program to finish writing the file.
_PAUSES = (0.05, 0.1, 0.2)

# The names of the credential fields in responses and cached files.
PASCAL_CASE = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
CAMEL_CASE = ("accessKeyId", "secretAccessKey", "sessionToken", "expiration")


class FetchingProvider(Provider):
    """A provider that reads files, calls user-supplied functions and parses credentials."""

    def expand_path(self, path: str) -> str:
        """Return *path* with a leading ``~`` or ``~user`` replaced by the user's home directory."""
        return expand_user(path, self.system.environ, self.system.home)

    def cache_path(self, folder: str, digest: str) -> str:
        """Return the path of a cache file in *folder*; the AWS CLI names such files after a digest."""
        return self.expand_path(f"{folder.rstrip('/')}/{digest}.json")

    async def read_text(
        self, path: str, label: str, is_whole: Callable[[str], object] = str.strip
    ) -> str:
        """Read and return a UTF-8 text file.

        If the file is absent or incomplete, it is read up to three more times, after short pauses,
        because another program may be writing it.

        Args:
            path: The file's path; ``~`` and ``~user`` are expanded.
            label: The file's name in messages, such as ``the token file``.
            is_whole: Returns whether the content is complete; by default, whether it is not blank.

        Raises:
            CredentialProviderError: The file is absent, incomplete, unreadable or not UTF-8.
            TransportError: No file descriptor is free.
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
        fault = "is not a complete JSON object" if text.strip() else "is empty"
        # Another program may still be writing the file.
        return self.failure(f"{label} {fault}", retryable=True)

    async def _read_once(self, path: str, label: str) -> str | None:
        """Read the file once, and return its text, or None if the file does not exist."""
        try:
            data = await self.system.read_file(path, CREDENTIALS_FILE_SIZE)
            return None if data is None else data.decode()
        except OSError as error:
            raise self.failure(f"{label} {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise self.failure(f"{label} {path} is not UTF-8 text") from None

    async def call_user_function(
        self, name: str, function: Callable[[str], "str | Awaitable[str]"], argument: str
    ) -> object:
        """Call a user-supplied function, which may be async, and return its result.

        Args:
            name: The name of the parameter with which the user passed the function, for messages.
            function: The function to call.
            argument: The only argument to pass to the function.

        Raises:
            CredentialProviderError: The function raised an error, which is set as the cause.  If
                the function raised a `RuntimeClientError`, that error is raised unchanged.
        """
        try:
            result = function(argument)
            return await result if isawaitable(result) else result
        except RuntimeClientError:
            raise
        except Exception as error:
            raise self.failure(f"the {name} function raised {type(error).__name__}") from error

    def without_cryptography(self, label: str, error: ImportError) -> CredentialProviderError:
        """Return the error to raise if the optional package cryptography is not installed."""
        return self.failure(
            f"{label} requires the cryptography package, which cannot be imported ({error}): "
            "run pip install cryptography"
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
        """Return the credentials in a response or a file.

        Args:
            label: The name of the response or file in messages, such as ``the response to
                AssumeRole``.
            parts: The fields of the response or file.
            names: The names of the fields that contain the access key id, the secret access key,
                the session token and the expiration.
            account_id: The account id; ignored if it is not a non-empty string.
            temporary: Whether the token and the expiration are required.

        Raises:
            CredentialProviderError: A field is missing or malformed; the message mentions the
                field.
        """
        missing = [name for name in names[: 4 if temporary else 2] if parts.get(name) in (None, "")]
        if missing:
            raise self.failure(f"{label} is missing {', '.join(missing)}", retryable=True)
        # `Credentials` checks the types.
        fields: list[Any] = [parts.get(name) or None for name in names]
        key_id, secret, token, expiration = fields
        if isinstance(token, str):  # a header value cannot begin or end with whitespace
            token = token.strip() or None
        try:
            ends = None if expiration is None else parse_timestamp(expiration)
        except ValueError:
            raise self.failure(f"{label} has an invalid {names[3]}", retryable=True) from None
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
    """Return the secret *text* as a header value, or None if it is not a valid header value.

    Leading and trailing whitespace is not part of a header value (RFC 9110, section 5.5).  If the
    result is None, the caller must raise an error that mentions the secret but does not show its
    value; h11's error would show the value.
    """
    value = text.strip()
    return value if value and value.isascii() and value.isprintable() else None


def is_json(text: str) -> bool:
    """Return whether *text* is a complete JSON object."""
    return json_object(text) is not None


def json_object(data: bytes | str) -> dict[str, object] | None:
    """Parse and return a JSON object; return None if *data* is not one."""
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", document) if isinstance(document, dict) else None


def as_object(value: object) -> dict[str, object]:
    """Return *value* if it is a JSON object, and an empty dict otherwise."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def parse_timestamp(value: object) -> datetime:
    """Convert an ISO 8601 string, or a number of milliseconds since 1970, to a datetime.

    A string without a time zone is in UTC.

    Raises:
        ValueError: The value is neither a valid ISO 8601 string nor an integer, or is out of range.
    """
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.removesuffix("UTC").rstrip())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
        except OverflowError as error:
            raise ValueError("timestamp is out of range") from error
    raise ValueError("timestamp must be a str or an int")


def format_timestamp(moment: datetime) -> str:
    """Return a time in the format that the AWS CLI uses in its caches."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
