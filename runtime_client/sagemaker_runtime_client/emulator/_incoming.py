"""The body of a request as it arrives."""

from collections.abc import AsyncGenerator

from starlette.requests import Request

# The maximum size of a rejected request's body that is read to its end, in bytes.
_MOST_DISCARDED = 64 * 1024 * 1024


class IncomingBody:
    """The body of a request as it arrives, before it is verified.

    Either `read` returns the whole body, or `pieces` yields it without storing it.

    Args:
        request: The request.

    All methods that read raise starlette's ClientDisconnect if the client disconnects before the
    end of the body.
    """

    def __init__(self, request: Request) -> None:
        self._source = request.stream()
        self._expects_continue = request.headers.get("expect", "").lower() == "100-continue"
        self._size = int(
            request.headers.get("content-length", "0")
        )  # h11 has checked that it is a number
        self._is_started = False
        self._body: bytes | None = None

    async def begin(self) -> None:
        """Wait for the first piece of the body and discard it, unless the body has been read."""
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
        """Read the rest of the body, and discard it.

        If the client is still waiting for ``100 Continue``, or if the body is large, the body is
        not read.  Then the result is a header for the response, after which the server closes the
        connection; otherwise, the result is empty.
        """
        if (self._expects_continue and not self._is_started) or self._size > _MOST_DISCARDED:
            return {"connection": "close"}
        async for _ in self._source:
            pass
        return {}
