"""Retry decisions (which failures, how often, after what pause) and corrections of a wrong clock.

Retries follow the ``standard`` mode of botocore 1.44.  This module neither sleeps nor sends
requests.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html and botocore
1.44, retries/standard.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from itertools import repeat
from typing import TYPE_CHECKING

from .._errors import RuntimeClientError, ServiceError, ThrottlingError, TransportError
from .._value import Value

if TYPE_CHECKING:
    from .._io.system import System
    from .rate_limiter import RateLimiter

# Codes that a service returns if the date of a request is wrong.  InvalidSignatureException,
# SignatureDoesNotMatch and 403 have other causes, too.
_SKEW_CODES = frozenset(
    {
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "403",  # the status, which replaces the missing code of a response to HEAD
    }
)
# A clock difference below this minimum does not explain a rejected signature, because services
# allow 5 minutes.
_MIN_SKEW = timedelta(minutes=4)
# A clock difference above this maximum is not adopted, because a request that is signed for such a
# date could be replayed long afterwards.
_MAX_SKEW = timedelta(days=1)

# The maximum pause that the client chooses before a retry, and the maximum number of seconds by
# which a service may extend the pause (botocore 1.44.0).
LONGEST_BACKOFF = 20.0
LONGEST_EXTENSION = 5.0


# Only these errors are retried, because other errors are raised before anything is sent.
# Credential providers retry their own requests.
AFTER_SENDING = (ServiceError, TransportError)


class Reason(Enum):
    """A reason for a retry: the upper bound of its first pause, and its cost in quota tokens."""

    TRANSIENT = (0.05, 14)
    THROTTLING = (1.0, 5)

    @property
    def base(self) -> float:
        """The upper bound of the first pause, in seconds."""
        base: float = self.value[0]
        return base

    @property
    def cost(self) -> int:
        """The number of tokens that one retry takes from the quota."""
        cost: int = self.value[1]
        return cost


class RetryPolicy(Value):
    """The rules for retries.

    Attributes:
        max_attempts: The maximum number of attempts per call, including the first.
        retry_ambiguous: Whether to retry a request that is not idempotent after an attempt that the
            service may have accepted.  The request may then be executed twice.
        adaptive: Whether to limit the request rate after throttling; see `rate_limiter`.
    """

    __slots__ = __match_args__ = (
        "max_attempts",
        "retry_ambiguous",
        "adaptive",
    )

    max_attempts: int
    retry_ambiguous: bool
    adaptive: bool

    def __init__(
        self,
        max_attempts: int = 3,
        retry_ambiguous: bool = True,
        adaptive: bool = False,
    ) -> None:
        self.max_attempts = max_attempts
        self.retry_ambiguous = retry_ambiguous
        self.adaptive = adaptive

    def reason(
        self, error: RuntimeClientError, *, idempotent: bool, retry_ambiguous: bool | None = None
    ) -> Reason | None:
        """Return the reason to retry after *error*, or None if the attempt must not be repeated.

        Args:
            error: The failure of an attempt.
            idempotent: Whether executing the operation twice has the same effect as executing it
                once.
            retry_ambiguous: Overrides the policy's attribute `retry_ambiguous`, unless it is None.
        """
        if not error.retryable or not isinstance(error, AFTER_SENDING):
            return None
        allowed = self.retry_ambiguous if retry_ambiguous is None else retry_ambiguous
        if error.possibly_accepted and not idempotent and not allowed:
            return None
        return Reason.THROTTLING if isinstance(error, ThrottlingError) else Reason.TRANSIENT


def backoff(
    reason: Reason, retry: int, error: RuntimeClientError, random: Callable[[], float]
) -> float:
    """Return the number of seconds to pause before a retry.

    The pause is a random fraction of an upper bound, which doubles with each retry up to 20
    seconds.

    Args:
        reason: The reason for the retry.
        retry: The number of retries that preceded this one.
        error: The failure.  If the error response requests a longer pause, the pause is extended by
            at most 5 seconds.
        random: Returns a random number from 0 up to 1, by which the upper bound is multiplied.
    """
    pause = random() * min(reason.base * (1 << retry), LONGEST_BACKOFF)
    requested = error.retry_after if isinstance(error, ServiceError) else None
    return pause if requested is None else max(pause, min(requested, pause + LONGEST_EXTENSION))


class RetryQuota:
    """The tokens for retries, which a client's calls to one service share.

    The quota keeps an outage from causing a storm of retries.  It has no lock, because a signal
    handler may call the client while its thread would hold the lock.  The tokens are stored in a
    deque, because the operations of a deque are atomic.

    Attributes:
        is_untouched: Whether the quota is still full, because no retry has requested tokens yet.
    """

    CAPACITY = 500

    def __init__(self) -> None:
        self.is_untouched = True
        self._tokens = deque(repeat(None, self.CAPACITY), self.CAPACITY)

    @property
    def available(self) -> int:
        """The number of tokens that are left."""
        return len(self._tokens)

    def acquire(self, reason: Reason) -> bool:
        """Take the tokens for a retry; if too few are left, take none and return False."""
        self.is_untouched = False
        acquired = 0
        try:
            while acquired < reason.cost:
                self._tokens.pop()
                acquired += 1
        except IndexError:
            self._tokens.extend(repeat(None, acquired))
            return False
        return True

    def release(self, last: Reason | None) -> None:
        """Add the tokens of a successful call's last retry, or one token if it had no retry."""
        self._tokens.extend(
            repeat(None, last.cost if last else 1)
        )  # the deque's maximum length bounds the quota


class ServiceClock:
    """The correction of this machine's clock, which is added for signatures.

    All calls of a client share the correction, because it is this machine's clock that is wrong.
    Botocore has no such correction.

    Attributes:
        offset: The correction that is added to this machine's clock for a signature.
        was_right: Whether a service has accepted a signature with this offset.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Discard the correction, because a new client or a new process generation starts."""
        self.offset = timedelta()
        self.was_right = False

    def confirm(self, offset: timedelta) -> None:
        """Record that a service has accepted a signature with *offset*."""
        self.was_right = self.was_right or offset == self.offset

    def adopt(
        self,
        error: RuntimeClientError,
        ahead: timedelta | None,
        offset: timedelta,
        *,
        is_authentic: bool,
    ) -> bool:
        """Adopt the service's clock if this machine's clock caused *error*; return True to retry.

        Args:
            error: The service's error.
            ahead: The result of `service_ahead` for the error.
            offset: The offset of the rejected signature.  If a concurrent call has corrected the
                clock since then, the shared offset differs.
            is_authentic: Whether TLS has verified the service.  If it has not, anyone may have
                written the date, so the date is used only if no offset has been accepted yet.
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


class ServiceState:
    """The state that the clients of one service share: clock correction, retry quota, rate limiter.

    A new process generation, after a fork or the restoration of a snapshot, starts with a new
    state.

    Args:
        system: Provides the monotonic clock and the generation.
        clock: The clock correction, which the states of several services share.
        adaptive: Whether there is a rate limiter.

    Attributes:
        clock: The clock correction.
        generation: The process generation in which the state was created.
        quota: The retry quota.
        limiter: The rate limiter; None if *adaptive* is false.
    """

    def __init__(self, system: System, clock: ServiceClock, *, adaptive: bool) -> None:
        self._system, self._adaptive = system, adaptive
        self.clock = clock
        self._start()

    def _start(self) -> None:
        self.generation = self._system.generation()
        self.quota = RetryQuota()
        self.limiter: RateLimiter | None = None
        if self._adaptive:
            from .rate_limiter import RateLimiter

            self.limiter = RateLimiter(self._system.monotonic())

    def reset(self) -> None:
        """Discard the state, because a new process generation has begun."""
        self._start()
        self.clock.forget()


def service_ahead(error: RuntimeClientError, now: datetime) -> timedelta | None:
    """Return how far the service's clock is ahead of *now*, or None if *error* has no date."""
    if not isinstance(error, ServiceError) or error.date is None:
        return None
    return error.date - now
