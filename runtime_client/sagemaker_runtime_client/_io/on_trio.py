"""How tasks wait on trio: with anyio."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
import anyio.to_thread

from .run import EndsLaterError

T = TypeVar("T")

sleep = anyio.sleep
Semaphore = anyio.Semaphore


@asynccontextmanager
async def move_on_after(seconds: float) -> AsyncGenerator[None]:
    """Give up what takes longer, and go on."""
    with anyio.move_on_after(seconds):
        yield


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Return what *function* returns, in a thread."""
    return await anyio.to_thread.run_sync(function, *arguments)


in_new_thread = in_thread


async def finish_by(seconds: float, function: Callable[..., Awaitable[T]], *arguments: object) -> T:
    """Return what *function* returns; after *seconds* raise EndsLaterError, and let it go on."""
    import trio
    from outcome import Outcome, acapture

    outcomes: list[Outcome[T]] = []
    scope, ended = trio.CancelScope(), trio.Event()

    async def work() -> None:
        with scope:
            outcomes.append(await acapture(function, *arguments))
        ended.set()

    trio.lowlevel.spawn_system_task(work)
    try:
        with anyio.move_on_after(seconds):
            await ended.wait()
    except trio.Cancelled:
        scope.cancel()
        raise
    if not outcomes:
        raise EndsLaterError
    return outcomes.pop().unwrap()


class Lock:
    """A lock."""

    def __init__(self) -> None:
        self._lock = anyio.Lock()

    def acquire_nowait(self) -> bool:
        """Take it if it is free, and tell whether it was."""
        try:
            self._lock.acquire_nowait()
        except anyio.WouldBlock:
            return False
        return True

    async def acquire(self) -> bool:
        """Take it, once it is free."""
        await self._lock.acquire()
        return True

    def release(self) -> None:
        """Give it back."""
        self._lock.release()
