"""Tests of combining the CRCs of parts into the CRC of the whole."""

import zlib
from itertools import pairwise

import pytest
from awscrt import checksums as awscrt
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client._s3.crc_combine import COMBINABLE, combine

CRCS = {"CRC32": zlib.crc32, "CRC32C": awscrt.crc32c, "CRC64NVME": awscrt.crc64nvme}
REFERENCES = {
    "CRC32": awscrt.combine_crc32,
    "CRC32C": awscrt.combine_crc32c,
    "CRC64NVME": awscrt.combine_crc64nvme,
}
TEBIBYTE = 1 << 40
each_algorithm = pytest.mark.parametrize("algorithm", sorted(COMBINABLE))


untimed = settings(deadline=None)  # the tests must not fail on a busy machine


@each_algorithm
@untimed
@given(
    data=st.binary(max_size=300), cuts=st.lists(st.integers(min_value=0, max_value=300), max_size=9)
)
def test_splits(algorithm, data, cuts):
    """For any division of data into parts, including empty ones, `combine` returns the CRC of the
    data.
    """
    crc = CRCS[algorithm]
    borders = sorted([0, *(min(cut, len(data)) for cut in cuts), len(data)])
    parts = [data[start:end] for start, end in pairwise(borders)]
    assert combine(algorithm, [(crc(part), len(part)) for part in parts]) == crc(data)


@each_algorithm
@untimed
@given(data=st.data(), length=st.integers(min_value=1, max_value=5 * TEBIBYTE))
def test_lengths(algorithm, data, length):
    """For parts of up to 5 TiB, `combine` returns the same CRC as awscrt."""
    values = st.integers(min_value=0, max_value=(1 << (64 if "64" in algorithm else 32)) - 1)
    one, other = data.draw(values), data.draw(values)
    expected = REFERENCES[algorithm](one, other, length)
    # The length of the first part does not affect the result.
    assert combine(algorithm, [(one, 1), (other, length)]) == expected


@each_algorithm
def test_no_parts(algorithm):
    """Without parts, `combine` returns the CRC of empty data."""
    assert combine(algorithm, []) == CRCS[algorithm](b"")
