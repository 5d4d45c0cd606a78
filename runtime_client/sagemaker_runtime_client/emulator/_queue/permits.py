"""Limits the number of invocations that run at a time."""

import asyncio
from collections import deque


class Permits:
    """A semaphore with a changeable limit, which wakes waiters in the order of their arrival."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_free(self) -> bool:
        """Whether a permit can be granted now."""
        return self._in_use < self.limit

    async def acquire(self) -> None:
        """Wait for a permit.

        If the wait is cancelled, a permit that was already granted is released.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self.grant()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Release a permit, and grant it to the next waiter if the limit allows this."""
        self._in_use -= 1
        self.grant()

    def grant(self) -> None:
        """Grant free permits to the waiters, in the order of their arrival."""
        while self._waiting and self._in_use < self.limit:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._in_use += 1
                waiter.set_result(None)
