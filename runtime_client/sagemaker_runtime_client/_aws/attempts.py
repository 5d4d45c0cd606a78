"""The state of one call: the current attempt, and what the earlier attempts have shown."""

from datetime import timedelta

from sigv4 import Payload

from .retry import Reason


class Progress:
    """The progress of a call, which stays readable when an interrupt or a cancellation ends the call.

    Attributes:
        attempts: The number of requests sent; set once one has succeeded.
        is_under_way: Whether a request is being sent, or was sent and its outcome is unknown.
        possibly_accepted_since: The start, on the monotonic clock, of the first failed attempt that
            the service may have accepted; None if there is no such attempt.
        inference_id: The id of the job that the call queues, for log lines; None if there is no id.
    """

    attempts = 0
    is_under_way = False
    possibly_accepted_since: float | None = None
    inference_id: str | None = None

    @property
    def possibly_accepted(self) -> bool:
        """Whether the service may have accepted an attempt."""
        return self.is_under_way or self.possibly_accepted_since is not None

    def note_failure(self, began: float, *, possibly_accepted: bool) -> None:
        """Record that the attempt that started at *began* has failed."""
        self.is_under_way = False
        if possibly_accepted and self.possibly_accepted_since is None:
            self.possibly_accepted_since = began


class Attempts:
    """The attempts of one call.

    Args:
        call_id: The id by which AWS recognizes the attempts of one call.
        payload: The body's representation in a signature.
        progress: Updated as the call proceeds.

    Attributes:
        number: The number of the current attempt, from 1.
        began: The start of the current attempt, on the monotonic clock.
        clock_offset: The correction added to this machine's clock for the current signature.
        service_ahead: How far the service's clock is ahead of this machine's clock according to the
            last response; None if the response has no usable date.
        clock_corrected: Whether an attempt was repeated because this machine's clock was wrong.  A
            call does this at most once.
        retry_reason: The reason for the last retry; None if there was no retry, or only one to
            correct the clock.
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
