"""Tests of incremental checksums, and of the choice among the checksums in a response."""

import sys

import pytest
from awscrt import checksums as awscrt

import sigv4
from sagemaker_runtime_client._s3.checksums import (
    StatedChecksum,
    checksum_header,
    encode,
    is_composite,
    new_hasher,
    start_verification,
    stated_checksums,
)

DATA = b"123456789"
NATIVE = {"CRC32C": (awscrt.crc32c, 4), "CRC64NVME": (awscrt.crc64nvme, 8)}


@pytest.fixture
def without_awscrt(monkeypatch):
    """An environment in which awscrt cannot be imported."""
    monkeypatch.setitem(sys.modules, "awscrt.checksums", None)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256", "SHA512", "MD5"])
def test_a_hasher(algorithm):
    """A checksum that is computed piece by piece equals the checksum of the whole data."""
    hasher = new_hasher(algorithm)
    hasher.update(DATA[:4])
    hasher.update(memoryview(DATA)[4:])
    assert encode(hasher.digest()) == sigv4.checksum(algorithm, DATA)


@pytest.mark.parametrize("algorithm", NATIVE)
def test_a_native_hasher(algorithm):
    """With awscrt, CRC32C and CRC64NVME can be computed piece by piece."""
    function, size = NATIVE[algorithm]
    hasher = new_hasher(algorithm)
    hasher.update(DATA[:4])
    hasher.update(bytearray(DATA[4:]))
    assert hasher.digest() == function(DATA).to_bytes(size, "big")


@pytest.mark.usefixtures("without_awscrt")
@pytest.mark.parametrize("algorithm", NATIVE)
def test_without_awscrt(algorithm):
    """Without awscrt, `new_hasher` returns None for CRC32C and CRC64NVME."""
    assert new_hasher(algorithm) is None


def test_an_old_awscrt(monkeypatch):
    """If the installed awscrt lacks CRC64NVME, `new_hasher` returns None for this algorithm."""
    monkeypatch.delattr(awscrt, "crc64nvme")
    assert new_hasher("CRC64NVME") is None


def test_an_unknown_algorithm():
    """For an unknown algorithm, `new_hasher` returns None."""
    assert new_hasher("XXHASH64") is None


def headers(*algorithms, value="AAAAAA=="):
    """Return a checksum header with this value for each algorithm."""
    return [(checksum_header(algorithm), value) for algorithm in algorithms]


def test_order():
    """Checksums are sorted by the speed of their algorithms, regardless of the order of the
    headers.
    """
    found = stated_checksums(headers("SHA256", "CRC64NVME", "MD5", "CRC32", "SHA1"))
    assert [one.algorithm for one in found] == ["CRC32", "CRC64NVME", "SHA1", "SHA256", "MD5"]


def test_composite():
    """A composite checksum, which ends with the number of parts, is recognized and ignored."""
    assert [is_composite(value) for value in ("AAAAAA==", "AAAAAA==-3")] == [False, True]
    composite = headers("CRC32", value="AAAAAA==-3")
    assert stated_checksums([*composite, *headers("SHA1")]) == [StatedChecksum("SHA1", "AAAAAA==")]
    assert start_verification(composite) is None


@pytest.mark.usefixtures("without_awscrt")
def test_the_next_best():
    """Without awscrt, a checksum that requires awscrt is skipped, and the next one is used."""
    stated, hasher = start_verification(headers("SHA256", "CRC64NVME"))
    assert (stated.algorithm, hasher.name) == ("SHA256", "sha256")
    assert start_verification(headers("CRC64NVME")) is None
