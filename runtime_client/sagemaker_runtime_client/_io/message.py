"""HTTP requests and responses, independent of the library that sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Protocol, cast

from .._value import Value

# Large bodies are written in pieces of this size, in bytes.
PIECE_SIZE = 64 * 1024

_MAX_REQUEST_ID_LENGTH = 128  # the ids of AWS have fewer characters


class HasItems(Protocol):
    """An object with the method ``items``, such as a mapping or urllib's headers."""

    def items(self) -> Iterable[tuple[str | bytes, str | bytes]]:
        """Return pairs of a name and a value."""
        ...


Headers = HasItems | Iterable[tuple[str | bytes, str | bytes]]


class BodySource(Protocol):
    """A request body that is read piece by piece while it is sent."""

    @property
    def size(self) -> int:
        """The size of the body in bytes."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the pieces of the body, from its beginning, because a retry sends it again."""
        ...


class Request(Value):
    """A request without its origin and its signature.

    Attributes:
        method: The method, such as ``POST``.
        path: The path and query, percent-encoded, as they are sent after the origin.
        headers: Pairs of a name and a value.
        body: The complete body.  Only the S3 client also creates requests whose body is a
            `BodySource`.
    """

    __slots__ = __match_args__ = ("method", "path", "headers", "body")
    _hidden = frozenset({"headers", "body"})

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __init__(
        self,
        method: str,
        path: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes | BodySource = b"",
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = cast("bytes", body)

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> Request:
        """Return a copy of the request with additional headers."""
        return Request(self.method, self.path, (*self.headers, *headers), self.body)


class Response(Value):
    """An HTTP response.

    Attributes:
        status: The HTTP status.
        headers: Pairs of a name in lower case and a value.
        body: The part of the body that arrived, without decoding its Content-Encoding.
        complete: Whether the whole body arrived.
    """

    __slots__ = __match_args__ = ("status", "headers", "body", "complete")
    _hidden = frozenset({"headers", "body"})
    _renamed = MappingProxyType({"instant": "timestamp"})

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool

    def __init__(
        self, status: int, headers: Headers, body: bytes = b"", complete: bool = True
    ) -> None:
        self.status = status
        items: Any = headers
        if hasattr(items, "items"):
            items = items.items()
        pairs: list[tuple[str, str]] = []
        for name, value in items:
            text = name if isinstance(name, str) else str(name, "utf-8", "replace")
            content = value if isinstance(value, str) else str(value, "utf-8", "replace")
            pairs.append((text.lower(), content))
        self.headers = tuple(pairs)
        self.body = body
        self.complete = complete

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """Return the first value of the header *name*, or None if it is absent or empty.

        Args:
            name: The name in lower case.
        """
        for known, value in self.headers:
            if known == name:
                return value or None
        return None

    def timestamp(self, name: str) -> datetime | None:
        """Return the time in the header *name*, such as ``date``, or None if it has no valid time."""
        return parse_http_date(self.header(name))

    @property
    def request_id(self) -> str | None:
        """The request id from either of the two headers that AWS services use, or None."""
        text = self.header("x-amzn-requestid") or self.header("x-amz-request-id")
        return text and text[:_MAX_REQUEST_ID_LENGTH]


def parse_length(text: str | None) -> int | None:
    """Parse a number such as the value of ``content-length``; return None if it is not valid."""
    is_length = text is not None and text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if text is not None and is_length else None


def parse_http_date(text: str | None) -> datetime | None:
    """Parse an HTTP date (RFC 9110, section 5.6.7); return None if it is not valid."""
    if text is None:
        return None
    clock = text[17:25].split(":")
    digits = "".join([text[5:7], text[12:16], *clock])
    if not (
        len(clock) == 3
        and text[7:12] in _MONTHS
        and text[16:17] + text[25:] == "  GMT"
        and len(digits) == 12
        and digits.isascii()
        and digits.isdecimal()
    ):
        return _parse_old_date(text)
    try:
        hour, minute, second = map(int, clock)
        day, month, year = int(text[5:7]), _MONTHS[text[7:12]], int(text[12:16])
        time = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return time if 1900 < time.year < 9000 else None


def _parse_old_date(text: str) -> datetime | None:
    """Parse a date in one of the obsolete formats; return None if it is not valid."""
    # strptime is not used, because its month names depend on the locale.  `open_session` has
    # already loaded email.utils.
    from email.utils import parsedate_to_datetime

    try:
        time = parsedate_to_datetime(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        # A year near either limit of `datetime` is not plausible, and calculating with it would
        # overflow.
        return time.astimezone(UTC) if 1900 < time.year < 9000 else None
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {f" {name} ": number for number, name in enumerate(_NAMES, 1)}
