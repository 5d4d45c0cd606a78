"""The state of a queue: its attributes, its messages, and when each message can be received.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html
"""

from collections.abc import Callable
from itertools import count, islice
from math import inf
from uuid import uuid4

from attrs import define, evolve, field

from .._reply import rejection
from .attributes import parse_redrive_policy
from .drafts import MOST_MESSAGES, Draft, SentBefore, check_standard, complete_fifo
from .messages import Message, message_size
from .receipts import make_receipt, parse_receipt

_MOST_BYTES = 256 * 1024**2  # limits the memory that a queue without a receiver needs
_FIRST_SEQUENCE = 18_000_000_000_000_000_000
_SENDER = "AIDAEMULATOR"  # the ID of the sender of each message


@define(eq=False)
class Queue:
    """A queue and its messages.

    Its methods must not be called by two threads at the same time.

    Attributes:
        name: The name.
        arn: The ARN.
        attributes: The current values of the attributes that can be set.
        created: When the queue was created, in seconds since 1970.
        modified: When the queue's attributes were last set, in seconds since 1970.
        messages: The messages in the order of their arrival, keyed by serial numbers.
    """

    name: str
    arn: str
    attributes: dict[str, str]
    created: str
    modified: str
    messages: dict[str, Message] = field(factory=dict[str, Message], repr=False)
    _size: int = field(default=0, init=False)
    _serials: Callable[[], int] = field(factory=lambda: count(1).__next__, init=False, repr=False)
    _next_expiry: float = field(default=inf, init=False)
    _sent_before: SentBefore = field(factory=SentBefore, init=False, repr=False)

    @property
    def is_fifo(self) -> bool:
        """Whether this is a FIFO queue."""
        return self.name.endswith(".fifo")

    def number(self, attribute: str) -> int:
        """Return the value of an attribute that is a number."""
        return int(self.attributes[attribute])

    def send(self, draft: Draft, now: float, sent: str, copies: int = 1) -> Message:
        """Add a message, unless a FIFO queue recognizes it as a repetition.

        Args:
            draft: The message.
            now: The time, in seconds of the clock for time limits.
            sent: The time, in milliseconds since 1970.
            copies: How many times the message is added: 0 if it is lost, 2 if it is duplicated.

        Returns:
            The new message, or the earlier message that *draft* repeats.

        Raises:
            RejectedRequestError: The message is invalid or too large, or the queue is full.
        """
        self._check_size(message_size(draft.body, draft.attributes))
        if not self.is_fifo:
            check_standard(draft)
            message = self._message(draft, now, sent)
        else:
            draft = complete_fifo(draft, self.attributes)
            earlier = self._sent_before.find(draft, self.attributes, now)
            if earlier is not None:
                return earlier
            message = self._message(draft, now, sent)
            message.system_attributes["SequenceNumber"] = str(_FIRST_SEQUENCE + self._serials())
            self._sent_before.add(draft, self.attributes, now, message)
        for _ in range(copies):
            self.add(evolve(message))
        return message

    def add(self, message: Message) -> None:
        """Add a message that was already checked, for example a message from another queue."""
        self.messages[str(self._serials())] = message
        self._size += message.size
        self._next_expiry = min(self._next_expiry, message.expires_at)

    def receive(
        self,
        most: int,
        timeout: float,
        now: float,
        received_at: str,
        bury: Callable[[str, Message], bool],
    ) -> list[Message]:
        """Return copies of the messages that can be received, and make them invisible.

        Args:
            most: The maximum number of messages.
            timeout: How long the messages are invisible, in seconds.
            now: The time, in seconds of the clock for time limits.
            received_at: The time, in milliseconds since 1970.
            bury: Adds a message to the dead-letter queue with an ARN, and returns whether there is
                such a queue.
        """
        self.drop_expired(now)
        dead_letter_arn, most_receives = self._redrive_policy()
        groups = self._groups_in_flight(now)
        received: list[Message] = []
        has_buried = True
        while has_buried:
            has_buried = False
            for serial in self._visible(now, groups, most - len(received)):
                message = self.messages[serial]
                if message.receive_count >= most_receives and bury(dead_letter_arn, message):
                    self._remove(serial)
                    has_buried = True
                    continue
                message.count_receipt(received_at)
                message.visible_at = now + timeout
                message.receipt = make_receipt(self.name, serial)
                received.append(evolve(message))
        return received

    def delete(self, receipt: str) -> None:
        """Remove the message with a receipt handle, unless it has a newer receipt handle.

        Raises:
            RejectedRequestError: The receipt handle is malformed, or belongs to another queue.
        """
        serial = parse_receipt(self.name, receipt)
        message = self.messages.get(serial)
        if message is not None and message.receipt == receipt:
            self._remove(serial)

    def change_visibility(self, receipt: str, timeout: float, now: float) -> None:
        """Make a message in flight visible again *timeout* seconds after *now*.

        Raises:
            RejectedRequestError: The receipt handle is malformed, belongs to another queue, or is
                not the latest one of a message in flight.
        """
        message = self.messages.get(parse_receipt(self.name, receipt))
        if message is None or message.receipt != receipt or message.visible_at <= now:
            raise rejection(
                400,
                "MessageNotInflight",
                f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: Message does not "
                "exist or is not available for visibility timeout change.",
            )
        message.visible_at = now + timeout

    def purge(self) -> None:
        """Remove all messages."""
        self.messages.clear()
        self._size = 0

    def drop_expired(self, now: float) -> None:
        """Remove the messages whose retention period has ended."""
        if now < self._next_expiry:
            return
        for serial in [key for key, one in self.messages.items() if one.expires_at <= now]:
            self._remove(serial)
        times = (message.expires_at for message in self.messages.values())
        self._next_expiry = min(times, default=inf)

    def next_visible(self, now: float) -> float:
        """Return when the next invisible message becomes visible; infinity if all are visible."""
        times = [one.visible_at for one in self.messages.values() if one.visible_at > now]
        return min(times, default=inf)

    def counts(self, now: float) -> dict[str, str]:
        """Return the attributes with the numbers of visible, delayed and in-flight messages."""
        self.drop_expired(now)
        hidden = [one for one in self.messages.values() if one.visible_at > now]
        in_flight = sum(1 for one in hidden if one.receive_count)
        numbers = {
            "ApproximateNumberOfMessages": len(self.messages) - len(hidden),
            "ApproximateNumberOfMessagesNotVisible": in_flight,
            "ApproximateNumberOfMessagesDelayed": len(hidden) - in_flight,
        }
        return {name: str(number) for name, number in numbers.items()}

    def _groups_in_flight(self, now: float) -> set[str | None]:
        """Return the message groups of a FIFO queue that have an invisible message."""
        if not self.is_fifo:
            return set()
        return {message.group for message in self.messages.values() if message.visible_at > now}

    def _visible(self, now: float, groups: set[str | None], most: int) -> list[str]:
        """Return the serial numbers of the first visible messages that are not in *groups*."""
        serials = (
            serial
            for serial, message in self.messages.items()
            if message.visible_at <= now and not (groups and message.group in groups)
        )
        return list(islice(serials, most))

    def _check_size(self, size: int) -> None:
        """Reject a message that is too large, or that does not fit into the queue's memory."""
        largest = self.number("MaximumMessageSize")
        if size > largest:
            raise rejection(
                400,
                "InvalidParameterValue",
                "One or more parameters are invalid. Reason: Message must be shorter than "
                f"{largest} bytes.",
            )
        if len(self.messages) >= MOST_MESSAGES or self._size + size > _MOST_BYTES:
            raise rejection(
                403,
                "OverLimit",
                f"The emulator keeps at most {MOST_MESSAGES} messages and {_MOST_BYTES} bytes in a "
                "queue.",
            )

    def _message(self, draft: Draft, now: float, sent: str) -> Message:
        """Return the message that is created from a draft."""
        system = {
            "SenderId": _SENDER,
            "SentTimestamp": sent,
            "MessageGroupId": draft.group,
            "MessageDeduplicationId": draft.deduplication_id,
            "AWSTraceHeader": draft.trace,
        }
        delay = self.number("DelaySeconds") if draft.delay is None else draft.delay
        return Message(
            id=str(uuid4()),
            body=draft.body,
            attributes=draft.attributes,
            system_attributes={name: value for name, value in system.items() if value is not None},
            visible_at=now + delay,
            expires_at=now + self.number("MessageRetentionPeriod"),
        )

    def _redrive_policy(self) -> tuple[str, float]:
        """Return the dead-letter queue's ARN, and the maximum number of receipts of a message."""
        policy = self.attributes.get("RedrivePolicy")
        return ("", inf) if policy is None else parse_redrive_policy(policy)

    def _remove(self, serial: str) -> None:
        self._size -= self.messages.pop(serial).size
