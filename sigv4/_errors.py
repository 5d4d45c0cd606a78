"""The exceptions of this package.

SigV4Error
├── InvalidRequestError (ValueError)      the request cannot be signed; the caller must fix it
├── ExpiredCredentialsError               the credentials expired before the signing time
├── MissingDependencyError (ImportError)  SigV4A needs cryptography, which cannot be imported
├── EventStreamError (ValueError)         bytes or values cannot form an event-stream message
├── UnexplainedError (ValueError)         an error response does not contain what `explain` needs
└── SignatureError                        a received request is rejected
"""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape the unprintable characters in *text*, such as line ends, ESC and direction marks."""
    if text.isprintable():
        return text
    return "".join([part if part.isprintable() else ascii(part)[1:-1] for part in text])


class SigV4Error(Exception):
    """The base class of the exceptions of this package."""


class InvalidRequestError(SigV4Error, ValueError):
    """A request cannot be signed, for example because its URL, a header or the expiry is invalid.

    Correct the request, and sign it again.  The message states which part is invalid and why, but
    never contains the value of a header.
    """


class ExpiredCredentialsError(SigV4Error):
    """The credentials expired before the signing time.

    Load new credentials: a service would reject a signature made with expired credentials.
    """


class MissingDependencyError(SigV4Error, ImportError):
    """A package that SigV4A needs cannot be imported.

    Install the package that the message mentions, or use SigV4 instead.
    """


class EventStreamError(SigV4Error, ValueError):
    """Bytes are not a valid event-stream message, or a value cannot be sent in a message.

    After an error in received bytes, the rest of the stream cannot be decoded: close the
    connection.
    """


class UnexplainedError(SigV4Error, ValueError):
    """The canonical request that AWS expected cannot be compared with the one that was signed.

    In most cases, the response does not contain the canonical request: only some services return
    it, and only if a signature does not match.  The error is also raised if the response is too
    long, or if one of the two canonical requests is malformed.
    """


class SignatureError(SigV4Error):
    """A received request is rejected, for example because its signature is missing or invalid.

    Attributes:
        code: The error code that AWS uses for the problem, such as ``SignatureDoesNotMatch``.
        message: A sentence that describes the problem.  It contains no secrets, and unprintable
            characters from the sender are escaped, so the message can be safely printed and logged.
        canonical_request: The canonical request that the verifier computed if the request's
            signature does not match; otherwise None.  Compare it with the sender's canonical
            request.  It contains the values of signed headers, including the session token, so it
            is left out of the message and of pickles.
        string_to_sign: The string to sign that the verifier computed if a signature does not match;
            otherwise None.  It is also left out of the message and of pickles.
    """

    def __init__(
        self,
        code: str,
        message: str,
        canonical_request: str | None = None,
        string_to_sign: str | None = None,
    ) -> None:
        message = printable(message)
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.canonical_request = canonical_request
        self.string_to_sign = string_to_sign

    def __str__(self) -> str:
        """Return the code and the message."""
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[type[SignatureError], tuple[str, str]]:
        """Pickle only the code and the message, because the other fields contain header values."""
        return type(self), (self.code, self.message)
