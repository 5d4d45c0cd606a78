"""A blocking and an async iterator over items that arrive in groups."""

from collections import deque
from typing import Generic, Protocol, Self, TypeVar

from .._io.run import run

T = TypeVar("T")


class ItemSource(Protocol[T]):
    """Gets items in groups.

    Attributes:
        ready: The items that have arrived but were not yet returned.
    """

    ready: deque[T]

    async def fill(self) -> bool:
        """Wait until an item is ready, and return True; return False if there are no more items."""
        ...


class Items(Generic[T]):
    """An iterator over the items of a source, for blocking clients."""

    def __init__(self, source: ItemSource[T]) -> None:
        self._source, self._ready = source, source.ready

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if not self._ready and not run(self._source.fill()):
            raise StopIteration
        return self._ready.popleft()


class AsyncItems(Generic[T]):
    """An async iterator; trio would warn about an async generator that is not exhausted."""

    def __init__(self, source: ItemSource[T]) -> None:
        self._source, self._ready = source, source.ready

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._ready and not await self._source.fill():
            raise StopAsyncIteration
        return self._ready.popleft()
