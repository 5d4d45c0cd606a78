"""
Which failures are tried again, when, and how often: botocore 1.44's ``standard`` mode.

Pure decisions; nothing here sleeps or sends.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html and
botocore 1.44, retries/standard.py.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from itertools import repeat
from typing import NamedTuple

from ._errors import RuntimeClientError, ServiceError, ThrottlingError, TransportError

THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# The first is STS's, of an identity provider that it cannot reach (botocore 1.44, _retry.json).
TRANSIENT_CODES = frozenset({"IDPCommunicationError", "RequestTimeout", "RequestTimeoutException"})
# 408, which botocore does not have, is how a gateway says RequestTimeout.
TRANSIENT_STATUSES = frozenset({408, 500, 502, 503, 504})

# Answers after which the request may be at work all the same: the one who answered did not do it.
AMBIGUOUS_STATUSES = frozenset({500, 502, 504})

# The longest pause, and by how much the service may lengthen one (botocore 1.44.0).
LONGEST_BACKOFF = 20.0
LONGEST_EXTENSION = 5.0


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
        adaptive: Whether to slow down after throttling as well; see `_adaptive`.
    """

    max_attempts: int = 3
    retry_ambiguous: bool = True
    adaptive: bool = False

    def reason(self, error: RuntimeClientError, *, idempotent: bool) -> Reason | None:
        """Return why *error* is worth another attempt, or None if it is not."""
        if error.may_have_been_taken and not idempotent and not self.retry_ambiguous:
            return None
        if isinstance(error, TransportError):
            return Reason.TRANSIENT if error.retryable else None
        if not isinstance(error, ServiceError):
            return None  # what credentials are from was tried again already
        if is_throttling(error):
            return Reason.THROTTLING
        if error.code in TRANSIENT_CODES or error.status_code in TRANSIENT_STATUSES:
            return Reason.TRANSIENT
        return None


def is_throttling(error: RuntimeClientError) -> bool:
    """Tell whether the service says that requests come too fast."""
    if not isinstance(error, ServiceError):
        return False
    return isinstance(error, ThrottlingError) or error.code in THROTTLING_CODES


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
    """

    CAPACITY = 500

    def __init__(self) -> None:
        self._tokens = deque(repeat(None, self.CAPACITY), self.CAPACITY)

    @property
    def available(self) -> int:
        """How many tokens are left."""
        return len(self._tokens)

    def acquire(self, reason: Reason) -> bool:
        """Take the cost of a retry, or tell that it is not there."""
        taken = 0
        try:
            for taken in range(reason.cost):  # noqa: B007 (counted for those that are put back)
                self._tokens.pop()
        except IndexError:
            self._tokens.extend(repeat(None, taken))
            return False
        return True

    def release(self, last: Reason | None) -> None:
        """Give back, after a success, what its last retry took, or one token if there was none."""
        self._tokens.extend(repeat(None, last.cost if last else 1))  # it is never more than full
