"""
Bodies in the terms of httpx (or httpx2): a request's, piece by piece, and a response's, as it was sent.

A response hook of a client may read a response before we do.  httpx then keeps it decoded, or not at all,
so what a hook reads is recorded on the way.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from copy import copy
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .message import PIECE_SIZE

if TYPE_CHECKING:
    from httpx import AsyncClient, ByteStream, Client, Response

C = TypeVar("C", "Client", "AsyncClient")


def request_body(httpx: ModuleType, body: bytes) -> "ByteStream":
    """Return the stream of a request's body, which comes piece by piece."""
    return _request_body(httpx)(body)


def response_body(httpx: ModuleType, response: "Response") -> Any:
    """
    Return what an answer's body is read from, undecoded.

    The connection of an answer that was read already may be at work for another request: its stream
    is not touched again.
    """
    recorded: object = response.stream
    if isinstance(recorded, _RecordedBody) and recorded.complete:
        return httpx.ByteStream(b"".join(recorded.pieces))
    stream: Any = response.stream
    if not (response.is_stream_consumed or response.is_closed):
        return stream
    while stream is not None:
        if isinstance(
            stream, httpx.ByteStream
        ):  # a mock's answer, which is read as often as one likes
            return stream
        stream = getattr(stream, "_stream", None)
    if not response.is_stream_consumed:
        if response.is_success:
            raise httpx.StreamClosed
        return httpx.ByteStream(b"")  # closed by a hook that raised; the status is what counts
    if "content-encoding" in response.headers:
        raise httpx.StreamConsumed  # what was kept is decoded, and we want what was sent
    return httpx.ByteStream(response.content)


def recording(httpx: ModuleType, client: C) -> C:
    """
    Return *client*, or where it has response hooks a copy that records what they read.

    A copy shares transports and cookies; the user's own client keeps its list of hooks.
    """
    hooks: Mapping[str, list[Callable[..., object]]] = client.event_hooks
    if not hooks["response"]:
        return client
    recorded = _recorded_body(httpx)

    def record(response: "Response") -> None:
        response.stream = recorded(response.stream)

    async def async_record(response: "Response") -> None:
        record(response)

    first = async_record if isinstance(client, httpx.AsyncClient) else record
    copied = copy(client)
    copied.event_hooks = {**hooks, "response": [first, *hooks["response"]]}
    return copied


@lru_cache(maxsize=2)
def _request_body(httpx: ModuleType) -> "type[ByteStream]":
    """Return the class of a request's body, in the terms of one library."""
    return type("RequestBody", (_RequestBody, httpx.ByteStream), {})


@lru_cache(maxsize=2)
def _recorded_body(httpx: ModuleType) -> "Callable[[object], ByteStream]":
    """Return the class of the body of an answer that a hook may read."""
    return type("RecordedBody", (_RecordedBody, httpx.SyncByteStream, httpx.AsyncByteStream), {})


class _RequestBody:
    def __init__(self, body: bytes) -> None:
        self._stream = body  # as httpx's own class calls it

    def __iter__(self) -> Iterator[bytes]:
        return iter(_Pieces(self._stream))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(self._stream)


class _RecordedBody:
    def __init__(self, stream: object) -> None:
        self._stream: Any = stream
        self.pieces: list[bytes] = []
        self.complete = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self.pieces.append(piece)
            yield piece
        self.complete = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self.pieces.append(piece)
            yield piece
        self.complete = True

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Pieces:
    """
    The pieces of a body, for threads and for tasks.

    No generator: on trio one that is left in the middle is finished by the garbage collector, which warns.
    """

    def __init__(self, body: bytes) -> None:
        self._body, self._start = body, 0

    def __iter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    def _next(self) -> bytes:
        start, self._start = self._start, self._start + PIECE_SIZE
        return self._body[start : self._start]

    def __next__(self) -> bytes:
        if piece := self._next():
            return piece
        raise StopIteration

    async def __anext__(self) -> bytes:
        if piece := self._next():
            return piece
        raise StopAsyncIteration
