"""
What a poll may bring, and what a wait makes of it.  Pure.

| what S3 answers                                  | verdict   | what is done                            |
|--------------------------------------------------|-----------|-----------------------------------------|
| an object that is not older than the job         |           | it is the answer                        |
| 404 NoSuchKey                                    | missing   | the next poll asks again                |
| 304, or an object that is older than the job     | stale     | the same                                |
| 403 AccessDenied, which without s3:ListBucket    | denied    | the same; nothing else for longer than  |
| is how S3 answers for a missing key, too         |           | access_denied_grace ends the wait       |
| any other error that may pass: of S3, the        | transient | the same, and it is the timeout's cause |
| network, or the source of the credentials        |           | if no answer comes                      |
| any other error                                  | final     | it ends the wait                        |
"""

import json
from collections.abc import Callable, Iterator
from enum import Enum
from typing import cast

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
from .._s3.objects import S3Location

_NOT_MODIFIED = 304
_MAX_REASON_LENGTH = 2000

PollError = ServiceError | TransportError | CredentialProviderError


class Verdict(Enum):
    """What a poll found out, if there is no answer yet."""

    MISSING = "missing"
    STALE = "stale"
    DENIED = "denied"
    TRANSIENT = "transient"
    FINAL = "final"


def judge(error: PollError) -> Verdict:
    """Return the verdict on an error: the first row that fits."""
    return next((verdict for fits, verdict in _VERDICTS if fits(error)), Verdict.FINAL)


def _is_missing(error: PollError) -> bool:
    return isinstance(error, ServiceError) and error.code in {"NoSuchKey", "404"}


def _is_not_modified(error: PollError) -> bool:
    return isinstance(error, ServiceError) and error.status_code == _NOT_MODIFIED


def _may_be_missing(error: PollError) -> bool:
    """Tell whether a denial may be due to a missing key."""
    return (
        isinstance(error, AccessDeniedError)
        and error.status_code == 403
        and error.code in {"AccessDenied", "403"}
        and "kms:" not in error.message.lower()  # the object is there, and cannot be decrypted
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
    """
    One of the two objects that a wait polls, and what S3 has said of it.

    Attributes:
        location: Where it will be.
        limit: How much of it is read.
        verdicts: Every verdict so far, but for the transient ones.
        denial: The last answer, if it was a denial.
        denied_since: How many seconds into the wait the refusals began.
    """

    __slots__ = ("limit", "location", "denial", "denied_since", "verdicts")

    def __init__(self, location: S3Location, limit: ResponseLimit) -> None:
        self.location = location
        self.limit = limit
        self.verdicts: set[Verdict] = set()
        self.denial: PollError | None = None
        self.denied_since = 0.0

    def note_absence(self, verdict: Verdict) -> None:
        """Note that S3 has answered, and that there is no object, or only a stale one."""
        self.verdicts.add(verdict)
        self.denial = None

    def note_denial(self, error: PollError, elapsed: float) -> None:
        """Note that S3 has refused to answer, *elapsed* seconds into the wait."""
        self.verdicts.add(Verdict.DENIED)
        if self.denial is None:
            self.denied_since = elapsed
        self.denial = error

    def check_grace(self, grace: float, elapsed: float) -> None:
        """Raise the last denial, if there was nothing else for *grace* seconds."""
        if self.denial is not None and elapsed - self.denied_since >= grace:
            raise self._pop_denial()  # a frame that held it would make a cycle

    def _pop_denial(self) -> PollError:
        denial, self.denial = self.denial, None
        return cast("PollError", denial)


def job_name(inference_id: str | None) -> str:
    """Return how messages name a job."""
    return f"inference {inference_id}" if inference_id else "the inference"


def inference_failed_error(
    inference_id: str | None, location: S3Location, body: bytes
) -> InferenceFailedError:
    """Return the error that a failure object says."""
    reason = _failure_reason(body)
    return InferenceFailedError(
        f"{job_name(inference_id)} failed: {reason or f'the failure object {location} is empty'}",
        failure_location=str(location),
        reason=reason,
        body=body,
    )


def _failure_reason(body: bytes) -> str:
    """Return what a failure object says: the message in its JSON, or its text, whatever its form."""
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
    """Return the error of a wait that got no answer, with the reasons that the polls have shown."""
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
            "encrypted with a KMS key"
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
