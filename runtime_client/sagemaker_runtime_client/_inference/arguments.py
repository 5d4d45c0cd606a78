"""
What each argument of InvokeEndpointAsync must be.  Pure.

Source: the service model sagemaker-runtime 2017-05-13, as of botocore 1.44.5.
"""

import re
from collections.abc import Callable, Collection, Iterable
from string import ascii_letters, digits
from typing import Any, cast

from .._errors import ParamValidationError
from .._io.run import is_async
from .._value import type_name
from .invocation import Invocation
from .schedule import Schedule

# The most that goes into the request itself; what is larger goes through S3.
INLINE_LIMIT = 128_000
# Thirty years, of which no clock overflows.
LONGEST_WAIT = 1_000_000_000

_ALPHANUMERIC = ascii_letters + digits
_CONTROL = r"[\x00-\x1f\x7f]"
_SURROGATE = r"[\ud800-\udfff]"
Check = Callable[[str, Any], None]


def refuse(argument: str, fault: str) -> ParamValidationError:
    return ParamValidationError(f"{argument} {fault}", argument=argument)


def not_bytes(value: object) -> str:
    """Return what is wrong with a value that should be bytes, and what to do."""
    remedies = (
        (isinstance(value, str), "; encode it first"),
        (hasattr(value, "read") or hasattr(value, "read_bytes"), "; read it first"),
        (isinstance(value, dict | list), "; encode what json.dumps makes of it"),
    )
    remedy = next((text for fits, text in remedies if fits), "")
    return f"must be bytes, not {type(value).__name__}{remedy}"


def spellings(names: Iterable[str]) -> list[str]:
    """Return how those names are spelt here that are spelt as boto3 has them."""
    words = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return [
        f"{name} is {re.sub(words, '_', name).lower()} here"
        for name in sorted(names)
        if name[:1].isupper()
    ]


def unexpected(names: Collection[str]) -> TypeError:
    """Return what is said of arguments that neither ``submit`` nor ``infer`` takes."""
    hints = spellings(names)
    if "input_location" in names:
        hints.append("for input that is in S3 call invoke_endpoint_async, then wait")
    text = f"submit and infer take no argument {', '.join(sorted(names))}"
    return TypeError("; ".join([text, *hints]))


def as_bytes(value: object, argument: str) -> bytes:
    """Return the bytes of an argument, or refuse what has none."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise refuse(argument, not_bytes(value))
    return bytes(cast("bytes", value))


def check_max_size(max_size: object) -> None:
    """Refuse what is no number of bytes; None is no limit."""
    is_size = isinstance(max_size, int) and not isinstance(max_size, bool) and max_size >= 0
    if max_size is not None and not is_size:
        raise refuse("max_size", "must be a whole number of bytes, 0 or more, or None for no limit")


def check_invocation(invocation: object) -> Invocation:
    """Return the handle; refuse anything else."""
    if not isinstance(invocation, Invocation):
        raise refuse("invocation", f"must be an Invocation, not {type_name(invocation)}")
    return invocation


def check_waiting(timeout: float, schedule: Schedule, access_denied_grace: float | None) -> None:
    """Refuse arguments with which nobody can wait, before there is anything to lose."""
    _check_seconds("timeout", timeout)
    if access_denied_grace is not None:
        _check_seconds("access_denied_grace", access_denied_grace)
    if is_async(schedule) or not callable(schedule):
        raise refuse("schedule", "must be a plain function of the seconds waited")


def check_timeout(timeout: float | None) -> None:
    """Refuse a time in which no call can be made."""
    if timeout is not None:
        _check_seconds("timeout", timeout)
    if timeout == 0:
        raise refuse("timeout", "must be more than 0 seconds: nothing can be sent in none")


def check_listener(on_invocation: object) -> None:
    """Refuse what cannot be told of a queued job."""
    if on_invocation is not None and not callable(on_invocation):
        raise refuse("on_invocation", "must be a function of the handle")


def _check_seconds(argument: str, seconds: object) -> None:
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_WAIT:
        raise refuse(argument, f"must be a number of seconds, 0 to {LONGEST_WAIT:,}")


def goes_inline(body: bytes, inline: bool | None) -> bool:
    """Tell whether a payload goes into the request itself: by its size, unless that is decided."""
    return 0 < len(body) <= INLINE_LIMIT if inline is None else inline


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
            raise refuse(argument, f"must be a str, not {type(value).__name__}")
        if not least <= len(value) <= most:
            raise refuse(argument, f"must have {least} to {most} characters, not {len(value)}")
        if not value.isprintable() and re.search(_CONTROL, value):
            raise refuse(argument, "must not hold control characters, such as line ends")
        if value != value.strip():
            raise refuse(argument, "must not begin or end with a blank, which HTTP would drop")
        if ascii_only and not value.isascii():
            raise refuse(argument, "must be ASCII")
        if not value.isprintable() and re.search(_SURROGATE, value):
            raise refuse(argument, "must be text that UTF-8 can encode")
        if fits and not fits(value):
            raise refuse(argument, f"must {rule}")

    return check


def _number(least: int, most: int) -> Check:
    """Return a check for a whole number of seconds."""

    def check(argument: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise refuse(argument, f"must be an int (seconds), not {type(value).__name__}")
        if not least <= value <= most:
            raise refuse(argument, f"must be {least} to {most} seconds")

    return check


def _inline(argument: str, value: object) -> None:
    """Refuse an inline body that is no bytes, too many, or none: on the wire that is no body."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise refuse(argument, not_bytes(value))
    size = memoryview(cast("bytes", value)).nbytes
    if size == 0:
        raise refuse(argument, "must not be empty, which the service takes for no body at all")
    if size > INLINE_LIMIT:
        raise refuse(
            argument, f"must have at most {INLINE_LIMIT} bytes, not {size}; put it into S3 instead"
        )


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
CHECKS: dict[str, Check] = {
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
