"""The checksums that S3 accepts, and hashers for those that the standard library can compute.

Neither the standard library nor the dependencies of this package can compute CRC32C, CRC64NVME or
the XXHASH checksums.  For these checksums, pass `AwsChunked` a function that returns a hasher, such
as google_crc32c.Checksum, and pass `ChunkDecoder` a mapping that contains such a function.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import md5, sha1, sha256, sha512
from typing import Protocol
from zlib import crc32

HEADER = "x-amz-checksum-"

# The length of each digest in bytes.  The keys are the possible values of the header
# x-amz-sdk-checksum-algorithm.
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
    """The interface of a hasher, which computes a checksum; hashlib's hash objects implement it."""

    def update(self, data: bytes | bytearray | memoryview, /) -> object:
        """Add the next bytes of the body."""
        ...

    def digest(self) -> bytes:
        """Return the checksum as bytes; a CRC is in big-endian order."""
        ...


Hashers = Mapping[str, Callable[[], Hasher]]


class Crc32:
    """A hasher that computes CRC32."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Add the next bytes of the body."""
        self._value = crc32(data, self._value)

    def digest(self) -> bytes:
        """Return the checksum as four bytes."""
        return self._value.to_bytes(4, "big")


HASHERS: Hashers = {
    "CRC32": Crc32,
    # The flag permits MD5 and SHA-1 in FIPS mode; here, they are used only to check integrity.
    "MD5": partial(md5, usedforsecurity=False),
    "SHA1": partial(sha1, usedforsecurity=False),
    "SHA256": sha256,
    "SHA512": sha512,
}


def checksum(algorithm: str, body: bytes | bytearray | memoryview) -> str:
    """Return a checksum of *body*, as the value of an ``x-amz-checksum-*`` header.

    Args:
        algorithm: ``CRC32``, ``MD5``, ``SHA1``, ``SHA256`` or ``SHA512``.
        body: The whole body.

    Returns:
        The digest in base64.

    Raises:
        ValueError: *algorithm* is unknown, or the standard library cannot compute it.

    >>> checksum("CRC32", b"123456789")
    'y/Q5Jg=='
    """
    if algorithm not in HASHERS:
        raise ValueError(f"algorithm must be one of {', '.join(HASHERS)}, not {algorithm!r}")
    hasher = HASHERS[algorithm]()
    hasher.update(body)
    return encode_digest(hasher.digest())


def checksum_algorithm(header: str) -> str | None:
    """Return the checksum algorithm that the name of an ``x-amz-checksum-*`` header contains.

    Args:
        header: The name of a header, in lower case.

    Returns:
        The algorithm, such as ``CRC32``; None if *header* is not the name of a checksum header.
    """
    algorithm = header.removeprefix(HEADER).upper()
    return algorithm if header.startswith(HEADER) and algorithm in SIZES else None


def encode_digest(digest: bytes) -> str:
    """Return *digest* in base64, as it is sent in a header or a trailer."""
    return b2a_base64(digest, newline=False).decode("ascii")


def decode_checksum(value: str, algorithm: str) -> bytes | None:
    """Decode the value of a checksum header.

    Args:
        value: The value of the header, in base64.
        algorithm: The name of a checksum that S3 accepts, such as ``CRC32``.

    Returns:
        The digest; None if *value* is not base64, or the digest has the wrong length for
        *algorithm*.
    """
    try:
        digest = a2b_base64(value.encode(), strict_mode=True)
    except Error:
        return None
    return digest if len(digest) == SIZES[algorithm] else None


def encoded_size(algorithm: str) -> int:
    """Return the number of characters in a base64-encoded checksum of *algorithm*."""
    return (SIZES[algorithm] + 2) // 3 * 4
