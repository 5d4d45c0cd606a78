"""Targets that are open binary files, which are written from their current position."""

from __future__ import annotations

import io
from errno import EAGAIN
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, cast

from ..._errors import ParamValidationError
from .target import Data, target_errors

if TYPE_CHECKING:
    from ..concurrency import Backend, Event


class SeekableTarget:
    """An open file whose position can be changed.

    The file stays open.  After a successful download, its position is the end of the data.

    Args:
        backend: Runs the blocking calls outside the event loop.
        file: The file.
        argument: The name of the argument, for error messages.
    """

    is_ordered = False
    is_restartable = True

    def __init__(self, backend: Backend, file: BinaryIO, argument: str) -> None:
        self._backend, self._file, self._argument = backend, file, argument
        self._start, self._size = file.tell(), 0
        self._lock = Lock()  # held while the position is set and the data are read or written there
        self.is_readable = file.readable()

    def open(self) -> None:
        """Do nothing."""

    async def begin(self, size: int) -> None:
        """Store the size of the data."""
        self._size = size

    def view(self, offset: int, size: int) -> None:
        """Return None."""

    async def write(self, offset: int, data: memoryview) -> None:
        """Write all of *data* at *offset* after the initial position."""
        await self._backend.in_thread(self._write, offset, data)

    def _write(self, offset: int, data: memoryview) -> None:
        with target_errors(self._argument), self._lock:
            self._file.seek(self._start + offset)
            _write_all(self._file, data)

    async def read(self, offset: int, size: int) -> Data:
        """Return *size* bytes from *offset* after the initial position."""
        return await self._backend.in_thread(self._read, offset, size)

    def _read(self, offset: int, size: int) -> bytes:
        with target_errors(self._argument), self._lock:
            self._file.seek(self._start + offset)
            pieces: list[bytes] = []
            while size and (piece := self._file.read(size)):
                pieces.append(piece)
                size -= len(piece)
            return b"".join(pieces)

    async def commit(self) -> None:
        """Flush the file, and set its position to the end of the data."""
        await self._backend.in_thread(self._commit)

    def _commit(self) -> None:
        with target_errors(self._argument):
            self._file.seek(self._start + self._size)
            self._file.flush()

    def abandon(self) -> None:
        """Do nothing; data that were written stay in the file."""


class OrderedTarget:
    """An open file that is written in order, because it cannot seek or is in append mode.

    Args:
        backend: Runs the blocking calls outside the event loop, and creates events.
        file: The file, which stays open.
        argument: The name of the argument, for error messages.
    """

    is_ordered = True
    is_readable = is_restartable = False

    def __init__(self, backend: Backend, file: BinaryIO, argument: str) -> None:
        self._backend, self._file, self._argument = backend, file, argument
        self._position = 0
        # The events of waiting writers, keyed by the offset of their data.  A writer waits until
        # all data before this offset have been written.
        self._waiting: dict[int, Event] = {}

    def open(self) -> None:
        """Do nothing."""

    async def begin(self, size: int) -> None:
        """Do nothing."""

    def view(self, offset: int, size: int) -> None:
        """Return None."""

    async def write(self, offset: int, data: memoryview) -> None:
        """Wait until all data before *offset* have been written, and then write all of *data*."""
        if offset != self._position:
            event = self._waiting[offset] = self._backend.event()
            # Another thread may have written the preceding data before this event was stored.  That
            # thread has then not set the event.
            await event.wait(0 if offset == self._position else None)
        await self._backend.in_thread(self._write, data)
        self._position += len(data)
        if (waiting := self._waiting.pop(self._position, None)) is not None:
            waiting.set()

    def _write(self, data: memoryview) -> None:
        with target_errors(self._argument):
            _write_all(self._file, data)

    async def read(self, offset: int, size: int) -> Data:
        """Return empty bytes, because the data cannot be read again."""
        return b""

    async def commit(self) -> None:
        """Flush the file."""
        with target_errors(self._argument):
            await self._backend.in_thread(self._file.flush)

    def abandon(self) -> None:
        """Do nothing, because data that were written cannot be removed."""


def file_target(backend: Backend, file: BinaryIO, argument: str) -> SeekableTarget | OrderedTarget:
    """Return the target for the open file that was passed as *argument*.

    Raises:
        ParamValidationError: The file is closed, is not writable, or is open in text mode.
        TargetError: The position of the file cannot be determined.
    """
    if isinstance(file, io.TextIOBase):
        raise _wrong(argument, " in binary mode, such as 'wb', not in text mode")
    if file.closed:
        raise _wrong(argument, ", not closed")
    if not file.writable():
        raise _wrong(argument, " for writing, such as in mode 'wb'")
    with target_errors(argument):
        # A file in append mode always writes at its end, even if its position was changed.
        is_seekable = file.seekable() and "a" not in str(getattr(file, "mode", ""))
        return (SeekableTarget if is_seekable else OrderedTarget)(backend, file, argument)


def _wrong(argument: str, fault: str) -> ParamValidationError:
    return ParamValidationError(f"{argument} must be open{fault}", argument=argument)


def _write_all(file: BinaryIO, data: memoryview) -> None:
    """Write all of *data*, even if each call of the file's `write` accepts only a part."""
    while data:
        written = cast("int | None", file.write(data))
        if written is None:  # a non-blocking raw file cannot accept data at the moment
            raise BlockingIOError(EAGAIN, "the file must block until it accepts data")
        data = data[written:]
