"""Files: read within bounds, replaced in one step, and shared by tasks that read and write by offset."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from errno import EMFILE, ENFILE
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar

from .._errors import TransportError
from .._limits import bounded

if TYPE_CHECKING:
    from pathlib import Path

    from .concurrency import Backend

T = TypeVar("T")


def read(path: str, max_bytes: int) -> bytes | None:
    """Return what a file holds, of *max_bytes* bytes at the most, or None if there is no such file."""
    try:
        with open(path, "rb") as file:
            return bounded(file.read(max_bytes + 1), max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        if os.path.exists(path):
            raise
        return None  # in a folder that is not for this user: a container's HOME may be /root
    except OSError as error:
        if is_shortage(error):
            raise shortage(f"{path} cannot be read") from error
        raise


def write(path: str, data: bytes) -> None:
    """Replace a file in one step, readable by its owner alone; make its folder if need be."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    from tempfile import mkstemp

    descriptor, name = mkstemp(dir=folder)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


class FileStream:
    """
    An open file, whose parts tasks or threads read and write side by side.

    Args:
        backend: How its calls are kept off an event loop.
        file: The file, which must be unbuffered.
    """

    def __init__(self, backend: "Backend", file: BinaryIO) -> None:
        self._backend, self._file = backend, file
        self._guard = Lock()

    @classmethod
    async def open(cls, backend: "Backend", path: "str | Path", mode: str = "rb") -> Self:
        """Open a file; *mode* is that of the function `open`, in binary."""
        return cls(backend, await backend.in_thread(_open, path, mode))

    async def size(self) -> int:
        """Return how many bytes the file has."""
        return (await self._do(os.fstat)).st_size

    async def read_at(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset* on, fewer at the end of the file."""
        return await self._do(_read_at, offset, size)

    async def write_at(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of *data* from *offset* on."""
        await self._do(_write_at, offset, data)

    async def sync(self) -> None:
        """Return once the disk has what was written."""
        await self._do(os.fsync)

    async def close(self) -> None:
        """Close the file; what is under way, of a task that was cancelled, goes on to its end."""
        await self._backend.in_thread(self._close)

    async def _do(self, step: Callable[..., T], *arguments: object) -> T:
        """Do a step in a thread, with a descriptor of its own: none that another file may have got."""
        return await self._backend.in_thread(self._with_descriptor, step, *arguments)

    def _with_descriptor(self, step: Callable[..., T], *arguments: object) -> T:
        with self._guard:
            descriptor = os.dup(self._file.fileno())
        try:
            return step(descriptor, *arguments)
        finally:
            os.close(descriptor)

    def _close(self) -> None:
        with self._guard:
            self._file.close()


def _open(path: "str | Path", mode: str) -> BinaryIO:
    return open(path, mode, buffering=0)  # type: ignore[return-value]


def _read_at(descriptor: int, offset: int, size: int) -> bytes:
    pieces: list[bytes] = []
    while size and (piece := os.pread(descriptor, size, offset)):
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return b"".join(pieces)


def _write_at(descriptor: int, offset: int, data: bytes | memoryview) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(descriptor, left, offset)
        offset += written
        left = left[written:]


class NotWrittenError(Exception):
    """A file or stdout did not take what was to be written: the disk is full, for example."""


@contextmanager
def writing(target: "str | Path") -> Generator[None]:
    """Turn each failure to write to *target* into a `NotWrittenError`; a broken pipe stays one."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NotWrittenError(f"{target} could not be written: {error.strerror}") from error


@contextmanager
def replacing(path: "Path") -> Generator[BinaryIO]:
    """
    Open a new file that takes the place of *path* when the block ends without an error.

    Until then, and after an error, *path* is as it was.  What is no regular file, such as a device
    or a pipe, is written to directly.
    """
    with writing(path):
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            with _beside(path.resolve()) as file:  # a link stays, and leads to the new file
                yield file


@contextmanager
def _beside(path: "Path") -> Generator[BinaryIO]:
    from shutil import copymode

    part = path.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            copymode(path, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_shortage(error: BaseException) -> bool:
    """Tell whether the process, or the machine, has no file descriptor left just now."""
    return isinstance(error, OSError) and error.errno in {EMFILE, ENFILE}


def shortage(failure: str, *, possibly_accepted: bool = False) -> TransportError:
    """Return what is said of a step that failed for want of a file descriptor: it may be tried again."""
    error = TransportError(
        f"{failure}: too many open files; close some, raise the limit (ulimit -n) or lower "
        "max_connections"
    )
    error.possibly_accepted = possibly_accepted
    return error
