"""
Wait for the answer to an invocation: the output object, or the failure object.

There is no status to ask for, so S3 is polled: often at first, more seldom later, and never
beyond a deadline.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
"""

import email.utils
import json
import xml.parsers.expat
from typing import cast

from .._errors import InferenceFailedError, NoOutputLocationError
from .._io.system import IO
from .._limits import FAILURE_OBJECT, object_limit
from .._s3 import checksums
from .._s3.client import S3
from .._s3.objects import S3Location, S3Object
from .arguments import check_waiting
from .invocation import Invocation
from .output import Output
from .poller import Poller
from .schedule import Schedule

# Whoever is going to wait loads this module before the job is queued, and with it these, which are
# needed to ask S3 and to read its answers.  Later an import may fail, for want of descriptors for
# example, and the job would be lost.
_LOADED_BEFORE = (email.utils, xml.parsers.expat, checksums)

_LONGEST_REASON = 2000


async def wait(
    io: IO,
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
    output = _output_location(invocation)
    failure = invocation.failure_location and S3Location.parse(
        invocation.failure_location, argument="invocation.failure_location"
    )
    poller = Poller(io, s3, invocation, timeout)
    limit = object_limit(max_size)
    while True:
        elapsed = poller.begin_poll()
        if (found := await poller.poll(output, limit)) is not None:
            return _output(found, invocation)
        if (
            failure
            and poller.failure_due
            and (failed := await poller.poll(failure, FAILURE_OBJECT))
        ):
            if (found := await poller.poll(output, limit)) is not None:  # it wins over a failure
                return _output(found, invocation)
            raise _inference_failed(failed, invocation)
        if access_denied_grace is not None:
            poller.check_denied(output, access_denied_grace)
        if poller.is_over:
            raise poller.timed_out(output, failure or None) from poller.last_error
        await poller.pause(schedule(elapsed))


def _output_location(invocation: Invocation) -> S3Location:
    """Return where the output will be, if the service has said so."""
    if invocation.output_location is None:
        raise NoOutputLocationError(
            f"the service took inference {invocation.inference_id} without saying where its output "
            "will be; a notification with its inference id may say so"
        )
    return S3Location.parse(invocation.output_location, argument="invocation.output_location")


def _output(found: S3Object, invocation: Invocation) -> Output:
    return Output(
        body=found.body,
        content_type=found.content_type,
        metadata=found.metadata,
        location=found.location,
        last_modified=found.last_modified,
        invocation=invocation,
    )


def _inference_failed(failed: S3Object, invocation: Invocation) -> InferenceFailedError:
    reason = _reason(failed.body)
    return InferenceFailedError(
        f"inference {invocation.inference_id} failed: {reason or 'the failure object is empty'}",
        failure_location=failed.location,
        reason=reason,
        body=failed.body,
    )


def _reason(body: bytes) -> str:
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
