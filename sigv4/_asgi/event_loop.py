"""Timeouts and background tasks on asyncio and trio, without importing trio."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def _trio() -> Any:
    """Return the module trio in a trio task, which can run inside asyncio's loop, or else None."""
    with suppress(RuntimeError):  # asyncio has no running loop
        if asyncio.current_task() is not None:
            return None
    return sys.modules["trio"]


async def run_with_timeout(seconds: float, function: Callable[[], Awaitable[T]]) -> T:
    """Return the result of an async function.

    Raises:
        TimeoutError: The function did not return within *seconds*, and was cancelled.
    """
    trio = _trio()
    if trio is None:
        async with asyncio.timeout(seconds):
            return await function()
    with trio.move_on_after(seconds):
        return await function()
    raise TimeoutError


async def run_beside(background: Callable[[], Awaitable[object]], main: Awaitable[None]) -> None:
    """Run *background* while *main* runs, then cancel it; errors of *background* are ignored."""

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
