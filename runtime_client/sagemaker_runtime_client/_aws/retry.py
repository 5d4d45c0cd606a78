"""
Which failures are tried again, when and how often, and how a wrong clock is corrected: botocore 1.44's ``standard`` mode.

Pure decisions; nothing here sleeps or sends.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html and
botocore 1.44, retries/standard.py.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from itertools import repeat
from typing import NamedTuple

from .._errors import RuntimeClientError, ServiceError, ThrottlingError, TransportError

# What a service says to a date that is not its own.  The last two say it of any wrong signature.
_SKEW_CODES = frozenset(
    {
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "403",  # to a HEAD, whose answer has no body that could name the code
    }
)
# Clocks that differ by less are not why a signature was refused: services allow 5 minutes.
_MIN_SKEW = timedelta(minutes=4)
# A clock that differs by more is not followed: what is signed for it could be used long after.
_MAX_SKEW = timedelta(days=1)

# The longest pause, and by how much the service may lengthen one (botocore 1.44.0).
LONGEST_BACKOFF = 20.0
LONGEST_EXTENSION = 5.0


# Other errors are raised before anything is sent.  What gives credentials has tried again by itself.
AFTER_SENDING = (ServiceError, TransportError)


class Reason(Enum):
    """Why a failure is tried again: base of its pauses in seconds, cost from the quota."""

    TRANSIENT = (0.05, 14)
    THROTTLING = (1.0, 5)

    @property
    def base(self) -> float:
        """The first pause at the longest, in seconds."""
        base: float = self.value[0]
        return base

    @property
    def cost(self) -> int:
        """What one retry takes from the quota."""
        cost: int = self.value[1]
        return cost


class RetryPolicy(NamedTuple):
    """
    How often a call is tried.

    Attributes:
        max_attempts: Requests in all, the first included.
        retry_ambiguous: Whether a request that is not idempotent is sent again after an attempt
            that may have reached the service.  It then may be done twice.
        adaptive: Whether to slow down after throttling as well; see `rate_limiter`.
    """

    max_attempts: int = 3
    retry_ambiguous: bool = True
    adaptive: bool = False

    def reason(self, error: RuntimeClientError, *, idempotent: bool) -> Reason | None:
        """Return why *error* is worth another attempt, or None if it is not."""
        if not error.retryable or not isinstance(error, AFTER_SENDING):
            return None
        if error.possibly_accepted and not idempotent and not self.retry_ambiguous:
            return None
        return Reason.THROTTLING if isinstance(error, ThrottlingError) else Reason.TRANSIENT


def backoff(
    reason: Reason, retry: int, error: RuntimeClientError, random: Callable[[], float]
) -> float:
    """
    Return for how many seconds to pause before a retry.

    Args:
        reason: Why there is one.
        retry: Which one it is, from 0.
        error: The failure; the service may ask in it for a longer pause.
        random: Returns a number from 0 up to 1: full jitter.
    """
    pause = random() * min(reason.base * (1 << retry), LONGEST_BACKOFF)
    asked = error.retry_after if isinstance(error, ServiceError) else None
    return pause if asked is None else max(pause, min(asked, pause + LONGEST_EXTENSION))


class RetryQuota:
    """
    What may still be spent on retries, so that an outage is not met by a storm of them.

    Shared by a client's calls to one service.  It has no lock, which the thread of a signal handler that
    calls the client may hold: the tokens are in a deque, whose operations are atomic.

    Attributes:
        is_untouched: Whether nothing was ever taken, so that there is nothing to give back.
    """

    CAPACITY = 500

    def __init__(self) -> None:
        self.is_untouched = True
        self._tokens = deque(repeat(None, self.CAPACITY), self.CAPACITY)

    @property
    def available(self) -> int:
        """How many tokens are left."""
        return len(self._tokens)

    def acquire(self, reason: Reason) -> bool:
        """Take the cost of a retry, or tell that it is not there."""
        self.is_untouched = False
        taken = 0
        try:
            while taken < reason.cost:
                self._tokens.pop()
                taken += 1
        except IndexError:
            self._tokens.extend(repeat(None, taken))
            return False
        return True

    def release(self, last: Reason | None) -> None:
        """Give back, after a success, what its last retry took, or one token if there was none."""
        self._tokens.extend(repeat(None, last.cost if last else 1))  # it is never more than full


class ServiceClock:
    """
    By how much the services' clock is ahead of ours: botocore has no such correction.

    Shared by all calls of a client, for it is this machine's that is wrong.

    Attributes:
        offset: What is added to our clock for a signature.
        was_right: Whether a signature with it was accepted.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Take our clock for right: at first, and in a new generation."""
        self.offset = timedelta()
        self.was_right = False

    def confirm(self, offset: timedelta) -> None:
        """Note that a signature with *offset* was accepted."""
        self.was_right = self.was_right or offset == self.offset

    def adopt(
        self,
        error: RuntimeClientError,
        ahead: timedelta | None,
        offset: timedelta,
        *,
        is_authentic: bool,
    ) -> bool:
        """
        Adopt the service's clock if *error* is due to ours, and return whether it was.

        Args:
            error: What the service says to a request.
            ahead: What `service_ahead` returns of it.
            offset: What was signed with.  A call at the same time may have adopted the right one by now.
            is_authentic: Whether the service's certificate was checked.  Without, anybody may have
                written the date, so that it counts only while no other one was right.
        """
        if ahead is None or error.code not in _SKEW_CODES or abs(ahead - offset) < _MIN_SKEW:
            return False
        if abs(ahead - self.offset) < _MIN_SKEW:
            return True
        if abs(ahead) > _MAX_SKEW or (self.was_right and not is_authentic):
            direction = "behind" if ahead > timedelta() else "ahead of"
            error.add_note(
                f"this machine's clock is {abs(ahead)} {direction} the service's clock: set it to the "
                "right time"
            )
            return False
        self.offset, self.was_right = ahead, False
        return True


def service_ahead(error: RuntimeClientError, now: datetime) -> timedelta | None:
    """Return by how much the service's clock is ahead of *now*, if *error* tells."""
    if not isinstance(error, ServiceError) or error.date is None:
        return None
    return error.date - now
