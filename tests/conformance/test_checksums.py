"""Test checksums against the test data of the aws-checksums library."""

import json
import os
from pathlib import Path

import pytest

from sigv4._streaming.checksums import HASHERS
from tests.sigv4.stream_oracles import AwscrtHasher

SUITE = json.loads((Path(os.environ["SUITES"]) / "checksum-vectors.json").read_text("utf-8"))
# The standard library has no CRC32C and no CRC64NVME. Callers must provide a hasher for them, and
# this test uses awscrt's.
MAKERS = {
    "crc32": HASHERS["CRC32"],
    "crc32c": lambda: AwscrtHasher("CRC32C"),
    "crc64nvme": lambda: AwscrtHasher("CRC64NVME"),
}


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case["source"])
@pytest.mark.parametrize("algorithm", MAKERS)
def test_checksums(algorithm, case):
    """If the data is passed to the hasher in two pieces, the checksum has the expected value."""
    data, hasher = bytes.fromhex(case["data_hex"]), MAKERS[algorithm]()
    hasher.update(data[:5])
    hasher.update(data[5:])
    assert hasher.digest().hex() == case[algorithm]
