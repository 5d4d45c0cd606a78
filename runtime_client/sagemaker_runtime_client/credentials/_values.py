"""What files, programs and services return, parsed: JSON, timestamps, values of headers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

# What the parts of credentials are called in answers and cached files.
PASCAL_CASE = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
CAMEL_CASE = ("accessKeyId", "secretAccessKey", "sessionToken", "expiration")


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


def json_object(data: bytes | str) -> dict[str, Any] | None:
    """Return a JSON object; None if *data* is anything else."""
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return as_object(document) if isinstance(document, dict) else None


def as_object(value: Any) -> dict[str, Any]:
    """Return *value* if it is a JSON object, else an empty one."""
    checked: Any = value  # pyright takes what isinstance leaves for a dict of unknown types
    return dict(checked) if isinstance(value, dict) else {}


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
