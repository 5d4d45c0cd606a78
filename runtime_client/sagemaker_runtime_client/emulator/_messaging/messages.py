"""The messages of a queue, and their MD5 digests."""

import struct
from base64 import b64decode
from collections.abc import Mapping
from hashlib import md5

from attrs import define, field

# The attributes of a message, each with the members of the service model: ``DataType`` and either
# ``StringValue`` or ``BinaryValue``, which is Base64-encoded.
MessageAttributes = Mapping[str, Mapping[str, str]]


@define(eq=False, kw_only=True)
class Message:
    """A message in a queue.

    Attributes:
        id: The message ID.
        body: The content.
        attributes: The attributes that the sender has set.
        system_attributes: The attributes that SQS has set, such as ``SentTimestamp``.
        visible_at: The time from which the message can be received, in seconds of the queue's
            clock.
        expires_at: The time at which the message is removed, in seconds of the queue's clock.
        receive_count: How many times the message was received.
        receipt: The latest receipt handle; empty before the message is received.
    """

    id: str
    body: str = field(repr=False)
    attributes: MessageAttributes = field(repr=False)
    system_attributes: dict[str, str] = field(repr=False)
    visible_at: float
    expires_at: float
    receive_count: int = 0
    receipt: str = field(default="", repr=False)

    @property
    def group(self) -> str | None:
        """The message group; None if the sender has set none."""
        return self.system_attributes.get("MessageGroupId")

    def count_receipt(self, at: str) -> None:
        """Record that the message was received at *at*, in milliseconds since 1970."""
        self.receive_count += 1
        self.system_attributes = {
            **self.system_attributes,
            "ApproximateReceiveCount": str(self.receive_count),
            "ApproximateFirstReceiveTimestamp": self.system_attributes.get(
                "ApproximateFirstReceiveTimestamp", at
            ),
        }

    @property
    def size(self) -> int:
        """The size that the limits of SQS apply to, in bytes."""
        return message_size(self.body, self.attributes)


def message_size(body: str, attributes: MessageAttributes) -> int:
    """Return the total size of a message's body and of its attributes' names, types and values."""
    size = len(body.encode())
    for name, attribute in attributes.items():
        size += len(name.encode()) + len(attribute["DataType"].encode())
        size += len(_transport(attribute)[1])
    return size


def body_digest(body: str) -> str:
    """Return the MD5 digest of a body, by which SDKs verify the body that they sent or received."""
    return md5(body.encode(), usedforsecurity=False).hexdigest()


def attributes_digest(attributes: MessageAttributes) -> str:
    """Return the MD5 digest of message attributes, which some SDKs verify.

    Source:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    digest = md5(usedforsecurity=False)
    for name, attribute in sorted(attributes.items()):
        transport, value = _transport(attribute)
        for part in (name.encode(), attribute["DataType"].encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update(struct.pack(">BI", transport, len(value)) + value)
    return digest.hexdigest()


def _transport(attribute: Mapping[str, str]) -> tuple[int, bytes]:
    """Return the number of a value's transport type (1 for text, 2 for bytes), and the value."""
    if "StringValue" in attribute:
        return 1, attribute["StringValue"].encode()
    return 2, b64decode(attribute["BinaryValue"])
