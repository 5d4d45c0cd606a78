"""The default schedule, which determines when a wait polls S3."""

from __future__ import annotations

from collections.abc import Callable

Schedule = Callable[[float], float]


def poll_schedule(elapsed: float) -> float:
    """Return the seconds from the start of a poll to the start of the next one.

    The result is 0.4 s at first, later nearly a tenth of the time waited, and at most 14.5 s.  If
    the polls themselves are short, an output is thus detected within 0.5 s at first, later within a
    tenth of the time waited, and always within 15 s.

    Args:
        elapsed: The seconds from the start of the wait to the start of the poll.
    """
    return min(max(0.4, 0.095 * elapsed), 14.5)
