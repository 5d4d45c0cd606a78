"""Parses the messages in requests to SQS."""

import re

from .._reply import rejection
from .arguments import Arguments
from .drafts import Draft
from .message_attributes import check_message_attributes
from .messages import message_size

_LONGEST_DELAY = 900
_MOST_ATTRIBUTES = 10
_is_identifier = re.compile(r"[!-~]{1,128}").fullmatch
# https://www.w3.org/TR/REC-xml/#charsets
_is_text = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+").fullmatch


def parse_draft(arguments: Arguments) -> Draft:
    """Return the message that a request, or an entry of a batch, contains."""
    body = arguments.text("MessageBody")
    if not _is_text(body):
        raise rejection(
            400, "InvalidMessageContents", "The message contains characters that are not allowed."
        )
    attributes = check_message_attributes(arguments.structures("MessageAttributes"))
    if len(attributes) > _MOST_ATTRIBUTES:
        raise rejection(
            400,
            "InvalidParameterValue",
            f"The message has more than {_MOST_ATTRIBUTES} attributes.",
        )
    system = arguments.structures("MessageSystemAttributes")
    trace = check_message_attributes(system).get("AWSTraceHeader", {})
    return Draft(
        body=body,
        attributes=attributes,
        delay=arguments.number("DelaySeconds", 0, _LONGEST_DELAY),
        group=_identifier(arguments, "MessageGroupId"),
        deduplication_id=_identifier(arguments, "MessageDeduplicationId"),
        trace=trace.get("StringValue"),
    )


def _identifier(arguments: Arguments, name: str) -> str | None:
    """Return the ID of a group or a message; None if it is missing."""
    value = arguments.optional_text(name)
    if value is not None and not _is_identifier(value):
        raise rejection(
            400,
            "InvalidParameterValue",
            f"Value {value} for parameter {name} is invalid. Reason: {name} can only include "
            "alphanumeric and punctuation characters. 1 to 128 in length.",
        )
    return value


def parse_size(entry: Arguments) -> int:
    """Return the size of a message in a batch; 0 if the message is invalid."""
    attributes = check_message_attributes(entry.structures("MessageAttributes"))
    return message_size(entry.optional_text("MessageBody") or "", attributes)
