"""Time limits that `Emulator.advance` shortens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress


class Deadline:
    """The end of a period of time, which several blocks, one after the other, can enforce.

    Args:
        seconds: The length of the period, which begins now.

    Attributes:
        has_passed: Whether `enforced` has raised TimeoutError.
    """

    def __init__(self, seconds: float) -> None:
        self._when = asyncio.get_running_loop().time() + seconds
        self._timeout = asyncio.timeout_at(self._when)
        self.has_passed = False

    @asynccontextmanager
    async def enforced(self) -> AsyncGenerator[None]:
        """Raise TimeoutError if the block does not end before the deadline."""
        self._timeout = asyncio.timeout_at(self._when)
        try:
            async with self._timeout:
                yield
        finally:
            self.has_passed = self._timeout.expired()

    def advance(self, seconds: float) -> None:
        """Make the deadline *seconds* earlier."""
        self._when -= seconds
        with suppress(RuntimeError):  # raised while the deadline is not enforced
            self._timeout.reschedule(self._when)
