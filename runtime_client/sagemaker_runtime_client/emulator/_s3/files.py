"""The content of objects that is stored in files."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from weakref import finalize

from attrs import define, field

from .content import PIECE_SIZE, Content


@define(eq=False)
class FileSegment:
    """Bytes in a file, which is open only while it is read.

    Attributes:
        path: The path of the file.
        size: The number of bytes.
        is_used: Whether the bytes belong to an object.
    """

    path: Path = field(repr=False)
    size: int
    is_used: bool = False

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from *start* up to but not including *stop*."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            while start < stop and (data := file.read(min(PIECE_SIZE, stop - start))):
                yield data
                start += len(data)

    def read(self) -> bytes:
        """Return all bytes."""
        return self.path.read_bytes()

    def discard(self) -> None:
        """Delete the file when nothing refers to the segment any longer.

        Until then, the segment can be read, for example by a response that is being sent.
        """
        finalize(self, _delete, self.path)


class FileWriter:
    """Writes the content of an object to a new file.

    Args:
        folder: The folder of the file.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / token_hex(16)
        self._file = self._path.open("xb", buffering=0)
        self._size = 0

    def write(self, data: bytes) -> None:
        """Add the next bytes."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._size += len(data)

    def finish(self) -> Content:
        """Return the content."""
        self._file.close()
        return Content((FileSegment(self._path, self._size),))

    def abandon(self) -> None:
        """Delete the file."""
        self._file.close()
        _delete(self._path)


def _delete(path: Path) -> None:
    with suppress(OSError):  # on Windows, the file may be open in another program
        path.unlink()
