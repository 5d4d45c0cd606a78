"""A target in memory that the caller provides."""

from .target import Data, TargetError


class MemoryTarget:
    """Memory of the caller that receives an object.

    A bytearray is resized to the size of the object.  A memoryview must be large enough.

    Args:
        memory: The bytearray or memoryview of the caller.
    """

    is_ordered = False
    is_readable = is_restartable = True

    def __init__(self, memory: bytearray | memoryview) -> None:
        self._memory = memory
        self._view = memoryview(b"")

    def open(self) -> None:
        """Do nothing."""

    async def begin(self, size: int) -> None:
        """Provide memory for *size* bytes.

        Raises:
            TargetError: The memoryview of the caller is too small.
        """
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
        """Return the memory for *size* bytes from *offset*."""
        return self._view[offset : offset + size]

    async def write(self, offset: int, data: memoryview) -> None:
        """Do nothing, because the caller has written the data to the memory that `view` returned."""

    async def read(self, offset: int, size: int) -> Data:
        """Return *size* bytes from *offset*."""
        return self._view[offset : offset + size]

    async def commit(self) -> None:
        """Release the caller's memory, so that a bytearray can be resized again."""
        self.abandon()

    def abandon(self) -> None:
        """Release the caller's memory, so that a bytearray can be resized again."""
        self._view.release()
