"""Sends requests through an httpx (or httpx2) client: a user-supplied one, or one for a proxy."""

import time
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from math import inf
from types import ModuleType
from typing import TYPE_CHECKING

from .bodies import recording, response_body
from .message import PIECE_SIZE

if TYPE_CHECKING:
    import httpx

    from .concurrency import Backend

# The seconds by which a deadline is extended, so that the timeout of a single read usually expires
# first and raises httpx's own error.
_GRACE = 0.1


class SyncClient:
    """Sends requests through a blocking client, in coroutines that never suspend.

    Args:
        httpx: The library of the client.
        client: The httpx or httpx2 client.
    """

    def __init__(self, httpx: ModuleType, client: "httpx.Client") -> None:
        self.library, self.client = httpx, client

    def reserve(self, _timeout: float) -> AbstractAsyncContextManager[None]:
        """Return a context that does nothing, because the client's own pool waits for a connection."""
        return nullcontext()

    def limit(self, _ends: float) -> AbstractAsyncContextManager[object]:
        """Return a context that does nothing, because a thread cannot be interrupted in a read."""
        return nullcontext()

    async def send(self, request: "httpx.Request", _reservation: None) -> "_Received":
        """Send a request, and return the response as soon as its head has arrived."""
        try:
            response = recording(self.library, self.client).send(
                request, stream=True, auth=None, follow_redirects=False
            )
        # A hook may raise this error, but the caller evaluates the status itself.
        except self.library.HTTPStatusError as error:
            response = error.response
        return _Received(response, _SyncBody(self.library, response))

    async def aclose(self) -> None:
        """Close the client."""
        self.client.close()


class _Received:
    """A response with the attributes that `ResponseReader` reads, and with an undecoded body."""

    def __init__(self, response: "httpx.Response", stream: "_SyncBody | _AsyncBody") -> None:
        self.status_code, self.is_success = response.status_code, response.is_success
        self.headers, self.stream = response.headers, stream


class _Body:
    """The body of a response, which httpx returns in pieces."""

    _rest = b""  # the part of the last piece that `read_into` has not returned yet

    if TYPE_CHECKING:

        async def read(self) -> bytes: ...

    async def read_into(self, buffer: memoryview) -> int:
        """Copy the next bytes of the body into *buffer*, and return their number; 0 at the end."""
        piece = self._rest or await self.read()
        size = min(len(piece), len(buffer))
        buffer[:size], self._rest = piece[:size], piece[size:]
        return size


class _SyncBody(_Body):
    def __init__(self, httpx: ModuleType, response: "httpx.Response") -> None:
        self._httpx, self._response = httpx, response
        self._pieces: Iterator[bytes] | None = None

    async def read(self) -> bytes:
        if self._pieces is None:
            self._pieces = iter(response_body(self._httpx, self._response))
        for piece in self._pieces:
            if piece:
                return piece
        return b""

    def end_by(self, _ends: float) -> bool:
        """Return False, because a thread cannot be interrupted in a read."""
        return False

    async def aclose(self) -> None:
        self._response.close()


class AsyncClient:
    """Sends requests through an async client, and adds the deadline that httpx does not support.

    Args:
        httpx: The library of the client.
        client: The httpx or httpx2 client.
        backend: The backend of the running event loop.
    """

    def __init__(self, httpx: ModuleType, client: "httpx.AsyncClient", backend: "Backend") -> None:
        self.library, self.client, self._backend = httpx, client, backend

    def reserve(self, _timeout: float) -> AbstractAsyncContextManager[None]:
        """Return a context that does nothing, because the client's own pool waits for a connection."""
        return nullcontext()

    def limit(self, ends: float) -> AbstractAsyncContextManager[object]:
        """Return a context that cancels its body shortly after *ends*, on the monotonic clock."""
        if ends == inf:
            return nullcontext()
        return self._backend.move_on_after(max(0.001, ends - time.monotonic()) + _GRACE)

    def cancelled(self) -> AbstractAsyncContextManager[object]:
        """Return a context that cancels its body when it waits."""
        return self._backend.move_on_after(0)

    async def send(self, request: "httpx.Request", _reservation: None) -> _Received:
        """Send a request, and return the response as soon as its head has arrived."""
        ends = min(request.extensions["deadline"], time.monotonic() + _time_for_head(request))
        async with self.limit(ends):
            try:
                response = await recording(self.library, self.client).send(
                    request, stream=True, auth=None, follow_redirects=False
                )
            # A hook may raise this error, but the caller evaluates the status itself.
            except self.library.HTTPStatusError as error:
                response = error.response
            return _Received(response, _AsyncBody(self, response))
        raise self.library.ReadTimeout("the response did not arrive in time", request=request)

    async def aclose(self) -> None:
        """Close the client."""
        await self.client.aclose()


class _AsyncBody(_Body):
    def __init__(self, sender: AsyncClient, response: "httpx.Response") -> None:
        self._sender, self._response = sender, response
        self._pieces: AsyncIterator[bytes] | None = None

    async def read(self) -> bytes:
        if self._pieces is None:
            body: AsyncIterable[bytes] = response_body(self._sender.library, self._response)
            self._pieces = aiter(body)
        while (piece := await anext(self._pieces, None)) is not None:
            if piece:
                return piece
        return b""

    def end_by(self, _ends: float) -> bool:
        """Return True, because `AsyncClient.limit` enforces the deadline of each read."""
        return True

    async def aclose(self) -> None:
        try:
            if self._pieces is not None:
                await self._finish_generators()
        finally:
            await self._response.aclose()

    async def _finish_generators(self) -> None:
        """Finish the async generators of httpx, if the body was not read to its end.

        Otherwise they are left to the garbage collector, and trio emits a warning for each of them.
        Closing the outermost generator would not close the generators inside it.  A cancellation
        reaches all of them, as soon as no more data are buffered.
        """
        left = PIECE_SIZE  # the buffers of httpx are not larger than this
        with suppress(Exception):
            async with self._sender.cancelled():
                while left > 0 and (piece := await self.read()):
                    left -= len(piece)


def _time_for_head(request: "httpx.Request") -> float:
    """Return the seconds until the response head arrives if each step takes its full timeout."""
    limits = request.extensions["timeout"]
    pieces = int(request.headers.get("content-length", 0)) // PIECE_SIZE
    seconds: float = sum(limits.values()) + pieces * limits["write"]
    return seconds
