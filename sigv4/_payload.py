"""The payload hash, which is the last line of a canonical request."""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

from ._value import Value


class Payload(Value):
    """The payload hash of a request: the SHA-256 of the body, or a marker in place of a hash.

    Attributes:
        hash: 64 hexadecimal digits, or a marker such as ``UNSIGNED-PAYLOAD``.
    """

    __slots__ = __match_args__ = ("hash",)

    hash: str

    EMPTY: ClassVar[Payload]
    UNSIGNED: ClassVar[Payload]
    EVENTS: ClassVar[Payload]

    def __init__(self, hash: str) -> None:  # noqa: A002 (renaming it would break callers)
        # The hash becomes a line of the canonical request, so it must not contain line ends.
        if not hash or not hash.isascii() or not hash.isprintable():
            raise ValueError(
                "hash must be a hexadecimal SHA-256 digest, or a marker such as UNSIGNED-PAYLOAD"
            )
        self.hash = hash

    @classmethod
    def of(cls, body: bytes | bytearray | memoryview) -> Payload:
        """Compute the payload hash of *body*; the body itself is not stored."""
        return cls(sha256(body).hexdigest()) if body else cls.EMPTY

    @classmethod
    def hashed(cls, hexdigest: str) -> Payload:
        """Return the `Payload` of a body whose SHA-256 is already known.

        Args:
            hexdigest: The SHA-256 of the body, as 64 lowercase hexadecimal digits.

        Raises:
            ValueError: *hexdigest* does not have this form.
        """
        if len(hexdigest) != 64 or not set(hexdigest) <= set("0123456789abcdef"):
            raise ValueError("hexdigest must be 64 lowercase hexadecimal digits")
        return cls(hexdigest)

    @classmethod
    def streaming(cls, algorithm: str | None, *, trailer: bool = False) -> Payload:
        """Return a marker for an ``aws-chunked`` body; `AwsChunked.payload` calls this method.

        Args:
            algorithm: The name of the algorithm that signs each chunk, such as
                ``AWS4-HMAC-SHA256``; None if the chunks are unsigned, which S3 allows only over
                https.
            trailer: Whether trailers follow the chunks.  Unsigned chunks must be followed by a
                trailer.

        Raises:
            ValueError: AWS defines no marker for this combination.
        """
        form = f"STREAMING-{algorithm or 'UNSIGNED'}-PAYLOAD{'-TRAILER' if trailer else ''}"
        if form not in CHUNKED:
            raise ValueError(f"aws-chunked has no payload type {form}")
        return cls(form)


Payload.EMPTY = Payload(sha256(b"").hexdigest())
# Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
Payload.UNSIGNED = Payload("UNSIGNED-PAYLOAD")
# The body consists of signed event-stream messages, as in Amazon Transcribe: see `EventSigner`.
Payload.EVENTS = Payload("STREAMING-AWS4-HMAC-SHA256-EVENTS")

# The markers for aws-chunked bodies:
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
CHUNKED = frozenset(
    {
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    }
)
MARKERS = CHUNKED | {Payload.UNSIGNED.hash, Payload.EVENTS.hash}
