"""Who signs: an access key, and the protocol of whatever supplies one."""

from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol

from attrs import Attribute, field, frozen


def _aware_utc(value: datetime | None) -> datetime | None:
    """Return *value* in UTC; an instant without a time zone is nobody's instant."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("expiration must carry a time zone, such as datetime.UTC")
    return value.astimezone(UTC)


def _usable(_instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse what cannot be a key or a token, without repeating it: it may be a secret."""
    if value is None and attribute.default is None:
        return
    if not isinstance(value, str):
        raise TypeError(f"{attribute.name} must be a str, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{attribute.name} must not be empty")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{attribute.name} must be printable ASCII without blanks")


@frozen
class Credentials:
    """
    An AWS access key, with its session token where it is temporary.

    Secrets stay out of ``repr``, and the value refuses to be pickled.

    Attributes:
        access_key_id: The public half, such as ``AKIDEXAMPLE``.
        secret_access_key: The secret half.
        session_token: Present exactly where the key is temporary.
        expiration: The aware instant from which the key no longer counts; None if it does not end.

    Raises:
        ValueError: A part is empty, holds blanks or is not ASCII; the message names the part.
        TypeError: A part is not a ``str``.
    """

    access_key_id: str = field(validator=_usable)
    secret_access_key: str = field(repr=False, validator=_usable)
    session_token: str | None = field(default=None, repr=False, validator=_usable)
    expiration: datetime | None = field(default=None, converter=_aware_utc)

    def expired(self, at: datetime) -> bool:
        """Tell whether the key no longer counts at the aware instant *at*."""
        return self.expiration is not None and self.expiration <= at

    def __copy__(self) -> "Credentials":
        """Return itself: it cannot change."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "Credentials":
        """Return itself: it cannot change."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle outlives its reader and is seldom guarded."""
        raise TypeError("credentials are not pickled; let the other process look them up itself")


class CredentialsProvider(Protocol):
    """
    Whatever supplies credentials, in both colours.

    Each call returns credentials that are good for one signature now; caching and refreshing
    are the provider's business.  ``sigv4`` holds no provider of its own.
    """

    def get(self) -> Credentials:
        """Return credentials, blocking if need be."""
        ...

    async def aget(self) -> Credentials:
        """Return credentials without blocking the event loop."""
        ...
