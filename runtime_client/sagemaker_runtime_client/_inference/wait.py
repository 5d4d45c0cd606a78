"""
Wait for the answer to an invocation: the output object, or the failure object.

There is no status to ask for, so S3 is polled: often at first, more seldom later, and never
beyond a deadline.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
"""

import logging
import math
import xml.parsers.expat
from datetime import datetime, timedelta
from typing import TypeVar

from .._aws.auth import PreparedAuth
from .._errors import (
    CredentialProviderError,
    NoOutputLocationError,
    ParamValidationError,
    RuntimeClientError,
    ServiceError,
    TransportError,
)
from .._io.message import Response
from .._io.system import System
from .._limits import FAILURE_OBJECT, object_limit
from .._s3.client import S3
from .._s3.objects import S3Location, object_fields
from .arguments import check_waiting
from .invocation import Invocation
from .output import Output
from .schedule import Schedule
from .verdicts import (
    PolledObject,
    PollError,
    Verdict,
    inference_failed_error,
    job_name,
    judge,
    timeout_error,
)

# Whoever is going to wait loads this module before the job is queued, and with it what is needed to
# ask S3 and to read its answers.  Later an import may fail, for want of descriptors for example, and
# the job would be lost.
_LOADED_BEFORE = xml.parsers.expat

# Clocks of S3 and SageMaker may differ by this much, and Last-Modified has whole seconds.
_CLOCK_MARGIN = timedelta(seconds=2)
# After so many seconds the failure object is polled at every second time only: 20 minutes then
# cost under 200 requests, and a failure is seen one poll later.
_EACH_POLL_UNTIL = 5.0
# The final poll, at the deadline, may still take so many seconds in all; a failure that may pass is
# polled again after a pause, while they last.
_FINAL_POLL = 1.0
_FINAL_PAUSE = 0.25
# ... but an object that was there by then is read to its end, for which it may take so many.
_FINAL_READ = 60.0
# S3 knows dates to the second.
_SECOND = timedelta(seconds=1)

E = TypeVar("E", bound=BaseException)

_log = logging.getLogger("sagemaker_runtime_client")


async def wait(
    system: System,
    s3: S3,
    invocation: Invocation,
    *,
    timeout: float,
    schedule: Schedule,
    access_denied_grace: float | None,
    max_size: int | None,
) -> Output:
    """Return the output of *invocation*; `InferenceOperations.wait` documents arguments and errors."""
    check_waiting(timeout, schedule, access_denied_grace)
    output = PolledObject(_output_location(invocation), object_limit(max_size))
    failure = _polled_failure(invocation)
    poller = _Poller(
        system, s3, timeout, _earliest_valid_date(invocation), job_name(invocation.inference_id)
    )
    while True:
        elapsed = poller.begin_poll()
        if (found := await poller.poll(output)) is not None:
            return _output(output.location, found, invocation)
        if failure and poller.polls_failure and (failed := await poller.poll(failure)) is not None:
            if (found := await poller.poll(output)) is not None:  # it wins over a failure
                return _output(output.location, found, invocation)
            raise inference_failed_error(invocation.inference_id, failure.location, failed.body)
        if access_denied_grace is not None:
            output.check_grace(access_denied_grace, elapsed)
        if poller.is_over:
            raise timeout_error(
                f"{poller.job}: no output at {output.location} after {round(timeout, 1):g} s",
                output,
                failure,
                poller.last_error,
            ) from poller.last_error
        await poller.pause(schedule(elapsed))


def _output_location(invocation: Invocation) -> S3Location:
    """Return where the output will be, if the service has said so."""
    if invocation.output_location is None:
        raise NoOutputLocationError(
            f"the service accepted {job_name(invocation.inference_id)} without naming its output "
            "location: a notification with this inference id may name it"
        )
    return S3Location.parse(invocation.output_location, argument="invocation.output_location")


def _polled_failure(invocation: Invocation) -> PolledObject | None:
    """Return the failure object, if the endpoint writes one."""
    if not invocation.failure_location:
        return None
    location = S3Location.parse(invocation.failure_location, argument="invocation.failure_location")
    return PolledObject(location, FAILURE_OBJECT)


def _earliest_valid_date(invocation: Invocation) -> datetime | None:
    """
    Return from when on an object counts; None for any.

    Under a name that is new for certain there is no older one, whatever the dates say: a proxy may
    have written the job's, by its own clock.
    """
    date = invocation.first_attempt_date or invocation.date
    return None if invocation.unique_output_name or date is None else date - _CLOCK_MARGIN


def _output(location: S3Location, found: Response, invocation: Invocation) -> Output:
    return Output(
        location=str(location), body=found.body, invocation=invocation, **object_fields(found)
    )


class _Poller:
    """
    The polls of one wait: when they begin and end, and what they ask S3.

    A poll is never tried again by the client of S3: the next one does that.

    Args:
        system: Has the clock.
        s3: What is polled.
        timeout: Seconds from now to the final poll.
        not_before: From when on an object counts; None for any.

    Attributes:
        last_error: The last error that may pass; None without any.
    """

    def __init__(
        self,
        system: System,
        s3: S3,
        timeout: float,
        not_before: datetime | None,
        job: str,
    ) -> None:
        self._system = system
        self._s3 = s3
        self._not_before = not_before
        self.job = job
        self._start = self._poll_began = system.monotonic()
        self._ends = self._start + timeout
        self._polls = 0
        self._poll_failed = False
        self._final_poll: tuple[float, PreparedAuth] | None = None
        self._final_read_ends = math.inf
        self.last_error: RuntimeClientError | None = None

    def begin_poll(self) -> float:
        """Begin a poll of both objects, and return for how many seconds the wait has gone on."""
        self._polls += 1
        self._poll_failed = False
        self._poll_began = self._system.monotonic()
        return self._poll_began - self._start

    @property
    def _is_final(self) -> bool:
        """Whether this poll began when the time was over."""
        return self._poll_began >= self._ends

    @property
    def is_over(self) -> bool:
        """Whether there is no other poll: S3 has answered the final one, or its time is over."""
        ends = self._final_poll[0] if self._final_poll else self._ends + _FINAL_POLL
        has_time = self._system.monotonic() + _FINAL_PAUSE < ends
        return self._is_final and not (self._poll_failed and has_time)

    @property
    def polls_failure(self) -> bool:
        """Whether the failure object is polled this time too."""
        if self._is_final:
            return True
        if self._system.monotonic() >= self._ends:  # the final poll comes next
            return False
        return self._poll_began - self._start < _EACH_POLL_UNTIL or self._polls % 2 == 0

    async def poll(self, polled: PolledObject) -> Response | None:
        """Return S3's answer, if the object is there and not older than the job."""
        try:
            found = await self._get(polled)
        except (ServiceError, TransportError, CredentialProviderError) as error:
            verdict = judge(error)
            if verdict is Verdict.FINAL:
                raise
            self._note(polled, verdict, error)
            return None
        if self._not_before is not None and _is_older(found, self._not_before):
            polled.note_absence(Verdict.STALE)
            return None
        return found

    def _note(self, polled: PolledObject, verdict: Verdict, error: PollError) -> None:
        if verdict is Verdict.TRANSIENT:
            self.last_error, self._poll_failed = _without_frames(error), True
        elif verdict is Verdict.DENIED:
            polled.note_denial(_without_frames(error), self._poll_began - self._start)
        else:
            polled.note_absence(verdict)

    async def _get(self, polled: PolledObject) -> Response:
        """Read an object; one that is there in time, but not whole, may take its time to come."""
        ends, auth = self._ends, None
        if self._system.monotonic() >= ends:
            ends, auth = await self._begin_final_poll(polled.location)
        try:
            return await self._s3.get_response(
                polled.location,
                limit=polled.limit,
                deadline=ends,
                modified_since=self._not_before and self._not_before - _SECOND,
                auth=auth,
                is_poll=True,
            )
        except TransportError as error:
            if not self._may_read_on(error, ends):
                raise
        self._final_read_ends = min(self._final_read_ends, ends + _FINAL_READ)
        return await self._s3.get_response(
            polled.location, limit=polled.limit, deadline=self._final_read_ends
        )

    def _may_read_on(self, error: TransportError, ends: float) -> bool:
        """Tell whether the object was there, and only its body did not come in time."""
        return (
            error.status_code is not None
            and ends <= self._system.monotonic() < self._final_read_ends
        )

    async def _begin_final_poll(self, location: S3Location) -> tuple[float, PreparedAuth]:
        """Return when the final poll ends, and its credentials; its time runs once it can be sent."""
        if self._final_poll is None:
            auth = await self._s3.prepare(location, self._system.monotonic() + _FINAL_READ)
            self._final_poll = self._system.monotonic() + _FINAL_POLL, auth
        return self._final_poll

    async def pause(self, seconds: object) -> None:
        """Pause until the next poll is due, *seconds* after this one began, or until the end."""
        if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            raise ParamValidationError(
                "schedule must return a number of seconds that is more than 0", argument="schedule"
            )
        ends = self._poll_began + _FINAL_PAUSE if self._is_final else self._ends
        due = min(self._poll_began + seconds, ends)
        pause = max(0.0, due - self._system.monotonic())
        _log.debug("%s: poll %d found no result; next poll in %.2f s", self.job, self._polls, pause)
        await self._system.sleep(pause)


def _is_older(found: Response, not_before: datetime) -> bool:
    written = found.timestamp("last-modified")
    return written is not None and written < not_before


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
