"""The sources of a function's events, and what happens to events that the function did not handle.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-invocation.html
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol, cast
from uuid import uuid4

from attrs import field, frozen

from .._messaging.broker import Broker
from .._messaging.json_values import is_list, is_map
from .._messaging.messages import Message, body_digest
from .._reply import RejectedRequestError

# The seconds until an asynchronous call that has failed is repeated, the first and the second time.
_PAUSES = (60, 120)
EVENT_QUEUE = "events"


@frozen(kw_only=True)
class FunctionCall:
    """A call of the function, and how it ended.

    Attributes:
        event: The first argument of the function.
        result: What the function returned; None if it failed.
        error: Why the call failed, such as ``ValueError: text``; None if it succeeded.
    """

    event: dict[str, Any] = field(repr=False)
    result: Any = field(default=None, repr=False)
    error: str | None = None


class Source(Protocol):
    """A source of events.

    Attributes:
        broker: The broker of the queue in which the events are kept.
        queue: The name of the queue.
        most: The maximum number of messages in an event.
    """

    @property
    def broker(self) -> Broker: ...
    @property
    def queue(self) -> str: ...
    @property
    def most(self) -> int: ...

    def build_event(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Return the event with which the function is called for messages."""
        ...

    def request_id(self, messages: Sequence[Message]) -> str:
        """Return the request ID of the call for messages."""
        ...

    def settle(self, messages: Sequence[Message], call: FunctionCall) -> None:
        """Remove the messages that were handled; the others will be received again."""
        ...


@frozen
class QueueSource:
    """A queue of SQS, whose messages AWS Lambda passes to the function in batches.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    broker: Broker
    queue: str
    most: int = 10

    def build_event(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Return an event with a record for each message."""
        return {"Records": [self._record(message) for message in messages]}

    def request_id(self, messages: Sequence[Message]) -> str:
        """Return a new request ID."""
        del messages
        return str(uuid4())

    def settle(self, messages: Sequence[Message], call: FunctionCall) -> None:
        """Remove all messages except failed ones, which are received again after their timeout."""
        ids = {message.id for message in messages}
        failed = ids if call.error is not None else _failed_ids(call.result, ids)
        for message in messages:
            if message.id not in failed:
                _delete(self, message)

    def _record(self, message: Message) -> dict[str, Any]:
        attributes: dict[str, dict[str, Any]] = {
            name: {
                **{_camel_case(member): value for member, value in attribute.items()},
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, attribute in message.attributes.items()
        }
        return {
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": dict(message.system_attributes),
            "messageAttributes": attributes,
            "md5OfBody": body_digest(message.body),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.broker.arn(self.queue),
            "awsRegion": self.broker.region,
        }


@frozen
class EventSource:
    """Events of SNS or S3, for which AWS Lambda calls the function asynchronously, one by one.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    broker: Broker
    queue: str = EVENT_QUEUE
    most: int = 1

    def build_event(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Return the event, which is the body of the only message."""
        return cast("dict[str, Any]", json.loads(messages[0].body))

    def request_id(self, messages: Sequence[Message]) -> str:
        """Return the event's ID, which stays the same if the call is repeated."""
        return messages[0].id

    def settle(self, messages: Sequence[Message], call: FunctionCall) -> None:
        """Remove the event, unless its first or second call failed; then set the pause."""
        (message,) = messages
        if call.error is None or message.receive_count > len(_PAUSES):
            _delete(self, message)
            return
        pause, now = _PAUSES[message.receive_count - 1], self.broker.clock.seconds()
        with suppress(RejectedRequestError):  # raised if a test has advanced the clock
            self.broker.use(
                self.queue, lambda queue: queue.change_visibility(message.receipt, pause, now)
            )


def _delete(source: Source, message: Message) -> None:
    """Remove a message, unless its queue was deleted."""
    with suppress(RejectedRequestError):
        source.broker.use(source.queue, lambda queue: queue.delete(message.receipt))


def _failed_ids(result: Any, ids: set[str]) -> set[str]:
    """Return the IDs in a partial batch response; all IDs if the response is malformed."""
    failures = result.get("batchItemFailures") if is_map(result) else None
    if not failures:
        return set()
    if not is_list(failures) or not all(map(is_map, failures)):
        return ids
    found = {str(one.get("itemIdentifier")) for one in failures}
    return found if found.issubset(ids) else ids


def _camel_case(name: str) -> str:
    return name[0].lower() + name[1:]
