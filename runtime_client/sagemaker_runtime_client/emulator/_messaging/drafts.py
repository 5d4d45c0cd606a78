"""Messages that are to be sent, and the detection of repeated messages in FIFO queues.

Source:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
"""

from collections.abc import Mapping
from hashlib import sha256

from attrs import evolve, field, frozen

from .._reply import rejection
from .messages import Message, MessageAttributes

MOST_MESSAGES = 100_000  # limits the memory that a queue without a receiver needs
_PERIOD = 300.0  # the seconds for which a FIFO queue recognizes a repeated message


@frozen(kw_only=True)
class Draft:
    """A message that is to be sent.

    Attributes:
        body: The content.
        attributes: The attributes that the sender has set.
        delay: The number of seconds after which the message becomes visible; None for the queue's
            delay.
        group: The message group; None if there is none.
        deduplication_id: The deduplication ID; None if there is none.
        trace: The attribute ``AWSTraceHeader``; None if there is none.
    """

    body: str = field(repr=False)
    attributes: MessageAttributes = field(factory=dict[str, dict[str, str]], repr=False)
    delay: int | None = None
    group: str | None = None
    deduplication_id: str | None = None
    trace: str | None = None


def check_standard(draft: Draft) -> None:
    """Reject a message that only a FIFO queue accepts."""
    if draft.deduplication_id is not None:
        raise _invalid_for_type("MessageDeduplicationId", draft.deduplication_id)


def complete_fifo(draft: Draft, attributes: Mapping[str, str]) -> Draft:
    """Return a message for a FIFO queue, with its deduplication ID.

    Raises:
        RejectedRequestError: The message lacks a group or a deduplication ID, or has a delay.
    """
    if draft.group is None:
        raise rejection(
            400, "MissingParameter", "The request must contain the parameter MessageGroupId."
        )
    if draft.delay:
        raise _invalid_for_type("DelaySeconds", draft.delay)
    if draft.deduplication_id is not None:
        return evolve(draft, delay=None)
    if attributes.get("ContentBasedDeduplication") != "true":
        raise rejection(
            400,
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly",
        )
    return evolve(draft, delay=None, deduplication_id=sha256(draft.body.encode()).hexdigest())


class SentBefore:
    """The messages of a FIFO queue that were sent in the last five minutes."""

    def __init__(self) -> None:
        # The oldest message is the first one.  Each number is the time until which a repetition of
        # the message is recognized.
        self._messages: dict[tuple[str | None, str | None], tuple[float, Message]] = {}

    def find(self, draft: Draft, attributes: Mapping[str, str], now: float) -> Message | None:
        """Return the message that *draft* repeats; None if it is a new message."""
        while self._messages:
            oldest = next(iter(self._messages))
            if self._messages[oldest][0] > now and len(self._messages) < MOST_MESSAGES:
                break
            del self._messages[oldest]
        found = self._messages.get(_identity(draft, attributes))
        return None if found is None else found[1]

    def add(
        self, draft: Draft, attributes: Mapping[str, str], now: float, message: Message
    ) -> None:
        """Store the message that was created from *draft*, without its content."""
        known = evolve(message, body="", attributes={})
        self._messages[_identity(draft, attributes)] = (now + _PERIOD, known)


def _identity(draft: Draft, attributes: Mapping[str, str]) -> tuple[str | None, str | None]:
    per_group = attributes.get("DeduplicationScope") == "messageGroup"
    return (draft.group if per_group else None, draft.deduplication_id)


def _invalid_for_type(name: str, value: object) -> Exception:
    return rejection(
        400,
        "InvalidParameterValue",
        f"Value {value} for parameter {name} is invalid. Reason: The request includes a parameter "
        "that is not valid for this queue type.",
    )
