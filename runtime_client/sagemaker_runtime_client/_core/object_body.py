"""The body of an object that is read while it arrives: the result of `open`.

`ObjectBody` belongs to blocking clients, and `AsyncObjectBody` to async clients.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Self

from .._errors import RuntimeClientError
from .._io.run import run
from .._io.transport import Admission
from .._s3.downloads.body import BodyReader
from .._s3.objects import S3Object

Buffer = bytearray | memoryview
OpenReader = Callable[[], Awaitable[tuple[BodyReader, Admission]]]


class _BaseBody:
    """The body of an object.

    Attributes:
        description: The description of the object: its location, size, content type, metadata,
            entity tag and date.
    """

    def __init__(self, reader: BodyReader) -> None:
        self._reader = reader
        self.description: S3Object = reader.description

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.description!r})"

    @property
    def verified(self) -> str | None:
        """The algorithm of the checksum that verified the object, such as ``CRC32``.

        None before the end of the body, or if S3 has no checksum that this machine can compute.
        """
        return self._reader.verified


class ObjectBody(_BaseBody):
    """The body of an object.  `open` describes the errors of its methods.

    It is an iterator over pieces of at most 256 KiB.
    """

    def read(self, size: int = -1, /) -> bytes:
        """Return the next *size* bytes, or fewer at the end; all bytes if *size* is negative."""
        return run(self._reader.read(size))

    def readinto(self, buffer: Buffer, /) -> int:
        """Read the next bytes into *buffer*, and return their number, which is 0 at the end."""
        return run(self._reader.read_into(memoryview(buffer).cast("B")))

    def __iter__(self) -> Self:
        """Return the iterator itself."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        if piece := run(self._reader.next_piece()):
            return piece
        raise StopIteration


class AsyncObjectBody(_BaseBody):
    """The body of an object.  `open` describes the errors of its methods.

    It is an async iterator over pieces of at most 256 KiB.
    """

    async def read(self, size: int = -1, /) -> bytes:
        """Return the next *size* bytes, or fewer at the end; all bytes if *size* is negative."""
        return await self._reader.read(size)

    async def readinto(self, buffer: Buffer, /) -> int:
        """Read the next bytes into *buffer*, and return their number, which is 0 at the end."""
        return await self._reader.read_into(memoryview(buffer).cast("B"))

    def __aiter__(self) -> Self:
        """Return the iterator itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece."""
        if piece := await self._reader.next_piece():
            return piece
        raise StopAsyncIteration


class BodyContext:
    """A request that is sent when its context is entered, and that ends when the context is left.

    Args:
        prepare: Returns the reader of the body, which has not been opened, and the admission, which
            limits how many calls run at the same time.
    """

    def __init__(self, prepare: OpenReader) -> None:
        self._prepare: OpenReader | None = prepare
        self._reader: BodyReader | None = None
        self._admission: Admission | None = None

    def blocking(self) -> AbstractContextManager[ObjectBody]:
        """Return the context manager for a blocking client."""
        return _BlockingContext(self)

    def asynchronous(self) -> AbstractAsyncContextManager[AsyncObjectBody]:
        """Return the async context manager for an async client."""
        return _AsyncContext(self)

    async def open(self) -> BodyReader:
        """Send the request, and return the reader of the body; `close` closes the reader."""
        prepare, self._prepare = self._prepare, None
        if prepare is None:
            raise RuntimeClientError(
                "the context of an object can be entered once: call open again"
            )
        try:
            self._reader, self._admission = await prepare()
            await self._admission.acquire()
            await self._reader.open()
        except BaseException:
            await self.close()
            raise
        return self._reader

    async def close(self) -> None:
        """Release the connection, and allow another call to start."""
        try:
            if self._reader is not None:
                await self._reader.aclose()
        finally:
            if self._admission is not None:
                await self._admission.release()


class _BlockingContext(AbstractContextManager[ObjectBody]):
    def __init__(self, context: BodyContext) -> None:
        self._context = context

    def __enter__(self) -> ObjectBody:
        return ObjectBody(run(self._context.open()))

    def __exit__(self, *_: object) -> None:
        run(self._context.close())


class _AsyncContext(AbstractAsyncContextManager[AsyncObjectBody]):
    def __init__(self, context: BodyContext) -> None:
        self._context = context

    async def __aenter__(self) -> AsyncObjectBody:
        return AsyncObjectBody(await self._context.open())

    async def __aexit__(self, *_: object) -> None:
        await self._context.close()
