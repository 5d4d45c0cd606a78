"""Reads files up to a size limit, replaces files atomically, and reads and writes at offsets."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from errno import EMFILE, ENFILE
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar, cast

from .._errors import TransportError
from .._limits import bounded

if TYPE_CHECKING:
    from pathlib import Path

    from .concurrency import Backend

T = TypeVar("T")


def read(path: str, max_bytes: int) -> bytes | None:
    """Return the content of a file, or None if it does not exist.

    Raise OSError if the file cannot be read or has more than *max_bytes* bytes, and TransportError
    if no file descriptor is free.
    """
    try:
        with open(path, "rb") as file:
            return bounded(file.read(max_bytes + 1), max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        if os.path.exists(path):
            raise
        return None  # a parent directory is not accessible: HOME in a container may be /root
    except OSError as error:
        if is_shortage(error):
            raise shortage(f"{path} cannot be read") from error
        raise


def write(path: str, data: bytes) -> None:
    """Replace a file atomically with a new file that only its owner can read.

    Create the directory of the file if necessary.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    from tempfile import mkstemp

    descriptor, name = mkstemp(dir=folder)  # the new file has mode 0600
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
    """An open file that tasks or threads read and write concurrently, by offset.

    Args:
        backend: Runs the blocking calls outside the event loop.
        file: The file, which must be unbuffered.
    """

    def __init__(self, backend: Backend, file: BinaryIO) -> None:
        self._backend, self._file = backend, file
        self._guard = Lock()

    @classmethod
    async def open(cls, backend: Backend, path: str | Path, mode: str = "rb") -> Self:
        """Open a file in a binary *mode* of the built-in function `open`."""
        return cls(backend, await backend.in_thread(_open, path, mode))

    async def size(self) -> int:
        """Return the size of the file in bytes."""
        return (await self._do(os.fstat)).st_size

    async def read_at(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset*, or fewer if the file ends earlier."""
        return await self._do(_read_at, offset, size)

    async def write_at(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of *data* at *offset*."""
        await self._do(_write_at, offset, data)

    async def truncate(self) -> None:
        """Discard all data."""
        await self._do(os.ftruncate, 0)

    async def sync(self) -> None:
        """Wait until all written data are on the disk."""
        await self._do(os.fsync)

    def sync_now(self) -> None:
        """Do the same as `sync` in the current thread."""
        self._with_descriptor(os.fsync)

    async def close(self) -> None:
        """Close the file.

        If a task was cancelled while its operation ran in a thread, that operation continues.
        """
        await self._backend.in_thread(self.close_now)

    def close_now(self) -> None:
        """Close the file in the current thread."""
        self._alone(self._file.close)

    async def _do(self, step: Callable[..., T], *arguments: object) -> T:
        """Run *step* in a thread, with a duplicate of the file's descriptor.

        The duplicate stays open until the step ends.  If the file is closed meanwhile, the step
        therefore cannot access another file that was opened with the same descriptor number.
        """
        return await self._backend.in_thread(self._with_descriptor, step, *arguments)

    def _with_descriptor(self, step: Callable[..., T], *arguments: object) -> T:
        descriptor = self._alone(lambda: os.dup(self._file.fileno()))
        try:
            return step(descriptor, *arguments)
        finally:
            os.close(descriptor)

    def _alone(self, step: Callable[[], T]) -> T:
        """Call *step* while no other thread does.

        Such a call takes microseconds.  If the lock is not free for a second, Ctrl-C in this thread
        has prevented its release.
        """
        is_held = self._guard.acquire(timeout=1)
        try:
            return step()
        finally:
            if is_held:
                self._guard.release()


def _open(path: str | Path, mode: str) -> BinaryIO:
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
    """Data could not be written to a file or to stdout, for example because the disk is full."""


@contextmanager
def writing(target: str | Path) -> Generator[None]:
    """Convert an OSError in the block to `NotWrittenError`, unless it reports a broken pipe."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NotWrittenError(f"{target} could not be written: {error.strerror}") from error


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """Open a new file that replaces *path* when the block ends without an error.

    *path* is unchanged until the block ends, and also after an error.  A device, a pipe or anything
    else that is not a regular file is written to directly.
    """
    with writing(path):
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            # A symbolic link is kept, and its target is replaced.
            with _beside(path.resolve()) as file:
                yield file


@contextmanager
def _beside(path: Path) -> Generator[BinaryIO]:
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


@contextmanager
def growing(path: Path) -> Generator[BinaryIO]:
    """Create or empty a file, and open it without a buffer, so that readers see each write."""
    with writing(path), path.open("wb", buffering=0) as file:
        yield cast("BinaryIO", file)


def write_all(file: BinaryIO, data: bytes) -> None:
    """Write all of *data*, even if the file has no buffer and accepts it piece by piece; flush."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
    file.flush()


def is_shortage(error: BaseException) -> bool:
    """Return whether *error* means that the process or the machine has no free file descriptor."""
    return isinstance(error, OSError) and error.errno in {EMFILE, ENFILE}


def shortage(failure: str, *, possibly_accepted: bool = False) -> TransportError:
    """Return the error for a step that found no free file descriptor.

    The error is retryable.
    """
    error = TransportError(
        f"{failure}: too many open files; close some, raise the limit (ulimit -n) or lower "
        "max_connections"
    )
    error.possibly_accepted = possibly_accepted
    return error


def call_shortage(error: OSError) -> TransportError:
    """Return the error for a call that found no free file descriptor.

    The error has the job's handle or inference id if that is known.
    """
    known = {name: getattr(error, name, None) for name in ("invocation", "inference_id")}
    is_possible = known["invocation"] is None and known["inference_id"] is not None
    failure = shortage("the call failed", possibly_accepted=is_possible)
    vars(failure).update(known)
    return failure
