"""The content of an object, which can be read in pieces, and from any position."""

from collections.abc import Iterable, Iterator
from typing import Protocol, Self

from attrs import field, frozen

# The maximum size of a piece in which content is read, in bytes.
PIECE_SIZE = 256 * 1024
_SEGMENT_SIZE = 1024 * 1024


class Segment(Protocol):
    """A part of an object's content."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from *start* up to but not including *stop*."""
        ...

    def read(self) -> bytes:
        """Return all bytes."""
        ...

    def discard(self) -> None:
        """Release the storage of the bytes as soon as no one reads them any longer."""
        ...


@frozen
class MemorySegment:
    """Bytes in memory."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.data)

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from *start* up to but not including *stop*."""
        for first in range(start, stop, PIECE_SIZE):
            yield self.data[first : min(first + PIECE_SIZE, stop)]

    def read(self) -> bytes:
        """Return all bytes."""
        return self.data

    def discard(self) -> None:
        """Do nothing: Python releases the memory."""


@frozen(repr=False, eq=False)
class Content:
    """The content of an object: its segments, one after the other.

    Attributes:
        segments: The segments; a segment that is not in memory is read when it is needed.
    """

    segments: tuple[Segment, ...]

    @classmethod
    def joined(cls, contents: "Iterable[Content]") -> Self:
        """Return the concatenation of several contents, without copying bytes."""
        return cls(tuple(segment for content in contents for segment in content.segments))

    def __repr__(self) -> str:
        return f"<{self.size} bytes>"

    @property
    def size(self) -> int:
        """The number of bytes."""
        return sum([segment.size for segment in self.segments])

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from *start* up to but not including *stop*, in pieces.

        Args:
            start: The position of the first byte.
            stop: The position after the last byte; None for the end.
        """
        position, end = 0, self.size if stop is None else stop
        for segment in self.segments:
            first, last = max(start - position, 0), min(end - position, segment.size)
            if first < last:
                yield from segment.pieces(first, last)
            position += segment.size

    def read(self) -> bytes:
        """Return all bytes."""
        return b"".join([segment.read() for segment in self.segments])

    def discard(self) -> None:
        """Release the storage of the bytes as soon as no one reads them any longer."""
        for segment in self.segments:
            segment.discard()


def as_content(body: bytes | Content) -> Content:
    """Return *body* as `Content`."""
    return body if isinstance(body, Content) else Content((MemorySegment(body),))


class ContentWriter(Protocol):
    """Stores the content of an object while it arrives."""

    def write(self, data: bytes) -> None:
        """Add the next bytes."""
        ...

    def finish(self) -> Content:
        """Return the content that has been written."""
        ...

    def abandon(self) -> None:
        """Discard the bytes that have been written."""
        ...


class MemoryWriter:
    """Stores the content of an object in memory, without copying all of it at the end."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._buffer = bytearray()

    def write(self, data: bytes) -> None:
        """Add the next bytes."""
        self._buffer += data
        if len(self._buffer) >= _SEGMENT_SIZE:
            self._flush()

    def finish(self) -> Content:
        """Return the content that has been written."""
        self._flush()
        return Content(tuple(self._segments))

    def abandon(self) -> None:
        """Do nothing: Python releases the memory."""

    def _flush(self) -> None:
        self._segments.append(MemorySegment(bytes(self._buffer)))
        self._buffer.clear()
