"""The client-side rate limiter of the ``adaptive`` retry mode.

Each request takes a token from a bucket.  The bucket's fill rate drops after each throttled
response and rises again along a cubic curve, as in TCP CUBIC.  Until the first throttled response,
the limiter does not delay requests.  The limiter does not sleep: its caller passes the current
time, and the limiter returns how long the caller must wait.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html and botocore
1.44, retries/adaptive.py, bucket.py, throttling.py.
"""

from math import floor, inf
from threading import RLock

_BETA = 0.7  # the fraction of the rate that remains after a throttled response
_SCALE = 0.4  # determines how fast the rate rises after it has dropped
_SMOOTHING = 0.8  # the weight of the latest measurement in the smoothed rate
_PERIOD = 0.5  # the minimum length of a measurement period, in seconds
_MIN_RATE = 0.5
_MAX_RATE_FACTOR = 2.0  # the maximum ratio of the fill rate to the measured rate


class Cubic:
    """The curve along which the rate drops after a throttled response, recovers and then grows.

    Args:
        ceiling: The rate before the throttled response, to which the curve recovers.
        at: The time of the throttled response, in seconds.
    """

    def __init__(self, ceiling: float, at: float) -> None:
        self._ceiling = ceiling
        self._at = at
        self._recovery_time: float = (ceiling * (1 - _BETA) / _SCALE) ** (1 / 3)

    def rate(self, now: float) -> float:
        """Return the value of the curve at the time *now*."""
        since = now - self._at - self._recovery_time
        return _SCALE * since * since * since + self._ceiling


class RateLimiter:
    """Limits the rate at which the threads or tasks of one client send requests to one service.

    Args:
        now: The current time in seconds, on a monotonic clock.

    Attributes:
        fill_rate: The number of tokens that are added to the bucket per second.
        measured_rate: The measured number of completed attempts per second, smoothed.
    """

    def __init__(self, now: float) -> None:
        self.fill_rate = _MIN_RATE
        self.measured_rate = 0.0
        # The lock is reentrant, because a signal handler may call the client while its thread holds
        # the lock.
        self._lock = RLock()
        self._throttled = False
        self._cubic = Cubic(0.0, now)
        self._tokens = 0.0
        self._filled_at = now
        self._period = float(floor(now))
        self._count = 0

    def acquire(self, now: float, max_wait: float = inf) -> float | None:
        """Take a token, and return the number of seconds to wait until the token is available.

        Until the first throttled response, return 0 and take no token.  If the wait would last
        *max_wait* seconds or longer, return None and take no token.
        """
        with self._lock:
            if not self._throttled:
                return 0.0
            self._fill(now)
            wait = max(0.0, (1.0 - self._tokens) / self.fill_rate)
            if wait and wait >= max_wait:
                return None
            self._tokens -= 1.0  # negative if waiting requests have taken tokens in advance
            return wait

    def record(self, now: float, *, throttled: bool) -> None:
        """Record at the time *now* whether an attempt was throttled, and adjust the fill rate."""
        with self._lock:
            self._measure(now)
            if throttled:
                sent = self.measured_rate
                ceiling = min(sent, self.fill_rate) if self._throttled else sent
                self._cubic = Cubic(ceiling, now)
                self._throttled = True
            rate = min(self._cubic.rate(now), _MAX_RATE_FACTOR * self.measured_rate)
            self._fill(now)
            self.fill_rate = max(rate, _MIN_RATE)
            self._tokens = min(self._tokens, self._capacity)

    @property
    def _capacity(self) -> float:
        return max(self.fill_rate, 1.0)

    def _fill(self, now: float) -> None:
        added = max(0.0, now - self._filled_at) * self.fill_rate
        self._tokens = min(self._capacity, self._tokens + added)
        self._filled_at = now

    def _measure(self, now: float) -> None:
        """Count an attempt, and update the measured rate if the measurement period has ended."""
        self._count += 1
        period = floor(now / _PERIOD) * _PERIOD
        if period > self._period:
            rate = self._count / (period - self._period)
            self.measured_rate = _SMOOTHING * rate + (1 - _SMOOTHING) * self.measured_rate
            self._count, self._period = 0, period
