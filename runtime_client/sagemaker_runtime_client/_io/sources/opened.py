"""Opens the sources of uploads: bytes, files that are read by offset, and streams.

If the size of a source is known, the source is divided into regions, several of which can be read
and sent at the same time.  The parts of a stream are read into memory one after another.
"""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterable, Collection, Iterable, Mapping
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from ..._errors import ParamValidationError
from ..._value import type_name
from ..files import FileStream, is_shortage, shortage
from ..message import BodySource
from ..run import is_async
from .body import FileSource, MemorySource, SourceError, cannot_read
from .stream import AsyncItems, Items, StreamedFile, StreamSource

if TYPE_CHECKING:
    from ..concurrency import Backend

_KINDS = "bytes, a path, an open binary file, or an iterator of bytes"


class BinaryFile(Protocol):
    """A file that is open for reading in binary mode."""

    def read(self, size: int, /) -> Any:
        """Return at most *size* of the next bytes, or empty bytes at the end."""
        ...


class SizedSource(Protocol):
    """An open source whose size is known."""

    @property
    def size(self) -> int:
        """The size of the source in bytes."""
        ...

    def region(self, offset: int, size: int) -> BodySource:
        """Return *size* bytes of the source from *offset* as a request body."""
        ...

    async def check(self) -> None:
        """Raise SourceError if the source has changed since it was opened."""
        ...

    async def close(self) -> None:
        """Release the resources that opening the source has acquired."""
        ...


class MemorySections:
    """A source in memory."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")
        self.size = len(self._data)

    def region(self, offset: int, size: int) -> BodySource:
        """Return *size* bytes of the source from *offset* as a request body."""
        return MemorySource(self._data[offset : offset + size])

    async def check(self) -> None:
        """Do nothing, because the caller promises not to change the data."""

    async def close(self) -> None:
        """Do nothing."""


class FileSections:
    """A regular file, from an offset to its end.

    Args:
        backend: Reads the file.
        file: The open file.
        name: The name of the file, for error messages.
        start: The offset in bytes.
        owned: Whether `close` closes the file.
    """

    def __init__(
        self, backend: Backend, file: BinaryIO, name: str, start: int, *, owned: bool
    ) -> None:
        self._file, self._name = file, name
        self._start, self._owned = start, owned
        self._backend, self._stream = backend, FileStream(backend, file)
        self._state = _state(file)
        self.size = max(0, self._state[0] - start)

    def region(self, offset: int, size: int) -> BodySource:
        """Return *size* bytes of the source from *offset* as a request body."""
        return FileSource(self._stream, self._name, self._start + offset, size)

    async def check(self) -> None:
        """Raise SourceError if the file has changed since it was opened."""
        try:
            state = await self._backend.in_thread(_state, self._file)
        except (OSError, ValueError) as error:
            raise cannot_read(self._name, error) from error
        if state != self._state:
            raise SourceError(
                f"{self._name} changed while it was uploaded: it had {self._state[0]:,} bytes, and "
                f"now has {state[0]:,}, or another program wrote to it"
            )

    async def close(self) -> None:
        """Close the file if it was opened from a path; leave a file of the caller open."""
        if self._owned:
            await self._stream.close()


UploadSource = SizedSource | StreamSource

# The types of the sources that a caller can upload.
Source = (
    bytes
    | bytearray
    | memoryview
    | os.PathLike[str]
    | BinaryFile
    | Iterable[bytes]
    | AsyncIterable[bytes]
)


async def open_source(backend: Backend, source: object, argument: str) -> UploadSource:
    """Open the source of an upload.

    Args:
        backend: Reads files.
        source: What to upload; `_KINDS` lists the accepted kinds.
        argument: The name of the argument, for error messages.

    Raises:
        ParamValidationError: *source* is of the wrong type, or it is a file that cannot be opened.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _in_memory(cast("bytes", source), argument)
    kind = type_name(source)
    if type(source) is io.BytesIO:
        return MemorySections(source.getbuffer()[source.tell() :])
    if isinstance(source, os.PathLike):
        path = os.fsdecode(cast("os.PathLike[str]", source))
        return await backend.in_thread(_open_path, backend, path, argument)
    if hasattr(source, "read"):
        return await backend.in_thread(_open_file, backend, source, argument)
    if isinstance(source, AsyncIterable):
        return _async_stream(backend, cast("AsyncIterable[bytes]", source), argument)
    if isinstance(source, Iterable) and not isinstance(source, str | Mapping):
        if isinstance(source, list | tuple):
            _check_items(cast("Collection[object]", source), argument)
        return StreamSource(Items(iter(cast("Iterable[bytes]", source))))
    raise _wrong(argument, f"must be {_KINDS}, not {kind}")


def _check_items(source: Collection[object], argument: str) -> None:
    for item in source:
        if not isinstance(item, bytes | bytearray | memoryview):
            raise _wrong(argument, f"must be {_KINDS}, not a list that contains {type_name(item)}")


def _in_memory(data: bytes, argument: str) -> SizedSource:
    try:
        return MemorySections(data)
    except TypeError:  # the bytes of the memoryview are not contiguous
        raise _wrong(argument, "must be a memoryview of adjacent bytes") from None


def _open_path(backend: Backend, path: str, argument: str) -> UploadSource:
    try:
        file = cast("BinaryIO", open(path, "rb", buffering=0))  # noqa: SIM115 (closed by `close`)
    except OSError as error:
        if is_shortage(error):
            raise shortage(f"{argument} cannot be opened") from error
        raise _wrong(argument, f"cannot be opened: {error.strerror}") from error
    if S_ISREG(os.fstat(file.fileno()).st_mode):
        return FileSections(backend, file, os.path.basename(path), 0, owned=True)
    return StreamedFile(backend, file, argument, owned=True)


def _open_file(backend: Backend, file: Any, argument: str) -> UploadSource:
    """Open a plain file object on a regular file by offset, and any other file object as a stream.

    A file object of another class may seek slowly, or may return different data than its
    descriptor. For example, the descriptor of a `gzip.GzipFile` returns compressed data.
    """
    if isinstance(file, io.TextIOBase):
        raise _wrong(argument, 'must be a file in binary mode: open it with "rb"')
    if backend.is_blocking and is_async(file.read):
        raise _not_async(argument)
    if getattr(file, "closed", False):
        raise _wrong(argument, "is a closed file")
    raw = getattr(file, "raw", file)
    is_plain = type(file) in {io.FileIO, io.BufferedReader, io.BufferedRandom}
    if is_plain and type(raw) is io.FileIO and S_ISREG(os.fstat(raw.fileno()).st_mode):
        start = file.tell()
        if file.writable():
            file.flush()
        name = os.path.basename(str(file.name))
        return FileSections(backend, file, name, start, owned=False)
    return StreamedFile(backend, file, argument, owned=False)


def _async_stream(backend: Backend, source: Any, argument: str) -> StreamSource:
    if backend.is_blocking:
        raise _not_async(argument)
    return StreamSource(AsyncItems(aiter(source)))


def _state(file: BinaryIO) -> tuple[int, int]:
    """Return the size of a file in bytes, and the time of its last change in nanoseconds."""
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


def _not_async(argument: str) -> ParamValidationError:
    return _wrong(
        argument,
        "must not be async: pass an iterator of bytes, or use AsyncSageMakerRuntimeClient",
    )


def _wrong(argument: str, fault: str) -> ParamValidationError:
    return ParamValidationError(f"{argument} {fault}", argument=argument)
