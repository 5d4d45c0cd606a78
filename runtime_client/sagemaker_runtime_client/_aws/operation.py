"""An operation, which is a request with the rules for its response, and the attempts of a call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sigv4 import Payload

from .._errors import RuntimeClientError, ServiceError, TransportError
from .._io.message import Request, Response
from .._limits import RESPONSE, ResponseLimit
from .auth import Auth
from .endpoint import Endpoint
from .retry import Reason

if TYPE_CHECKING:  # creating a protocol at run time would slow down the first call
    from collections.abc import Awaitable
    from typing import Protocol

    class Send(Protocol):
        """A function that sends a request, such as `Transport.send`."""

        def __call__(
            self,
            origin: str,
            make: Callable[[], Request],
            deadline: float | None,
            /,
            *,
            limit: ResponseLimit,
            connect_timeout: float | None,
            read_timeout: float | None,
        ) -> Awaitable[Response]: ...


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


class Operation(NamedTuple):
    """A request, its endpoint, and the rules for its response.

    Attributes:
        endpoint: The endpoint, with the service and region names for the signature.
        request: The request without authentication.
        parse_error: Returns the error in an error response.
        is_error: Returns whether a response is an error; None treats every status except 2xx as an
            error.
        idempotent: Whether sending the request twice has the same effect as sending it once.
        limit: The size limit of a successful response.
        deadline: The end of the call, on the monotonic clock.  If it is None, only the timeouts of
            the connection limit the call.
        auth: The authentication; None uses the client's authentication.
        check: Raises an error for an invalid successful response; None accepts every successful
            response.
        is_poll: Whether the request is one of a series of polls.  A failed poll is not retried,
            because the next poll follows; a poll is repeated only after a correction of the clock.
            Polls do not use the retry quota, which they would exhaust for all other calls.
        progress: Updated as the call proceeds; None if it is not needed.
        sensitive_headers: The names of request headers whose values no message may contain.
        retry_ambiguous: Whether to retry after an attempt that the service may have accepted.  None
            uses the client's setting.
        read_timeout: The read timeout of the request, in seconds; None uses the client's setting.
        send: The function that sends each attempt; None uses the transport's `send`.
        payload: The body, in the form in which it is signed.  None computes the hash of the body,
            which must then be in memory.
    """

    endpoint: Endpoint
    request: Request
    parse_error: Callable[[Response], ServiceError]
    is_error: Callable[[Response], bool] | None = None
    idempotent: bool = True
    limit: ResponseLimit = RESPONSE
    deadline: float | None = None
    auth: Auth | None = None
    check: Callable[[Response], None] | None = None
    is_poll: bool = False
    progress: Progress | None = None
    sensitive_headers: Collection[str] = ()
    retry_ambiguous: bool | None = None
    read_timeout: float | None = None
    send: Send | None = None
    payload: Payload | None = None

    @property
    def needs_body(self) -> bool:
        """Whether a successful response counts as a failure if its body is incomplete."""
        return self.idempotent or not self.limit.is_truncated

    def incomplete_error(self, response: Response) -> TransportError:
        """Return the error for a successful response with an incomplete body."""
        error = TransportError(
            f"{self}: the response ended before it was complete", status_code=response.status
        )
        error.possibly_accepted = not self.idempotent
        return error

    @property
    def secrets(self) -> list[str]:
        """The values of the request's sensitive headers, which no message may contain."""
        return [value for name, value in self.request.headers if name in self.sensitive_headers]

    def __repr__(self) -> str:
        """Return the method and the URL of the request, for messages and log lines."""
        return f"{self.request.method} {self.endpoint.origin}{self.request.path}"


class Attempts:
    """The attempts of one call.

    Args:
        operation: The operation.
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
        operation: Operation,
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
