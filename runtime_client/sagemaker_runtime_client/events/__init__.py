"""Parses notifications that arrive through SNS, SQS, S3 or EventBridge into values, without I/O."""

from typing import TYPE_CHECKING, Any

from ._parse import Event, parse
from ._results import Completed, Failed
from ._values import Ignored, ObjectCreated

if TYPE_CHECKING:
    from ._signature import verify_sns
    from ._signed_message import SignatureError

__all__ = [
    "Completed",
    "Event",
    "Failed",
    "Ignored",
    "ObjectCreated",
    "parse",
    "SignatureError",
    "verify_sns",
]


def __getattr__(name: str) -> Any:
    """Import the names for signature verification on first access, because few programs need them."""
    match name:
        case "SignatureError":
            from . import _signed_message

            value: Any = _signed_message.SignatureError
        case "verify_sns":
            from . import _signature

            value = _signature.verify_sns
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value
