"""A download into memory that the caller provides."""

from .target import Data, TargetError


class MemoryTarget:
    """A bytearray, whose size is adapted, or a memoryview, which must be large enough.

    Args:
        memory: The caller's object.
    """

    is_ordered = False
    is_readable = is_restartable = True

    def __init__(self, memory: bytearray | memoryview) -> None:
        self._memory = memory
        self._view = memoryview(b"")

    def open(self) -> None:
        """Do nothing."""

    async def begin(self, size: int) -> None:
        """Provide memory for *size* bytes."""
        memory = self._memory
        self._view.release()
        if isinstance(memory, bytearray):
            memory[:] = b""
            memory.extend(bytes(size))
        elif memory.nbytes < size:
            raise TargetError(
                f"target has {memory.nbytes:,} bytes, but the object has {size:,}: pass more memory"
            )
        self._view = memoryview(memory).cast("B")[:size]

    def view(self, offset: int, size: int) -> memoryview:
        """Return the memory for a part of the data."""
        return self._view[offset : offset + size]

    async def write(self, offset: int, data: memoryview) -> None:
        """Do nothing, because the data are already in the memory that `view` has returned."""

    async def read(self, offset: int, size: int) -> Data:
        """Return *size* bytes from *offset*."""
        return self._view[offset : offset + size]

    async def commit(self) -> None:
        """Release the caller's object."""
        self.abandon()

    def abandon(self) -> None:
        """Release the caller's object, so that its size can be changed again."""
        self._view.release()
