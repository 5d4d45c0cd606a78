"""The records of the requests that arrived at the emulator, without secrets."""

import re

from attrs import frozen

from sigv4 import SECRET_PARAMETERS, is_secret_header

REDACTED = "***"
# The maximum number of recorded requests.  Requests with invalid signatures are recorded too, so
# without a limit any caller could fill the memory.
MOST_RECORDS = 10_000

_secret_parameters = re.compile(rf"(?<=[?&])((?:{'|'.join(SECRET_PARAMETERS)})=)[^&]*")


@frozen
class ReceivedRequest:
    """A request that arrived at the emulator, and its outcome.

    Attributes:
        method: The HTTP method.
        target: The path and query, percent-encoded, without secrets.
        headers: Pairs of a name in lower case and a value, in the order of arrival, without
            secrets; empty for a request that was reset before it was read.
        operation: The operation, such as ``GetObject``; ``Unknown`` for an unsupported one.
        status: The status of the response; None if the connection was reset.
        outcome: ``ok`` for a success; for an error, its code, such as ``ThrottlingException``, or
            its status if it has no code; for a reset, ``reset``, a space and the value of
            `Reset.when`.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    operation: str
    status: int | None
    outcome: str

    def header(self, name: str) -> str | None:
        """Return the first value of a header; None if it is missing.

        *name* must be in lower case.
        """
        return next((value for known, value in self.headers if known == name), None)


def redacted_target(target: str) -> str:
    """Return *target*, in which ``***`` replaces the values of secret parameters.

    >>> redacted_target("/b/k?X-Amz-Expires=60&X-Amz-Signature=ab12")
    '/b/k?X-Amz-Expires=60&X-Amz-Signature=***'
    """
    return _secret_parameters.sub(rf"\g<1>{REDACTED}", target)


def redacted_headers(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return the headers as strings; ``***`` replaces the values of secret headers."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    return tuple((name, REDACTED if is_secret_header(name) else value) for name, value in pairs)
