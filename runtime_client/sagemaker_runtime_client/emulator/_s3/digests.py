"""Computes the digests of a body while it arrives, and compares them with those in the request.

The error messages are the same as those of S3.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import md5, sha1, sha256, sha512
from typing import Protocol
from zlib import crc32

from sigv4 import checksum_algorithm, decode_checksum

from .._reply import RejectedRequestError, invalid_request, rejection

CHECKSUM = "x-amz-checksum-"


class Hasher(Protocol):
    """The interface of a hasher, which hashlib's hash objects implement."""

    def update(self, data: bytes, /) -> object:
        """Add the next bytes."""
        ...

    def digest(self) -> bytes:
        """Return the digest."""
        ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


# The checksums that the emulator can compute.  Other checksums are stored as they arrive.
HASHERS: Mapping[str, Callable[[], Hasher]] = {
    "CRC32": _Crc32,
    "MD5": lambda: md5(usedforsecurity=False),
    "SHA1": lambda: sha1(usedforsecurity=False),
    "SHA256": sha256,
    "SHA512": sha512,
}


class BodyDigests:
    """The digests of a body, which are computed while it arrives.

    Args:
        headers: The headers of the request.
        algorithms: Checksum algorithms to compute in addition to those in the headers.

    Raises:
        RejectedRequestError: A header is invalid.
    """

    def __init__(self, headers: Mapping[str, str], algorithms: Iterable[str] = ()) -> None:
        self._headers = headers
        self._expected_md5 = headers.get("content-md5")
        if self._expected_md5 is not None and decode_checksum(self._expected_md5, "MD5") is None:
            raise rejection(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        expected = read_checksums(headers).values()
        wanted = {"MD5", *expected, *algorithms} & HASHERS.keys()
        self._hashers = {algorithm: HASHERS[algorithm]() for algorithm in wanted}

    def update(self, data: bytes) -> None:
        """Add the next bytes of the body."""
        for hasher in self._hashers.values():
            hasher.update(data)

    @property
    def etag(self) -> str:
        """The quoted MD5, which S3 uses as the ETag of an object uploaded in one part."""
        return f'"{self._hashers["MD5"].digest().hex()}"'

    def checksum(self, algorithm: str) -> str | None:
        """Return a checksum of the body in base64; None if it was not computed."""
        hasher = self._hashers.get(algorithm)
        return None if hasher is None else b64encode(hasher.digest()).decode()

    def check(self, trailers: Mapping[str, str]) -> dict[str, str]:
        """Compare the digests with those in the request; return the request's checksum, if any.

        Args:
            trailers: The trailers of the body; the verifier of the body has already checked their
                checksums.

        Raises:
            RejectedRequestError: A digest does not match.
        """
        self._check_md5()
        for name, algorithm in read_checksums(self._headers).items():
            if self.checksum(algorithm) not in {None, self._headers[name]}:
                raise bad_digest(algorithm)
        headers = {**self._headers, **trailers}
        return {name: headers[name] for name in read_checksums(headers)}

    def _check_md5(self) -> None:
        if self._expected_md5 not in {None, self.checksum("MD5")}:
            raise rejection(
                400,
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
                ExpectedDigest=self._expected_md5 or "",
                CalculatedDigest=self.checksum("MD5") or "",
            )


def read_checksums(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the ``x-amz-checksum-*`` header's algorithm, keyed by the header's name, if any.

    Raises:
        RejectedRequestError: There are several such headers, or the header is invalid.
    """
    algorithms = {name: algorithm for name in headers if (algorithm := checksum_algorithm(name))}
    if len(algorithms) > 1:
        raise invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    for name, algorithm in algorithms.items():
        if decode_checksum(headers[name], algorithm) is None:
            raise invalid_request(f"Value for {name} header is invalid.")
        if headers.get("x-amz-sdk-checksum-algorithm", algorithm).upper() != algorithm:
            raise invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    return algorithms


def bad_digest(algorithm: str) -> RejectedRequestError:
    """Return S3's error for a checksum that does not match."""
    return rejection(
        400,
        "BadDigest",
        f"The {algorithm} you specified did not match the calculated checksum.",
    )
