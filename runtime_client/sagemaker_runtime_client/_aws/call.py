"""
One call: authenticate, send, judge the answer, perhaps again.

The only place where requests are sent, and where errors get their number of attempts.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import count
from math import inf
from typing import TYPE_CHECKING, TypeVar

from sigv4 import Payload

from .._errors import (
    RuntimeClientError,
    ThrottlingError,
    TransportError,
    is_shortage,
    shortage,
)
from .._io.message import Request, Response
from .._io.system import IO
from .auth import Auth, PreparedAuth
from .error_response import without_secrets
from .operation import Call, Progress, Reply, attempt_headers
from .retry import (
    AFTER_SENDING,
    Reason,
    RetryPolicy,
    RetryQuota,
    ServiceClock,
    backoff,
    service_ahead,
)

if TYPE_CHECKING:
    from .rate_limiter import RateLimiter

T = TypeVar("T")

_log = logging.getLogger("sagemaker_runtime_client")


class Caller:
    """
    Makes a client's calls to one service, and keeps what they share: quota and pace.

    Args:
        io: The outside world.
        auth: How they are authenticated, where a call does not say.
        policy: How often a call is tried.
        headers: Returns what every request carries, looked up anew for each.
        patience: For how many seconds an attempt may go on; AWS is told.
        clock: By how much ours is wrong, which all of a client's calls share; None for one of its own.
    """

    def __init__(
        self,
        io: IO,
        auth: Auth,
        policy: RetryPolicy,
        headers: Callable[[], list[tuple[str, str]]] = list,
        patience: float = 60.0,
        clock: ServiceClock | None = None,
    ) -> None:
        self._io = io
        self._auth = auth
        self._policy = policy
        self._headers = headers
        self._patience = timedelta(seconds=patience)
        self._clock = clock or ServiceClock()
        self._begin()

    def _begin(self) -> None:
        """Know nothing of the service: at first, and in a new generation."""
        self._generation = self._io.generation()
        self._quota = RetryQuota()
        self._limiter: "RateLimiter | None" = None
        if self._policy.adaptive:
            from .rate_limiter import RateLimiter

            self._limiter = RateLimiter(self._io.monotonic())

    async def call(self, call: Call) -> Reply:
        """
        Send a request until it is answered, refused for good or not worth another attempt.

        Raises:
            RuntimeClientError: The last attempt's failure, with the number of attempts.
        """
        if self._generation != self._io.generation():
            self._begin()
            self._clock.forget()
        invocation_id = self._io.uuid()
        reason: Reason | None = None
        ahead: timedelta | None = None
        progress = call.progress or Progress()
        clock_was_set = False
        body = call.request.body
        payload = await self._io.compute(len(body), Payload.of, body)
        if not await self._take_turn(call.deadline):
            raise TransportError("the service throttles, and there is no time to wait for a turn")
        for attempt in count(1):
            ends = None if ahead is None else self._io.now() + ahead + self._patience
            headers = self._headers() + attempt_headers(
                invocation_id, attempt, self._policy.max_attempts, ends
            )
            offset, began = self._clock.offset, self._io.monotonic()
            try:
                response = await self._attempt(call, headers, payload, offset, progress)
            except RuntimeClientError as error:
                # No variable may outlive this block with the error: of the error, its traceback and
                # this frame it would make a cycle, which holds the payload until it is collected.
                _log.debug("%s, attempt %d: %s", call, attempt, error)
                ahead = service_ahead(error, self._io.now())
                self._note_failure(error, attempt)
                error.may_have_been_taken = progress.end(began, taken=error.may_have_been_taken)
                sets_clock = not clock_was_set and self._clock.adopt(
                    error, ahead, offset, is_authentic=call.endpoint.origin.startswith("https://")
                )
                if attempt >= self._policy.max_attempts:
                    raise
                if sets_clock:
                    clock_was_set = True
                else:
                    reason = self._reason(call, error)
                    if not await self._pause(reason, attempt - 1, error, call.deadline):
                        raise
                if not await self._take_turn(call.deadline):
                    raise
            else:
                _log.debug("%s, attempt %d: %s %s", call, attempt, response, response.request_id)
                self._note_success(call, reason, offset)
                return Reply(response, attempt, progress.taken_since)
        raise AssertionError  # pragma: no cover (count does not end)

    def _reason(self, call: Call, error: RuntimeClientError) -> Reason | None:
        """Return why *error* is worth another attempt; None if it is not."""
        return None if call.is_poll else self._policy.reason(error, idempotent=call.idempotent)

    async def _take_turn(self, deadline: float | None) -> bool:
        """Wait until the adaptive mode lets the next request go, and return whether there is time to."""
        if self._limiter is None:
            return True
        now = self._io.monotonic()
        wait = self._limiter.acquire(now, inf if deadline is None else deadline - now)
        if wait:
            await self._io.sleep(wait)
        return wait is not None

    def _note_success(self, call: Call, reason: Reason | None, offset: timedelta) -> None:
        """Give back what the last retry took, and note that the clock and the pace are right."""
        self._note(throttled=False)
        self._clock.confirm(offset)
        if not call.is_poll:
            self._quota.release(reason)

    def _note_failure(self, error: RuntimeClientError, attempt: int) -> None:
        """Count the requests that were sent, and tell the adaptive mode of one that was."""
        error.attempts = attempt - 1
        if isinstance(error, AFTER_SENDING):
            error.attempts = attempt
            self._note(throttled=isinstance(error, ThrottlingError))

    def _note(self, *, throttled: bool) -> None:
        """Tell the adaptive mode of an answer."""
        if self._limiter is not None:
            self._limiter.record(self._io.monotonic(), throttled=throttled)

    async def _pause(
        self, reason: Reason | None, retry: int, error: RuntimeClientError, deadline: float | None
    ) -> bool:
        """Pause before a retry; return whether there is a reason, the time and the quota for one."""
        if reason is None:
            return False
        pause = backoff(reason, retry, error, self._io.random)
        if deadline is not None and self._io.monotonic() + pause >= deadline:
            return False
        if not self._quota.acquire(reason):
            error.add_note("not tried again: this client's quota of retries is used up")
            return False
        await self._io.sleep(pause)
        return True

    async def _attempt(
        self,
        call: Call,
        headers: Iterable[tuple[str, str]],
        payload: Payload,
        offset: timedelta,
        progress: Progress,
    ) -> Response:
        """Authenticate with the date of sending, *offset* from our clock; send, and return a success."""
        given = call.auth or self._auth
        auth = await given.prepare(self._io, call.deadline)
        waited = auth is not given  # for credentials
        if waited and call.deadline is not None and self._io.monotonic() >= call.deadline:
            raise TransportError("the call's time was over before the request could be sent")

        def authenticated() -> Request:
            progress.is_under_way = True
            request = call.request.with_headers(headers)
            return auth.apply(call.endpoint, request, payload, self._io.now() + offset)

        response = await self._sent(call, authenticated, progress)
        if response.ok and not response.complete and call.idempotent:
            raise TransportError("the answer broke off", status_code=response.status)
        if call.is_error(response):
            raise without_secrets(call.parse_error(response), call.request, auth.secrets)
        if call.check is not None:
            await self._io.compute(len(response.body), call.check, response)
        return response

    async def _sent(self, call: Call, make: Callable[[], Request], progress: Progress) -> Response:
        """Send what *make* returns, and return the answer."""
        origin = call.endpoint.origin
        try:
            return await self._io.send(origin, make, call.deadline, limit=call.limit)
        except OSError as error:  # of a module: those of sockets are ours by now
            if not is_shortage(error):
                raise
            taken = progress.is_under_way
            raise shortage(f"{origin} cannot be reached", may_have_been_taken=taken) from error

    async def prepare(self, origin: str, deadline: float | None = None) -> PreparedAuth:
        """Load what sends to *origin*, and get credentials: a call with a short deadline has no time for it."""
        await self.load(origin)
        return await self._auth.prepare(self._io, deadline)

    async def load(self, origin: str) -> None:
        """Load what sends to *origin*."""
        await self._io.prepare(origin)

    async def compute(self, function: Callable[[bytes], T], body: bytes) -> T:
        """Return what *function* makes of a body, and hold up no event loop meanwhile."""
        return await self._io.compute(len(body), function, body)
