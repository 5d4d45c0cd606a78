"""Timeouts and background tasks that work on asyncio and trio; the module does not import trio."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def _trio() -> Any:
    """Return the trio module if the current task is a trio task; otherwise, return None.

    Trio can run as a guest in asyncio's event loop, so a running asyncio loop does not imply that
    the current task is an asyncio task.
    """
    with suppress(RuntimeError):  # RuntimeError is raised if asyncio has no running loop
        if asyncio.current_task() is not None:
            return None
    return sys.modules["trio"]


async def run_with_timeout(seconds: float, function: Callable[[], Awaitable[T]]) -> T:
    """Call an async function, and return its result.

    Raises:
        TimeoutError: The function did not return within *seconds* and was cancelled.
    """
    trio = _trio()
    if trio is None:
        async with asyncio.timeout(seconds):
            return await function()
    with trio.move_on_after(seconds):
        return await function()
    raise TimeoutError


async def run_beside(background: Callable[[], Awaitable[object]], main: Awaitable[None]) -> None:
    """Run the function *background* while *main* is awaited.

    Errors in *background* are ignored.  If *background* is still running when *main* ends,
    *background* is cancelled.
    """

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
