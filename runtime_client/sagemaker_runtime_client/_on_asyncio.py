"""How tasks wait on asyncio: with its own means, since anyio's take 20 ms to import."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ._step import run

sleep = asyncio.sleep
in_thread = asyncio.to_thread
Semaphore = asyncio.Semaphore


@asynccontextmanager
async def move_on_after(seconds: float) -> AsyncGenerator[None]:
    """Give up what takes longer, and go on; a TimeoutError of its own is not ours."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise


class Lock(asyncio.Semaphore):
    """A lock; asyncio's own does not tell of those to whom it is promised."""

    def acquire_nowait(self) -> bool:
        """Take it if it is free, and tell whether it was."""
        return not self.locked() and run(self.acquire())  # which then does not suspend
