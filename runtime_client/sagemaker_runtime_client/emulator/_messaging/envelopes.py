"""The forms in which SNS delivers a message: in a JSON envelope, or in a record for AWS Lambda.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

import json
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from .messages import MessageAttributes

# The emulator does not sign notifications, because it has no private key of an Amazon certificate.
_SIGNATURE = "RU1VTEFUT1I="
_CERTIFICATE = "SimpleNotificationService-00000000000000000000000000000000.pem"


@frozen(kw_only=True)
class Publication:
    """A message that was published to a topic.

    Attributes:
        id: The message ID that SNS assigned, which is the same for all subscribers.
        topic_arn: The ARN of the topic.
        message: The content.
        subject: The subject; None if there is none.
        attributes: The message attributes.
        timestamp: The time at which the message was published, in UTC and ISO 8601.
        region: The region of the topic.
        version: The version of the signature, ``1`` or ``2``.
    """

    id: str
    topic_arn: str
    message: str = field(repr=False)
    subject: str | None = field(repr=False)
    attributes: MessageAttributes = field(repr=False)
    timestamp: str
    region: str
    version: str

    def envelope(self, subscription_arn: str) -> str:
        """Return the body of the SQS message that SNS sends to a subscribed queue."""
        subject = {} if self.subject is None else {"Subject": self.subject}
        attributes = {"MessageAttributes": self._attributes()} if self.attributes else {}
        members = {
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": self.topic_arn,
            **subject,
            "Message": self.message,
            "Timestamp": self.timestamp,
            "SignatureVersion": self.version,
            "Signature": _SIGNATURE,
            "SigningCertURL": self._certificate_url(),
            "UnsubscribeURL": self._unsubscribe_url(subscription_arn),
            **attributes,
        }
        return json.dumps(members, indent=2, separators=(",", " : "), ensure_ascii=False)

    def lambda_record(self, subscription_arn: str) -> dict[str, Any]:
        """Return the record with this message that AWS Lambda passes to a subscribed function.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
        """
        return {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription_arn,
            "Sns": {
                "Type": "Notification",
                "MessageId": self.id,
                "TopicArn": self.topic_arn,
                "Subject": self.subject,
                "Message": self.message,
                "Timestamp": self.timestamp,
                "SignatureVersion": self.version,
                "Signature": _SIGNATURE,
                "SigningCertUrl": self._certificate_url(),
                "UnsubscribeUrl": self._unsubscribe_url(subscription_arn),
                "MessageAttributes": self._attributes(),
            },
        }

    def _attributes(self) -> dict[str, dict[str, str]]:
        """Return the message attributes in the form that SNS uses in envelopes."""
        return {
            name: {
                "Type": attribute["DataType"],
                "Value": attribute.get("StringValue") or attribute["BinaryValue"],
            }
            for name, attribute in self.attributes.items()
        }

    def _certificate_url(self) -> str:
        return f"https://sns.{self.region}.amazonaws.com/{_CERTIFICATE}"

    def _unsubscribe_url(self, subscription_arn: str) -> str:
        arn = quote(subscription_arn, safe=":")
        return f"https://sns.{self.region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={arn}"
