"""How a wait may be asked for: its pauses, and what its arguments must be.  Pure."""

from collections.abc import Callable

from .._errors import ParamValidationError
from .._io.run import is_async
from .._value import type_name
from .invocation import Invocation

# Thirty years, of which no clock overflows.
LONGEST_WAIT = 1_000_000_000

Schedule = Callable[[float], float]


def poll_schedule(elapsed: float) -> float:
    """
    Return for how many seconds to pause after a look, *elapsed* seconds into the wait.

    0.4 s at first, then nearly a tenth of the time waited, at most 14.5 s: an answer is seen
    within 0.5 s, or a tenth of its time, or 15 s, with room for the look itself.
    """
    return min(max(0.4, 0.095 * elapsed), 14.5)


def check_invocation(invocation: object) -> Invocation:
    """Return the handle; refuse anything else."""
    if not isinstance(invocation, Invocation):
        raise ParamValidationError(
            f"invocation must be an Invocation, not {type_name(invocation)}",
            argument="invocation",
        )
    return invocation


def check_waiting(timeout: float, schedule: Schedule, access_denied_grace: float | None) -> None:
    """Refuse arguments with which nobody can wait, before there is anything to lose."""
    _check_seconds("timeout", timeout)
    if access_denied_grace is not None:
        _check_seconds("access_denied_grace", access_denied_grace)
    if is_async(schedule) or not callable(schedule):
        raise ParamValidationError(
            "schedule must be a plain function of the seconds waited", argument="schedule"
        )


def check_timeout(timeout: float | None) -> None:
    """Refuse what is no time for a call."""
    if timeout is not None:
        _check_seconds("timeout", timeout)
    if timeout == 0:
        raise ParamValidationError(
            "timeout must be more than 0 seconds: nothing can be sent in none", argument="timeout"
        )


def check_listener(on_invocation: object) -> None:
    """Refuse what cannot be told of a queued job."""
    if on_invocation is not None and not callable(on_invocation):
        raise ParamValidationError(
            "on_invocation must be a function of the handle", argument="on_invocation"
        )


def _check_seconds(argument: str, seconds: object) -> None:
    """Refuse what is no number of seconds."""
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_WAIT:
        raise ParamValidationError(
            f"{argument} must be a number of seconds, 0 to {LONGEST_WAIT:,}", argument=argument
        )
