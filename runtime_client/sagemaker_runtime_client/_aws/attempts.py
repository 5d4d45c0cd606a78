"""The state of one call, which its attempts share."""

from __future__ import annotations

import logging
from datetime import timedelta

from sigv4 import Payload

from .._errors import RuntimeClientError
from .._io.message import Response
from .retry import Reason

_log = logging.getLogger("sagemaker_runtime_client")


class Progress:
    """The progress of a call, which can still be read after an interrupt has ended the call.

    Attributes:
        attempts: The number of attempts of a successful call; 0 until an attempt has succeeded.
        is_under_way: Whether the last attempt may have been sent and its failure has not been
            recorded.  It remains True after a success.
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
        """Whether the service may have accepted at least one attempt of the call."""
        return self.is_under_way or self.possibly_accepted_since is not None

    def note_failure(self, began: float, *, possibly_accepted: bool) -> None:
        """Record the failure of the attempt that started at *began*."""
        self.is_under_way = False
        if possibly_accepted and self.possibly_accepted_since is None:
            self.possibly_accepted_since = began


class Attempts:
    """The attempts of one call.

    Args:
        operation: The operation, which log lines mention.
        max_attempts: The maximum number of attempts.
        call_id: The id that is sent with each attempt, so that AWS can recognize the attempts of
            one call.
        payload: The request body, in the form in which it is signed.
        progress: The progress of the call, which is updated with each attempt.

    Attributes:
        number: The number of the current attempt, from 1; 0 before the first attempt.
        began: The start of the current attempt, on the monotonic clock.
        clock_offset: The correction that is added to this machine's clock to sign the current
            attempt.
        service_ahead: How far the service's clock is ahead of this machine's clock, according to
            the error response to the last failed attempt.  None if there was no error response, or
            if it has no usable date.
        clock_corrected: Whether an attempt was repeated because this machine's clock was wrong.  A
            call repeats an attempt for this reason at most once.
        retry_reason: The reason for the last retry that did not correct the clock; None if there
            was no such retry.
    """

    __slots__ = (
        "began",
        "call_id",
        "clock_corrected",
        "clock_offset",
        "max_attempts",
        "number",
        "operation",
        "payload",
        "progress",
        "retry_reason",
        "service_ahead",
    )

    def __init__(
        self,
        operation: object,
        max_attempts: int,
        call_id: str,
        payload: Payload,
        progress: Progress,
    ) -> None:
        self.operation = operation
        self.max_attempts = max_attempts
        self.call_id = call_id
        self.payload = payload
        self.progress = progress
        self.number = 0
        self.began = 0.0
        self.clock_offset = timedelta()
        self.service_ahead: timedelta | None = None
        self.clock_corrected = False
        self.retry_reason: Reason | None = None

    def log_success(self, response: Response) -> None:
        """Log that the current attempt succeeded."""
        _log.debug(
            "%s: attempt %d of %d succeeded (status %d, request id %s)",
            *self._prefix,
            response.status,
            response.request_id,
        )

    def log_failure(self, error: RuntimeClientError) -> None:
        """Log that the current attempt failed."""
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s: attempt %d of %d failed: %s", *self._prefix, error)

    def log_retry(self, error: RuntimeClientError, pause: float, *, is_ambiguous: bool) -> None:
        """Log that another attempt follows after *pause* seconds."""
        if is_ambiguous:
            _log.warning(
                "%s: attempt %d of %d failed; retrying in %.2f s, although the service may have "
                "accepted a previous attempt, so the request may be executed twice: %s",
                *self._prefix,
                pause,
                error,
            )
        else:
            _log.info(
                "%s: attempt %d of %d failed; retrying in %.2f s: %s", *self._prefix, pause, error
            )

    def log_clock_correction(self) -> None:
        """Log that the next attempt is signed with the service's time because the clocks differ."""
        _log.warning(
            "%s: attempt %d of %d was rejected because this machine's clock differs from the "
            "service's clock by %s; retrying with the service's time",
            *self._prefix,
            abs(self.service_ahead or timedelta()),
        )

    def log_wait(self, pause: float) -> None:
        """Log that the next attempt waits *pause* seconds for the rate limiter."""
        name, number, max_attempts = self._prefix
        _log.debug(
            "%s: attempt %d of %d waits %.2f s, because the service has throttled requests",
            name,
            number + 1,
            max_attempts,
            pause,
        )

    @property
    def _prefix(self) -> tuple[str, int, int]:
        id_ = self.progress.inference_id
        name = f"{self.operation} (inference id {id_})" if id_ else str(self.operation)
        return name, self.number, self.max_attempts
