"""Reads an object from beginning to end while the caller processes the bytes."""

from io import BytesIO

from ..checksums import Hasher, StatedChecksum, damaged, encode, start_verification
from ..objects import S3Object, object_fields
from .object_reader import ObjectReader, ObjectSource

_PIECE_SIZE = 256 << 10


class BodyReader:
    """The body of an object, which is verified at its end if S3 has stated a suitable checksum.

    Args:
        source: Sends the requests.

    Attributes:
        description: The description of the object; its `body` is empty.
        verified: The algorithm of the checksum that verified the object; None before the end, if
            verification is disabled, or if S3 has stated no checksum that can be computed here.
    """

    description: S3Object

    def __init__(self, source: ObjectSource) -> None:
        self._source = source
        self._reader = ObjectReader(source, 0, None, None)
        self._verification: tuple[StatedChecksum, Hasher] | None = None
        self._left = 0
        self.verified: str | None = None

    async def open(self) -> None:
        """Send the request, and wait for the head of the response."""
        await self._reader.open()
        head = self._reader.head
        self.description = S3Object(str(self._source.location), b"", **object_fields(head))
        self._left = self._reader.range.end
        if self._source.verifies:
            self._verification = start_verification(head.headers)
        self._verify_at_end()

    async def read_into(self, buffer: memoryview) -> int:
        """Read the next bytes into *buffer*, and return how many were read; return 0 at the end.

        Raises:
            ChecksumError: All bytes have been read, but they do not match the checksum of the
                object.
            TransportError: The connection was interrupted too often, or a timeout elapsed.
            ServiceError: A request for the rest of the object failed, for example because the
                object was replaced.
        """
        size = await self._reader.read_into(buffer)
        if size and self._verification is not None:
            self._verification[1].update(buffer[:size])
        self._left -= size
        self._verify_at_end()
        return size

    def _verify_at_end(self) -> None:
        if self._left or self._verification is None:
            return
        (stated, hasher), self._verification = self._verification, None
        if encode(hasher.digest()) != stated.value:
            raise damaged(self._source.location, stated, self._reader.head)
        self.verified = stated.algorithm

    async def read(self, size: int) -> bytes:
        """Return the next *size* bytes, or fewer at the end; all of the rest if *size* is negative."""
        wanted = self._left if size < 0 else min(size, self._left)
        pieces = BytesIO()  # `BytesIO.getvalue` does not copy the bytes
        buffer = memoryview(bytearray(min(wanted, _PIECE_SIZE)))
        while wanted and (count := await self.read_into(buffer[:wanted])):
            pieces.write(buffer[:count])
            wanted -= count
        return pieces.getvalue()

    async def next_piece(self) -> bytes:
        """Return the next piece of the body, or empty bytes at the end."""
        return await self.read(_PIECE_SIZE)

    async def aclose(self) -> None:
        """Release the connection."""
        await self._reader.aclose()
