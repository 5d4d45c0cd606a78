"""The topics of SNS, and the deliveries to their subscribers.

The methods of `Topics` may be called from any thread, like those of `Broker`.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from uuid import uuid4

from attrs import define, field

from .._reply import RejectedRequestError, rejection
from .._settings import ACCOUNT
from .broker import Broker
from .clock import timestamp
from .drafts import Draft
from .envelopes import Publication
from .messages import MessageAttributes, message_size

# These limits bound the memory.
MOST_TOPICS = 1000
MOST_SUBSCRIPTIONS = 10_000
_LARGEST = 262_144  # the default of MaximumMessageSize, in bytes
_is_name = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII).fullmatch
_is_queue = re.compile(r"arn:aws:sqs:[a-z0-9-]+:[0-9]{12}:([A-Za-z0-9_-]{1,80})").fullmatch
# The patterns of the attributes of topics.  The emulator enforces no policy and does not encrypt.
_TOPIC_ATTRIBUTES = {
    "DeliveryPolicy": ".*",
    "DisplayName": ".{0,100}",
    "KmsMasterKeyId": ".*",
    "MaximumMessageSize": "[0-9]{4,7}",
    "Policy": ".*",
    "SignatureVersion": "1|2",
    "TracingConfig": "PassThrough|Active",
}
_SUBSCRIPTION_ATTRIBUTES = {"RawMessageDelivery": "true|false"}

# A function that is called with the ARN of its subscription and a published message.
Subscriber = Callable[[str, Publication], object]


@define(eq=False)
class Subscription:
    """The subscription of a queue to a topic.

    Attributes:
        arn: The ARN of the subscription.
        topic_arn: The ARN of the topic.
        endpoint: The ARN of the queue.
        attributes: The attributes that were set.
    """

    arn: str
    topic_arn: str
    endpoint: str
    attributes: dict[str, str]

    @property
    def is_raw(self) -> bool:
        """Whether messages are delivered without an envelope."""
        return self.attributes.get("RawMessageDelivery") == "true"


@define(eq=False)
class Topic:
    """A topic.

    Attributes:
        arn: The ARN.
        attributes: The attributes that were set.
        subscriptions: The subscriptions of queues, keyed by ARN.
        subscribers: The functions that are called for published messages, keyed by subscription
            ARN.
    """

    arn: str
    attributes: dict[str, str]
    subscriptions: dict[str, Subscription] = field(factory=dict[str, Subscription])
    subscribers: dict[str, Subscriber] = field(factory=dict[str, Subscriber])


@define(eq=False)
class Topics:
    """All topics of an emulator, keyed by ARN.

    Attributes:
        broker: The queues, whose lock also protects the topics.
    """

    broker: Broker
    _topics: dict[str, Topic] = field(factory=dict[str, Topic], init=False)

    def arn(self, name: str) -> str:
        """Return the ARN of a topic."""
        return f"arn:aws:sns:{self.broker.region}:{ACCOUNT}:{name}"

    def create(self, name: str, attributes: Mapping[str, str]) -> Topic:
        """Return the topic with this name, which is created if it does not exist.

        Raises:
            RejectedRequestError: The name or an attribute is invalid, or there are too many topics.
        """
        if not _is_name(name):
            raise invalid_parameter("Invalid parameter: Topic Name")
        _check(_TOPIC_ATTRIBUTES, attributes)
        with self.broker.changed:
            arn = self.arn(name)
            if arn not in self._topics and len(self._topics) >= MOST_TOPICS:
                raise rejection(
                    403, "TopicLimitExceeded", f"The emulator keeps at most {MOST_TOPICS} topics."
                )
            return self._topics.setdefault(arn, Topic(arn, dict(attributes)))

    def delete(self, arn: str) -> None:
        """Delete a topic and its subscriptions; do nothing if the topic does not exist."""
        with self.broker.changed:
            self._topics.pop(arn, None)

    def topic(self, arn: str) -> Topic:
        """Return a topic.

        Raises:
            RejectedRequestError: There is no such topic.
        """
        topic = self._topics.get(arn)
        if topic is None:
            raise rejection(404, "NotFound", "Topic does not exist")
        return topic

    def arns(self) -> list[str]:
        """Return the sorted ARNs of all topics."""
        with self.broker.changed:
            return sorted(self._topics)

    def set_topic_attribute(self, arn: str, name: str, value: str) -> None:
        """Set an attribute of a topic."""
        _check(_TOPIC_ATTRIBUTES, {name: value})
        with self.broker.changed:
            self.topic(arn).attributes[name] = value

    def subscribe(self, arn: str, endpoint: str, attributes: Mapping[str, str]) -> Subscription:
        """Subscribe a queue to a topic, and return its new or its existing subscription.

        Args:
            arn: The ARN of the topic.
            endpoint: The ARN of the queue, which may be created later.
            attributes: The attributes of the subscription.

        Raises:
            RejectedRequestError: There is no such topic, the ARN of the queue or an attribute is
                invalid, there are too many subscriptions, or the queue is already subscribed with
                different attributes.
        """
        if not _is_queue(endpoint):
            raise invalid_parameter(
                "Invalid parameter: Endpoint Reason: it must be the ARN of a standard queue"
            )
        _check(_SUBSCRIPTION_ATTRIBUTES, attributes)
        with self.broker.changed:
            topic = self.topic(arn)
            for known in topic.subscriptions.values():
                if known.endpoint == endpoint:
                    if known.attributes != attributes:
                        raise invalid_parameter(
                            "Invalid parameter: Attributes Reason: Subscription already exists "
                            "with different attributes"
                        )
                    return known
            if len(self.subscriptions()) >= MOST_SUBSCRIPTIONS:
                raise rejection(
                    403,
                    "SubscriptionLimitExceeded",
                    f"The emulator keeps at most {MOST_SUBSCRIPTIONS} subscriptions.",
                )
            made = Subscription(f"{arn}:{uuid4()}", arn, endpoint, dict(attributes))
            topic.subscriptions[made.arn] = made
            return made

    def unsubscribe(self, subscription_arn: str) -> None:
        """Delete a subscription; do nothing if it does not exist."""
        with self.broker.changed:
            for topic in self._topics.values():
                topic.subscriptions.pop(subscription_arn, None)

    def subscriptions(self, topic_arn: str | None = None) -> list[Subscription]:
        """Return the subscriptions of a topic, or of all topics, sorted by ARN."""
        with self.broker.changed:
            topics = self._topics.values() if topic_arn is None else [self.topic(topic_arn)]
            found = [known for topic in topics for known in topic.subscriptions.values()]
            return sorted(found, key=lambda subscription: subscription.arn)

    def subscription(self, subscription_arn: str) -> Subscription:
        """Return a subscription.

        Raises:
            RejectedRequestError: There is no such subscription.
        """
        for known in self.subscriptions():
            if known.arn == subscription_arn:
                return known
        raise rejection(404, "NotFound", "Subscription does not exist")

    def set_subscription_attribute(self, subscription_arn: str, name: str, value: str) -> None:
        """Set an attribute of a subscription."""
        _check(_SUBSCRIPTION_ATTRIBUTES, {name: value})
        with self.broker.changed:
            self.subscription(subscription_arn).attributes[name] = value

    def call_on_publish(self, name: str, subscriber: Subscriber) -> None:
        """Subscribe a Python function to a topic, which is created if necessary."""
        topic = self.create(name, {})
        with self.broker.changed:
            topic.subscribers[f"{topic.arn}:{uuid4()}"] = subscriber

    def publish(
        self,
        arn: str,
        message: str,
        *,
        subject: str | None = None,
        attributes: MessageAttributes | None = None,
    ) -> Publication:
        """Deliver a message to all subscribers of a topic, and return the published message.

        As in production, the message is lost for a queue that does not exist or does not accept it.

        Raises:
            RejectedRequestError: There is no such topic, or the message is too large.
        """
        attributes = attributes or {}
        with self.broker.changed:
            topic = self.topic(arn)
            largest = int(topic.attributes.get("MaximumMessageSize", _LARGEST))
            if message_size(message, attributes) > largest:
                raise invalid_parameter("Invalid parameter: Message too long")
            publication = Publication(
                id=str(uuid4()),
                topic_arn=arn,
                message=message,
                subject=subject,
                attributes=attributes,
                timestamp=timestamp(self.broker.clock.now()),
                region=self.broker.region,
                version=topic.attributes.get("SignatureVersion", "1"),
            )
            for _ in range(self.broker.copies("Publish")):
                self._deliver(topic, publication)
            return publication

    def _deliver(self, topic: Topic, publication: Publication) -> None:
        """Deliver a message to each subscriber of its topic."""
        for subscription in topic.subscriptions.values():
            draft = Draft(body=publication.envelope(subscription.arn))
            if subscription.is_raw:
                draft = Draft(body=publication.message, attributes=publication.attributes)
            with suppress(RejectedRequestError):
                self.broker.send(subscription.endpoint.rpartition(":")[2], draft)
        for arn, subscriber in topic.subscribers.items():
            subscriber(arn, publication)


def invalid_parameter(message: str) -> RejectedRequestError:
    """Return SNS's error for an invalid argument."""
    return rejection(400, "InvalidParameter", message)


def _check(patterns: Mapping[str, str], attributes: Mapping[str, str]) -> None:
    """Reject attributes that are invalid, or that the emulator does not support."""
    for name, value in attributes.items():
        if name not in patterns:
            raise invalid_parameter(
                f"Invalid parameter: Attributes Reason: the emulator does not support {name}"
            )
        if re.fullmatch(patterns[name], value, re.DOTALL) is None:
            raise invalid_parameter(f"Invalid parameter: Attributes Reason: {name}: Invalid value")
