"""Sources that can be read once, from their beginning to their end."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, cast

from ..._value import type_name
from ..run import is_async
from .body import SourceError, cannot_read

if TYPE_CHECKING:
    from ..concurrency import Backend

_END = object()  # what a read function returns at the end of a stream
# The maximum number of bytes that one call requests from a file.
_READ_SIZE = 1 << 20


class StreamSource:
    """A source that can be read only once, from its beginning to its end.

    Args:
        read: A function that returns the next bytes, or `_END` at the end.  Its argument is the
            desired number of bytes, but it may return fewer or more.
    """

    def __init__(self, read: Callable[[int], Coroutine[object, object, object]]) -> None:
        self._read = read
        self._ready: deque[memoryview] = (
            deque()
        )  # bytes that were read, but that `take` has not returned yet
        self._is_at_end = False

    async def take(self, size: int) -> memoryview:
        """Return the next *size* bytes, or fewer at the end of the source."""
        buffer, filled = bytearray(size), 0
        while filled < size and (self._ready or await self._fill(size - filled)):
            piece = self._ready.popleft()
            if len(piece) > size - filled:
                self._ready.appendleft(piece[size - filled :])
                piece = piece[: size - filled]
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        return memoryview(buffer)[:filled]

    def unread(self, data: memoryview) -> None:
        """Put *data*, which `take` has returned, back, so that the next `take` returns them again."""
        self._ready.appendleft(data)

    async def has_more(self) -> bool:
        """Return whether there are more bytes.  This may wait until the source returns some."""
        return bool(self._ready) or await self._fill(_READ_SIZE)

    async def close(self) -> None:
        """Do nothing, because only the caller can close the source."""

    async def _fill(self, size: int) -> bool:
        """Read more bytes unless some are ready, and return whether any are ready."""
        while not (self._is_at_end or self._ready):
            piece = await self._read(min(size, _READ_SIZE))
            if piece is _END:
                self._is_at_end = True
            elif not isinstance(piece, bytes | bytearray | memoryview):
                raise SourceError(
                    f"the source of the upload returned {type_name(piece)} instead of bytes"
                )
            elif piece:
                self._ready.append(memoryview(cast("bytes", piece)).cast("B"))
        return bool(self._ready)


class Items:
    """A read function for `StreamSource` that returns the items of an iterator one by one."""

    def __init__(self, items: Iterator[bytes]) -> None:
        self._items = items

    async def __call__(self, _size: int) -> object:
        """Return the next item, or `_END` if there are no more."""
        return next(self._items, _END)


class AsyncItems:
    """A read function for `StreamSource` that returns the items of an async iterator one by one."""

    def __init__(self, items: AsyncIterator[bytes]) -> None:
        self._items = items

    async def __call__(self, _size: int) -> object:
        """Return the next item, or `_END` if there are no more."""
        return await anext(self._items, _END)


class StreamedFile(StreamSource):
    """A file that is read from its current position to its end."""

    def __init__(self, backend: Backend, file: Any, argument: str, *, owned: bool) -> None:
        super().__init__(self._read_file)
        self._backend, self._file, self._argument = backend, file, argument
        self._owned = owned

    async def _read_file(self, size: int) -> object:
        try:
            if is_async(self._file.read):
                piece = await self._file.read(size)
            else:
                piece = await self._backend.in_thread(self._file.read, size)
        except (OSError, ValueError) as error:
            raise cannot_read(self._argument, error) from error
        return _END if isinstance(piece, bytes | bytearray) and not piece else piece

    async def close(self) -> None:
        """Close the file if it was opened from a path; leave a file of the caller open."""
        if self._owned:
            await self._backend.in_thread(self._file.close)
