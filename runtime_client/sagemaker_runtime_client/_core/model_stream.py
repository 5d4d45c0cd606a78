"""The response of a model that arrives in parts: the results of `stream_endpoint`.

`ModelStream` belongs to blocking clients, and `AsyncModelStream` to async clients.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeVar

from .._errors import RuntimeClientError
from .._inference.response_stream import EventReader
from .._inference.stream_items import (
    BytesDecoder,
    Decoder,
    EventsDecoder,
    ItemReader,
    JSONDecoder,
)
from .._inference.text_stream import LineDecoder, ServerSentEvent
from .._io.run import run
from .items import AsyncItems, Items
from .model_call import ModelCall

T = TypeVar("T")


class _BaseStream:
    """A response that is being received.  It can be read once, with one of its methods.

    Attributes:
        content_type: The media type of the model's response; None if the response does not contain
            it.
        production_variant: The variant that runs the model; None if the response does not contain
            it.
        custom_attributes: The custom attributes that the container returned; None if it returned
            none.
        request_id: The id of the request, for questions to AWS support; None if it is unknown.
    """

    def __init__(self, events: EventReader) -> None:
        head = events.head
        self._events = events
        self._is_used = False
        self.content_type = head.header("x-amzn-sagemaker-content-type")
        self.production_variant = head.header("x-amzn-invoked-production-variant")
        self.custom_attributes = head.header("x-amzn-sagemaker-custom-attributes")
        self.request_id = head.request_id

    def __repr__(self) -> str:
        return f"{type(self).__name__}(content_type={self.content_type!r:.100})"

    def _items(self, decoder: Decoder[T]) -> ItemReader[T]:
        if self._is_used:
            raise RuntimeClientError(
                "the stream has already been read: it can be read once, with one of the methods "
                "bytes, lines, events and json"
            )
        self._is_used = True
        return ItemReader(self._events, decoder)


class ModelStream(_BaseStream):
    """The response of a model, which arrives in parts.  `stream_endpoint` describes the errors."""

    def bytes(self) -> "Iterator[bytes]":
        """Return an iterator over the parts, as the service has divided the response.

        A part can end anywhere, even in the middle of a line or of a character.
        """
        return Items(self._items(BytesDecoder()))

    def lines(self) -> Iterator[str]:
        r"""Return an iterator over the lines, without their ends (``\n`` or ``\r\n``).

        Invalid UTF-8 becomes U+FFFD.  A line may have at most 16 MiB.
        """
        return Items(self._items(LineDecoder()))

    def events(self) -> Iterator[ServerSentEvent]:
        """Return an iterator over the server-sent events, up to the event ``[DONE]``.

        Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        return Items(self._items(EventsDecoder()))

    def json(self) -> Iterator[Any]:
        """Return an iterator over the JSON documents, one in each line or server-sent event."""
        return Items(self._items(JSONDecoder()))


class AsyncModelStream(_BaseStream):
    """The response of a model, which arrives in parts.  `stream_endpoint` describes the errors."""

    def bytes(self) -> "AsyncIterator[bytes]":
        """Return an iterator over the parts, as the service has divided the response.

        A part can end anywhere, even in the middle of a line or of a character.
        """
        return AsyncItems(self._items(BytesDecoder()))

    def lines(self) -> AsyncIterator[str]:
        r"""Return an iterator over the lines, without their ends (``\n`` or ``\r\n``).

        Invalid UTF-8 becomes U+FFFD.  A line may have at most 16 MiB.
        """
        return AsyncItems(self._items(LineDecoder()))

    def events(self) -> AsyncIterator[ServerSentEvent]:
        """Return an iterator over the server-sent events, up to the event ``[DONE]``.

        Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        return AsyncItems(self._items(EventsDecoder()))

    def json(self) -> AsyncIterator[Any]:
        """Return an iterator over the JSON documents, one in each line or server-sent event."""
        return AsyncItems(self._items(JSONDecoder()))


class StreamContext:
    """A call that is made when its context is entered, and that ends when the context is left.

    Args:
        call: The call to the model, which has not started yet.
    """

    def __init__(self, call: ModelCall) -> None:
        self._call = call
        self._is_entered = False

    def blocking(self) -> AbstractContextManager[ModelStream]:
        """Return the context manager for a blocking client."""
        return _BlockingContext(self)

    def asynchronous(self) -> AbstractAsyncContextManager[AsyncModelStream]:
        """Return the async context manager for an async client."""
        return _AsyncContext(self)

    async def open(self) -> EventReader:
        """Send the request, and return the reader of the response; `close` closes the reader."""
        if self._is_entered:
            raise RuntimeClientError(
                "the context of a stream can be entered once: call stream_endpoint again"
            )
        self._is_entered = True
        try:
            return await self._call.open()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Release the connection of the call, and allow another call to start."""
        await self._call.close()


class _BlockingContext(AbstractContextManager[ModelStream]):
    def __init__(self, context: StreamContext) -> None:
        self._context = context

    def __enter__(self) -> ModelStream:
        return ModelStream(run(self._context.open()))

    def __exit__(self, *_: object) -> None:
        run(self._context.close())


class _AsyncContext(AbstractAsyncContextManager[AsyncModelStream]):
    def __init__(self, context: StreamContext) -> None:
        self._context = context

    async def __aenter__(self) -> AsyncModelStream:
        return AsyncModelStream(await self._context.open())

    async def __aexit__(self, *_: object) -> None:
        await self._context.close()
