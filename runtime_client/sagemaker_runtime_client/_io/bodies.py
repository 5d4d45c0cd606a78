"""Sends request bodies in pieces and reads response bodies without decoding, for httpx (or httpx2).

A response hook of a user-supplied client may read the response first.  httpx then keeps only the
decoded body, or nothing at all.  Therefore this module records what a hook reads.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from copy import copy
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from .message import PIECE_SIZE
from .run import run

if TYPE_CHECKING:
    from httpx import AsyncClient, ByteStream, Client, Response

    from .message import BodySource

C = TypeVar("C", "Client", "AsyncClient")


def response_body(httpx: ModuleType, response: "Response") -> Any:
    """Return a stream of the response body, without decoding its Content-Encoding.

    If a hook has already read the response, the connection may be in use for another request.  The
    original stream is then not read again.
    """
    recorded: object = response.stream
    if isinstance(recorded, _RecordedBody) and recorded.complete:
        return httpx.ByteStream(b"".join(recorded.pieces))
    stream: Any = response.stream
    if not (response.is_stream_consumed or response.is_closed):
        return stream
    while stream is not None:
        # This is the body of a mocked response, which can be read repeatedly.
        if isinstance(stream, httpx.ByteStream):
            return stream
        stream = getattr(stream, "_stream", None)
    if not response.is_stream_consumed:
        if response.is_success:
            raise httpx.StreamClosed
        return httpx.ByteStream(b"")  # a hook raised and closed it; only the status is needed
    if "content-encoding" in response.headers:
        raise httpx.StreamConsumed  # httpx kept the decoded body, but the original bytes are needed
    return httpx.ByteStream(response.content)


def recording(httpx: ModuleType, client: C) -> C:
    """Return *client*, or, if it has response hooks, a copy that records what the hooks read.

    The copy shares the transports and cookies of the client.  The client's own list of hooks is not
    changed.
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


def body_stream(httpx: ModuleType, body: "bytes | BodySource", *, is_blocking: bool) -> object:
    """Return a request body that is sent in pieces, so that each has its own write timeout.

    httpx's own body is an async generator, which trio finalizes with a warning if the request is
    cancelled.

    Args:
        httpx: The library, httpx or httpx2.
        body: The body, or its source.
        is_blocking: Whether a blocking client sends the body.
    """
    kind = _RequestBody if isinstance(body, bytes) else _BlockingSource if is_blocking else _Source
    return _request_body(httpx, kind)(body)


@lru_cache(maxsize=6)
def _request_body(httpx: ModuleType, kind: type) -> "Callable[[object], object]":
    """Create the class of a request body for one library, httpx or httpx2."""
    bases = {
        _RequestBody: httpx.ByteStream,
        _BlockingSource: httpx.SyncByteStream,
        _Source: httpx.AsyncByteStream,
    }
    return cast("Callable[[object], object]", type("RequestBody", (kind, bases[kind]), {}))


@lru_cache(maxsize=2)
def _recorded_body(httpx: ModuleType) -> "Callable[[object], ByteStream]":
    """Create the class of a recorded response body for one library, httpx or httpx2."""
    return type("RecordedBody", (_RecordedBody, httpx.SyncByteStream, httpx.AsyncByteStream), {})


class _RequestBody:
    def __init__(self, body: bytes) -> None:
        self._stream = body  # the attribute has the same name in httpx's own class

    def __iter__(self) -> Iterator[bytes]:
        return iter(_Pieces(self._stream))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(self._stream)


class _Source:
    def __init__(self, source: "BodySource") -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._source.chunks()


class _BlockingSource:
    def __init__(self, source: "BodySource") -> None:
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        pieces = self._source.chunks()
        while (piece := run(_next(pieces))) is not None:
            yield piece


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


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
    """The pieces of a body, as an iterator and an async iterator.

    This is not a generator, because an async generator that is not exhausted is finalized on trio
    by the garbage collector, which emits a warning.
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
