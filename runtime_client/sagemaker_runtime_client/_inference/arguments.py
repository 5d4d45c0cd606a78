"""Checks of arguments that are not in an operation's table, and the default `schedule`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .._io.generation import importing
from .._io.run import is_async
from .._value import type_name
from .invocation import Invocation
from .invoke_endpoint_async import INLINE_LIMIT, InvokeOptions
from .members import OperationModel, invalid_argument, not_bytes

if TYPE_CHECKING:  # imported when S3 is first needed
    from .._io.sources.opened import UploadSource
    from .._s3.objects import S3Location
    from .._s3.options import ObjectOptions

# A function that receives the seconds waited so far and returns the seconds until the next poll.
Schedule = Callable[[float], float]

# This is about 32 years in seconds.  Adding it to the current time does not overflow any clock.
LONGEST_WAIT = 1_000_000_000


class Upload(NamedTuple):
    """A payload that is uploaded before its job is queued.

    Attributes:
        location: The location to which the payload is uploaded.
        source: The payload, or its open source.
        headers: The headers for the options of the object.
    """

    location: S3Location
    source: bytes | UploadSource
    headers: tuple[tuple[str, str], ...]


class PayloadOptions(NamedTuple):
    """The arguments of `submit` that determine how the payload is sent; `submit` describes them."""

    json: object
    input_prefix: str | None
    input_options: ObjectOptions | None
    inline: bool | None


def spellings(names: Iterable[str]) -> list[str]:
    """Return a hint for each name that is spelled as in boto3, such as ``EndpointName``."""
    words = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return [
        f"use {re.sub(words, '_', name).lower()} instead of {name}"
        for name in sorted(names)
        if name[:1].isupper()
    ]


def unexpected_arguments(names: Collection[str]) -> TypeError:
    """Return the error for keyword arguments that are not options of an invocation."""
    hints = spellings(names)
    if "input_location" in names:
        hints.append("for input that is already in S3, call invoke_endpoint_async and then wait")
    listed = "; ".join([", ".join(sorted(names)), *hints])
    return TypeError(f"submit and infer do not accept {listed}")


def submission_target(
    endpoint_name: str | None,
    router: str | None,
    routing_target: str | None,
    options: InvokeOptions,
) -> dict[str, Any]:
    """Check *options*, and return the arguments that specify an endpoint or an inference router."""
    check_options(options)
    if router is None and routing_target is None:
        if endpoint_name is None:
            raise invalid_argument("endpoint_name", "or router is required")
        return {"endpoint_name": endpoint_name}
    if endpoint_name is not None:
        raise invalid_argument(
            "endpoint_name",
            "cannot be combined with router and routing_target: pass one or the other",
        )
    for argument, value in (("router", router), ("routing_target", routing_target)):
        if value is None:
            raise invalid_argument(argument, "is required: pass router and routing_target together")
    # The operation's table calls this argument by another name, so it is checked here under the
    # caller's name.
    router_model().members["inference_router_name"].check("router", router)
    return {"inference_router_name": router, "routing_target": routing_target}


def router_model() -> OperationModel:
    """Return the table of InvokeInferenceRouterAsync."""
    with importing():
        from .router import INVOKE_INFERENCE_ROUTER_ASYNC

    return INVOKE_INFERENCE_ROUTER_ASYNC


def check_options(options: InvokeOptions) -> None:
    """Raise TypeError if a keyword argument is not an option of an invocation."""
    if unknown := options.keys() - InvokeOptions.__annotations__:
        raise unexpected_arguments(unknown)


def as_content(value: object, argument: str, json: object = None) -> object:
    """Return *value*, a str encoded as UTF-8; or, in its place, *json* as a JSON document.

    Raises:
        ParamValidationError: Both arguments were passed, or one of them cannot be converted.
    """
    if json is None:
        return _encode(argument, value) if isinstance(value, str) else value
    if value is not None:
        raise invalid_argument("json", f"cannot be combined with {argument}: pass one or the other")
    from json import dumps

    try:
        document = dumps(json, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid_argument("json", f"cannot be converted to JSON: {error}") from None
    return _encode("json", document)


def _encode(argument: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid_argument(argument, "must be text that UTF-8 can encode") from None


def as_bytes(value: object, argument: str) -> bytes:
    """Return the bytes in *value*, or raise ParamValidationError if *value* is not bytes-like."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise not_bytes(argument, value)
    return bytes(cast("bytes", value))


def check_max_size(max_size: object) -> None:
    """Raise ParamValidationError unless *max_size* is a number of bytes, or None for no limit."""
    is_size = isinstance(max_size, int) and not isinstance(max_size, bool) and max_size >= 0
    if max_size is not None and not is_size:
        raise invalid_argument(
            "max_size", "must be a number of bytes (an int, 0 or more) or None for no limit"
        )


def check_invocation(invocation: object) -> Invocation:
    """Return *invocation*, or raise ParamValidationError if it is not an Invocation."""
    if not isinstance(invocation, Invocation):
        raise invalid_argument("invocation", f"must be an Invocation, not {type_name(invocation)}")
    return invocation


def check_waiting(timeout: float, schedule: Schedule, access_denied_grace: float | None) -> None:
    """Check the arguments of a wait, which `infer` must do before it queues the job."""
    _check_seconds("timeout", timeout)
    if access_denied_grace is not None:
        _check_seconds("access_denied_grace", access_denied_grace)
    if is_async(schedule) or not callable(schedule):
        raise invalid_argument(
            "schedule",
            "must be a plain (not async) function that accepts the seconds waited so far and "
            "returns the seconds to pause",
        )


def check_timeout(timeout: float) -> None:
    """Raise ParamValidationError unless *timeout* is a positive number of seconds."""
    _check_seconds("timeout", timeout)
    if timeout == 0:
        raise invalid_argument("timeout", "must be more than 0 seconds")


def check_wait_until_ready(wait_until_ready: float) -> None:
    """Raise ParamValidationError unless *wait_until_ready* is a number of seconds, 0 or more."""
    _check_seconds("wait_until_ready", wait_until_ready)


def check_listener(on_invocation: object) -> None:
    """Raise ParamValidationError unless *on_invocation* is a function or None."""
    if on_invocation is not None and not callable(on_invocation):
        raise invalid_argument("on_invocation", "must be a function that accepts the Invocation")


def _check_seconds(argument: str, seconds: object) -> None:
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_WAIT:
        raise invalid_argument(argument, f"must be a number of seconds from 0 to {LONGEST_WAIT:,}")


def goes_inline(body: bytes, inline: bool | None) -> bool:
    """Return whether to send *body* in the request; if *inline* is None, its size decides."""
    return 0 < len(body) <= INLINE_LIMIT if inline is None else inline


def upload_reason(payload: bytes | UploadSource, inline: bool | None, *, is_routed: bool) -> str:
    """Return the reason why a payload must be uploaded, for an error message."""
    if is_routed:
        return "an inference router reads it from there"
    if inline is False:
        return "inline=False was passed"
    if payload == b"":
        return "it is empty, and a request cannot carry an empty body"
    size = getattr(payload, "size", None)
    has = f"more than {INLINE_LIMIT:,}" if size is None else f"{size:,}"
    return f"it has {has} bytes, and a request can carry at most {INLINE_LIMIT:,}"


def poll_schedule(elapsed: float) -> float:
    """Return the seconds from the start of a poll to the start of the next one.

    The result is 0.4 s at first, later nearly a tenth of the time waited, and at most 14.5 s.  If
    S3 responds quickly, an output is therefore detected within 0.5 s at first, later within a tenth
    of the time waited, and always within 15 s.

    Args:
        elapsed: The seconds from the start of the wait to the start of the poll.
    """
    return min(max(0.4, 0.095 * elapsed), 14.5)
