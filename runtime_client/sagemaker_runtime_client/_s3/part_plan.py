"""How an object is divided into the parts of a multipart upload.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from collections.abc import Iterator
from typing import NamedTuple

from .._errors import ParamValidationError
from .arguments import check_number

MEBIBYTE = 1 << 20
MIN_PART_SIZE = 5 * MEBIBYTE  # does not apply to the last part
MAX_PART_SIZE = 5 << 30
MAX_PARTS = 10_000
MAX_OBJECT_SIZE = 5 << 40
DEFAULT_PART_SIZE = 8 * MEBIBYTE


class Part(NamedTuple):
    """A part of an object: its number, which starts at 1, its offset, and its size in bytes."""

    number: int
    offset: int
    size: int


class PartPlan(NamedTuple):
    """The division of an object into parts.

    Attributes:
        size: The size of the object in bytes.
        part_size: The size of each part, except the last one, which may be smaller.
    """

    size: int
    part_size: int

    @property
    def part_count(self) -> int:
        """The number of parts; an empty object has one."""
        return max(1, -(-self.size // self.part_size))

    def parts(self) -> Iterator[Part]:
        """Return an iterator over the parts, in order."""
        for index in range(self.part_count):
            offset = index * self.part_size
            yield Part(index + 1, offset, min(self.part_size, self.size - offset))


def plan_parts(size: int, part_size: int | None = None) -> PartPlan:
    """Return the division of an object of *size* bytes into parts.

    Args:
        size: The size of the object.
        part_size: The requested size of a part; None for 8 MiB.  If the object would have more than
            10,000 parts, a larger size is used, in whole mebibytes.

    Raises:
        ParamValidationError: The object is too large, or *part_size* is invalid.
    """
    if size > MAX_OBJECT_SIZE:
        raise ParamValidationError(
            f"source has {size:,} bytes; an object in S3 has at most {MAX_OBJECT_SIZE:,} (5 TiB)",
            argument="source",
        )
    wanted = DEFAULT_PART_SIZE
    if part_size is not None:
        wanted = check_number("part_size", part_size, MIN_PART_SIZE, MAX_PART_SIZE, "bytes")
    least = -(-size // MAX_PARTS)
    if wanted < least:
        wanted = -(-least // MEBIBYTE) * MEBIBYTE
    return PartPlan(size, wanted)
