"""
Coroutines written once for both colours of function, blocking and async.

They are awaited in an event loop, or stepped without one.
"""

import sys
from collections.abc import Coroutine
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")


class EndsLaterError(Exception):
    """What was waited for did not end in time, and goes on."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """
    Run a coroutine that never suspends, and return its result.

    Raises:
        RuntimeError: It did suspend: something async was brought into a blocking client.  The
            coroutine is told, so that it can add what must not be lost.
    """
    suspended = RuntimeError("this coroutine suspended; in a blocking client nothing may")
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
    call = getattr(function, "__call__", None)  # noqa: B004 (an object may have an async one)
    return iscoroutinefunction(function) or iscoroutinefunction(call)


def asyncio_loop() -> "AbstractEventLoop | None":
    """
    Return the loop of the running task of asyncio; None in trio, and outside of loops.

    On asyncio its own primitives serve, for anyio's take 20 ms to import and several times as long at
    each use.  On trio, anyio's do.
    """
    asyncio = sys.modules.get("asyncio")  # what is not loaded does not run
    try:
        task = None if asyncio is None else asyncio.current_task()
    except RuntimeError:  # no loop of asyncio's
        return None
    return None if task is None else task.get_loop()
