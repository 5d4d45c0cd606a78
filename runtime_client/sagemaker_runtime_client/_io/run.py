"""Runs the coroutines of this package, with or without an event loop.

An async client awaits them, on asyncio or trio.  A blocking client calls `run`.  With the thread
backend a coroutine never suspends, so `run` completes it in one step, even inside a running event
loop.

This module also finds the backend of the running event loop (`async_backend`), and stores one value
per loop (`PerLoop`).
"""

from __future__ import annotations

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
    """Run a coroutine that never suspends, and return its result.

    Raises:
        RuntimeError: The coroutine suspended, because the user passed something async to a blocking
            client.  The error is also thrown into the coroutine, which may attach the handle of a
            queued job to the error.
    """
    try:
        coroutine.send(None)
        suspended = RuntimeError(
            "a coroutine suspended in a blocking client, which runs no event loop: pass nothing "
            "async to SageMakerRuntimeClient, or use AsyncSageMakerRuntimeClient"
        )
        coroutine.throw(suspended)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        coroutine.close()
    raise suspended


def is_async(function: object) -> bool:
    """Return whether *function* is declared as async, so that its result must be awaited."""
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def asyncio_loop() -> AbstractEventLoop | None:
    """Return the loop of the running asyncio task, or None on trio and outside of event loops."""
    asyncio = sys.modules.get("asyncio")  # if asyncio is not loaded, no asyncio loop is running
    try:
        task = None if asyncio is None else asyncio.current_task()
    except RuntimeError:  # no asyncio loop is running
        return None
    return None if task is None else task.get_loop()


def async_backend() -> Backend:
    """Return the backend of the running event loop."""
    return _asyncio_backend() if asyncio_loop() is not None else _trio_backend()


@cache
def _asyncio_backend() -> Backend:
    from .on_asyncio import AsyncioBackend

    return AsyncioBackend()


@cache
def _trio_backend() -> Backend:
    from .on_trio import TrioBackend

    return TrioBackend()


class PerLoop(Generic[T]):
    """One value per event loop; threads share one value.

    The values of closed loops are dropped when a value for another loop is created.  These values
    do not disappear by themselves, because connections and locks of asyncio refer to their loop,
    which keeps the weak keys alive.
    """

    def __init__(self, backend: Callable[[], Backend], make: Callable[[Backend], T]) -> None:
        self._backend, self._make = backend, make
        self._made: WeakKeyDictionary[Any, T] = WeakKeyDictionary()
        self._thread_value: T | None = None

    def __call__(self) -> T:
        """Return the value of the running loop, or of threads; the first call creates it."""
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
        """Return the number of loops that have a value."""
        return len(self._made)

    def _drop_closed(self) -> None:
        for reference in self._made.keyrefs():
            loop = reference()
            if getattr(loop, "is_closed", bool)():
                self._made.pop(loop, None)
