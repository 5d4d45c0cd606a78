"""What arrived at the emulator, for tests to look at; without secrets."""

import re

from attrs import frozen

from sigv4 import SECRET_PARAMETERS, is_secret_header

REDACTED = "***"
# How many requests an emulator remembers.  A record is made before the signature is checked, and
# holds the whole head of a request, so without a bound any caller could fill the memory.
MOST_RECORDS = 10_000

_secret_parameters = re.compile(rf"(?<=[?&])((?:{'|'.join(SECRET_PARAMETERS)})=)[^&]*")


@frozen
class ReceivedRequest:
    """
    A request that arrived, and what became of it.

    Attributes:
        method: Its method.
        target: Path and query as they arrived, undecoded.
        headers: Names in lower case and values, in the order of arrival.  Of a request that was
            reset unread there are none.
        operation: What it asked for, such as ``GetObject``; ``Unknown`` for nothing known.
        status: The status of the answer; None if the connection was reset.
        outcome: ``ok``; the code of the refusal, such as ``ThrottlingException``, or its status if
            it has no code; or ``reset`` and when.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    operation: str
    status: int | None
    outcome: str

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whose name is in lower case; None without it."""
        return next((value for known, value in self.headers if known == name), None)


def redacted_target(target: str) -> str:
    """
    Return a raw target without what signs it.

    >>> redacted_target("/b/k?X-Amz-Expires=60&X-Amz-Signature=ab12")
    '/b/k?X-Amz-Expires=60&X-Amz-Signature=***'
    """
    return _secret_parameters.sub(rf"\g<1>{REDACTED}", target)


def redacted_headers(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return headers as text, those that are secret without their values."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    return tuple((name, REDACTED if is_secret_header(name) else value) for name, value in pairs)
