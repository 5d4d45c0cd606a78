"""
How the coroutines of this package are driven: in an event loop, or without one.

An async client awaits them, on asyncio or trio.  A blocking client runs them: over threads no coroutine
ever suspends, so that one step brings the result, in a running event loop as well.

Here is also which event loop runs (`async_backend`), and what each loop has of its own (`PerLoop`).
"""

import sys
from collections.abc import Callable, Coroutine
from functools import cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from .concurrency import Backend

T = TypeVar("T")


def run(coroutine: Coroutine[object, object, T]) -> T:
    """
    Run a coroutine that never suspends, and return its result.

    Raises:
        RuntimeError: It did suspend: the user has put something async into a blocking client.  The
            coroutine is told, so that it can add what must not be lost.
    """
    suspended = RuntimeError(
        "a coroutine suspended in a blocking client, which runs no event loop: pass nothing async to "
        "SageMakerRuntimeClient, or use AsyncSageMakerRuntimeClient"
    )
    try:
        coroutine.send(None)
        coroutine.throw(suspended)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        coroutine.close()
    raise suspended


def is_async(function: object) -> bool:
    """Tell whether what *function* returns is to be awaited, as far as it says so."""
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def asyncio_loop() -> "AbstractEventLoop | None":
    """Return the loop of the running task of asyncio; None in trio, and outside of loops."""
    asyncio = sys.modules.get("asyncio")  # what is not loaded does not run
    try:
        task = None if asyncio is None else asyncio.current_task()
    except RuntimeError:  # no loop of asyncio's
        return None
    return None if task is None else task.get_loop()


def async_backend() -> "Backend":
    """Return the backend of the running event loop."""
    return _asyncio_backend() if asyncio_loop() is not None else _trio_backend()


@cache
def _asyncio_backend() -> "Backend":
    from .on_asyncio import AsyncioBackend

    return AsyncioBackend()


@cache
def _trio_backend() -> "Backend":
    from .on_trio import TrioBackend

    return TrioBackend()


class PerLoop(Generic[T]):
    """
    Something of which each event loop has its own; threads have one for all.

    What belongs to loops that were closed is dropped when another one comes: connections and locks of
    asyncio refer to their loop, so that no key here would ever vanish by itself.
    """

    def __init__(self, backend: "Callable[[], Backend]", make: "Callable[[Backend], T]") -> None:
        self._backend, self._make = backend, make
        self._made: WeakKeyDictionary[Any, T] = WeakKeyDictionary()
        self._thread_value: T | None = None

    def __call__(self) -> T:
        """Return that of the running loop."""
        if self._thread_value is not None:
            return self._thread_value
        backend = self._backend()
        loop = backend.loop()
        made = self._made.get(loop)
        if made is None:
            self._drop_closed()
            made = self._made.setdefault(loop, self._make(backend))
            if backend.is_blocking:
                self._thread_value = made
        return made

    def __len__(self) -> int:
        """Return how many loops have one."""
        return len(self._made)

    def _drop_closed(self) -> None:
        for reference in self._made.keyrefs():
            loop = reference()
            if getattr(loop, "is_closed", bool)():
                self._made.pop(loop, None)
