"""What the middleware asks of an event loop, of asyncio or trio, without importing trio."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def _trio() -> Any:
    """Return trio if a task of its own runs, else None; it may run inside of asyncio's loop."""
    with suppress(RuntimeError):  # no loop of asyncio's
        if asyncio.current_task() is not None:
            return None
    return sys.modules["trio"]


async def run_with_timeout(seconds: float, function: Callable[[], Awaitable[T]]) -> T:
    """
    Return what an async function returns.

    Raises:
        TimeoutError: It did not return within *seconds*, and was cancelled.
    """
    trio = _trio()
    if trio is None:
        async with asyncio.timeout(seconds):
            return await function()
    with trio.move_on_after(seconds):
        return await function()
    raise TimeoutError


async def run_beside(background: Callable[[], Awaitable[object]], main: Awaitable[None]) -> None:
    """Await *main* while *background* runs, which is cancelled at the end; its errors are dropped."""

    async def quietly() -> None:
        with suppress(Exception):
            await background()

    trio = _trio()
    if trio is None:
        task = asyncio.create_task(quietly())
        try:
            await main
        finally:
            task.cancel()
        return
    async with trio.open_nursery() as nursery:
        nursery.start_soon(quietly)
        await main
        nursery.cancel_scope.cancel()
