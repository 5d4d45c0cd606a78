"""
InvokeEndpointAsync: arguments to request, and answer to `Invocation`.  Pure.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, TypedDict, cast

from sigv4 import percent_encode

from ._errors import ParamValidationError
from ._http import Headers, Request, Response
from ._service_error import json_error

# The most that goes into the request itself; what is larger goes through S3.
INLINE_LIMIT = 128_000

_CONTROL = r"[\x00-\x1f\x7f]"
_SURROGATE = r"[\ud800-\udfff]"
Check = Callable[[str, Any], None]


def _refuse(argument: str, fault: str) -> ParamValidationError:
    return ParamValidationError(f"{argument} {fault}", argument=argument)


def _text(
    least: int, most: int, pattern: str | None = None, *, rule: str = "", ascii_only: bool = True
) -> Check:
    """
    Return a check for text: its length in characters, its characters, and a pattern in words.

    Patterns are compiled by the first text that needs them.
    """

    def check(argument: str, value: object) -> None:
        if not isinstance(value, str):
            raise _refuse(argument, f"must be a str, not {type(value).__name__}")
        if not least <= len(value) <= most:
            raise _refuse(argument, f"must have {least} to {most} characters, not {len(value)}")
        if not value.isprintable() and re.search(_CONTROL, value):
            raise _refuse(argument, "must not hold control characters, such as line ends")
        if value != value.strip():
            raise _refuse(argument, "must not begin or end with a blank, which HTTP would drop")
        if ascii_only and not value.isascii():
            raise _refuse(argument, "must be ASCII")
        if not value.isprintable() and re.search(_SURROGATE, value):
            raise _refuse(argument, "must be text that UTF-8 can encode")
        if pattern and not re.fullmatch(pattern, value):
            raise _refuse(argument, f"must {rule}")

    return check


def _number(least: int, most: int) -> Check:
    """Return a check for a whole number of seconds."""

    def check(argument: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refuse(argument, f"must be an int (seconds), not {type(value).__name__}")
        if not least <= value <= most:
            raise _refuse(argument, f"must be {least} to {most} seconds")

    return check


def _inline(argument: str, value: object) -> None:
    """Refuse an inline body that is no bytes, too many, or none: on the wire that is no body."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise _refuse(argument, f"must be bytes, not {type(value).__name__}; encode text first")
    size = memoryview(cast("bytes", value)).nbytes
    if size == 0:
        raise _refuse(argument, "must not be empty, which the service takes for no body at all")
    if size > INLINE_LIMIT:
        raise _refuse(
            argument, f"must have at most {INLINE_LIMIT} bytes, not {size}; put it into S3 instead"
        )


def _bytes(value: "bytes | bytearray | memoryview[int] | None") -> bytes | None:
    """Return a private copy of what is like bytes; anything else is for the check."""
    if isinstance(value, bytearray | memoryview):
        return bytes(value)  # pyright: ignore[reportUnknownArgumentType]
    return value


# What each argument must be, if it is given.
_CHECKS: dict[str, Check] = {
    "endpoint_name": _text(
        1,
        63,
        r"[a-zA-Z0-9](-*[a-zA-Z0-9])*",
        rule="be letters and digits, with hyphens only between them",
    ),
    "input_location": _text(
        1, 1024, r"(https|s3)://[^/]+/?.*", rule="begin with s3:// or https://", ascii_only=False
    ),
    "content_type": _text(0, 1024),
    "accept": _text(0, 1024),
    "custom_attributes": _text(0, 1024),
    "inference_id": _text(1, 64),
    "s3_output_path_extension": _text(
        1,
        512,
        r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+",
        rule="be a path of letters, digits and !_.*'()/-",
    ),
    "filename": _text(
        1,
        32,
        r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9\-_.]*",
        rule="begin with a letter or digit and hold only those, -, _ and at most one dot",
    ),
    "request_ttl_seconds": _number(60, 21_600),
    "invocation_timeout_seconds": _number(1, 3600),
    "body": _inline,
}

# What goes out as a header, and under which name.
HEADERS = {
    "content_type": "X-Amzn-SageMaker-Content-Type",
    "accept": "X-Amzn-SageMaker-Accept",
    "custom_attributes": "X-Amzn-SageMaker-Custom-Attributes",
    "inference_id": "X-Amzn-SageMaker-Inference-Id",
    "input_location": "X-Amzn-SageMaker-InputLocation",
    "s3_output_path_extension": "X-Amzn-SageMaker-S3OutputPathExtension",
    "filename": "X-Amzn-SageMaker-Filename",
    "request_ttl_seconds": "X-Amzn-SageMaker-RequestTTLSeconds",
    "invocation_timeout_seconds": "X-Amzn-SageMaker-InvocationTimeoutSeconds",
}


@dataclass(frozen=True, slots=True)
class InvokeEndpointAsyncRequest:
    """
    The arguments of InvokeEndpointAsync, checked.

    Attributes:
        endpoint_name: 1 to 63 letters, digits and inner hyphens.
        input_location: ``s3://`` or ``https://`` address of the input, at most 1024 characters.
        body: The input itself, 1 to 128,000 bytes.  Exactly one of the two is given.
        content_type: MIME type of the input, at most 1024 ASCII characters.
        accept: MIME type wanted for the output; likewise.
        custom_attributes: Handed to the model as they are; likewise.  Kept out of ``repr``.
        inference_id: 1 to 64 printable ASCII characters, the first no blank.
        s3_output_path_extension: Appended to the endpoint's output path; 1 to 512 of letters,
            digits and ``!_.*'()/-``.
        filename: Replaces the generated name of the output; 1 to 32 of letters, digits and
            ``-_.``, with at most one dot.
        request_ttl_seconds: For how long the job may wait in the queue, 60 to 21600.
        invocation_timeout_seconds: For how long the model may work on it, 1 to 3600.

    Raises:
        ParamValidationError: An argument breaks one of these rules; `argument` names it.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
    """

    endpoint_name: str
    input_location: str | None = field(default=None, kw_only=True)
    content_type: str | None = field(default=None, kw_only=True)
    accept: str | None = field(default=None, kw_only=True)
    custom_attributes: str | None = field(default=None, kw_only=True, repr=False)
    inference_id: str | None = field(default=None, kw_only=True)
    s3_output_path_extension: str | None = field(default=None, kw_only=True)
    filename: str | None = field(default=None, kw_only=True)
    request_ttl_seconds: int | None = field(default=None, kw_only=True)
    invocation_timeout_seconds: int | None = field(default=None, kw_only=True)
    body: bytes | bytearray | memoryview | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        for argument, check in _CHECKS.items():
            value = getattr(self, argument)
            if value is not None or argument == "endpoint_name":
                check(argument, value)
        if self.body is not None and self.input_location is not None:
            raise _refuse("body", "and input_location exclude each other; give exactly one of them")
        if self.body is None and self.input_location is None:
            raise _refuse("body", "or input_location is needed; give exactly one of them")
        object.__setattr__(self, "body", _bytes(self.body))

    def to_http(self) -> Request:
        """Return the request, less the endpoint's origin and the signature."""
        values = [(header, getattr(self, argument)) for argument, header in HEADERS.items()]
        return Request(
            "POST",
            f"/endpoints/{percent_encode(self.endpoint_name)}/async-invocations",
            tuple((header, str(value)) for header, value in values if value is not None),
            bytes(self.body or b""),
        )


class InvokeOptions(TypedDict, total=False):
    """What may be said of an inference beside its endpoint and its input."""

    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    inference_id: str | None
    s3_output_path_extension: str | None
    filename: str | None
    request_ttl_seconds: int | None
    invocation_timeout_seconds: int | None


@dataclass(frozen=True, slots=True)
class Invocation:
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
    """

    inference_id: str | None = None
    output_location: str | None = None
    failure_location: str | None = None
    request_id: str | None = None
    endpoint_name: str | None = None
    date: datetime | None = None
    attempts: int = 1
    possibly_duplicated: bool = False

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
            ServiceError: The status is none of 2xx.  One of 2xx never raises, whatever comes
                with it: the job is queued.
        """
        response = Response(status, headers, _bytes(body) or b"")
        if not response.ok:
            raise json_error(response)
        return invocation_of(response, inference_id)

    def to_json(self) -> str:
        """Return the handle as JSON, for a queue, a database or another process."""
        values = {attribute.name: getattr(self, attribute.name) for attribute in fields(Invocation)}
        values["date"] = self.date and self.date.isoformat()
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Invocation":
        """
        Return the handle that `to_json` wrote, by this version or a later one.

        Raises:
            ParamValidationError: *text* is none.
        """
        try:
            values = json.loads(text)
            known = {name: values[name] for name in _JSON_TYPES if name in dict(values)}
            if any(type(value) not in _JSON_TYPES[name] for name, value in known.items()):
                raise TypeError  # noqa: TRY301 (all that is wrong ends in one place)
            if known.get("date") is not None:
                known["date"] = datetime.fromisoformat(known["date"]).astimezone(UTC)
            return cls(**known)
        except (ValueError, TypeError, OverflowError, RecursionError):
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
    )


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys([attribute.name for attribute in fields(Invocation)], (str, type(None))),
    "attempts": (int,),
    "possibly_duplicated": (bool,),
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
