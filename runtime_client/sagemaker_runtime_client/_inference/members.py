"""The table that describes an operation: its arguments, their checks and their places."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from sigv4 import percent_encode

from .._aws.endpoint import Endpoint
from .._aws.error_response import json_error
from .._aws.operation import Operation, Progress
from .._errors import ParamValidationError
from .._io.message import Request
from .._limits import RESPONSE, ResponseLimit

# The places of members that are not sent as headers.
PATH, BODY = "path", "body"

_CONTROL = r"[\x00-\x1f\x7f]"
_SURROGATE = r"[\ud800-\udfff]"
Check = Callable[[str, Any], None]


class Member:
    """An argument of an operation.

    Args:
        argument: The name of the Python argument.
        name: The name in the service model.
        place: The place in the request: the name of a header, `PATH` or `BODY`.
        check: Raises ParamValidationError for an invalid value.
        metavar: The placeholder for the value in the command-line help.
        description: The description in the command-line help.
        kind: The type of the value; the command-line program uses it to parse the option.
        is_required: Whether the argument is required.
        is_sensitive: Whether the value must not appear in messages, in log lines or in ``repr``.
    """

    __slots__ = (
        "argument",
        "check",
        "description",
        "is_required",
        "is_sensitive",
        "kind",
        "metavar",
        "name",
        "place",
    )

    def __init__(
        self,
        argument: str,
        name: str,
        place: str,
        check: Check,
        metavar: str = "",
        description: str = "",
        *,
        kind: type[str | int | bytes] = str,
        is_required: bool = False,
        is_sensitive: bool = False,
    ) -> None:
        self.argument = argument
        self.name = name
        self.place = place
        self.check = check
        self.metavar = metavar
        self.description = description
        self.kind = kind
        self.is_required = is_required
        self.is_sensitive = is_sensitive


class OperationModel:
    """The table that describes an operation of SageMaker Runtime or of inference routers.

    Args:
        method: The name of the Python method.
        name: The name in the service model.
        path: The path of the request, with argument names in braces as placeholders.
        members: The arguments, in the order of the method's signature.
        exactly_one: Two arguments of which exactly one is required; None if there is no such pair.
        is_idempotent: Whether sending the request twice has the same effect as sending it once.
        limit: The size limit of a successful response.
        is_routed: Whether an inference router is called instead of an endpoint.
        read_timeout: The minimum read timeout in seconds, unless the caller passed one to the
            client; None for no minimum.

    Attributes:
        members: The arguments, keyed by their Python name.
        sensitive_headers: The names of headers whose values must not appear in messages or log
            lines.
    """

    __slots__ = (
        "exactly_one",
        "is_idempotent",
        "is_routed",
        "limit",
        "members",
        "method",
        "name",
        "path",
        "read_timeout",
        "sensitive_headers",
    )

    def __init__(
        self,
        method: str,
        name: str,
        path: str,
        members: tuple[Member, ...],
        *,
        exactly_one: tuple[str, str] | None = None,
        is_idempotent: bool = False,
        limit: ResponseLimit = RESPONSE,
        is_routed: bool = False,
        read_timeout: float | None = None,
    ) -> None:
        self.method = method
        self.name = name
        self.path = path
        self.members = {member.argument: member for member in members}
        self.sensitive_headers = [
            member.place for member in members if member.is_sensitive and member.place != BODY
        ]
        self.exactly_one = exactly_one
        self.is_idempotent = is_idempotent
        self.limit = limit
        self.is_routed = is_routed
        self.read_timeout = read_timeout

    def to_http(self, arguments: Mapping[str, object]) -> Request:
        """Check the arguments, and return a request that contains them, without signature.

        Args:
            arguments: The argument values, keyed by name; None counts as absent.

        Raises:
            ParamValidationError: An argument breaks a rule; `argument` is its name.
        """
        path, body = self.path, b""
        headers: list[tuple[str, str]] = []
        for argument, member in self.members.items():
            value: Any = arguments.get(argument)
            if value is not None or member.is_required:
                member.check(argument, value)
            if value is None:
                continue
            if member.place == PATH:
                path = path.replace(f"{{{argument}}}", percent_encode(value))
            elif member.place == BODY:
                body = bytes(value)  # a copy, because the caller may change the original
            else:
                headers.append((member.place, str(value)))
        if self.exactly_one is not None:
            one, other = self.exactly_one
            is_missing = arguments.get(one) is None
            if is_missing == (arguments.get(other) is None):
                raise invalid_argument(
                    one,
                    f"or {other} is required"
                    if is_missing
                    else f"cannot be combined with {other}: pass only one of them",
                )
        return Request("POST", path, tuple(headers), body)

    def to_operation(
        self,
        endpoint: Endpoint,
        request: Request,
        deadline: float | None,
        progress: Progress | None = None,
    ) -> Operation:
        """Return the operation that sends *request* to *endpoint*.

        Args:
            endpoint: The endpoint that receives the request.
            request: The result of `to_http`.
            deadline: The end of the call, on the monotonic clock; None for no limit.
            progress: Updated as the call proceeds; None if the progress is not needed.
        """
        return Operation(
            endpoint,
            request,
            json_error,
            idempotent=self.is_idempotent,
            limit=self.limit,
            deadline=deadline,
            progress=progress,
            sensitive_headers=self.sensitive_headers,
        )


def invalid_argument(argument: str, fault: str) -> ParamValidationError:
    return ParamValidationError(f"{argument} {fault}", argument=argument)


def text(
    minimum: int,
    maximum: int,
    is_valid: Callable[[str], bool] | None = None,
    *,
    rule: str = "",
    ascii_only: bool = True,
) -> Check:
    """Return a function that checks a string: its length, its characters and an additional rule.

    The checks of valid strings avoid regular expressions, because compiling those of the service
    model would add a third of a millisecond to the first call.
    """

    def check(argument: str, value: object) -> None:
        if not isinstance(value, str):
            raise invalid_argument(argument, f"must be a str, not {type(value).__name__}")
        if not minimum <= len(value) <= maximum:
            raise invalid_argument(
                argument, f"must have {minimum} to {maximum} characters, not {len(value)}"
            )
        if not value.isprintable() and re.search(_CONTROL, value):
            raise invalid_argument(
                argument, "must not contain control characters, such as line breaks"
            )
        if value != value.strip():
            raise invalid_argument(
                argument, "must not start or end with white space, which HTTP removes"
            )
        if ascii_only and not value.isascii():
            raise invalid_argument(argument, "must be ASCII")
        if not value.isprintable() and re.search(_SURROGATE, value):
            raise invalid_argument(
                argument, "must not contain lone surrogates, which UTF-8 cannot encode"
            )
        if is_valid and not is_valid(value):
            raise invalid_argument(argument, f"must {rule}")

    return check


def seconds(minimum: int, maximum: int) -> Check:
    """Return a function that checks that a value is a whole number of seconds within limits."""

    def check(argument: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_argument(
                argument, f"must be an int (seconds), not {type(value).__name__}"
            )
        if not minimum <= value <= maximum:
            raise invalid_argument(argument, f"must be {minimum} to {maximum} seconds")

    return check


def inline(
    maximum: int,
    *,
    minimum: int = 1,
    advice: str = "upload it to S3 and pass input_location instead",
) -> Check:
    """Return a function that checks the type and the size of a body.

    Args:
        maximum: The maximum size in bytes.
        minimum: The minimum size in bytes.  Some operations do not accept an empty body, which
            cannot be distinguished from a missing body in HTTP.
        advice: What to do if the body is too large, for the error message.
    """

    def check(argument: str, value: object) -> None:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise not_bytes(argument, value)
        size = memoryview(cast("bytes", value)).nbytes
        if size < minimum:
            raise invalid_argument(
                argument, "must not be empty: the service treats an empty body as a missing one"
            )
        if size > maximum:
            raise invalid_argument(
                argument,
                f"must have at most {maximum:,} bytes, not {size:,}: {advice}",
            )

    return check


def not_bytes(argument: str, value: object) -> ParamValidationError:
    """Return the error for a value that should be bytes, with a hint on how to convert it."""
    remedies = (
        (isinstance(value, str), ": encode it first"),
        (hasattr(value, "read") or hasattr(value, "read_bytes"), ": read it first"),
        (isinstance(value, dict | list), ": encode the result of json.dumps"),
    )
    remedy = next((text for is_remedy, text in remedies if is_remedy), "")
    return invalid_argument(argument, f"must be bytes, not {type(value).__name__}{remedy}")
