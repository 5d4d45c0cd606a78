"""
Wait for the answer to an invocation: the output object, or the failure object.

There is no status to ask for, so S3 is polled: often at first, more seldom later, and never
beyond a deadline.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
"""

import json
import xml.parsers.expat
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

from .._errors import (
    InferenceFailedError,
    NoOutputLocationError,
    RuntimeClientError,
    WaitTimeoutError,
)
from .._io.message import Response
from .._io.system import System
from .._limits import FAILURE_OBJECT, object_limit
from .._s3.client import S3
from .._s3.objects import S3Location, object_fields
from .arguments import check_waiting
from .invocation import Invocation
from .output import Output
from .poller import Poller
from .schedule import Schedule
from .verdicts import PolledObject, Verdict

# Whoever is going to wait loads this module before the job is queued, and with it what is needed to
# ask S3 and to read its answers.  Later an import may fail, for want of descriptors for example, and
# the job would be lost.
_LOADED_BEFORE = xml.parsers.expat

# Clocks of S3 and SageMaker may differ by this much, and Last-Modified has whole seconds.
_CLOCK_MARGIN = timedelta(seconds=2)
_LONGEST_REASON = 2000


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
    poller = Poller(system, s3, timeout, _oldest_answer(invocation))
    while True:
        elapsed = poller.begin_poll()
        if (found := await poller.poll(output)) is not None:
            return _output(output.location, found, invocation)
        if failure and poller.polls_failure and (failed := await poller.poll(failure)) is not None:
            if (found := await poller.poll(output)) is not None:  # it wins over a failure
                return _output(output.location, found, invocation)
            raise _inference_failed(failure.location, failed.body, invocation)
        if access_denied_grace is not None:
            output.check_grace(access_denied_grace, elapsed)
        if poller.is_over:
            waited = (
                f"no answer to inference {invocation.inference_id} after {round(timeout, 1):g} s"
            )
            raise WaitTimeoutError(
                "; ".join([waited, *_timeout_reasons(output, failure, poller.last_error)]),
                access_denied_only=output.verdicts == {Verdict.DENIED},
            ) from poller.last_error
        await poller.pause(schedule(elapsed))


def _output_location(invocation: Invocation) -> S3Location:
    """Return where the output will be, if the service has said so."""
    if invocation.output_location is None:
        raise NoOutputLocationError(
            f"the service took inference {invocation.inference_id} without saying where its output "
            "will be; a notification with its inference id may say so"
        )
    return S3Location.parse(invocation.output_location, argument="invocation.output_location")


def _polled_failure(invocation: Invocation) -> PolledObject | None:
    """Return the failure object, if the endpoint writes one."""
    if not invocation.failure_location:
        return None
    location = S3Location.parse(invocation.failure_location, argument="invocation.failure_location")
    return PolledObject(location, FAILURE_OBJECT)


def _oldest_answer(invocation: Invocation) -> datetime | None:
    """
    Return from when on an object counts; None for any.

    Under a name that is new for certain there is no older one, whatever the dates say: a proxy may
    have written the job's, by its own clock.
    """
    date = invocation.first_attempt_date or invocation.date
    return None if invocation.has_new_name or date is None else date - _CLOCK_MARGIN


def _output(location: S3Location, found: Response, invocation: Invocation) -> Output:
    return Output(
        location=str(location), body=found.body, invocation=invocation, **object_fields(found)
    )


def _inference_failed(
    location: S3Location, body: bytes, invocation: Invocation
) -> InferenceFailedError:
    reason = _failure_reason(body)
    return InferenceFailedError(
        f"inference {invocation.inference_id} failed: {reason or 'the failure object is empty'}",
        failure_location=str(location),
        reason=reason,
        body=body,
    )


def _failure_reason(body: bytes) -> str:
    """Return what a failure object says: the message in its JSON, or its text, whatever its form."""
    text = body[: 4 * _LONGEST_REASON].decode("utf-8", "replace").strip()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, str):
        text = document
    elif isinstance(document, dict):
        fields = cast("dict[str, object]", document)
        named = map(fields.get, ("message", "Message", "errorMessage", "error", "failureReason"))
        text = next((value for value in named if isinstance(value, str) and value), text)
    return text[:_LONGEST_REASON]


def _timeout_reasons(
    output: PolledObject, failure: PolledObject | None, last_error: RuntimeClientError | None
) -> Iterator[str]:
    """Return why there may be no answer, as far as the polls have shown it."""
    if last_error is not None:
        yield f"not every poll succeeded: {last_error.message}"
    if output.refusal is not None:
        how = "each time" if output.verdicts == {Verdict.DENIED} else "in the end"
        yield (
            f"S3 answered 403 {how}: s3:GetObject is needed to read the output, s3:ListBucket to "
            "be told that it is not there yet, and kms:Decrypt if it is encrypted with a KMS key"
        )
    elif Verdict.STALE in output.verdicts:
        yield "at the output's location is an object that is older than the job"
    elif Verdict.MISSING in output.verdicts:
        yield "the endpoint may be scaling up from no instances, or its queue be long"
    if failure is None:
        yield "the endpoint has no S3FailurePath, so that a failure would not be seen"
    elif failure.refusal is not None and output.refusal is None:
        yield (
            "S3 answered 403 for the failure object: without s3:GetObject and s3:ListBucket, and "
            "kms:Decrypt if it is encrypted with a KMS key, a failure is not seen"
        )
