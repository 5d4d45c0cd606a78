"""The client-side rate limiter of the ``adaptive`` retry mode.

Each request takes a token from a bucket.  The bucket's fill rate drops with each throttled response
and rises again along a cubic curve, as in TCP CUBIC.  Until the first throttled response, the
limiter does not delay requests.  The limiter does not sleep: it receives the time and returns how
long to wait.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html and botocore
1.44, retries/adaptive.py, bucket.py, throttling.py.
"""

from math import floor, inf
from threading import RLock

_BETA = 0.7  # the fraction of the rate that remains after throttling
_SCALE = 0.4  # how fast the rate rises
_SMOOTHING = 0.8  # the weight of the newest measurement
_PERIOD = 0.5  # seconds of one measurement
_MIN_RATE = 0.5
_MAX_RATE_FACTOR = 2.0  # the largest ratio of the fill rate to the measured rate


class Cubic:
    """The curve along which the rate drops after throttling, recovers and then grows.

    Args:
        ceiling: The rate at the last throttled response.
        at: The time of that response, in seconds.
    """

    def __init__(self, ceiling: float, at: float) -> None:
        self._ceiling = ceiling
        self._at = at
        self._recovery_time: float = (ceiling * (1 - _BETA) / _SCALE) ** (1 / 3)

    def rate(self, now: float) -> float:
        """Return the rate at the time *now*."""
        since = now - self._at - self._recovery_time
        return _SCALE * since * since * since + self._ceiling


class RateLimiter:
    """The request rate of one client to one service, shared by its threads or tasks.

    Args:
        now: The time in seconds, on a monotonic clock.

    Attributes:
        fill_rate: Tokens per second.
        measured_rate: Requests per second, smoothed.
    """

    def __init__(self, now: float) -> None:
        self.fill_rate = _MIN_RATE
        self.measured_rate = 0.0
        self._lock = RLock()  # a signal handler may call the client while its thread holds the lock
        self._throttled = False
        self._cubic = Cubic(0.0, now)
        self._tokens = 0.0
        self._filled_at = now
        self._period = float(floor(now))
        self._count = 0

    def acquire(self, now: float, max_wait: float = inf) -> float | None:
        """Take a token, and return the seconds until it is available.

        Return None, and take no token, if the wait would last *max_wait* seconds or longer.
        """
        with self._lock:
            if not self._throttled:
                return 0.0
            self._fill(now)
            wait = max(0.0, (1.0 - self._tokens) / self.fill_rate)
            if wait and wait >= max_wait:
                return None
            self._tokens -= 1.0  # a negative number counts the tokens of waiting requests
            return wait

    def record(self, now: float, *, throttled: bool) -> None:
        """Record a response, and adjust the rate."""
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
        """Count a request, and update the measured rate at the end of a period."""
        self._count += 1
        period = floor(now / _PERIOD) * _PERIOD
        if period > self._period:
            rate = self._count / (period - self._period)
            self.measured_rate = _SMOOTHING * rate + (1 - _SMOOTHING) * self.measured_rate
            self._count, self._period = 0, period
