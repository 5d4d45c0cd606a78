"""A call to an AWS service: up to `max_attempts` attempts to send one request.

`ServiceClient.send` repeats these steps until a response is accepted or a failure is final:

1. Prepare the authentication.  Credentials are requested for each attempt, because they may have
   been rotated since the previous attempt.
2. Let the transport acquire a permit for a connection.  Waiting for a permit may take long, so the
   request is signed afterwards.  Its signature then contains the time at which the request is
   sent, and a call that waits for a permit does not hold a signed copy.
3. Send the request, read the response and classify it.  An error response becomes a `ServiceError`,
   and a missing or incomplete response becomes a `TransportError`.

`RetryPolicy` decides which failures are retried: throttling, transient statuses and codes, and
missing or incomplete responses.  An attempt that the service may have accepted is retried only if
the operation is idempotent or `retry_ambiguous` is set, by the operation or else by the client.  A
retry also needs tokens from the client's retry quota, so that an outage does not cause a storm of
retries.  `backoff` chooses the pause; the adaptive mode can add a wait for its rate limiter.  Polls
are not retried for these reasons, because the next poll repeats the request.

If the service rejects a signature because this machine's clock is wrong, the client adopts the
service's time and repeats the attempt once.  This retry counts as one of the attempts, but has no
pause and does not use the quota.

The deadline covers the whole call.  If a pause would last until the deadline or longer, the call
raises the last error instead.  The transport aborts a request when the deadline passes.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, TypeVar

from sigv4 import Payload

from .._errors import RuntimeClientError, ThrottlingError, TransportError
from .._io.files import is_shortage, shortage
from .._io.message import Request, Response
from .._io.system import System
from .._io.transport import Transport
from .auth import Auth, PreparedAuth
from .error_response import without_secrets
from .operation import Attempts, Operation, Progress
from .retry import AFTER_SENDING, RetryPolicy, ServiceClock, ServiceState, backoff, service_ahead

if TYPE_CHECKING:
    from .rate_limiter import RateLimiter

T = TypeVar("T")

Headers = list[tuple[str, str]]

_log = logging.getLogger("sagemaker_runtime_client")


class ServiceClient:
    """A client of one service.

    Args:
        system: Provides clocks and pauses.
        transport: Sends the requests.
        auth: The authentication of operations that do not specify one.
        policy: Which failures are retried, and how often.
        headers: Headers that are added to every request.
        trace_headers: Returns additional headers for each request; None for no additional headers.
        connect_timeout: The connect timeout of each request; None for that of the transport.
        read_timeout: The read timeout of operations that do not specify one.
        state: The clock correction, the retry quota and the rate limiter, which other clients may
            share; None for a new state.
    """

    def __init__(
        self,
        system: System,
        transport: Transport,
        auth: Auth,
        policy: RetryPolicy,
        *,
        headers: Headers | None = None,
        trace_headers: Callable[[], Headers] | None = None,
        connect_timeout: float | None = None,
        read_timeout: float = 60.0,
        state: ServiceState | None = None,
    ) -> None:
        self._system, self._transport = system, transport
        self._auth = auth
        self._policy = policy
        self._headers = headers or []
        self._trace_headers = trace_headers
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._state = state or ServiceState(system, ServiceClock(), adaptive=policy.adaptive)

    async def send(self, operation: Operation) -> Response:
        """Send the request until an attempt succeeds or a failure is final.

        Returns:
            The successful response.  The operation's progress contains the number of attempts.

        Raises:
            RuntimeClientError: The failure of the last attempt, with the number of attempts; or the
                rate limiter would have delayed the first attempt beyond the deadline.
        """
        state = self._state
        if state.generation != self._system.generation():
            state.reset()
        payload = operation.payload
        if payload is None:
            body = operation.request.body
            payload = await self._system.compute(len(body), Payload.of, body)
        attempts = Attempts(
            operation,
            self._policy.max_attempts,
            self._system.uuid(),
            payload,
            operation.progress or Progress(),
        )
        if state.limiter and not await self._acquire_token(state.limiter, operation, attempts):
            raise TransportError(
                f"{operation} was not sent: the service is throttling requests, and the timeout leaves "
                "no time to wait"
            )
        while True:
            attempts.number += 1
            attempts.clock_offset, attempts.began = state.clock.offset, self._system.monotonic()
            try:
                response = await self._attempt(operation, attempts)
            except RuntimeClientError as error:
                # No variable may refer to the error after this block, because error, traceback and
                # frame would form a reference cycle that holds the payload until the garbage
                # collector runs.
                self._note_failure(operation, attempts, error)
                if not await self._prepare_retry(operation, attempts, error):
                    raise
            else:
                self._note_success(operation, attempts, response)
                return response

    async def _attempt(self, operation: Operation, attempts: Attempts) -> Response:
        """Send the request once; return a successful response, or raise the error for a failure."""
        system, deadline, progress = self._system, operation.deadline, attempts.progress
        headers = self._attempt_headers(operation, attempts)
        auth = await (operation.auth or self._auth).prepare(system, deadline)
        # Uploading the input or fetching credentials may have used up the time.  If the operation
        # has its own auth, as in the final poll of a wait, only the transport limits the time.
        if operation.auth is None and deadline is not None and system.monotonic() >= deadline:
            raise TransportError(f"the timeout elapsed before {operation} could be sent")

        def authenticate() -> Request:
            progress.is_under_way = True
            request = operation.request.with_headers(headers)
            timestamp = system.now() + attempts.clock_offset
            return auth.apply(operation.endpoint, request, attempts.payload, timestamp)

        origin = operation.endpoint.origin
        try:
            response = await (operation.send or self._transport.send)(
                origin,
                authenticate,
                deadline,
                limit=operation.limit,
                connect_timeout=self._connect_timeout,
                read_timeout=operation.read_timeout or self._read_timeout,
            )
        except OSError as error:  # raised if an import fails; network failures raise TransportError
            if not is_shortage(error):
                raise
            raise shortage(
                f"cannot connect to {origin}", possibly_accepted=progress.is_under_way
            ) from error
        if not response.complete and response.ok and operation.needs_body:
            raise operation.incomplete_error(response)
        failed = not response.ok if operation.is_error is None else operation.is_error(response)
        if failed:
            secrets = [*auth.secrets, *operation.secrets]
            raise without_secrets(operation.parse_error(response), secrets)
        if operation.check is not None:
            await system.compute(len(response.body), operation.check, response)
        return response

    def _attempt_headers(self, operation: Operation, attempts: Attempts) -> Headers:
        """Return the headers that describe the attempt to AWS.

        If the last error response contained the service's time, the headers also state when this
        attempt will time out, by the service's clock.

        Source: botocore 1.44, handlers.py, add_retry_headers.
        """
        text = f"attempt={attempts.number}; max={self._policy.max_attempts}"
        if (ahead := attempts.service_ahead) is not None:
            timeout = timedelta(seconds=operation.read_timeout or self._read_timeout)
            ends = self._system.now() + ahead + timeout
            text = f"ttl={ends:%Y%m%dT%H%M%SZ}; {text}"
        headers = [
            *self._headers,
            ("amz-sdk-invocation-id", attempts.call_id),
            ("amz-sdk-request", text),
        ]
        return headers + self._trace_headers() if self._trace_headers else headers

    def _note_success(self, operation: Operation, attempts: Attempts, response: Response) -> None:
        """Record the success in the rate limiter, the clock and, except for a poll, the quota."""
        attempts.progress.attempts = attempts.number
        if _log.isEnabledFor(logging.DEBUG):
            attempts.log_success(response)
        state = self._state
        if state.limiter:
            state.limiter.record(self._system.monotonic(), throttled=False)
        if not state.clock.was_right:
            state.clock.confirm(attempts.clock_offset)
        if not operation.is_poll and not state.quota.is_untouched:
            state.quota.release(attempts.retry_reason)

    def _note_failure(
        self, operation: Operation, attempts: Attempts, error: RuntimeClientError
    ) -> None:
        """Add the facts about all attempts to *error*, and pass the failure to the rate limiter."""
        attempts.log_failure(error)
        attempts.service_ahead = service_ahead(error, self._system.now())
        was_sent = isinstance(error, AFTER_SENDING)
        error.attempts = attempts.number if was_sent else attempts.number - 1
        if was_sent and self._state.limiter:
            throttled = isinstance(error, ThrottlingError)
            self._state.limiter.record(self._system.monotonic(), throttled=throttled)
        progress = attempts.progress
        progress.note_failure(attempts.began, possibly_accepted=error.possibly_accepted)
        error.possibly_accepted = progress.possibly_accepted

    async def _prepare_retry(
        self, operation: Operation, attempts: Attempts, error: RuntimeClientError
    ) -> bool:
        """Wait until the next attempt is due; return False if there is no next attempt."""
        limiter = self._state.limiter
        corrects_clock = not attempts.clock_corrected and self._state.clock.adopt(
            error,
            attempts.service_ahead,
            attempts.clock_offset,
            is_authentic=operation.endpoint.origin.startswith("https://"),
        )
        if attempts.number >= self._policy.max_attempts:
            return False
        if corrects_clock:
            attempts.clock_corrected = True
            attempts.log_clock_correction()
        elif operation.is_poll or not await self._pause(operation, attempts, error):
            return False
        return not limiter or await self._acquire_token(limiter, operation, attempts)

    async def _pause(
        self, operation: Operation, attempts: Attempts, error: RuntimeClientError
    ) -> bool:
        """Pause before a retry; return False if the policy, deadline or quota forbids the retry."""
        reason = self._policy.reason(
            error, idempotent=operation.idempotent, retry_ambiguous=operation.retry_ambiguous
        )
        if reason is None:
            return False
        pause = backoff(reason, attempts.number - 1, error, self._system.random)
        deadline = operation.deadline
        if deadline is not None and self._system.monotonic() + pause >= deadline:
            return False
        if not self._state.quota.acquire(reason):
            error.add_note("not retried: this client has used up its retry quota")
            return False
        attempts.retry_reason = reason
        is_ambiguous = error.possibly_accepted and not operation.idempotent
        attempts.log_retry(error, pause, is_ambiguous=is_ambiguous)
        await self._system.sleep(pause)
        return True

    async def _acquire_token(
        self, limiter: "RateLimiter", operation: Operation, attempts: Attempts
    ) -> bool:
        """Wait for the adaptive mode's rate limiter; return False if the deadline is too close."""
        now, deadline = self._system.monotonic(), operation.deadline
        pause = limiter.acquire(now, inf if deadline is None else deadline - now)
        if pause:
            attempts.log_wait(pause)
            await self._system.sleep(pause)
        return pause is not None

    async def prepare(self, origin: str, deadline: float | None = None) -> PreparedAuth:
        """Load the transport for *origin*, and return the prepared authentication.

        `wait` calls this method before its final poll, because the time for that poll is too short
        to include loading and authentication.
        """
        await self.load(origin)
        return await self._auth.prepare(self._system, deadline)

    def now(self) -> datetime:
        """Return the time, corrected to the service's clock."""
        return self._system.now() + self._state.clock.offset

    async def load(self, origin: str) -> None:
        """Load what the transport needs to send requests to *origin*."""
        await self._transport.prepare(origin)

    async def compute(self, function: Callable[[bytes], T], body: bytes) -> T:
        """Return *function*'s result for *body*; if *body* is large, compute it in a thread."""
        return await self._system.compute(len(body), function, body)
