"""The protocol that the targets of downloads implement, and the error that they raise."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from errno import ENOSPC
from os import PathLike
from typing import BinaryIO, Protocol

from ..._errors import RuntimeClientError

Data = bytes | bytearray | memoryview
AnyPath = str | PathLike[str]
TargetLike = AnyPath | BinaryIO | bytearray | memoryview


class TargetError(RuntimeClientError):
    """The target of a download cannot be opened, written, read or replaced.

    The message states the target and the reason, such as a full disk or a missing folder.  Fix the
    cause, and call the operation again.

    Attributes:
        errno: The error number of the operating system; None if the error has another cause.
    """

    def __init__(self, message: str = "", *, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno


class Target(Protocol):
    """Where a download writes its data.

    Attributes:
        is_ordered: Whether the data are written in the order of their offsets.  If so, a download
            of several ranges writes each range in one call.
        is_readable: Whether data that were written can be read again.
        is_restartable: Whether the download can start again from the beginning.
    """

    is_ordered: bool
    is_readable: bool
    is_restartable: bool

    def open(self) -> None:
        """Open the file if the target is a path; other targets are already open."""
        ...

    async def begin(self, size: int) -> None:
        """Discard the previous content, and prepare for *size* bytes."""
        ...

    def view(self, offset: int, size: int) -> memoryview | None:
        """Return the memory for *size* bytes from *offset*, or None if the target is not in memory.

        If memory is returned, the caller writes the data to it before calling `write`.
        """
        ...

    async def write(self, offset: int, data: memoryview) -> None:
        """Write all of *data* at *offset*, unless they are already in the memory of `view`."""
        ...

    async def read(self, offset: int, size: int) -> Data:
        """Return *size* bytes from *offset*, or fewer if the data end earlier."""
        ...

    async def commit(self) -> None:
        """Complete the target, after all data have been written and, if possible, verified."""
        ...

    def abandon(self) -> None:
        """Release the resources of the target, and remove data that were not committed, if possible.

        After `commit` or an earlier call, this method does nothing.  It does not wait, so it can
        also be called in a cancelled task.
        """
        ...


@contextmanager
def target_errors(label: str) -> Generator[None]:
    """Convert an OSError in the `with` block to `TargetError`.

    Args:
        label: The name of the argument, followed by the path if there is one.
    """
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == ENOSPC else error.strerror or str(error)
        raise TargetError(f"{label}: {reason}", errno=error.errno) from error
