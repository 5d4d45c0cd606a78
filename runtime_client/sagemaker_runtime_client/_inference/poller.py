"""
One wait: its clock, what it asks S3, and what S3 has said so far.

A poll is never tried again by the caller of S3: the next one does that.
"""

import math
from datetime import timedelta
from typing import Any, TypeVar

from .._aws.auth import PreparedAuth
from .._errors import (
    AccessDeniedError,
    CredentialProviderError,
    ParamValidationError,
    RuntimeClientError,
    ServiceError,
    TransportError,
    WaitTimeoutError,
)
from .._io.system import IO
from .._limits import AnswerLimit
from .._s3.client import S3
from .._s3.objects import S3Location, S3Object
from .invocation import Invocation

# Clocks of S3 and SageMaker may differ by this much, and Last-Modified has whole seconds.
_CLOCK_MARGIN = timedelta(seconds=2)
# After so many seconds the failure object is polled at every second time only: 20 minutes then
# cost under 200 requests, and a failure is seen one poll later.
_EACH_POLL_UNTIL = 5.0
# The last poll, at the deadline, may still take so many seconds in all; a failure that may pass is
# polled again after a pause, while they last.
_LAST_POLL = 1.0
_LAST_PAUSE = 0.25
# ... but an object that was there by then is read to its end, for which it may take so many.
_LAST_BODY = 60.0
_NOT_MODIFIED = 304

E = TypeVar("E", bound=BaseException)


class Poller:
    """One wait: its clock, and what S3 has said."""

    def __init__(self, io: IO, s3: S3, invocation: Invocation, timeout: float) -> None:
        self._io = io
        self._s3 = s3
        self._invocation = invocation
        self._timeout = timeout
        # From when on an object counts.  Under a name that is new for certain there is no older one,
        # whatever the dates say: a proxy may have written the job's, by its own clock.
        first = (
            None if invocation.has_new_name else invocation.first_attempt_date or invocation.date
        )
        self._oldest = None if first is None else first - _CLOCK_MARGIN
        self._start = self._now = io.monotonic()
        self._ends = self._start + timeout
        self._last_poll: tuple[float, PreparedAuth] | None = None
        self._last_body_ends: float | None = None
        self._polls = 0
        self._stale: set[S3Location] = set()
        self._missing: set[S3Location] = set()
        # Where the last answer was a refusal: since when they all were.
        self._denied: dict[S3Location, tuple[float, AccessDeniedError]] = {}
        self.last_error: RuntimeClientError | None = None
        self._failed = False

    def begin_poll(self) -> float:
        """Begin a poll of both objects, and return for how many seconds the wait has gone on."""
        self._polls += 1
        self._failed = False
        self._now = self._io.monotonic()
        return self._elapsed

    @property
    def _elapsed(self) -> float:
        return self._now - self._start

    @property
    def is_last(self) -> bool:
        """Whether this poll began when the time was over."""
        return self._now >= self._ends

    @property
    def is_over(self) -> bool:
        """Whether there is no other poll: S3 has answered the last one, or its time is over."""
        ends = self._last_poll[0] if self._last_poll else self._ends + _LAST_POLL
        has_time = self._io.monotonic() + _LAST_PAUSE < ends
        return self.is_last and not (self._failed and has_time)

    @property
    def failure_due(self) -> bool:
        """Whether the failure object is polled this time too."""
        if self.is_last:
            return True
        if self._io.monotonic() >= self._ends:  # the last poll comes next
            return False
        return self._elapsed < _EACH_POLL_UNTIL or self._polls % 2 == 0

    def check_denied(self, location: S3Location, grace: float) -> None:
        """Raise the last refusal, if there was nothing else for longer than *grace*."""
        if location in self._denied and self._elapsed - self._denied[location][0] >= grace:
            raise self._denied.pop(location)[1]  # a frame that held it would make a cycle

    async def poll(self, location: S3Location, limit: AnswerLimit) -> S3Object | None:
        """Return the object, if it is there and no older than the job."""
        try:
            found = await self._get(location, limit)
        except (ServiceError, TransportError, CredentialProviderError) as error:
            if not self._may_pass(location, error):
                raise
            return None
        oldest, written = self._oldest, found.last_modified
        if oldest is not None and written is not None and written < oldest:
            self._note_stale(location)
            return None
        return found

    async def _get(self, location: S3Location, limit: AnswerLimit) -> S3Object:
        """Read an object; one that is there in time, but not whole, may take its time to come."""
        # S3 knows dates to the second; what is older is not sent at all.
        newer_than = self._oldest and self._oldest - timedelta(seconds=1)
        ends, auth = self._ends, None
        if self._io.monotonic() >= ends:
            ends, auth = await self._last_chance(location)
        try:
            return await self._s3.get(
                location,
                limit=limit,
                deadline=ends,
                modified_since=newer_than,
                auth=auth,
                is_poll=True,
            )
        except TransportError as error:
            now, body_ends = self._io.monotonic(), self._last_body_ends or math.inf
            if error.status_code is None or not ends <= now < body_ends:
                raise
        self._last_body_ends = self._last_body_ends or ends + _LAST_BODY
        return await self._s3.get(location, limit=limit, deadline=self._last_body_ends)

    async def _last_chance(self, location: S3Location) -> tuple[float, PreparedAuth]:
        """Return when the last poll ends, and its credentials; its time runs once it can be sent."""
        if self._last_poll is None:
            auth = await self._s3.prepare(location, self._io.monotonic() + _LAST_BODY)
            self._last_poll = self._io.monotonic() + _LAST_POLL, auth
        return self._last_poll

    def _may_pass(
        self,
        location: S3Location,
        error: ServiceError | TransportError | CredentialProviderError,
    ) -> bool:
        """Note an error, and return whether it may pass."""
        if isinstance(error, ServiceError) and error.code in {"NoSuchKey", "404"}:
            self._missing.add(location)
            self._denied.pop(location, None)
        elif isinstance(error, ServiceError) and error.status_code == _NOT_MODIFIED:
            self._note_stale(location)
        elif isinstance(error, AccessDeniedError) and _may_be_missing(error):
            since, _ = self._denied.get(location, (self._elapsed, error))
            self._denied[location] = since, _without_frames(error)
        elif error.retryable:
            self.last_error, self._failed = _without_frames(error), True
        else:
            return False
        return True

    def _note_stale(self, location: S3Location) -> None:
        self._stale.add(location)
        self._denied.pop(location, None)

    async def pause(self, seconds: Any) -> None:
        """Pause until the next poll is due, *seconds* after this one began, or until the end."""
        if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            raise ParamValidationError(
                "schedule must return seconds, more than 0", argument="schedule"
            )
        ends = self._now + _LAST_PAUSE if self.is_last else self._ends
        due = min(self._now + seconds, ends)
        await self._io.sleep(max(0.0, due - self._io.monotonic()))

    def timed_out(self, output: S3Location, failure: S3Location | None) -> WaitTimeoutError:
        """Return the error of a wait that saw nothing, with what may be the reason."""
        seconds = round(self._timeout, 1)
        parts = [f"no answer to inference {self._invocation.inference_id} after {seconds:g} s"]
        if self.last_error is not None:
            parts.append(f"not every poll succeeded: {self.last_error.message}")
        denied_only = output in self._denied and output not in self._missing | self._stale
        if output in self._denied:
            how = "each time" if denied_only else "in the end"
            parts.append(
                f"S3 answered 403 {how}: s3:GetObject is needed to read the output, s3:ListBucket to "
                "be told that it is not there yet, and kms:Decrypt if it is encrypted with a KMS key"
            )
        elif output in self._stale:
            parts.append("at the output's location is an object that is older than the job")
        elif output in self._missing:
            parts.append("the endpoint may be scaling up from no instances, or its queue be long")
        if failure is None:
            parts.append("the endpoint has no S3FailurePath, so that a failure would not be seen")
        elif failure in self._denied and output not in self._denied:
            parts.append(
                "S3 answered 403 for the failure object: without s3:GetObject and s3:ListBucket, and "
                "kms:Decrypt if it is encrypted with a KMS key, a failure is not seen"
            )
        return WaitTimeoutError("; ".join(parts), access_denied_only=denied_only)


def _without_frames(error: E) -> E:
    """
    Return *error* without its traceback, and without those of what caused it.

    What a wait keeps must not hold the frames that called it: they have the payload, and the wait.
    """
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        link = chain.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            link.__traceback__ = None
            chain += link.__cause__, link.__context__
    return error


def _may_be_missing(error: AccessDeniedError) -> bool:
    """Tell whether a refusal is how S3 says, without s3:ListBucket, that there is no such key."""
    return (
        error.status_code == 403
        and error.code in {"AccessDenied", "403"}
        and "kms:" not in error.message.lower()  # the object is there, and cannot be decrypted
    )
