"""Checksums by which S3 and its clients detect that a body was damaged in transit.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html, and botocore
1.44, httpchecksum.py.
"""

import hashlib
import logging
import zlib
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import NamedTuple, Protocol

from .._errors import ChecksumError
from .._io.generation import importing
from .._io.message import Response
from .objects import S3Location, printable

_log = logging.getLogger("sagemaker_runtime_client")

_PREFIX = "x-amz-checksum-"
# If a request has this header, S3 returns the checksum of an object together with the object.
CHECKSUM_MODE = ("x-amz-checksum-mode", "ENABLED")

Data = bytes | bytearray | memoryview


class Hasher(Protocol):
    """The interface of a running checksum; the hash objects of hashlib implement it."""

    def update(self, data: Data, /) -> object:
        """Add the next bytes of the body."""
        ...

    def digest(self) -> bytes:
        """Return the checksum of the bytes so far; a CRC is in big-endian order."""
        ...


class Crc:
    """A running CRC.

    Args:
        function: A function that accepts some bytes and the CRC of the bytes before them, and
            returns the CRC of both together.
        size: The size of the CRC in bytes.

    Attributes:
        value: The CRC of the bytes so far, for `crc_combine.combine`.
    """

    __slots__ = ("_function", "_size", "value")

    def __init__(self, function: Callable[[Data, int], int], size: int) -> None:
        self._function, self._size = function, size
        self.value = 0

    def update(self, data: Data, /) -> None:
        """Add the next bytes of the body."""
        self.value = self._function(data, self.value)

    def digest(self) -> bytes:
        """Return the CRC in big-endian order."""
        return self.value.to_bytes(self._size, "big")


def _native(function: str, size: int) -> Hasher | None:
    """Return a running CRC that awscrt computes, or None if awscrt cannot be imported."""
    try:
        with importing():
            module = import_module("awscrt.checksums")
        return Crc(getattr(module, function), size)
    except (AttributeError, ImportError):  # old versions of awscrt have no CRC64NVME
        return None


# The checksum algorithms of S3, fastest first, and functions that start a checksum.  The standard
# library cannot compute CRC64NVME and CRC32C, and importing awscrt for them takes longer than
# computing the CRC32 of a gigabyte, so CRC32 precedes them.  This package does not require awscrt.
# Like botocore, it verifies CRC64NVME and CRC32C only if awscrt is installed.  The flag permits MD5
# and SHA-1 in FIPS mode.
_HASHERS: dict[str, Callable[[], Hasher | None]] = {
    "CRC32": partial(Crc, zlib.crc32, 4),
    "CRC64NVME": partial(_native, "crc64nvme", 8),
    "CRC32C": partial(_native, "crc32c", 4),
    "SHA1": partial(hashlib.sha1, usedforsecurity=False),
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
    "MD5": partial(hashlib.md5, usedforsecurity=False),
}


class StatedChecksum(NamedTuple):
    """The checksum of a whole object, in base64, as S3 has stated it."""

    algorithm: str
    value: str


def new_hasher(algorithm: str) -> Hasher | None:
    """Return a new running checksum, or None if the algorithm is unknown or needs awscrt."""
    return _HASHERS.get(algorithm, lambda: None)()


def encode(digest: bytes) -> str:
    """Return a digest in base64, the form that headers contain."""
    return b2a_base64(digest, newline=False).decode("ascii")


def checksum_header(algorithm: str) -> str:
    """Return the name of the header that contains a checksum of *algorithm*."""
    return _PREFIX + algorithm.lower()


def is_composite(value: str) -> bool:
    """Return whether *value* is a composite checksum, which ends with ``-`` and a part count."""
    return "-" in value


def stated_checksums(headers: Iterable[tuple[str, str]]) -> list[StatedChecksum]:
    """Return the checksums of the whole object that *headers* contain, fastest algorithm first.

    Composite checksums are omitted, because the content alone does not determine them.
    """
    found = dict(reversed([*headers]))  # if a header is repeated, the first value is used
    stated = (StatedChecksum(name, found.get(checksum_header(name), "")) for name in _HASHERS)
    return [one for one in stated if one.value and not is_composite(one.value)]


def start_verification(
    headers: Iterable[tuple[str, str]],
) -> tuple[StatedChecksum, Hasher] | None:
    """Return the fastest stated checksum, and a running checksum to compare with it.

    If *headers* contain no checksum that can be computed here, return None.
    """
    for stated in stated_checksums(headers):
        hasher = new_hasher(stated.algorithm)
        if hasher is not None:
            return stated, hasher
    return None


def upload_checksum(body: bytes) -> tuple[str, str]:
    """Return the header with the checksum of *body*, so that S3 can verify *body*."""
    return checksum_header("CRC32"), encode(zlib.crc32(body).to_bytes(4, "big"))


def check_download(location: S3Location, response: Response) -> None:
    """Verify the body of *response* by the checksum in its headers that is fastest to compute.

    If the response has no checksum that can be computed here, the body is not verified.

    Raises:
        ChecksumError: The body does not match the checksum.
    """
    verification = start_verification(response.headers)
    if verification is None:
        _log.debug(
            "%s: not verified: S3 sent no checksum that can be computed here", printable(location)
        )
        return
    stated, hasher = verification
    hasher.update(response.body)
    if encode(hasher.digest()) != stated.value:
        raise damaged(location, stated, response)


def damaged(location: S3Location, stated: StatedChecksum, response: Response) -> ChecksumError:
    """Return the error for an object that does not match the checksum that S3 has stated."""
    return ChecksumError(
        f"{printable(location)}: the object was damaged in transit: its {stated.algorithm} differs "
        "from the one that S3 sent",
        status_code=response.status,
        request_id=response.request_id,
    )
