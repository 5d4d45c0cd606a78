"""Verifies an object whose ranges are read in any order.

CRCs of ranges can be combined.  For other checksums, the object must be read in order.  If the
object has only one range, the checksum is computed while the range arrives.  Otherwise, the data
are read from the target at the end.
"""

from collections.abc import Iterable
from typing import cast

from ..._io.system import System
from ..._io.targets.target import Data, Target
from ..checksums import Crc, Hasher, StatedChecksum, encode, new_hasher
from ..crc_combine import COMBINABLE, combine

_PIECE_SIZE = 1 << 20


def needs_order(stated: StatedChecksum | None) -> bool:
    """Return whether the bytes must be read in order to compute the *stated* checksum."""
    return stated is not None and stated.algorithm not in COMBINABLE


class Verification:
    """Computes the checksum of an object from its ranges.

    Args:
        stated: The checksum that S3 has stated; None if the object cannot be verified.
        ranges: The ranges in which the object is read, in order.
    """

    def __init__(self, stated: StatedChecksum | None, ranges: Iterable[tuple[int, int]]) -> None:
        self._ranges = tuple(ranges)
        self._hashers: dict[int, Hasher] = {}
        if stated is not None and (len(self._ranges) == 1 or not needs_order(stated)):
            hashers = {start: new_hasher(stated.algorithm) for start, _ in self._ranges}
            self._hashers = cast("dict[int, Hasher]", hashers)

    def hasher(self, start: int) -> Hasher | None:
        """Return the hasher for the range that begins at *start*; None if it is not hashed."""
        return self._hashers.get(start)

    async def is_right(self, stated: StatedChecksum, system: System, target: Target) -> bool:
        """Return whether the object has the stated checksum."""
        hasher = self._hashers.get(0)
        if not needs_order(stated):
            hasher = self._combined(stated.algorithm)
        elif hasher is None:
            hasher = cast("Hasher", new_hasher(stated.algorithm))
            end = self._ranges[-1][1] if self._ranges else 0
            await read_stored(system, target, hasher, 0, end)
        return encode(hasher.digest()) == stated.value

    def _combined(self, algorithm: str) -> Hasher:
        whole = cast("Crc", new_hasher(algorithm))
        crcs = {start: cast("Crc", hasher).value for start, hasher in self._hashers.items()}
        whole.value = combine(
            algorithm, [(crcs[start], end - start) for start, end in self._ranges]
        )
        return whole


async def read_stored(system: System, target: Target, hasher: Hasher, start: int, end: int) -> None:
    """Add the bytes of *target* from *start* up to, but not including, *end* to *hasher*."""
    while start < end:
        data: Data = await target.read(start, min(_PIECE_SIZE, end - start))
        if not data:
            return  # Another program has truncated the file, so the checksum will not match.
        await system.compute(len(data), hasher.update, data)
        start += len(data)
