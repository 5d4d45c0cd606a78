"""Checksums: what the standard library makes of them, and how they are sent."""

from base64 import b64encode
from hashlib import sha256

import pytest

from sigv4 import checksum
from sigv4._streaming.checksums import (
    HASHERS,
    SIZES,
    Crc32,
    checksum_algorithm,
    decode_checksum,
    encoded,
    encoded_size,
)
from tests.sigv4.stream_oracles import botocore_checksum

BODIES = [b"", b"a", bytes(range(256)) * 9]


@pytest.mark.parametrize("body", BODIES, ids=len)
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256", "SHA512"])
def test_checksums_are_botocores(algorithm, body):
    """A checksum, made in pieces, is botocore's."""
    hasher = HASHERS[algorithm]()
    for at in range(0, len(body), 100):
        hasher.update(body[at : at + 100])
    assert botocore_checksum(algorithm, body) == encoded(hasher.digest())
    assert botocore_checksum(algorithm, body) == checksum(algorithm, memoryview(body))


def test_checksum_that_nothing_makes():
    """What the standard library lacks is refused by name."""
    with pytest.raises(
        ValueError, match=r"^algorithm must be one of CRC32, MD5, SHA1, SHA256, SHA512$"
    ):
        checksum("CRC32C", b"")


@pytest.mark.parametrize("algorithm", sorted(HASHERS))
def test_sizes(algorithm):
    """A digest has the size that is stated for it, and so has its text."""
    digest = HASHERS[algorithm]().digest()
    assert SIZES[algorithm] == len(digest)
    assert encoded_size(algorithm) == len(encoded(digest))


def test_crc32_is_big_endian():
    """CRC32 is sent as four bytes, the highest first."""
    hasher = Crc32()
    hasher.update(b"123456789")
    assert bytes.fromhex("cbf43926") == hasher.digest()


HEADERS = {
    "x-amz-checksum-crc32": "CRC32",
    "x-amz-checksum-crc64nvme": "CRC64NVME",
    "x-amz-checksum-xxhash3": "XXHASH3",
    "x-amz-checksum-type": None,
    "x-amz-checksum-": None,
    "crc32": None,
    "x-amz-meta-a": None,
}


@pytest.mark.parametrize(("header", "expected"), HEADERS.items())
def test_headers(header, expected):
    """A header's name says which checksum it holds, if it holds one."""
    assert expected == checksum_algorithm(header)


GOOD = b64encode(sha256(b"").digest()).decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    {
        GOOD: sha256(b"").digest(),
        GOOD[:-1]: None,
        "AAAA": None,
        "": None,
        f" {GOOD}": None,
        "é": None,
        f"{GOOD}-3": None,
    }.items(),
)
def test_values(value, expected):
    """What is no base64, or has another length, is no checksum."""
    assert expected == decode_checksum(value, "SHA256")
