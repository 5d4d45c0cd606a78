"""Runs the coroutine of an invocation, in an event loop if the user's function is async."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from threading import local
from typing import TYPE_CHECKING, TypeVar

from .._io.run import asyncio_loop, run

if TYPE_CHECKING:
    from asyncio import Runner

T = TypeVar("T")


class _Loops(local):
    """The event loop of each thread.

    A loop stays open between invocations, so that the connections and sessions of an async client
    remain usable.
    """

    runner: Runner | None = None


_loops = _Loops()


def cancelled_itself(error: BaseException) -> bool:
    """Return whether *error* is asyncio's CancelledError although this task was not cancelled.

    A function raises such an error if it awaits another task that was cancelled.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not isinstance(error, asyncio.CancelledError) or asyncio_loop() is None:
        return False
    return not asyncio.current_task().cancelling()


def run_handler(coroutine: Coroutine[object, object, T], *, in_loop: bool) -> T:
    """Run *coroutine*, and return its result; if no loop is used, *coroutine* must not suspend."""
    if not in_loop:
        return run(coroutine)
    if _loops.runner is None:
        from asyncio import Runner

        _loops.runner = Runner()
    return _loops.runner.run(coroutine)
