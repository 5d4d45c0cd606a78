"""Request bodies that are read while they are sent: from memory, or from a region of a file.

Source: RFC 9110, section 8.6, requires the Content-Length that is sent to be right, so a file must
not change its size meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Self

from ..._errors import RuntimeClientError
from ..files import FileStream

# A body is read in pieces of this size, in bytes.  In an event loop, a thread reads each piece from
# a file, and with smaller pieces the switches between threads would take longer than the reading.
READ_SIZE = 256 * 1024

# A function that returns the bytes from an offset, as many as the second argument states.
Read = Callable[[int, int], Coroutine[object, object, bytes]]


class SourceError(RuntimeClientError):
    """The source of an upload could not be read, or it changed while it was read.

    Nothing was written, except if a previous attempt has written the object.  If another program is
    still writing the file, upload it later.
    """


class MemorySource:
    """A body in memory, which is not copied as a whole.

    Args:
        data: The bytes of the body.
    """

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")

    @property
    def size(self) -> int:
        """The size of the body in bytes."""
        return len(self._data)

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the pieces of the body, from its beginning."""
        return _Pieces(self._read, self.size)

    async def _read(self, offset: int, size: int) -> bytes:
        return bytes(self._data[offset : offset + size])


class FileSource:
    """A region of a file.  Several regions of one file can be read at the same time.

    Args:
        file: The open file.
        name: The name of the file, for messages.
        offset: The start of the region, in bytes.
        size: The size of the region in bytes.
    """

    def __init__(self, file: FileStream, name: str, offset: int, size: int) -> None:
        self._file, self._name = file, name
        self._offset, self.size = offset, size

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the pieces of the body, from its beginning."""
        return _Pieces(self._read, self.size)

    async def _read(self, offset: int, size: int) -> bytes:
        try:
            piece = await self._file.read_at(self._offset + offset, size)
        except (OSError, ValueError) as error:
            raise cannot_read(self._name, error) from error
        if len(piece) < size:
            raise SourceError(
                f"{self._name} became shorter while it was uploaded: {self._offset + self.size:,} "
                f"bytes were expected, and it ended after {self._offset + offset + len(piece):,}"
            )
        return piece


def cannot_read(name: str, error: Exception) -> SourceError:
    """Return the error for a file that cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return SourceError(f"{name} cannot be read: {reason}")


class _Pieces:
    """The pieces of a body.

    This is not a generator, because an async generator that is not exhausted is finalized on trio
    by the garbage collector, which emits a warning.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read, self._left, self._offset = read, size, 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        size = min(READ_SIZE, self._left)
        if not size:
            raise StopAsyncIteration
        piece = await self._read(self._offset, size)
        self._offset += size
        self._left -= size
        return piece
