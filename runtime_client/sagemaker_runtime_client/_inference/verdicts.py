"""The results of a poll, and how a wait reacts to them.

| response from S3                             | verdict   | reaction                             |
|----------------------------------------------|-----------|--------------------------------------|
| an object that is not older than the job     |           | the wait returns it                  |
| 404 NoSuchKey                                | missing   | the wait continues                   |
| 304, or an object that is older than the job | stale     | the wait continues                   |
| 403 AccessDenied, which S3 also sends for a  | denied    | the wait continues, unless S3 sends  |
| missing key if s3:ListBucket is not allowed  |           | only 403 for access_denied_grace     |
| any other transient error of S3, the network | transient | the wait continues; a timeout error  |
| or the credentials provider                  |           | has this error as its cause          |
| any other error                              | final     | the wait raises the error            |
"""

import json
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TypeVar, cast

from .._errors import (
    AccessDeniedError,
    CredentialProviderError,
    InferenceFailedError,
    RuntimeClientError,
    ServiceError,
    TransportError,
    WaitTimeoutError,
)
from .._limits import ResponseLimit
from .._s3.objects import S3Location, printable
from .._value import shown

_NOT_MODIFIED = 304
_MAX_REASON_LENGTH = 2000

E = TypeVar("E", bound=BaseException)

PollError = ServiceError | TransportError | CredentialProviderError


class Verdict(Enum):
    """The result of a poll that has found no object, or only a stale one."""

    MISSING = "missing"
    STALE = "stale"
    DENIED = "denied"
    TRANSIENT = "transient"
    FINAL = "final"


def judge(error: PollError) -> Verdict:
    """Return the first verdict in `_VERDICTS` that fits *error*, or `FINAL` if none fits."""
    return next((verdict for fits, verdict in _VERDICTS if fits(error)), Verdict.FINAL)


def _is_missing(error: PollError) -> bool:
    return isinstance(error, ServiceError) and error.code in {"NoSuchKey", "404"}


def _is_not_modified(error: PollError) -> bool:
    return isinstance(error, ServiceError) and error.status_code == _NOT_MODIFIED


def _may_be_missing(error: PollError) -> bool:
    """Return whether *error* is a 403 that S3 may have sent because the key is missing."""
    return (
        isinstance(error, AccessDeniedError)
        and error.status_code == 403
        and error.code in {"AccessDenied", "403"}
        and "kms:" not in error.message.lower()  # such an object exists, but cannot be decrypted
    )


def _is_transient(error: PollError) -> bool:
    return error.retryable


_VERDICTS: tuple[tuple[Callable[[PollError], bool], Verdict], ...] = (
    (_is_missing, Verdict.MISSING),
    (_is_not_modified, Verdict.STALE),
    (_may_be_missing, Verdict.DENIED),
    (_is_transient, Verdict.TRANSIENT),
)


class PolledObject:
    """The output or the failure object that a wait polls, with the results of the polls.

    Attributes:
        location: The location of the object.
        limit: The limit on how much of the object is read.
        verdicts: The verdicts of all polls of the object so far, except transient ones.
        denial: The latest 403 error; None if there was none, or if a later response showed that the
            object is missing or stale.
        denied_since: The start of the latest series of 403 responses, in seconds since the start of
            the wait.
    """

    __slots__ = ("limit", "location", "denial", "denied_since", "verdicts")

    def __init__(self, location: S3Location, limit: ResponseLimit) -> None:
        self.location = location
        self.limit = limit
        self.verdicts: set[Verdict] = set()
        self.denial: PollError | None = None
        self.denied_since = 0.0

    def note_absence(self, verdict: Verdict) -> None:
        """Record that a poll found no object, or only a stale one."""
        self.verdicts.add(verdict)
        self.denial = None

    def note_denial(self, error: PollError, elapsed: float) -> None:
        """Record a 403 response to the poll that began *elapsed* seconds after the wait began."""
        self.verdicts.add(Verdict.DENIED)
        if self.denial is None:
            self.denied_since = elapsed
        self.denial = error

    def check_grace(self, grace: float, elapsed: float) -> None:
        """Raise the latest 403 error if the series of 403s has lasted at least *grace* seconds."""
        if self.denial is not None and elapsed - self.denied_since >= grace:
            # A local variable that refers to the error would form a reference cycle.
            raise self._pop_denial()

    def _pop_denial(self) -> PollError:
        denial, self.denial = self.denial, None
        return cast("PollError", denial)


def job_name(inference_id: str | None) -> str:
    """Return the name that messages use for a job."""
    return f"inference {shown(inference_id)}" if inference_id else "the inference"


def inference_failed_error(
    inference_id: str | None, location: S3Location, body: bytes
) -> InferenceFailedError:
    """Return the error for a job whose failure object begins with *body*."""
    reason = _failure_reason(body)
    return InferenceFailedError(
        f"{job_name(inference_id)} failed: {reason or f'the failure object {printable(location)} is empty'}",
        failure_location=str(location),
        reason=reason,
        body=body,
    )


def _failure_reason(body: bytes) -> str:
    """Return the truncated message in a failure object or, if it has no message, its text."""
    text = body[: 4 * _MAX_REASON_LENGTH].decode("utf-8", "replace").strip()
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
    return text[:_MAX_REASON_LENGTH]


def timeout_error(
    waited: str,
    output: PolledObject,
    failure: PolledObject | None,
    last_error: RuntimeClientError | None,
) -> WaitTimeoutError:
    """Return the error for a wait that timed out, with the causes that the polls suggest."""
    reasons = _timeout_reasons(output, failure, last_error)
    return WaitTimeoutError(
        "; ".join([waited, *reasons]), access_denied_only=output.verdicts == {Verdict.DENIED}
    )


def _timeout_reasons(
    output: PolledObject, failure: PolledObject | None, last_error: RuntimeClientError | None
) -> Iterator[str]:
    if last_error is not None:
        yield f"last polling error: {last_error.message}"
    if output.denial is not None:
        polls = "every poll" if output.verdicts == {Verdict.DENIED} else "the last polls"
        yield (
            f"S3 denied {polls} of the output (403): the credentials need s3:GetObject, "
            "s3:ListBucket to see that the output does not exist yet, and kms:Decrypt if it is "
            "encrypted with a KMS key; the bucket must belong to expected_bucket_owner if that is set"
        )
    elif Verdict.STALE in output.verdicts:
        yield "the object at the output location is older than the job"
    elif Verdict.MISSING in output.verdicts:
        yield "the endpoint may still be scaling up from zero instances, or its queue may be long"
    if failure is None:
        yield "the endpoint has no S3FailurePath, so a failure of the job would go unnoticed"
    elif failure.denial is not None and output.denial is None:
        yield (
            "S3 denied the last polls of the failure object (403): without s3:GetObject and "
            "s3:ListBucket, and kms:Decrypt if it is encrypted with a KMS key, a failure of the job "
            "goes unnoticed"
        )


def without_frames(error: E) -> E:
    """Remove the tracebacks of *error* and of the errors that led to it, and return *error*.

    A wait stores the error, but the frames in the tracebacks must not stay alive, because they
    refer to the payload and to the wait itself.
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
