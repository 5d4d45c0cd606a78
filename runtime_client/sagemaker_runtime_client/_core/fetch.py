"""Decides what `fetch` does with an event, before anything is requested.

An event may be forged, late, or about another job.  Therefore the result comes from S3 whenever
possible.  The event determines when S3 is polled.  It determines the location only if this is
within the caller's `allowed_locations`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .._errors import InferenceFailedError, ParamValidationError, ResponseTooLargeError
from .._inference.invocation import Invocation, Submission
from .._inference.members import invalid_argument
from .._inference.output import Output
from .._inference.verdicts import job_name
from .._s3.client import S3
from .._s3.objects import S3Location
from .._value import shown, type_name
from ..events import Completed, Event, Failed, Ignored, ObjectCreated

# The fields that identify a job or its endpoint.
_IDENTITIES = ("inference_id", "endpoint_name", "inference_router_name")
# The fields of an event or of a handle that contain the locations of results.
_LOCATIONS = ("output_location", "failure_location")
_MAX_REASON_LENGTH = 2000

_NO_INVOCATION = Invocation()


def decide(
    event: Event, invocation: Invocation | None, s3: S3, max_size: int | None
) -> Invocation | Output:
    """Return the handle of the job whose result to request, or the output in *event* itself.

    Args:
        event: The event.
        invocation: The handle of the job that the caller has stored; None if there is none.
        s3: The S3 client, which has the allowed locations.
        max_size: The maximum size of the output in bytes; None for no limit.

    Raises:
        InferenceFailedError: The event announces a failure, and the location of the failure object
            is not known.
        ParamValidationError: The event announces no result, contradicts *invocation*, or has an
            unconfirmed location.
        LocationNotAllowedError: A location is outside the allowed locations.
        ResponseTooLargeError: The output in the event is larger than *max_size*.
    """
    if isinstance(event, Ignored):
        raise invalid_argument("event", f"announces no result: {event.kind}, {event.reason}")
    if type(event) not in _DECISIONS:
        raise invalid_argument(
            "event",
            f"must be Completed, Failed or ObjectCreated from events.parse, not {type_name(event)}",
        )
    return _DECISIONS[type(event)](event, invocation, s3, max_size)


def _completed(
    event: Completed, invocation: Invocation | None, s3: S3, max_size: int | None
) -> Invocation | Output:
    job = _check_result(event, invocation, s3)
    if job.output_location is None:
        if event.output_location is None:
            raise invalid_argument("event", "has no output_location, and neither has invocation")
        job = job.replace(output_location=event.output_location)
    return job if event.body is None or not event.trusted else _own_output(event, job, max_size)


def _own_output(event: Completed, job: Invocation, max_size: int | None) -> Output:
    """Return the output in an event from a trusted source."""
    body = event.body or b""
    if max_size is not None and len(body) > max_size:
        raise ResponseTooLargeError(
            f"the output in the event has more than {max_size:,} bytes (max_size)", limit=max_size
        )
    location = S3Location.parse(job.output_location or "", argument="event.output_location")
    return Output(body, event.content_type, location=str(location), invocation=job)


def _failed(event: Failed, invocation: Invocation | None, s3: S3, _: int | None) -> Invocation:
    job = _check_result(event, invocation, s3)
    if invocation is None and not event.trusted and not s3.is_restricted:
        raise _unconfirmed("event")
    if job.output_location and job.failure_location:
        return job
    with Submission(job):
        raise _failed_error(event, job)


def _failed_error(event: Failed, job: Invocation) -> InferenceFailedError:
    reason = (event.reason or "")[:_MAX_REASON_LENGTH]
    return InferenceFailedError(
        f"{job_name(job.inference_id)} failed: {shown(reason) or 'the event has no reason'}",
        failure_location=job.failure_location,
        reason=reason,
        body=(event.body if event.trusted else None) or b"",
    )


def _object_created(
    event: ObjectCreated, invocation: Invocation | None, s3: S3, _: int | None
) -> Invocation:
    if invocation is None:
        if event.location is None:
            raise invalid_argument(
                "event", "has a key that may be percent-encoded or not: pass the job's invocation="
            )
        return Invocation(output_location=_check_location(event.location, None, "location", s3))
    if not any(map(event.matches, _known_locations(invocation))):
        raise invalid_argument("event", "is about another object than the results of invocation")
    return invocation


def _known_locations(invocation: Invocation) -> list[str]:
    """Return the locations of a handle, as ``s3://bucket/key``."""
    given = [(name, getattr(invocation, name)) for name in _LOCATIONS]
    return [
        str(S3Location.parse(text, argument=f"invocation.{name}")) for name, text in given if text
    ]


def _check_result(event: Completed | Failed, invocation: Invocation | None, s3: S3) -> Invocation:
    """Check that the event may be used, and return the handle of its job."""
    known = invocation or _NO_INVOCATION
    for name in _IDENTITIES:
        named, expected = getattr(event, name), getattr(known, name)
        if None not in (named, expected) and named != expected:
            raise _another_job(name)
    for name in _LOCATIONS:
        if (location := getattr(event, name, None)) is not None:
            _check_location(location, getattr(known, name), name, s3)
    return event.invocation if invocation is None else invocation


def _check_location(text: str, known: str | None, name: str, s3: S3) -> str:
    """Return a location in an event as ``s3://bucket/key`` if the caller has confirmed it.

    Args:
        text: The location in the event.
        known: The location in the caller's handle; None if the handle has none.
        name: The name of the event's field.
        s3: The S3 client, which has the allowed locations.
    """
    argument = f"event.{name}"
    location = S3Location.parse(text, argument=argument)
    if known:
        if location != S3Location.parse(known, argument=f"invocation.{name}"):
            raise _another_job(name)
    elif not s3.is_restricted:
        raise _unconfirmed(argument)
    return str(s3.readable_location(text, argument))


def _another_job(name: str) -> ParamValidationError:
    return invalid_argument("event", f"is about another job: {name} is not that of invocation")


def _unconfirmed(name: str) -> ParamValidationError:
    return ParamValidationError(
        f"{name} may be forged: pass the job's invocation=, or create the client with "
        "allowed_locations=",
        argument="event",
    )


_DECISIONS: Mapping[type, Callable[..., Invocation | Output]] = {
    Completed: _completed,
    Failed: _failed,
    ObjectCreated: _object_created,
}
