"""The attributes of queues: their default values and their valid values.

Source: service model sqs 2012-11-05, operations CreateQueue and SetQueueAttributes.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .._reply import rejection

# The minimum, the maximum and the default of each attribute that is a number.
_NUMBERS = {
    "DelaySeconds": (0, 900, 0),
    "MaximumMessageSize": (1024, 1_048_576, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600, 345_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20, 0),
    "VisibilityTimeout": (0, 43_200, 30),
}
DEFAULTS = {name: str(default) for name, (_, _, default) in _NUMBERS.items()}
_BOOLEAN = "true|false"
# The patterns of the other attributes.  The emulator does not enforce policies and does not encrypt.
_PATTERNS = {
    "ContentBasedDeduplication": _BOOLEAN,
    "DeduplicationScope": "messageGroup|queue",
    "FifoQueue": _BOOLEAN,
    "FifoThroughputLimit": "perQueue|perMessageGroupId",
    "KmsDataKeyReusePeriodSeconds": "[0-9]{1,5}",
    "KmsMasterKeyId": ".*",
    "Policy": ".*",
    "RedriveAllowPolicy": ".*",
    "RedrivePolicy": ".*",
    "SqsManagedSseEnabled": _BOOLEAN,
}
_FOR_FIFO = frozenset({"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"})
_MOST_RECEIVES = 1000
# An empty value removes these attributes.
_REMOVABLE = frozenset({"KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy"})


def check_attributes(
    attributes: Mapping[str, str], *, is_fifo: bool, has_queue: Callable[[str], bool]
) -> None:
    """Check the attributes that a request sets.

    Args:
        attributes: The attributes, keyed by their names in the service model.
        is_fifo: Whether the queue is a FIFO queue.
        has_queue: Returns whether an ARN is that of a queue of the same kind (FIFO or standard), to
            which ``RedrivePolicy`` may refer.

    Raises:
        RejectedRequestError: An attribute is unknown, or its value is invalid.
    """
    for name, value in attributes.items():
        if not _is_known(name) or (name in _FOR_FIFO and not is_fifo):
            raise rejection(400, "InvalidAttributeName", f"Unknown Attribute {name}.")
        if not _is_valid(name, value):
            raise rejection(
                400, "InvalidAttributeValue", f"Invalid value for the parameter {name}."
            )
    policy = attributes.get("RedrivePolicy")
    if policy and not has_queue(parse_redrive_policy(policy)[0]):
        raise rejection(
            400,
            "InvalidParameterValue",
            f"Value {policy} for parameter RedrivePolicy is invalid. Reason: Dead letter target "
            "does not exist.",
        )


def set_attributes(current: dict[str, str], changes: Mapping[str, str]) -> None:
    """Set attributes in *current*; an empty value removes some attributes, like a policy."""
    current.update(changes)
    for name in _REMOVABLE & current.keys():
        if not current[name]:
            del current[name]


def parse_redrive_policy(policy: str) -> tuple[str, int]:
    """Return the dead-letter queue's ARN, and the maximum number of receipts of a message.

    Raises:
        RejectedRequestError: The policy is malformed.
    """
    try:
        parsed: Any = json.loads(policy)
        arn, count = parsed["deadLetterTargetArn"], int(parsed.get("maxReceiveCount", 10))
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        arn, count = None, 0
    if not isinstance(arn, str) or not 1 <= count <= _MOST_RECEIVES:
        raise rejection(
            400,
            "InvalidParameterValue",
            f"Value {policy} for parameter RedrivePolicy is invalid. Reason: It must contain "
            "deadLetterTargetArn and maxReceiveCount (1 to 1000).",
        )
    return arn, count


def _is_known(name: str) -> bool:
    return name in _NUMBERS or name in _PATTERNS


def _is_valid(name: str, value: str) -> bool:
    """Return whether *value* is valid for the attribute *name*."""
    if name in _PATTERNS:
        return re.fullmatch(_PATTERNS[name], value, re.DOTALL) is not None
    minimum, maximum, _ = _NUMBERS[name]
    return re.fullmatch("[0-9]{1,9}", value) is not None and minimum <= int(value) <= maximum
