"""How tasks wait on asyncio: with its own means, since anyio's take 20 ms to import."""

import asyncio

from ._step import run

sleep = asyncio.sleep
timeout = asyncio.timeout
in_thread = asyncio.to_thread
Semaphore = asyncio.Semaphore


class Lock(asyncio.Semaphore):
    """A lock; asyncio's own does not tell of those to whom it is promised."""

    def acquire_nowait(self) -> bool:
        """Take it if it is free, and tell whether it was."""
        return not self.locked() and run(self.acquire())  # which then does not suspend
