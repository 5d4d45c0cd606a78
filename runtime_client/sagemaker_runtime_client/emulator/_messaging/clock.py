"""The clock for the time limits of queues, which `Emulator.advance` moves forward."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import define


@define(eq=False)
class Clock:
    """Measures the time limits of queues, and dates messages.

    Attributes:
        now: Returns the time of the server's clock.
        advanced: The number of seconds by which the time limits were advanced.
    """

    now: Callable[[], datetime]
    advanced: float = 0.0

    def seconds(self) -> float:
        """Return the time in seconds since an arbitrary start, for comparison."""
        return time.monotonic() + self.advanced

    def milliseconds(self) -> str:
        """Return the server's time in milliseconds since 1970, as message attributes contain it."""
        return str(int(self.now().timestamp() * 1000))


def timestamp(at: datetime) -> str:
    """Return a time in UTC and ISO 8601 with milliseconds, as in notifications.

    >>> from datetime import UTC
    >>> timestamp(datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC))
    '2026-01-02T03:04:05.678Z'
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
