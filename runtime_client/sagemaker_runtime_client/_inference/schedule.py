"""The schedule by which a wait polls S3."""

from collections.abc import Callable

Schedule = Callable[[float], float]


def poll_schedule(elapsed: float) -> float:
    """Return the seconds from the start of a poll to the start of the next one.

    The result is 0.4 s at first, then nearly a tenth of the time waited, at most 14.5 s.  Allowing
    for the duration of the poll itself, an output is detected within 0.5 s at first, later within a
    tenth of the time waited, and always within 15 s.

    Args:
        elapsed: The seconds from the start of the wait to the start of the poll.
    """
    return min(max(0.4, 0.095 * elapsed), 14.5)
