"""Event loops, of asyncio or trio: which one runs, and what each of them has of its own."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from .run import asyncio_loop

T = TypeVar("T")


def event_loop() -> Any:
    """Return the running event loop, of asyncio or trio."""
    loop = asyncio_loop()
    if loop is not None:
        return loop
    from anyio.lowlevel import current_token

    token: Any = current_token()
    return getattr(token, "native_token", token)  # anyio 4.11 wraps it anew at each call


def library() -> Any:
    """Return how tasks wait in the running event loop."""
    if asyncio_loop() is None:
        from . import on_trio

        return on_trio
    from . import on_asyncio

    return on_asyncio


class OfEachLoop(Generic[T]):
    """
    Something for tasks, of which each event loop has its own.

    What belongs to loops that were closed is let go when another one comes: connections and locks of
    asyncio hold on to their loop, so that no key here would ever die of itself.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Any, T] = WeakKeyDictionary()

    def __call__(self) -> T:
        """Return that of the running loop."""
        loop = event_loop()
        if loop not in self._made:
            self._drop_closed()
            self._made[loop] = self._make()
        return self._made[loop]

    def __len__(self) -> int:
        """Return how many loops have one."""
        return len(self._made)

    def _drop_closed(self) -> None:
        for reference in self._made.keyrefs():
            loop = reference()
            if getattr(loop, "is_closed", bool)():
                self._made.pop(loop, None)
