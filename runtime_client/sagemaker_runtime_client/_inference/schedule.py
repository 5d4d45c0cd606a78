"""When a wait polls S3.  Pure."""

from collections.abc import Callable

Schedule = Callable[[float], float]


def poll_schedule(elapsed: float) -> float:
    """
    Return for how many seconds to pause after a poll that began *elapsed* seconds into the wait.

    0.4 s at first, then nearly a tenth of the time waited, at most 14.5 s: an answer is seen
    within 0.5 s, or a tenth of its time, or 15 s, with room for the poll itself.
    """
    return min(max(0.4, 0.095 * elapsed), 14.5)
