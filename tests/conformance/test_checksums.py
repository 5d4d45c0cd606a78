"""The checksums in the test data of aws-checksums."""

import json
import os
from pathlib import Path

import pytest

from sigv4._streaming.checksums import HASHERS
from tests.sigv4.stream_oracles import AwscrtHasher

SUITE = json.loads((Path(os.environ["SUITES"]) / "checksum-vectors.json").read_text("utf-8"))
# The caller must provide algorithms that the standard library lacks; here awscrt provides them.
MAKERS = {
    "crc32": HASHERS["CRC32"],
    "crc32c": lambda: AwscrtHasher("CRC32C"),
    "crc64nvme": lambda: AwscrtHasher("CRC64NVME"),
}


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case["source"])
@pytest.mark.parametrize("algorithm", MAKERS)
def test_checksums(algorithm, case):
    """A checksum of data in two pieces is the expected one."""
    data, hasher = bytes.fromhex(case["data_hex"]), MAKERS[algorithm]()
    hasher.update(data[:5])
    hasher.update(data[5:])
    assert hasher.digest().hex() == case[algorithm]
