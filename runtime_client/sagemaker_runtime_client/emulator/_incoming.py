"""The body of a request as it arrives."""

from collections.abc import AsyncGenerator

from starlette.requests import Request

# The size from which the body of a rejected request is not read, in bytes.
_MOST_DISCARDED = 64 * 1024 * 1024


class IncomingBody:
    """The body of a request as it arrives, before it is verified.

    Either `read` it whole, or read its `pieces`, which are not kept.

    Args:
        request: The request.

    All methods that read raise starlette's ClientDisconnect if the client leaves before the end of
    the body.
    """

    def __init__(self, request: Request) -> None:
        self._source = request.stream()
        self._expects_continue = request.headers.get("expect", "").lower() == "100-continue"
        self._size = int(request.headers.get("content-length", "0"))  # h11 has checked it
        self._is_started = False
        self._body: bytes | None = None

    async def begin(self) -> None:
        """Wait for the first piece unless the body has been read, and drop it."""
        await anext(self._source, b"")

    async def read(self) -> bytes:
        """Return the whole body."""
        if self._body is None:
            self._body = b"".join([piece async for piece in self.pieces()])
        return self._body

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the pieces of the body."""
        self._is_started = True
        async for piece in self._source:
            yield piece

    async def discard(self) -> dict[str, str]:
        """Read the rest of the body, and drop it.

        If the client still waits for ``100 Continue``, or if the body is large, it is not read.
        The result is the header of a response after which the server closes the connection.
        """
        if (self._expects_continue and not self._is_started) or self._size > _MOST_DISCARDED:
            return {"connection": "close"}
        async for _ in self._source:
            pass
        return {}
