"""
InvokeEndpointAsync: arguments to request, and answer to `Invocation`.  Pure.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from string import ascii_letters, digits
from typing import Any, TypedDict, cast

from sigv4 import percent_encode
from sigv4._value import Value, set_part

from ._errors import ParamValidationError
from ._http import Headers, Request, Response
from ._service_error import json_error

# The most that goes into the request itself; what is larger goes through S3.
INLINE_LIMIT = 128_000

_ALPHANUMERIC = ascii_letters + digits
_CONTROL = r"[\x00-\x1f\x7f]"
_SURROGATE = r"[\ud800-\udfff]"
Check = Callable[[str, Any], None]


def _refuse(argument: str, fault: str) -> ParamValidationError:
    return ParamValidationError(f"{argument} {fault}", argument=argument)


def _text(
    least: int,
    most: int,
    fits: Callable[[str], bool] | None = None,
    *,
    rule: str = "",
    ascii_only: bool = True,
) -> Check:
    """
    Return a check for text: its length in characters, its characters, and what else must hold, in words.

    Not by regular expressions: to compile the model's takes a third of a millisecond of a first call.
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
        if fits and not fits(value):
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


# The model's patterns.  What is left after `str.strip` of all that is allowed is not allowed.
def _is_endpoint_name(value: str) -> bool:
    """``[a-zA-Z0-9](-*[a-zA-Z0-9])*``."""
    return not value.strip(_ALPHANUMERIC + "-") and "-" not in {value[0], value[-1]}


def _is_input_location(value: str) -> bool:
    """``(https|s3)://([^/]+)/?(.*)``."""
    scheme, _, rest = value.partition("://")
    return scheme in {"https", "s3"} and rest[:1] not in {"", "/"}


def _is_path_extension(value: str) -> bool:
    """``(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+``: no scheme fits, for want of a colon."""
    return not value.strip(_ALPHANUMERIC + "!_.*'()/-")


def _is_filename(value: str) -> bool:
    r"""``(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9\-_.]*``."""
    fits = not value.strip(_ALPHANUMERIC + "-_.") and value[0] in _ALPHANUMERIC
    return fits and value.count(".") <= 1


# What each argument must be, if it is given.
_CHECKS: dict[str, Check] = {
    "endpoint_name": _text(
        1,
        63,
        _is_endpoint_name,
        rule="be letters and digits, with hyphens only between them",
    ),
    "input_location": _text(
        1, 1024, _is_input_location, rule="begin with s3:// or https://", ascii_only=False
    ),
    "content_type": _text(0, 1024),
    "accept": _text(0, 1024),
    "custom_attributes": _text(0, 1024),
    "inference_id": _text(1, 64),
    "s3_output_path_extension": _text(
        1,
        512,
        _is_path_extension,
        rule="be a path of letters, digits and !_.*'()/-",
    ),
    "filename": _text(
        1,
        32,
        _is_filename,
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


class InvokeEndpointAsyncRequest(Value):
    """
    The arguments of InvokeEndpointAsync, checked.

    Attributes:
        endpoint_name: 1 to 63 letters, digits and inner hyphens.
        input_location: ``s3://`` or ``https://`` address of the input, at most 1024 characters.
        body: The input itself, 1 to 128,000 bytes.  Exactly one of the two is given.
        content_type: MIME type of the input, at most 1024 ASCII characters.
        accept: MIME type wanted for the output; likewise.
        custom_attributes: Handed to the model as they are; likewise.  Kept out of ``repr``.
        inference_id: 1 to 64 printable ASCII characters, no blank at either end.
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

    __slots__ = _names = (
        "endpoint_name",
        "input_location",
        "content_type",
        "accept",
        "custom_attributes",
        "inference_id",
        "s3_output_path_extension",
        "filename",
        "request_ttl_seconds",
        "invocation_timeout_seconds",
        "body",
    )
    __match_args__ = ("endpoint_name",)
    _hidden = frozenset({"custom_attributes", "body"})

    endpoint_name: str
    input_location: str | None
    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    inference_id: str | None
    s3_output_path_extension: str | None
    filename: str | None
    request_ttl_seconds: int | None
    invocation_timeout_seconds: int | None
    body: bytes | None

    def __init__(
        self,
        endpoint_name: str,
        *,
        input_location: str | None = None,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        inference_id: str | None = None,
        s3_output_path_extension: str | None = None,
        filename: str | None = None,
        request_ttl_seconds: int | None = None,
        invocation_timeout_seconds: int | None = None,
        body: "bytes | bytearray | memoryview[int] | None" = None,
    ) -> None:
        set_part(self, "endpoint_name", endpoint_name)
        set_part(self, "input_location", input_location)
        set_part(self, "content_type", content_type)
        set_part(self, "accept", accept)
        set_part(self, "custom_attributes", custom_attributes)
        set_part(self, "inference_id", inference_id)
        set_part(self, "s3_output_path_extension", s3_output_path_extension)
        set_part(self, "filename", filename)
        set_part(self, "request_ttl_seconds", request_ttl_seconds)
        set_part(self, "invocation_timeout_seconds", invocation_timeout_seconds)
        set_part(self, "body", body)
        for argument, check in _CHECKS.items():
            value = getattr(self, argument)
            if value is not None or argument == "endpoint_name":
                check(argument, value)
        if body is not None and input_location is not None:
            raise _refuse("body", "and input_location exclude each other; give exactly one of them")
        if body is None and input_location is None:
            raise _refuse("body", "or input_location is needed; give exactly one of them")
        set_part(self, "body", _bytes(body))

    def to_http(self) -> Request:
        """Return the request, less the endpoint's origin and the signature."""
        values = [(header, getattr(self, argument)) for argument, header in HEADERS.items()]
        return Request(
            "POST",
            f"/endpoints/{percent_encode(self.endpoint_name)}/async-invocations",
            tuple((header, str(value)) for header, value in values if value is not None),
            self.body or b"",
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
        filename: The name of the output that was asked for, where an older object may lie; None
            where the service made up a new one.
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
        "filename",
    )

    inference_id: str | None
    output_location: str | None
    failure_location: str | None
    request_id: str | None
    endpoint_name: str | None
    date: datetime | None
    attempts: int
    possibly_duplicated: bool
    filename: str | None

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
        filename: str | None = None,
    ) -> None:
        if date is not None and date.tzinfo is None:
            raise _refuse("date", "must carry a time zone, such as datetime.UTC")
        set_part(self, "inference_id", inference_id)
        set_part(self, "output_location", output_location)
        set_part(self, "failure_location", failure_location)
        set_part(self, "request_id", request_id)
        set_part(self, "endpoint_name", endpoint_name)
        set_part(self, "date", date)
        set_part(self, "attempts", attempts)
        set_part(self, "possibly_duplicated", possibly_duplicated)
        set_part(self, "filename", filename)

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
        response = Response(status, headers, _bytes(body) or b"")
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
    filename: str | None = None,
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
        filename=filename,
    )


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(Invocation.__slots__, (str, type(None))),
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
