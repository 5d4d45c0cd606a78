"""Decodes response bodies with ``Transfer-Encoding: chunked``.

    body = *( size [ ";" extension ] CRLF data CRLF ) "0" [ ";" extension ] CRLF *( trailer CRLF )
    CRLF

h11 is not used, because it needs 9 us for each chunk.  A model that streams usually sends each
event in a separate chunk, and decoding the event takes only a third of this time.

Source: RFC 9112, section 7.1.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache

import httpx

from ..._limits import HEADS_SIZE

Receive = Callable[[], Awaitable[bytes]]

_MAX_LINE_LENGTH = 4096
_MAX_DIGITS = 20  # the maximum in h11, too
_HEX_DIGITS = b"0123456789abcdefABCDEF"


class ChunkedBody:
    """Decodes one body, without its extensions and trailers.

    Args:
        received: The bytes of the body that have already arrived.
    """

    __slots__ = ("_ends_chunk", "_is_last", "_left", "_left_of_trailers", "_is_complete", "_rest")

    def __init__(self, received: bytes) -> None:
        self._is_complete = False
        self._rest = (
            received  # the received bytes that were not decoded yet, or that follow the body
        )
        self._left = 0  # how many bytes of the current chunk are still to come
        self._ends_chunk = False  # whether the next line is the CRLF after the data of a chunk
        self._is_last = False  # whether the last chunk, which has no data, has arrived
        self._left_of_trailers = HEADS_SIZE

    @property
    def is_at_end(self) -> bool:
        """Whether the whole body was decoded, and nothing follows it."""
        return self._is_complete and not self._rest

    async def read(self, receive: Receive, receive_ready: Receive) -> bytes:
        """Return the next data of the body, or empty bytes at the end of the body.

        Args:
            receive: Waits for the next bytes from the connection, and returns them.  It must raise
                an error if the server has closed the connection.
            receive_ready: Returns further bytes that have already arrived.  They are decoded
                together, because each call of this method costs more than decoding a chunk.

        Raises:
            httpx.RemoteProtocolError: The body is malformed.
        """
        data = self._decode(self._rest) if self._rest else b""
        while not (data or self._is_complete):
            received = await receive()
            data = self._decode(self._rest + received + await receive_ready())
        return data

    def _decode(self, data: bytes) -> bytes:
        """Return the content of the chunks in *data*, and store the bytes that cannot be decoded yet.

        If content precedes a malformed line, this call returns the content, and the next call
        raises the error.
        """
        pieces: list[bytes] = []
        start, size = 0, len(data)
        while start < size and not self._is_complete:
            if self._left:
                piece = data[start : start + self._left]
                pieces.append(piece)
                start += len(piece)
                self._left -= len(piece)
                continue
            try:
                end = self._parse(data, start)
            except httpx.RemoteProtocolError:
                if not pieces:
                    raise
                break
            if end == start:
                break
            start = end
        self._rest = data[start:]
        return b"".join(pieces)

    def _parse(self, data: bytes, start: int) -> int:
        """Parse the line at *start*, and return its end, or *start* if it is incomplete."""
        if self._ends_chunk:
            found = data[start : start + 2]
            if not b"\r\n".startswith(found):
                raise _malformed("a chunk is longer than its size")
            self._ends_chunk = len(found) < 2
            return start if self._ends_chunk else start + 2
        end = data.find(b"\r\n", start, start + _MAX_LINE_LENGTH + 2)
        if end < 0:
            if len(data) - start > _MAX_LINE_LENGTH + 1:
                raise _malformed("a line is too long")
            return start
        if self._is_last:
            self._left_of_trailers -= end - start + 2
            if self._left_of_trailers < 0:
                raise _malformed("the trailers are too long")
            self._is_complete = end == start
        else:
            self._left = _size(data[start:end])
            self._is_last = not self._left
            self._ends_chunk = not self._is_last
        return end + 2


@lru_cache(maxsize=256)
def _size(line: bytes) -> int:
    """Return the size in the first line of a chunk."""
    digits = line.partition(b";")[0].rstrip(b" \t")
    if not digits or len(digits) > _MAX_DIGITS or digits.strip(_HEX_DIGITS):
        raise _malformed("a chunk does not begin with its size")
    return int(digits, 16)


def _malformed(reason: str) -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError(f"the chunked response body is malformed: {reason}")
