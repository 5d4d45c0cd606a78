"""Computes the CRC of concatenated parts from the CRCs and the lengths of the parts.

A CRC is the remainder of a polynomial division.  Appending *n* bytes multiplies the polynomial of
the preceding data by x to the power of 8n.  Therefore the CRC of the concatenated data can be
computed from this power and the two CRCs, without the data.

Source: https://github.com/madler/zlib/blob/v1.3.1/crc32.c (crc32_combine), which does the same.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple


class _Crc(NamedTuple):
    """The parameters of a CRC: its size in bits, and its bit-reversed polynomial."""

    bits: int
    polynomial: int


_CRCS = {
    "CRC32": _Crc(32, 0xEDB88320),
    "CRC32C": _Crc(32, 0x82F63B78),
    "CRC64NVME": _Crc(64, 0x9A6C9329AC4BC9B5),
}
COMBINABLE = frozenset(_CRCS)


def combine(algorithm: str, parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC of the concatenated parts.

    Args:
        algorithm: One of `COMBINABLE`.
        parts: The CRC and the length in bytes of each part, in order.

    >>> from zlib import crc32
    >>> combine("CRC32", [(crc32(b"1234"), 4), (crc32(b"56789"), 5)]) == crc32(b"123456789")
    True
    """
    crc, whole = _CRCS[algorithm], 0
    for checksum, length in parts:
        whole = _multiply(crc, _power(crc, length), whole) ^ checksum
    return whole


@lru_cache(256)  # all parts of an upload, except the last one, have the same length
def _power(crc: _Crc, length: int) -> int:
    """Return ``x ** (8 * length)``, modulo the polynomial."""
    power, square = 1 << (crc.bits - 1), 1 << (crc.bits - 1 - 8)
    while length:
        if length & 1:
            power = _multiply(crc, power, square)
        square = _multiply(crc, square, square)
        length >>= 1
    return power


def _multiply(crc: _Crc, one: int, other: int) -> int:
    """Return the product of two polynomials, modulo the polynomial of the CRC."""
    product = 0
    for bit in reversed(range(crc.bits)):
        if one >> bit & 1:
            product ^= other
        other = other >> 1 ^ (crc.polynomial if other & 1 else 0)
    return product
