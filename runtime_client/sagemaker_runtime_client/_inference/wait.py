"""Wait for the output object or the failure object of a job.

The service has no operation that returns the state of a job, so a wait polls S3 with GET requests.

A poll first requests the output and then, if there is no output, the failure object.  After the
first 5 seconds, only every second poll and the final poll request the failure object.  If a failure
object is found, the output is requested once more, because an output takes precedence over a
failure.

Each response without a valid object gets one of the verdicts that the table in `verdicts` lists.
The wait continues after a missing or stale object or a transient error, and after a 403 unless
`access_denied_grace` has passed.  Any other error ends the wait.  An object is stale if its date is
before the job's date minus a margin for clock differences.  If the output's name is unique, dates
are not compared.

The S3 client does not retry a failed poll, because another poll follows.  The schedule determines
the interval between the starts of consecutive polls.

The final poll starts when the timeout has passed.  Its credentials are fetched before its time
limit of one second starts to run.  If the poll fails with a transient error, it is repeated within
this second.  An object that S3 has started to send before the time limit is read to its end, which
may take another minute.  If the final poll finds no object, the wait raises `WaitTimeoutError` with
the causes that the verdicts suggest.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
"""

import logging
import math
import xml.parsers.expat
from datetime import datetime, timedelta

from .._aws import xml_reader
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
from .._limits import FAILURE_OBJECT, ResponseLimit
from .._s3.client import S3
from .._s3.objects import S3Location, object_fields, printable
from .arguments import Schedule, check_waiting
from .invocation import Invocation
from .output import Output
from .verdicts import (
    PolledObject,
    PollError,
    Verdict,
    inference_failed_error,
    job_name,
    judge,
    timeout_error,
    without_frames,
)

# A caller that will wait for a job loads this module before it queues the job.  The parser of S3's
# error responses is imported here, because a later import could fail, for example for lack of file
# descriptors, and the wait would then end without the output.
_LOADED_BEFORE = (xml.parsers.expat, xml_reader)

# This margin allows for a difference between the clocks of S3 and SageMaker, and for the whole
# seconds in Last-Modified.
_CLOCK_MARGIN = timedelta(seconds=2)
# After this many seconds, only every second poll requests the failure object.  A wait of 20 minutes
# then needs fewer than 200 requests, but a failure may be detected one poll later.
_EACH_POLL_UNTIL = 5.0
# The final poll, at the deadline, may take `_FINAL_POLL` seconds in total.  If it fails with a
# transient error within this time, it is repeated every `_FINAL_PAUSE` seconds.
_FINAL_POLL = 1.0
_FINAL_PAUSE = 0.25
# If S3 has started to send an object by the deadline, reading it may take this many more seconds.
_FINAL_READ = 60.0
# The resolution of Last-Modified dates in S3.
_SECOND = timedelta(seconds=1)

_log = logging.getLogger("sagemaker_runtime_client")


async def wait(
    system: System,
    s3: S3,
    invocation: Invocation,
    *,
    timeout: float,
    schedule: Schedule,
    access_denied_grace: float | None,
    limit: ResponseLimit,
) -> Output:
    """Return the output of *invocation*; see `InferenceOperations.wait` for the arguments."""
    check_waiting(timeout, schedule, access_denied_grace)
    output = PolledObject(_output_location(s3, invocation), limit)
    failure = _polled_failure(s3, invocation)
    poller = _Poller(
        system, s3, timeout, _earliest_valid_date(invocation), job_name(invocation.inference_id)
    )
    while True:
        elapsed = poller.begin_poll()
        if (found := await poller.poll(output)) is not None:
            return _output(output.location, found, invocation)
        if failure and poller.polls_failure and (failed := await poller.poll(failure)) is not None:
            # An output takes precedence over a failure, so the output is requested once more.
            if (found := await poller.poll(output)) is not None:
                return _output(output.location, found, invocation)
            raise inference_failed_error(invocation.inference_id, failure.location, failed.body)
        if access_denied_grace is not None:
            output.check_grace(access_denied_grace, elapsed)
        if poller.is_over:
            raise timeout_error(
                f"{poller.job}: no output at {printable(output.location)} after {round(timeout, 1):g} s",
                output,
                failure,
                poller.last_error,
            ) from poller.last_error
        await poller.pause(schedule(elapsed))


def _output_location(s3: S3, invocation: Invocation) -> S3Location:
    """Return the location of the output, or raise NoOutputLocationError if it is unknown."""
    if invocation.output_location is None:
        raise NoOutputLocationError(
            f"the service accepted {job_name(invocation.inference_id)} without naming its output "
            "location: a notification with this inference id may name it"
        )
    return s3.readable_location(invocation.output_location, "invocation.output_location")


def _polled_failure(s3: S3, invocation: Invocation) -> PolledObject | None:
    """Return the failure object to poll, or None if the endpoint does not write one."""
    if not invocation.failure_location:
        return None
    location = s3.readable_location(invocation.failure_location, "invocation.failure_location")
    return PolledObject(location, FAILURE_OBJECT)


def _earliest_valid_date(invocation: Invocation) -> datetime | None:
    """Return the date before which an object is stale, or None if dates are not compared.

    An output with a unique name cannot be older than the job.  Its date is not compared, because
    the job's date may come from a proxy whose clock differs from S3's.
    """
    date = invocation.first_attempt_date or invocation.date
    return None if invocation.unique_output_name or date is None else date - _CLOCK_MARGIN


def _output(location: S3Location, found: Response, invocation: Invocation) -> Output:
    return Output(
        location=str(location), body=found.body, invocation=invocation, **object_fields(found)
    )


class _Poller:
    """The polls of one wait: when they start and end, and what they request from S3.

    The S3 client does not retry a failed poll, because another poll follows.

    Args:
        system: Provides the clock and the pauses.
        s3: The S3 client.
        timeout: The number of seconds from the start of the wait to the final poll.
        not_before: The date before which an object is stale; None if dates are not compared.
        job: The name that messages use for the job.

    Attributes:
        last_error: The last transient error; None if there was none.
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
        """Record the start of a poll, and return the seconds since the start of the wait."""
        self._polls += 1
        self._poll_failed = False
        self._poll_began = self._system.monotonic()
        return self._poll_began - self._start

    @property
    def _is_final(self) -> bool:
        """Whether the current poll started at or after the deadline."""
        return self._poll_began >= self._ends

    @property
    def is_over(self) -> bool:
        """Whether no poll follows: the final poll is complete, or there is no time to repeat it."""
        ends = self._final_poll[0] if self._final_poll else self._ends + _FINAL_POLL
        has_time = self._system.monotonic() + _FINAL_PAUSE < ends
        return self._is_final and not (self._poll_failed and has_time)

    @property
    def polls_failure(self) -> bool:
        """Whether the current poll requests the failure object, too."""
        if self._is_final:
            return True
        if self._system.monotonic() >= self._ends:  # the final poll is next
            return False
        return self._poll_began - self._start < _EACH_POLL_UNTIL or self._polls % 2 == 0

    async def poll(self, polled: PolledObject) -> Response | None:
        """Return S3's response if it contains an object that is not stale; None to poll again."""
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
            self.last_error, self._poll_failed = without_frames(error), True
        elif verdict is Verdict.DENIED:
            polled.note_denial(without_frames(error), self._poll_began - self._start)
        else:
            polled.note_absence(verdict)

    async def _get(self, polled: PolledObject) -> Response:
        """Request an object from S3, and return the response.

        If the time limit passes after S3 has begun to respond, the object is requested again with
        more time.
        """
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
        """Return whether S3 began to respond before *ends* and a second read still has time."""
        return (
            error.status_code is not None
            and ends <= self._system.monotonic() < self._final_read_ends
        )

    async def _begin_final_poll(self, location: S3Location) -> tuple[float, PreparedAuth]:
        """Return the final poll's end time and authentication, which the first call determines."""
        if self._final_poll is None:
            auth = await self._s3.prepare(location, self._system.monotonic() + _FINAL_READ)
            self._final_poll = self._system.monotonic() + _FINAL_POLL, auth
        return self._final_poll

    async def pause(self, seconds: object) -> None:
        """Pause until *seconds* after this poll began, or until a final poll that is due earlier."""
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
