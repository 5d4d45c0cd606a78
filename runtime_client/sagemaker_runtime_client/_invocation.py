"""
The handle of a job, which the answer to InvokeEndpointAsync gives.  Pure.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

import json
from datetime import UTC, datetime
from typing import Any, cast

from sigv4._value import Value, set_part

from ._errors import ParamValidationError
from ._http import Headers, Response
from ._service_error import json_error


class Invocation(Value):
    """
    A job that SageMaker has taken: the handle to wait with, in this process or another.

    Attributes:
        inference_id: The job's id; ours if the answer named none, None if neither is known.
        output_location: Where the output will be; None if the answer did not say.
        failure_location: Where a failure will be reported; None if the endpoint has no such path.
        request_id: What AWS support asks for.
        endpoint_name: Who was asked.
        date: When the job was taken, by the service's clock.
        attempts: How many requests were sent.
        possibly_duplicated: Whether an earlier attempt may have been taken too, so that the job
            may run twice.
        has_new_name: Whether the output's name is new for certain, as where neither ``filename`` nor
            ``inference_id`` was asked for.  Else an older object may lie there, which is told by its
            date.
    """

    __slots__ = __match_args__ = _names = (
        "inference_id",
        "output_location",
        "failure_location",
        "request_id",
        "endpoint_name",
        "date",
        "attempts",
        "possibly_duplicated",
        "has_new_name",
    )

    inference_id: str | None
    output_location: str | None
    failure_location: str | None
    request_id: str | None
    endpoint_name: str | None
    date: datetime | None
    attempts: int
    possibly_duplicated: bool
    has_new_name: bool

    def __init__(
        self,
        inference_id: str | None = None,
        output_location: str | None = None,
        failure_location: str | None = None,
        request_id: str | None = None,
        endpoint_name: str | None = None,
        date: datetime | None = None,
        attempts: int = 1,
        possibly_duplicated: bool = False,
        has_new_name: bool = False,
    ) -> None:
        if date is not None and getattr(date, "tzinfo", None) is None:
            raise ParamValidationError(
                "date must be a datetime with a time zone, such as datetime.UTC", argument="date"
            )
        if date is not None and not 1900 < date.year < 9000:  # which leaves room to reckon with it
            raise ParamValidationError("date must be of our time", argument="date")
        set_part(self, "inference_id", inference_id)
        set_part(self, "output_location", output_location)
        set_part(self, "failure_location", failure_location)
        set_part(self, "request_id", request_id)
        set_part(self, "endpoint_name", endpoint_name)
        set_part(self, "date", date)
        set_part(self, "attempts", attempts)
        set_part(self, "possibly_duplicated", possibly_duplicated)
        set_part(self, "has_new_name", has_new_name)

    @classmethod
    def from_http(
        cls,
        status: int,
        headers: Headers,
        body: "bytes | bytearray | memoryview[int] | None",
        *,
        inference_id: str | None = None,
    ) -> "Invocation":
        """
        Return what an answer of the service says.

        Args:
            status: The HTTP status.
            headers: A mapping or pairs; the case of names does not count.
            body: The whole body; None is an empty one.
            inference_id: The one that was sent, for an answer that names none.

        Raises:
            ServiceError: The status is not 2xx.  A 2xx never raises, whatever comes with it: the
                job is queued.
        """
        response = Response(status, headers, bytes(body or b""))
        if not response.ok:
            raise json_error(response)
        return invocation_of(response, inference_id)

    def to_json(self) -> str:
        """Return the handle as JSON, for a queue, a database or another process."""
        return json.dumps({**self._parts(), "date": self.date and self.date.isoformat()})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Invocation":
        """
        Return the handle that `to_json` wrote, by this version or a later one.

        Raises:
            ParamValidationError: *text* is not a handle.
        """
        try:
            values = json.loads(text)
            known = {name: values[name] for name in _JSON_TYPES if name in dict(values)}
            if "output_location" not in known or any(
                type(value) not in _JSON_TYPES[name] for name, value in known.items()
            ):
                raise TypeError  # noqa: TRY301 (all that is wrong ends in one place)
            if known.get("date") is not None:
                known["date"] = datetime.fromisoformat(known["date"]).astimezone(UTC)
            return cls(**known)
        except (ValueError, TypeError, OverflowError, RecursionError, ParamValidationError):
            raise ParamValidationError(
                "text must be an invocation as to_json writes it", argument="text"
            ) from None


def invocation_of(
    response: Response,
    inference_id: str | None,
    *,
    endpoint_name: str | None = None,
    attempts: int = 1,
    possibly_duplicated: bool = False,
    has_new_name: bool = False,
) -> Invocation:
    """Return what a success says, and what is known beside it."""
    return Invocation(
        inference_id=_inference_id(response.body) or inference_id,
        output_location=response.header("x-amzn-sagemaker-outputlocation"),
        failure_location=response.header("x-amzn-sagemaker-failurelocation"),
        request_id=response.request_id,
        endpoint_name=endpoint_name,
        date=response.instant("date"),
        attempts=attempts,
        possibly_duplicated=possibly_duplicated,
        has_new_name=has_new_name,
    )


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(Invocation.__slots__, (str, type(None))),
    "attempts": (int,),
    "possibly_duplicated": (bool,),
    "has_new_name": (bool,),
}


def _inference_id(body: bytes) -> str | None:
    """Return the id in the body of a 202, if it is there."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = (
        cast("dict[str, Any]", document).get("InferenceId") if isinstance(document, dict) else None
    )
    return found if isinstance(found, str) and found else None
