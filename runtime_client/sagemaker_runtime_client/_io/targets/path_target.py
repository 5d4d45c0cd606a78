"""Targets that are paths: a download writes to a temporary file, which finally replaces the path.

The temporary file is in the same folder, and is called ``.NAME.RANDOM.part``.  `ResumableTarget`
calls it ``.NAME.part`` instead, and keeps it after a failure together with ``.NAME.part.json``, the
state from which a later download can continue.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, cast

from ..files import FileStream, write
from .locks import try_lock
from .target import Data, TargetError, target_errors

if TYPE_CHECKING:
    from ..concurrency import Backend

# A longer name is shortened in the name of the temporary file.  File names have at most 255 bytes,
# and the name of the temporary file contains additional characters.
_MAX_NAME_LENGTH = 200
# Symbolic links are not followed, because they could lead to other files.  Opening a pipe must not
# block.  On Windows, neither flag exists.
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class PathTarget:
    """A path whose file is replaced when the download is complete.

    If the path is a symbolic link, the link itself is replaced.  The new file has the permissions
    that the umask allows for new files.

    Args:
        backend: Runs the blocking calls outside the event loop.
        path: The path.
        label: The name of the argument and the path, for error messages.
    """

    is_ordered = False
    is_readable = is_restartable = True

    def __init__(self, backend: Backend, path: str, label: str) -> None:
        self._backend, self._label = backend, label
        self._path = os.path.abspath(path)
        self._folder, name = os.path.split(self._path)
        if len(os.fsencode(name)) > _MAX_NAME_LENGTH:
            name = f"{name[:40]}.{sha256(os.fsencode(name)).hexdigest()[:16]}"
        self._part = os.path.join(self._folder, self._part_name(name))
        self._stream: FileStream | None = None

    def _part_name(self, name: str) -> str:
        return f".{name}.{os.urandom(8).hex()}.part"

    def open(self) -> None:
        """Open the temporary file.

        Raises:
            TargetError: The folder is missing or not writable, or the path is a folder, a device or
                another special file.
        """
        with target_errors(self._label):
            if os.path.isdir(self._path) or not os.path.basename(self._path):
                raise TargetError(f"{self._label} is a folder, not a file")
            if os.path.exists(self._path) and not os.path.isfile(self._path):
                raise TargetError(
                    f"{self._label} is not a regular file: open it, and pass the open file"
                )
            self._stream = FileStream(self._backend, self._open())

    def _open(self) -> BinaryIO:
        return cast("BinaryIO", open(self._part, "x+b", buffering=0))

    @property
    def _file(self) -> FileStream:
        return cast("FileStream", self._stream)

    async def begin(self, size: int) -> None:
        """Discard the data in the temporary file."""
        with target_errors(self._label):
            await self._file.truncate()

    def view(self, offset: int, size: int) -> None:
        """Return None."""

    async def write(self, offset: int, data: memoryview) -> None:
        """Write all of *data* at *offset* in the temporary file."""
        with target_errors(self._label):
            await self._file.write_at(offset, data)

    async def read(self, offset: int, size: int) -> Data:
        """Return *size* bytes from *offset* in the temporary file, or fewer at its end."""
        with target_errors(self._label):
            return await self._file.read_at(offset, size)

    async def commit(self) -> None:
        """Wait until the data are on the disk, and move the temporary file to the path."""
        with target_errors(self._label):
            await self._file.sync()
            await self._backend.in_thread(self._replace)

    def _replace(self) -> None:
        os.replace(self._part, self._path)
        self._remove_state()
        self._close()
        _sync_folder(self._folder)

    def _remove_state(self) -> None:
        pass

    def abandon(self) -> None:
        """Remove the temporary file."""
        with suppress(OSError):
            os.unlink(self._part)
        self._close()

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close_now()


class ResumableTarget(PathTarget):
    """A path target that keeps the data and the state of a failed download.

    A lock ensures that only one download at a time uses these files, even among several processes.
    """

    def _part_name(self, name: str) -> str:
        return f".{name}.part"

    @property
    def _state_path(self) -> str:
        return f"{self._part}.json"

    def _open(self) -> BinaryIO:
        return cast("BinaryIO", open(self._part, "r+b", buffering=0, opener=self._open_locked))

    def _open_locked(self, path: str, flags: int) -> int:
        descriptor = os.open(path, flags | _FLAGS | os.O_CREAT, 0o666)
        try:
            self._lock(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _lock(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if not S_ISREG(found.st_mode):
            raise TargetError(f"{self._label}: {self._part} is not a regular file: remove it")
        # After this process has opened the file, but before it has locked it, another process may
        # have completed a download and renamed the file.
        if not (try_lock(descriptor) and os.path.samestat(found, os.stat(self._part))):
            raise TargetError(f"{self._label}: another download to this path is in progress")

    async def load_state(self, max_bytes: int) -> tuple[bytes, int]:
        """Return the stored state and the size of the stored data in bytes.

        The state is empty if none is stored, or if it has more than *max_bytes* bytes.
        """
        with target_errors(self._label):
            size = await self._file.size()
            return await self._backend.in_thread(self._load_state, max_bytes), size

    def _load_state(self, max_bytes: int) -> bytes:
        with suppress(FileNotFoundError), open(self._state_path, "rb", opener=_open_file) as file:
            state = file.read(max_bytes + 1)
            return state if len(state) <= max_bytes else b""
        return b""

    async def save_state(self, state: bytes) -> None:
        """Wait until the data are on the disk, and then store the state."""
        with target_errors(self._label):
            await self._file.sync()
            await self._backend.in_thread(write, self._state_path, state)

    def save_state_now(self, state: bytes) -> None:
        """Store the state without using the event loop; ignore errors of the file system."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.sync_now()
                write(self._state_path, state)

    def _remove_state(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._state_path)

    async def begin(self, size: int) -> None:
        """Remove the state, and discard the data in the temporary file."""
        with target_errors(self._label):
            self._remove_state()
        await super().begin(size)

    def abandon(self) -> None:
        """Close the temporary file, and remove it unless a state was stored."""
        if self._stream is None:
            return  # another download may use the files now
        if os.path.exists(self._state_path):
            self._close()
        else:
            super().abandon()


def _open_file(path: str, flags: int) -> int:
    return os.open(path, flags | _FLAGS)


def _sync_folder(folder: str) -> None:
    """Wait until the new file name is on the disk, unless the system does not support this."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
