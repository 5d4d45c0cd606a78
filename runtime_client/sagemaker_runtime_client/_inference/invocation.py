"""The handle of a job, and functions that create it from the response that queued the job.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, cast

from .._aws.error_response import json_error
from .._aws.operation import Progress
from .._errors import ParamValidationError, RuntimeClientError
from .._io.message import Headers, Response
from .._value import JobHandle


class Invocation(JobHandle):
    """The handle of a queued job, with which any process can wait for its output.

    Attributes:
        inference_id: The id of the job: the id in the response or, without one, the id that was
            sent; None if neither exists.
        output_location: The location of the output, as ``s3://bucket/key``; None if the response
            does not contain it.
        failure_location: The location of the failure object, as ``s3://bucket/key``; None if the
            endpoint has no ``S3FailurePath``.
        request_id: The id of the request, for questions to AWS support; None if it is unknown.
        endpoint_name: The name of the endpoint; None if it is unknown.
        date: The time at which the service accepted the job, by the service's clock; None if it is
            unknown.
        attempts: The number of requests that were sent.
        possibly_duplicated: Whether the service may have accepted an earlier attempt, too, so that
            the job may run twice.
        unique_output_name: Whether no older object can have the output's name.  That is the case if
            neither ``filename`` nor ``inference_id`` was passed.  Otherwise, ``wait`` compares the
            dates of the object and the job to detect an older object.
        first_attempt_date: The start, by the service's clock, of the first attempt that failed but
            may have been accepted; the output may be as old as this attempt.  None if there was no
            such attempt.
        inference_router_name: The name of the inference router that accepted the job; None for an
            endpoint.
        routing_target: The name of the routing target; None for an endpoint.
    """

    __slots__ = ()

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
        unique_output_name: bool = False,
        first_attempt_date: datetime | None = None,
        inference_router_name: str | None = None,
        routing_target: str | None = None,
    ) -> None:
        if date is not None:
            _check_date("date", date)
        if first_attempt_date is not None:
            _check_date("first_attempt_date", first_attempt_date)
        self.inference_id = inference_id
        self.output_location = output_location
        self.failure_location = failure_location
        self.request_id = request_id
        self.endpoint_name = endpoint_name
        self.date = date
        self.attempts = attempts
        self.possibly_duplicated = possibly_duplicated
        self.unique_output_name = unique_output_name
        self.first_attempt_date = first_attempt_date
        self.inference_router_name = inference_router_name
        self.routing_target = routing_target

    @classmethod
    def from_http(
        cls,
        status: int,
        headers: Headers,
        body: bytes | bytearray | memoryview | None,
        *,
        inference_id: str | None = None,
    ) -> Invocation:
        """Return the handle in the service's response, for callers that send requests themselves.

        Args:
            status: The HTTP status.
            headers: The headers as a mapping, or as pairs of names and values; the case of the
                names does not matter.
            body: The complete body; None if it is empty.
            inference_id: The id that was sent, which is used if the response contains no id.

        Raises:
            ServiceError: The status is not 2xx.  After a 2xx status, the job is queued, so even a
                malformed body does not raise an error.
        """
        response = Response(status, headers, bytes(body or b""))
        if not response.ok:
            raise json_error(response)
        return parse_invocation(response, inference_id)

    @classmethod
    def from_json(cls, text: str | bytes) -> Invocation:
        """Return the handle that `to_json` has serialized, in any version of the package.

        Args:
            text: The JSON document.

        Raises:
            ParamValidationError: *text* is not a serialized handle.
        """
        with suppress(
            ValueError,
            TypeError,
            AttributeError,
            OverflowError,
            RecursionError,
            ParamValidationError,
        ):
            values = json.loads(text)
            values = {cls._renamed.get(name, name): value for name, value in values.items()}
            known = {name: values[name] for name in _JSON_TYPES if name in values}
            if "output_location" in known and all(
                type(value) in _JSON_TYPES[name] for name, value in known.items()
            ):
                for name in _DATES:
                    if known.get(name) is not None:
                        known[name] = datetime.fromisoformat(known[name]).astimezone(UTC)
                return cls(**known)
        raise ParamValidationError(
            "text must be JSON that Invocation.to_json has written", argument="text"
        )


def parse_invocation(
    response: Response,
    inference_id: str | None,
    *,
    endpoint_name: str | None = None,
    attempts: int = 1,
    age_of_first: float | None = None,
    unique_output_name: bool = False,
    inference_router_name: str | None = None,
    routing_target: str | None = None,
) -> Invocation:
    """Return the handle for a successful response.

    Args:
        response: The successful response.
        inference_id: The id that was sent; None if no id was sent.
        endpoint_name: The name of the endpoint; None for an inference router, or if it is unknown.
        attempts: The number of requests that were sent.
        age_of_first: The seconds since the start of the first attempt that failed but may have been
            accepted; None if there was no such attempt.
        unique_output_name: Whether no older object can have the output's name.
        inference_router_name: The name of the inference router; None for an endpoint.
        routing_target: The name of the routing target; None for an endpoint.
    """
    date = response.timestamp("date")
    first = None if date is None or age_of_first is None else date - timedelta(seconds=age_of_first)
    return Invocation(
        inference_id=_inference_id(response.body) or inference_id,
        output_location=response.header("x-amzn-sagemaker-outputlocation"),
        failure_location=response.header("x-amzn-sagemaker-failurelocation"),
        request_id=response.request_id,
        endpoint_name=endpoint_name,
        date=date,
        attempts=attempts,
        possibly_duplicated=age_of_first is not None,
        unique_output_name=unique_output_name,
        first_attempt_date=first,
        inference_router_name=inference_router_name,
        routing_target=routing_target,
    )


class Submission(Progress):
    """A context manager that adds the job's handle or id to each exception that leaves it.

    It adds nothing if the service has certainly not accepted the job.

    Args:
        invocation: The handle; None if the job is not queued yet.

    Attributes:
        inference_id: The id that is sent with the job; None if no id is sent.
    """

    def __init__(self, invocation: Invocation | None = None) -> None:
        self.invocation = invocation
        self.inference_id = None if invocation is None else invocation.inference_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if error is not None and (self.invocation or self.possibly_accepted):
            self._attach_to(error)

    def _attach_to(self, error: BaseException) -> None:
        """Add the job's handle and id to *error*, as attributes.

        A note is added, too, unless the handle is known and *error* is a `RuntimeClientError`,
        which documents these attributes.
        """
        if self.invocation is None:
            error.add_note(
                f"the job may have been queued, under inference id {self.inference_id}"
                if self.inference_id
                else "the job may have been queued, without an inference id"
            )
        elif not isinstance(error, RuntimeClientError):
            error.add_note(
                f"the job is queued; to wait for it again, use the handle {self.invocation.to_json()}"
            )
        with suppress(AttributeError):  # some cancellation exceptions do not allow new attributes
            for name in ("inference_id", "invocation"):
                setattr(error, name, getattr(self, name))


_DATES = ("date", "first_attempt_date")
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(Invocation.__match_args__, (str, type(None))),
    "attempts": (int,),
    "possibly_duplicated": (bool,),
    "unique_output_name": (bool,),
}


def _check_date(argument: str, date: datetime) -> None:
    if getattr(date, "tzinfo", None) is None:
        raise ParamValidationError(
            f"{argument} must be a datetime with a time zone, such as datetime.UTC",
            argument=argument,
        )
    if not 1900 < date.year < 9000:
        raise ParamValidationError(
            f"{argument} must be in the years 1901 to 8999, not {date.year}", argument=argument
        )


def _inference_id(body: bytes) -> str | None:
    """Return the inference id in the body of a 202 response, or None if the body has no id."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = (
        cast("dict[str, Any]", document).get("InferenceId") if isinstance(document, dict) else None
    )
    return found if isinstance(found, str) and found else None
