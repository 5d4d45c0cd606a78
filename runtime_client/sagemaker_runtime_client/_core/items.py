"""Iterators over items that arrive in groups: a blocking one and an async one."""

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
        """Get items until one is ready, and return True; return False if there are no more."""
        ...


class Items(Generic[T]):
    """An iterator for blocking clients."""

    def __init__(self, source: ItemSource[T]) -> None:
        self._source, self._ready = source, source.ready

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if not self._ready and not run(self._source.fill()):
            raise StopIteration
        return self._ready.popleft()


class AsyncItems(Generic[T]):
    """An async iterator, but not an async generator, because trio warns if one is not exhausted."""

    def __init__(self, source: ItemSource[T]) -> None:
        self._source, self._ready = source, source.ready

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._ready and not await self._source.fill():
            raise StopAsyncIteration
        return self._ready.popleft()
