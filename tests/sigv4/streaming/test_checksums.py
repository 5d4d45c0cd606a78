"""Test how checksums are computed, encoded and decoded."""

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
    encode_digest,
    encoded_size,
)
from tests.sigv4.stream_oracles import botocore_checksum

BODIES = [b"", b"a", bytes(range(256)) * 9]


@pytest.mark.parametrize("body", BODIES, ids=len)
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256", "SHA512"])
def test_checksums_are_botocores(algorithm, body):
    """A checksum equals botocore's, whether it is computed in pieces or in one call."""
    hasher = HASHERS[algorithm]()
    for at in range(0, len(body), 100):
        hasher.update(body[at : at + 100])
    assert encode_digest(hasher.digest()) == botocore_checksum(algorithm, body)
    assert checksum(algorithm, memoryview(body)) == botocore_checksum(algorithm, body)


def test_checksum_that_nothing_makes():
    """If `checksum` does not support an algorithm, the error lists the supported algorithms."""
    with pytest.raises(
        ValueError, match=r"^algorithm must be one of CRC32, MD5, SHA1, SHA256, SHA512, not"
    ):
        checksum("CRC32C", b"")


@pytest.mark.parametrize("algorithm", sorted(HASHERS))
def test_sizes(algorithm):
    """A digest has the length in `SIZES`, and `encoded_size` returns the length of its base64 form."""
    digest = HASHERS[algorithm]().digest()
    assert len(digest) == SIZES[algorithm]
    assert encoded_size(algorithm) == len(encode_digest(digest))


def test_crc32_is_big_endian():
    """`Crc32` returns a digest of four bytes in big-endian order."""
    hasher = Crc32()
    hasher.update(b"123456789")
    assert hasher.digest() == bytes.fromhex("cbf43926")


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
    """`checksum_algorithm` returns the algorithm that a checksum header names, or None for others."""
    assert checksum_algorithm(header) == expected


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
    """`decode_checksum` decodes a checksum in base64, and returns None for an invalid value."""
    assert decode_checksum(value, "SHA256") == expected
