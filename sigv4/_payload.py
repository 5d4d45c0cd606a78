"""What stands for the body in the canonical request."""

from hashlib import sha256
from typing import ClassVar

from attrs import field, frozen


def _printable(_instance: object, _attribute: object, value: str) -> None:
    """Refuse what cannot stand on the last line of a canonical request."""
    if not value or not value.isascii() or not value.isprintable():
        raise ValueError(
            "a payload hash must be a SHA-256 in hexadecimal, or a marker such as UNSIGNED-PAYLOAD"
        )


@frozen
class Payload:
    """
    A body's part in a signature: its SHA-256, or a marker that stands in for it.

    Attributes:
        hash: 64 hexadecimal digits, or a marker such as ``UNSIGNED-PAYLOAD``.
    """

    hash: str = field(validator=_printable)

    EMPTY: ClassVar["Payload"]
    UNSIGNED: ClassVar["Payload"]

    @classmethod
    def of(cls, body: bytes | bytearray | memoryview) -> "Payload":
        """Return the payload of *body*, which is hashed now and not kept."""
        return cls(sha256(body).hexdigest()) if body else cls.EMPTY

    @classmethod
    def hashed(cls, hexdigest: str) -> "Payload":
        """Return the payload of a body whose SHA-256 is known, as 64 hexadecimal digits."""
        if len(hexdigest) != 64 or not set(hexdigest) <= set("0123456789abcdef"):
            raise ValueError("hexdigest must be 64 lower-case hexadecimal digits")
        return cls(hexdigest)


Payload.EMPTY = Payload(sha256(b"").hexdigest())
# "UNSIGNED-PAYLOAD": https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
Payload.UNSIGNED = Payload("UNSIGNED-PAYLOAD")
