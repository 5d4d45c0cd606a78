"""The protocol of the targets of a download, and the error that they raise."""

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

    The message mentions the target and the reason, such as a full disk or a missing folder.
    Correct the reason, and call the operation again.

    Attributes:
        errno: The number of the operating system's error; None if there was none.
    """

    def __init__(self, message: str = "", *, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno


class Target(Protocol):
    """Where a download writes its data.

    Attributes:
        is_ordered: Whether the data must be written in order, in one call for each part.
        is_readable: Whether the data can be read again.
        is_restartable: Whether the data can be written again from the beginning.
    """

    is_ordered: bool
    is_readable: bool
    is_restartable: bool

    def open(self) -> None:
        """Open the target, and check that it can be written."""
        ...

    async def begin(self, size: int) -> None:
        """Prepare for *size* bytes, whose previous content is discarded."""
        ...

    def view(self, offset: int, size: int) -> memoryview | None:
        """Return the memory for a part of the data, or None if `write` must be called for it.

        If memory is returned, the caller writes to it directly.
        """
        ...

    async def write(self, offset: int, data: memoryview) -> None:
        """Write all of *data* at *offset*."""
        ...

    async def read(self, offset: int, size: int) -> Data:
        """Return *size* bytes from *offset*, or fewer if the data end earlier."""
        ...

    async def commit(self) -> None:
        """Make the target complete: the data were all written, and verified if possible."""
        ...

    def abandon(self) -> None:
        """Release what the target occupies, and undo what was not committed.

        After `commit`, or a second time, this method does nothing.  It does not wait, so that it
        also works in a cancelled task.
        """
        ...


@contextmanager
def target_errors(label: str) -> Generator[None]:
    """Convert an OSError in the block to `TargetError`.

    Args:
        label: The name of the argument and, if it is a path, the path.
    """
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == ENOSPC else error.strerror or str(error)
        raise TargetError(f"{label}: {reason}", errno=error.errno) from error
