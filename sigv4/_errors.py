"""
What can go wrong, as one tree.

    SigV4Error
    ├── InvalidRequestError (ValueError)   the caller's: the request cannot be signed as it stands
    ├── ExpiredCredentialsError            the caller's: these credentials ended before the signing time
    ├── MissingDependencyError (ImportError)  the installation's: SigV4A without cryptography
    ├── EventStreamError (ValueError)      bytes that are no event-stream message, or cannot be one
    ├── UnexplainedError (ValueError)      an answer that does not say why a signature did not match
    └── SignatureError                     the other side's: the request that arrived is refused
"""


def printable(text: str) -> str:
    """Return *text* with what cannot be seen escaped: line ends, ESC, marks of direction and the like."""
    if text.isprintable():
        return text
    return "".join([part if part.isprintable() else ascii(part)[1:-1] for part in text])


class SigV4Error(Exception):
    """Base of everything that this package raises."""


class InvalidRequestError(SigV4Error, ValueError):
    """
    The request is not ready for the wire: a bad URL, header, expiry or date.

    Mend the request; nothing was signed.  The message names the part and its fault,
    never the value of a header.
    """


class ExpiredCredentialsError(SigV4Error):
    """
    The credentials expired before the signing time.

    Fetch new ones; a signature made with these would be refused.
    """


class MissingDependencyError(SigV4Error, ImportError):
    """
    A package that only this algorithm needs cannot be imported.

    Install what the message names, or sign with SigV4.
    """


class EventStreamError(SigV4Error, ValueError):
    """
    These bytes are no event-stream message, or this value cannot stand in one.

    A stream cannot go on after it: close the connection.
    """


class UnexplainedError(SigV4Error, ValueError):
    """
    This answer does not say what the service would have signed, or it is no answer at all.

    Not every service says it, and none does for any other refusal.
    """


class SignatureError(SigV4Error):
    """
    A request that arrived does not prove who sent it.

    Attributes:
        code: The service's own name for the refusal, such as ``SignatureDoesNotMatch``.
        message: One sentence that says what is wrong.  It holds no secret, and of what the sender
            wrote nothing that a terminal or a log would take for more than text.
        canonical_request: What was signed, as this side sees it, once it is known; compare it
            with the sender's.  It holds the values of signed headers, the session token
            among them, so it is left out of the message and of pickles.
        string_to_sign: Likewise.
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
        """Return the code and the sentence."""
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[type["SignatureError"], tuple[str, str]]:
        """Pickle without the canonical request, which holds header values."""
        return type(self), (self.code, self.message)
