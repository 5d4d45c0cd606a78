"""Tests of how an object is divided into parts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client._s3.part_plan import (
    DEFAULT_PART_SIZE,
    MAX_OBJECT_SIZE,
    MAX_PART_SIZE,
    MAX_PARTS,
    MEBIBYTE,
    MIN_PART_SIZE,
    Part,
    plan_parts,
)

SIZES = st.integers(min_value=0, max_value=MAX_OBJECT_SIZE)
PART_SIZES = st.none() | st.integers(min_value=MIN_PART_SIZE, max_value=MAX_PART_SIZE)


untimed = settings(deadline=None)  # so that the tests do not fail on a busy machine


@untimed
@given(size=SIZES, part_size=PART_SIZES)
def test_limits(size, part_size):
    """Every plan respects the limits of S3, and covers the whole object."""
    plan = plan_parts(size, part_size)
    assert MIN_PART_SIZE <= plan.part_size <= MAX_PART_SIZE
    assert 1 <= plan.part_count <= MAX_PARTS
    assert (plan.part_count - 1) * plan.part_size <= size <= plan.part_count * plan.part_size


@untimed
@given(
    size=st.integers(min_value=0, max_value=100 * MIN_PART_SIZE),
    part_size=st.integers(min_value=MIN_PART_SIZE, max_value=2 * MIN_PART_SIZE),
)
def test_parts(size, part_size):
    """The parts of a plan are numbered from 1 and adjacent, and together cover the object."""
    parts = list(plan_parts(size, part_size).parts())
    ends = [part.offset + part.size for part in parts]
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert [part.offset for part in parts] == [0, *ends[:-1]]
    assert ends[-1] == size
    assert {part.size for part in parts[:-1]} <= {part_size}


@pytest.mark.parametrize(
    ("size", "part_size", "count"),
    [
        (0, DEFAULT_PART_SIZE, 1),
        (DEFAULT_PART_SIZE, DEFAULT_PART_SIZE, 1),
        (DEFAULT_PART_SIZE + 1, DEFAULT_PART_SIZE, 2),
        (DEFAULT_PART_SIZE * MAX_PARTS, DEFAULT_PART_SIZE, MAX_PARTS),
        (DEFAULT_PART_SIZE * MAX_PARTS + 1, 9 * MEBIBYTE, 8889),
        (MAX_OBJECT_SIZE, 525 * MEBIBYTE, 9987),
    ],
)
def test_the_default(size, part_size, count):
    """The default part size is 8 MiB; it grows by whole mebibytes if there would be too many parts."""
    plan = plan_parts(size)
    assert (plan.part_size, plan.part_count) == (part_size, count)


def test_an_empty_object():
    """The plan for an empty object has one empty part, because S3 requires at least one part."""
    assert list(plan_parts(0).parts()) == [Part(1, 0, 0)]


@pytest.mark.parametrize("part_size", [MIN_PART_SIZE - 1, MAX_PART_SIZE + 1, 8e6, "8", True])
def test_invalid_part_sizes(part_size):
    """A part size outside the limits of S3 is rejected."""
    with pytest.raises(ParamValidationError) as caught:
        plan_parts(1, part_size)
    assert caught.value.argument == "part_size"


def test_too_large():
    """An object that is too large for S3 is rejected."""
    with pytest.raises(ParamValidationError, match="has 5,497,558,138,881 bytes") as caught:
        plan_parts(MAX_OBJECT_SIZE + 1)
    assert caught.value.argument == "source"
