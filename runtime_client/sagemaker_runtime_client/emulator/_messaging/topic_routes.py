"""The operations of SNS that the emulator supports.

Source: service model sns 2010-03-31.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from attrs import frozen

from .._reply import rejection
from .._settings import ACCOUNT
from .arguments import Arguments
from .batches import run_batch
from .json_values import is_map
from .message_attributes import check_message_attributes
from .paging import take_page
from .topics import Subscription, Topics, invalid_parameter

_PAGE = 100
_is_subject = re.compile(r"[ -~]{1,100}").fullmatch

Result = dict[str, Any]


@frozen
class TopicRoutes:
    """Handles requests to SNS.

    Attributes:
        topics: The topics.
    """

    topics: Topics

    def handle(self, operation: str, arguments: Arguments) -> Result:
        """Execute an operation, and return its result.

        Raises:
            RejectedRequestError: SNS would reject the request, or the emulator does not support it.
        """
        run = _OPERATIONS.get(operation)
        if run is None:
            raise rejection(400, "InvalidAction", "The emulator does not support this operation.")
        return run(self, arguments)

    def create_topic(self, arguments: Arguments) -> Result:
        """Create a topic, and return its ARN."""
        topic = self.topics.create(arguments.text("Name"), arguments.pairs("Attributes"))
        return {"TopicArn": topic.arn}

    def delete_topic(self, arguments: Arguments) -> Result:
        """Delete a topic."""
        self.topics.delete(arguments.text("TopicArn"))
        return {}

    def list_topics(self, arguments: Arguments) -> Result:
        """Return a page of topics."""
        arns, token = take_page(self.topics.arns(), arguments.optional_text("NextToken"), _PAGE)
        return _paged({"Topics": [{"TopicArn": arn} for arn in arns]}, token)

    def get_topic_attributes(self, arguments: Arguments) -> Result:
        """Return the attributes of a topic."""
        arn = arguments.text("TopicArn")
        count = len(self.topics.subscriptions(arn))
        fixed = {"TopicArn": arn, "Owner": ACCOUNT, "SubscriptionsConfirmed": str(count)}
        return {"Attributes": {**fixed, **self.topics.topic(arn).attributes}}

    def set_topic_attributes(self, arguments: Arguments) -> Result:
        """Set an attribute of a topic."""
        self.topics.set_topic_attribute(
            arguments.text("TopicArn"),
            arguments.text("AttributeName"),
            arguments.optional_text("AttributeValue") or "",
        )
        return {}

    def subscribe(self, arguments: Arguments) -> Result:
        """Subscribe a queue to a topic, and return the ARN of the subscription."""
        if arguments.text("Protocol") != "sqs":
            raise invalid_parameter(
                "Invalid parameter: Protocol Reason: the emulator supports only sqs"
            )
        made = self.topics.subscribe(
            arguments.text("TopicArn"), arguments.text("Endpoint"), arguments.pairs("Attributes")
        )
        return {"SubscriptionArn": made.arn}

    def unsubscribe(self, arguments: Arguments) -> Result:
        """Delete a subscription."""
        self.topics.unsubscribe(arguments.text("SubscriptionArn"))
        return {}

    def list_subscriptions(self, arguments: Arguments) -> Result:
        """Return a page of the subscriptions of a topic, or of all topics."""
        found = self.topics.subscriptions(arguments.optional_text("TopicArn"))
        known = {subscription.arn: subscription for subscription in found}
        arns, token = take_page(list(known), arguments.optional_text("NextToken"), _PAGE)
        return _paged({"Subscriptions": [_described(known[arn]) for arn in arns]}, token)

    def get_subscription_attributes(self, arguments: Arguments) -> Result:
        """Return the attributes of a subscription."""
        found = self.topics.subscription(arguments.text("SubscriptionArn"))
        fixed = {"PendingConfirmation": "false", "RawMessageDelivery": "false"}
        return {"Attributes": {**_described(found), **fixed, **found.attributes}}

    def set_subscription_attributes(self, arguments: Arguments) -> Result:
        """Set an attribute of a subscription."""
        self.topics.set_subscription_attribute(
            arguments.text("SubscriptionArn"),
            arguments.text("AttributeName"),
            arguments.optional_text("AttributeValue") or "",
        )
        return {}

    def publish(self, arguments: Arguments) -> Result:
        """Deliver a message to the subscribers of a topic, and return its ID."""
        arn = arguments.optional_text("TopicArn") or arguments.text("TargetArn")
        return self._publish(arn, arguments)

    def publish_batch(self, arguments: Arguments) -> Result:
        """Deliver several messages to the subscribers of a topic."""
        arn, entries = arguments.text("TopicArn"), arguments.entries("PublishBatchRequestEntries")
        self.topics.subscriptions(arn)
        return run_batch(entries, lambda entry: self._publish(arn, entry))

    def _publish(self, arn: str, arguments: Arguments) -> Result:
        subject = arguments.optional_text("Subject")
        if subject is not None and not _is_subject(subject):
            raise invalid_parameter("Invalid parameter: Subject")
        publication = self.topics.publish(
            arn,
            _message(arguments),
            subject=subject,
            attributes=check_message_attributes(arguments.structures("MessageAttributes")),
        )
        return {"MessageId": publication.id}


_OPERATIONS: dict[str, Callable[[TopicRoutes, Arguments], Result]] = {
    "CreateTopic": TopicRoutes.create_topic,
    "DeleteTopic": TopicRoutes.delete_topic,
    "GetSubscriptionAttributes": TopicRoutes.get_subscription_attributes,
    "GetTopicAttributes": TopicRoutes.get_topic_attributes,
    "ListSubscriptions": TopicRoutes.list_subscriptions,
    "ListSubscriptionsByTopic": TopicRoutes.list_subscriptions,
    "ListTopics": TopicRoutes.list_topics,
    "Publish": TopicRoutes.publish,
    "PublishBatch": TopicRoutes.publish_batch,
    "SetSubscriptionAttributes": TopicRoutes.set_subscription_attributes,
    "SetTopicAttributes": TopicRoutes.set_topic_attributes,
    "Subscribe": TopicRoutes.subscribe,
    "Unsubscribe": TopicRoutes.unsubscribe,
}


def _described(subscription: Subscription) -> dict[str, str]:
    """Return a subscription in the form in which SNS lists it."""
    return {
        "SubscriptionArn": subscription.arn,
        "Owner": ACCOUNT,
        "Protocol": "sqs",
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic_arn,
    }


def _paged(result: Result, token: str | None) -> Result:
    return result if token is None else {**result, "NextToken": token}


def _message(arguments: Arguments) -> str:
    """Return the message for queues, which a JSON object may contain next to other messages."""
    message = arguments.text("Message")
    if arguments.optional_text("MessageStructure") != "json":
        return message
    try:
        parsed = json.loads(message)
    except (ValueError, RecursionError):
        parsed = None
    structure = parsed if is_map(parsed) else {}
    chosen = structure.get("sqs", structure.get("default"))
    if "default" not in structure or not isinstance(chosen, str):
        raise invalid_parameter(
            "Invalid parameter: Message Structure - No default entry in JSON message body"
        )
    return chosen
