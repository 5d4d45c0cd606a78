"""
Sending more slowly once a service throttles: what the ``adaptive`` retry mode adds.

A bucket of tokens, one a request, is filled at a rate that falls with each throttled answer and
climbs again along a cubic curve, as TCP's CUBIC does.  Until something throttles, it lets
everything through.  Pure decisions: time is an argument, and the caller sleeps.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html and
botocore 1.44, retries/adaptive.py, bucket.py, throttling.py.
"""

from math import floor, inf
from threading import RLock

_BETA = 0.7  # what is left of the rate after throttling
_SCALE = 0.4  # how fast it climbs
_SMOOTHING = 0.8  # what the newest measurement counts
_PERIOD = 0.5  # seconds that one measurement takes
_MIN_RATE = 0.5
_MAX_RATE_FACTOR = 2.0  # the rate is at most so many times what was measured


class Cubic:
    """
    The curve on which the rate falls with throttling, comes back to what it was, and goes beyond.

    Args:
        ceiling: The rate at the last throttling.
        at: When that was.
    """

    def __init__(self, ceiling: float, at: float) -> None:
        self._ceiling = ceiling
        self._at = at
        self._recovery_time: float = (ceiling * (1 - _BETA) / _SCALE) ** (1 / 3)

    def rate(self, now: float) -> float:
        """Return the rate at *now*."""
        since = now - self._at - self._recovery_time
        return _SCALE * since * since * since + self._ceiling


class RateLimiter:
    """
    How fast one client may send to one service; its threads or tasks share it.

    Args:
        now: Seconds, on any clock that is never set.

    Attributes:
        fill_rate: Tokens a second.
        measured_rate: Requests a second, smoothed.
    """

    def __init__(self, now: float) -> None:
        self.fill_rate = _MIN_RATE
        self.measured_rate = 0.0
        self._lock = RLock()  # a signal handler may call the client whose thread holds it
        self._throttled = False
        self._cubic = Cubic(0.0, now)
        self._tokens = 0.0
        self._filled_at = now
        self._period = float(floor(now))
        self._count = 0

    def acquire(self, now: float, most: float = inf) -> float | None:
        """Take a token, and return after how many seconds it is there; not one that takes *most*."""
        with self._lock:
            if not self._throttled:
                return 0.0
            self._fill(now)
            wait = max(0.0, (1.0 - self._tokens) / self.fill_rate)
            if wait and wait >= most:
                return None
            self._tokens -= 1.0  # below 0 are those whose owners wait
            return wait

    def record(self, now: float, *, throttled: bool) -> None:
        """Take note of an answer, and set the rate anew."""
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
        """Add the tokens of the time since the last time."""
        added = max(0.0, now - self._filled_at) * self.fill_rate
        self._tokens = min(self._capacity, self._tokens + added)
        self._filled_at = now

    def _measure(self, now: float) -> None:
        """Count a request, and at the end of a period see how many there were."""
        self._count += 1
        period = floor(now / _PERIOD) * _PERIOD
        if period > self._period:
            rate = self._count / (period - self._period)
            self.measured_rate = _SMOOTHING * rate + (1 - _SMOOTHING) * self.measured_rate
            self._count, self._period = 0, period
