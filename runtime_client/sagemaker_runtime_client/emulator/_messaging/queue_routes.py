"""The operations of SQS that the emulator supports.

Source: service model sqs 2012-11-05.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from .._reply import rejection
from .._settings import ACCOUNT
from .._target import Target
from .arguments import Arguments
from .batches import run_batch
from .broker import Broker, Reception
from .message_attributes import select_attributes
from .messages import Message, attributes_digest, body_digest
from .paging import take_page
from .parsing import parse_draft, parse_size
from .queues import Queue

_MOST_MESSAGES = 10
_LONGEST_WAIT = 20
_LONGEST_VISIBILITY = 43_200
_LARGEST_BATCH = 1_048_576
_MOST_NAMES = 1000

Result = dict[str, Any]


@frozen
class QueueRoutes:
    """Handles requests to SQS.

    Attributes:
        broker: The queues.
        host: The host and the port to which the request was sent; they become part of queue URLs.
        target: The target of the request, whose path may be that of a queue.
    """

    broker: Broker
    host: str
    target: Target

    async def handle(self, arguments: Arguments) -> Result:
        """Execute the operation of `target`, and return its result.

        Raises:
            RejectedRequestError: SQS would reject the request, or the emulator does not support it.
        """
        if self.target.operation == "ReceiveMessage":
            return await self.receive_message(arguments)
        operation = _OPERATIONS.get(self.target.operation)
        if operation is None:
            raise rejection(
                400, "UnsupportedOperation", "The emulator does not support this operation."
            )
        return operation(self, arguments)

    def create_queue(self, arguments: Arguments) -> Result:
        """Create a queue, and return its URL."""
        name = arguments.text("QueueName")
        self.broker.create(name, arguments.pairs("Attributes"))
        return {"QueueUrl": self._url(name)}

    def get_queue_url(self, arguments: Arguments) -> Result:
        """Return the URL of a queue."""
        name = arguments.text("QueueName")
        return {"QueueUrl": self._url(self.broker.use(name, lambda queue: queue.name))}

    def list_queues(self, arguments: Arguments) -> Result:
        """Return the URLs of the queues whose names start with a prefix, in pages if requested."""
        most = arguments.number("MaxResults", 1, _MOST_NAMES)
        names = self.broker.names(arguments.optional_text("QueueNamePrefix") or "")
        page, token = take_page(names, arguments.optional_text("NextToken"), most or _MOST_NAMES)
        result: Result = {"QueueUrls": [self._url(name) for name in page]}
        # SQS returns a token only if the request limits the number of results.
        return result if most is None or token is None else {**result, "NextToken": token}

    def delete_queue(self, arguments: Arguments) -> Result:
        """Delete a queue."""
        self.broker.delete(self._name(arguments))
        return {}

    def purge_queue(self, arguments: Arguments) -> Result:
        """Remove all messages of a queue."""
        self.broker.use(self._name(arguments), Queue.purge)
        return {}

    def get_queue_attributes(self, arguments: Arguments) -> Result:
        """Return the attributes of a queue that the request lists."""
        names = arguments.texts("AttributeNames")
        now = self.broker.clock.seconds()

        def read(queue: Queue) -> dict[str, str]:
            return {
                "QueueArn": queue.arn,
                "CreatedTimestamp": queue.created,
                "LastModifiedTimestamp": queue.modified,
                **queue.counts(now),
                **queue.attributes,
            }

        known = self.broker.use(self._name(arguments), read)
        return {"Attributes": _select(known, names)}

    def set_queue_attributes(self, arguments: Arguments) -> Result:
        """Change attributes of a queue."""
        self.broker.set_attributes(self._name(arguments), arguments.pairs("Attributes"))
        return {}

    def send_message(self, arguments: Arguments) -> Result:
        """Add a message, and return its ID and its digests."""
        return self._send(self._name(arguments), arguments)

    def send_message_batch(self, arguments: Arguments) -> Result:
        """Add several messages."""
        name, entries = self._name(arguments), arguments.entries("Entries")
        size = sum(parse_size(entry) for entry in entries)
        if size > _LARGEST_BATCH:
            raise rejection(
                400,
                "BatchRequestTooLong",
                f"Batch requests cannot be longer than {_LARGEST_BATCH} bytes. You have sent "
                f"{size} bytes.",
            )
        return run_batch(entries, lambda entry: self._send(name, entry))

    async def receive_message(self, arguments: Arguments) -> Result:
        """Return messages as soon as any are available, or none after the wait."""
        reception = Reception(
            arguments.number("MaxNumberOfMessages", 1, _MOST_MESSAGES) or 1,
            arguments.number("VisibilityTimeout", 0, _LONGEST_VISIBILITY),
            arguments.number("WaitTimeSeconds", 0, _LONGEST_WAIT),
        )
        # AttributeNames is the former name of MessageSystemAttributeNames.
        system = arguments.texts("MessageSystemAttributeNames") + arguments.texts("AttributeNames")
        custom = arguments.texts("MessageAttributeNames")
        messages = await self.broker.receive(self._name(arguments), reception)
        shown = [_received(message, system, custom) for message in messages]
        return {"Messages": shown} if shown else {}

    def delete_message(self, arguments: Arguments) -> Result:
        """Remove a message."""
        receipt = arguments.text("ReceiptHandle")
        self.broker.use(self._name(arguments), lambda queue: queue.delete(receipt))
        return {}

    def delete_message_batch(self, arguments: Arguments) -> Result:
        """Remove several messages."""
        name = self._name(arguments)

        def delete(entry: Arguments) -> Result:
            receipt = entry.text("ReceiptHandle")
            self.broker.use(name, lambda queue: queue.delete(receipt))
            return {}

        return self._batch(name, arguments, delete)

    def change_message_visibility(self, arguments: Arguments) -> Result:
        """Change the time at which a message becomes visible again."""
        return self._change_visibility(self._name(arguments), arguments)

    def change_message_visibility_batch(self, arguments: Arguments) -> Result:
        """Change the times at which several messages become visible again."""
        name = self._name(arguments)
        return self._batch(name, arguments, lambda entry: self._change_visibility(name, entry))

    def _batch(self, name: str, arguments: Arguments, run: Callable[[Arguments], Result]) -> Result:
        """Run the entries of a request, unless its queue does not exist."""
        self.broker.use(name, lambda queue: queue.name)
        return run_batch(arguments.entries("Entries"), run)

    def _change_visibility(self, name: str, arguments: Arguments) -> Result:
        receipt = arguments.text("ReceiptHandle")
        seconds = arguments.number("VisibilityTimeout", 0, _LONGEST_VISIBILITY)
        if seconds is None:
            raise rejection(
                400,
                "MissingParameter",
                "The request must contain the parameter VisibilityTimeout.",
            )
        now = self.broker.clock.seconds()
        self.broker.use(name, lambda queue: queue.change_visibility(receipt, seconds, now))
        return {}

    def _send(self, name: str, arguments: Arguments) -> Result:
        draft = parse_draft(arguments)
        message = self.broker.send(name, draft, self.broker.copies("SendMessage"))
        result = {"MessageId": message.id, "MD5OfMessageBody": body_digest(draft.body)}
        if draft.attributes:
            result["MD5OfMessageAttributes"] = attributes_digest(draft.attributes)
        sequence = message.system_attributes.get("SequenceNumber")
        return result if sequence is None else {**result, "SequenceNumber": sequence}

    def _name(self, arguments: Arguments) -> str:
        """Return the name of the queue in the request's URL; empty for another account's queue."""
        url = arguments.optional_text("QueueUrl") or self.target.path
        if not url.strip("/"):
            raise rejection(
                400, "MissingParameter", "The request must contain the parameter QueueUrl."
            )
        account, _, name = url.rstrip("/").rpartition("/")
        return name if account.endswith(f"/{ACCOUNT}") else ""

    def _url(self, name: str) -> str:
        return f"http://{self.host}/{ACCOUNT}/{name}"


_OPERATIONS: dict[str, Callable[[QueueRoutes, Arguments], Result]] = {
    "ChangeMessageVisibility": QueueRoutes.change_message_visibility,
    "ChangeMessageVisibilityBatch": QueueRoutes.change_message_visibility_batch,
    "CreateQueue": QueueRoutes.create_queue,
    "DeleteMessage": QueueRoutes.delete_message,
    "DeleteMessageBatch": QueueRoutes.delete_message_batch,
    "DeleteQueue": QueueRoutes.delete_queue,
    "GetQueueAttributes": QueueRoutes.get_queue_attributes,
    "GetQueueUrl": QueueRoutes.get_queue_url,
    "ListQueues": QueueRoutes.list_queues,
    "PurgeQueue": QueueRoutes.purge_queue,
    "SendMessage": QueueRoutes.send_message,
    "SendMessageBatch": QueueRoutes.send_message_batch,
    "SetQueueAttributes": QueueRoutes.set_queue_attributes,
}


def _received(message: Message, system: list[str], custom: list[str]) -> Result:
    """Return a message in the form of ReceiveMessage's result."""
    result: Result = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": body_digest(message.body),
        "Body": message.body,
    }
    if shown := _select(message.system_attributes, system):
        result["Attributes"] = shown
    if attributes := select_attributes(message.attributes, custom):
        result["MessageAttributes"] = dict(attributes)
        result["MD5OfMessageAttributes"] = attributes_digest(attributes)
    return result


def _select(known: Mapping[str, str], names: list[str]) -> dict[str, str]:
    """Return the attributes with these names; the name ``All`` selects all attributes."""
    return {name: known[name] for name in known if name in names or "All" in names}
