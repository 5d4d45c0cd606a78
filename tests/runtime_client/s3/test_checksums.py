"""Tests of running checksums, and of the choice between the checksums that S3 states."""

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
    """A checksum that is computed in pieces is the same as that of the whole."""
    hasher = new_hasher(algorithm)
    hasher.update(DATA[:4])
    hasher.update(memoryview(DATA)[4:])
    assert encode(hasher.digest()) == sigv4.checksum(algorithm, DATA)


@pytest.mark.parametrize("algorithm", NATIVE)
def test_a_native_hasher(algorithm):
    """If awscrt is installed, it computes the checksums that the standard library cannot."""
    function, size = NATIVE[algorithm]
    hasher = new_hasher(algorithm)
    hasher.update(DATA[:4])
    hasher.update(bytearray(DATA[4:]))
    assert hasher.digest() == function(DATA).to_bytes(size, "big")


@pytest.mark.usefixtures("without_awscrt")
@pytest.mark.parametrize("algorithm", NATIVE)
def test_without_awscrt(algorithm):
    """Without awscrt, these checksums are not computed."""
    assert new_hasher(algorithm) is None


def test_an_old_awscrt(monkeypatch):
    """A version of awscrt without a function for CRC64NVME is treated like no awscrt."""
    monkeypatch.delattr(awscrt, "crc64nvme")
    assert new_hasher("CRC64NVME") is None


def test_an_unknown_algorithm():
    """For an algorithm that is not known, there is no hasher."""
    assert new_hasher("XXHASH64") is None


def headers(*algorithms, value="AAAAAA=="):
    """Return headers that state this value for each algorithm."""
    return [(checksum_header(algorithm), value) for algorithm in algorithms]


def test_order():
    """The checksum that is fastest to compute comes first, regardless of their order in the headers."""
    found = stated_checksums(headers("SHA256", "CRC64NVME", "MD5", "CRC32", "SHA1"))
    assert [one.algorithm for one in found] == ["CRC32", "CRC64NVME", "SHA1", "SHA256", "MD5"]


def test_composite():
    """A checksum of the checksums of N parts is recognized, and is not used."""
    assert [is_composite(value) for value in ("AAAAAA==", "AAAAAA==-3")] == [False, True]
    composite = headers("CRC32", value="AAAAAA==-3")
    assert stated_checksums([*composite, *headers("SHA1")]) == [StatedChecksum("SHA1", "AAAAAA==")]
    assert start_verification(composite) is None


@pytest.mark.usefixtures("without_awscrt")
def test_the_next_best():
    """Without awscrt, a checksum that needs it is passed over for one that does not."""
    stated, hasher = start_verification(headers("SHA256", "CRC64NVME"))
    assert (stated.algorithm, hasher.name) == ("SHA256", "sha256")
    assert start_verification(headers("CRC64NVME")) is None
