"""Request bodies in memory or in a region of a file, which are read while they are sent.

The size of a file must not change meanwhile, because RFC 9110, section 8.6, requires that the
Content-Length header states the real length.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Self

from ..._errors import RuntimeClientError
from ..files import FileStream

# The size of the pieces in which a body is read, in bytes.  In an event loop, a thread reads each
# piece of a file.  With smaller pieces, switching between threads would take longer than reading.
READ_SIZE = 256 * 1024

# A function that receives an offset and a size, and returns the bytes of a file there.
Read = Callable[[int, int], Coroutine[object, object, bytes]]


class SourceError(RuntimeClientError):
    """The source of an upload could not be read, or it changed while it was read.

    The object was not written, unless a previous attempt of the same upload has written it.  If
    another program is still writing the file, upload it later.
    """


class MemorySource:
    """A body in memory, which is sent piece by piece without copying all of it.

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
        name: The name of the file, for error messages.
        offset: The offset at which the region starts, in bytes.
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
    """Return the error that is raised if the file *name* cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return SourceError(f"{name} cannot be read: {reason}")


class _Pieces:
    """Iterates over the pieces of a body.

    This is not an async generator: if such a generator is not exhausted, the garbage collector
    finalizes it, and on trio, a warning is then emitted.
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
