"""The attempts of one call: which one is under way, and what the earlier ones have shown."""

from datetime import timedelta

from sigv4 import Payload

from .retry import Reason


class Progress:
    """
    How far a call has come, also for whoever catches an interrupt or a cancellation that ends it.

    Attributes:
        attempts: How many requests were sent, once one has succeeded.
        is_under_way: Whether a request is being sent, or was sent, and its outcome is not known.
        possibly_accepted_since: When the first attempt began that failed and was possibly accepted all the
            same, on the monotonic clock; None if there is none.
    """

    attempts = 0
    is_under_way = False
    possibly_accepted_since: float | None = None
    inference_id: str | None = None

    @property
    def possibly_accepted(self) -> bool:
        """Whether the service may have accepted some attempt."""
        return self.is_under_way or self.possibly_accepted_since is not None

    def note_failure(self, began: float, *, possibly_accepted: bool) -> None:
        """Note that the attempt that began at *began* has failed."""
        self.is_under_way = False
        if possibly_accepted and self.possibly_accepted_since is None:
            self.possibly_accepted_since = began


class Attempts:
    """
    What one call has tried so far.

    Args:
        call_id: Tells AWS which attempts are of one call.
        payload: What stands for the body in a signature.
        progress: Is told how far the call has come.

    Attributes:
        number: Which attempt is under way, from 1.
        began: When it began, on the monotonic clock.
        clock_offset: What is added to our clock for its signature.
        service_ahead: By how much the service's clock is ahead of ours, as the last answer says; None if
            it does not say.
        clock_corrected: Whether one of them was made because our clock was wrong: that happens once.
        retry_reason: Why the last retry was made; None if there was none, or only for the clock.
    """

    __slots__ = (
        "began",
        "call_id",
        "clock_corrected",
        "clock_offset",
        "number",
        "payload",
        "progress",
        "retry_reason",
        "service_ahead",
    )

    def __init__(self, call_id: str, payload: Payload, progress: Progress) -> None:
        self.call_id = call_id
        self.payload = payload
        self.progress = progress
        self.number = 0
        self.began = 0.0
        self.clock_offset = timedelta()
        self.service_ahead: timedelta | None = None
        self.clock_corrected = False
        self.retry_reason: Reason | None = None
