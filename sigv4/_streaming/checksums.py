"""
The checksums that S3 takes, and those of them that the standard library can make.

CRC32C and CRC64NVME are not among the latter, nor in any package that this one depends on: give
a function that makes a hasher, such as google_crc32c.Checksum.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import md5, sha1, sha256, sha512
from typing import Protocol
from zlib import crc32

HEADER = "x-amz-checksum-"

# The length of each digest in bytes, by the name that x-amz-sdk-checksum-algorithm gives it.
SIZES = {
    "CRC32": 4,
    "CRC32C": 4,
    "CRC64NVME": 8,
    "MD5": 16,
    "SHA1": 20,
    "SHA256": 32,
    "SHA512": 64,
    "XXHASH128": 16,
    "XXHASH3": 8,
    "XXHASH64": 8,
}


class Hasher(Protocol):
    """What makes a checksum, as hashlib's objects do."""

    def update(self, data: bytes | bytearray | memoryview, /) -> object:
        """Take more of the body."""
        ...

    def digest(self) -> bytes:
        """Return the checksum, big-endian if it is a number."""
        ...


Hashers = Mapping[str, Callable[[], Hasher]]


class Crc32:
    """CRC32 as a hasher."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more of the body."""
        self._value = crc32(data, self._value)

    def digest(self) -> bytes:
        """Return the checksum, four bytes."""
        return self._value.to_bytes(4, "big")


HASHERS: Hashers = {
    "CRC32": Crc32,
    # For integrity, not for secrecy: so they are there under FIPS as well.
    "MD5": partial(md5, usedforsecurity=False),
    "SHA1": partial(sha1, usedforsecurity=False),
    "SHA256": sha256,
    "SHA512": sha512,
}


def checksum(algorithm: str, body: bytes | bytearray | memoryview) -> str:
    """
    Return a checksum of *body*, as the header ``x-amz-checksum-*`` has it.

    Args:
        algorithm: ``CRC32``, ``MD5``, ``SHA1``, ``SHA256`` or ``SHA512``.
        body: The whole body.

    Raises:
        ValueError: Nothing here makes that checksum.

    >>> checksum("CRC32", b"123456789")
    'y/Q5Jg=='
    """
    if algorithm not in HASHERS:
        raise ValueError(f"algorithm must be one of {', '.join(HASHERS)}")
    hasher = HASHERS[algorithm]()
    hasher.update(body)
    return encoded(hasher.digest())


def checksum_algorithm(header: str) -> str | None:
    """Return the algorithm whose checksum is in *header*, in lower case; None for another header."""
    algorithm = header.removeprefix(HEADER).upper()
    return algorithm if header.startswith(HEADER) and algorithm in SIZES else None


def encoded(digest: bytes) -> str:
    """Return *digest* as it is sent."""
    return b2a_base64(digest, newline=False).decode("ascii")


def decode_checksum(value: str, algorithm: str) -> bytes | None:
    """Return the digest that *value* encodes; None if no digest of *algorithm* is encoded so."""
    try:
        digest = a2b_base64(value.encode(), strict_mode=True)
    except Error:
        return None
    return digest if len(digest) == SIZES[algorithm] else None


def encoded_size(algorithm: str) -> int:
    """Return how many characters a checksum of *algorithm* takes when it is sent."""
    return (SIZES[algorithm] + 2) // 3 * 4
