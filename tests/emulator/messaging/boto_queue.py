"""A wrapper for using an emulated queue through boto3."""

import json
from typing import Any, NamedTuple


class BotoQueue(NamedTuple):
    """A queue that is used through boto3."""

    sqs: Any
    url: str

    def send(self, body, **options):
        """Send a message, and return the response."""
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **options)

    def receive(self, count=10, **options):
        """Receive the messages that are visible now."""
        response = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=count,
            MessageSystemAttributeNames=["All"],
            **options,
        )
        return response.get("Messages", [])

    def bodies(self, count=10):
        """Receive messages, and return their bodies."""
        return [message["Body"] for message in self.receive(count)]

    def delete(self, message):
        """Delete a received message."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def attribute(self, name):
        """Return an attribute of the queue."""
        response = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return response["Attributes"][name]

    @property
    def arn(self):
        """The ARN of the queue."""
        return self.attribute("QueueArn")

    def messages(self):
        """Receive SNS envelopes, and return the parsed messages in them."""
        return [json.loads(json.loads(body)["Message"]) for body in self.bodies()]


def subscribed_queue(boto, emulator, *topics, **attributes):
    """Return a new queue that subscribes to the topics with these names."""
    sqs, sns = boto("sqs", emulator), boto("sns", emulator)
    queue = BotoQueue(sqs, sqs.create_queue(QueueName="subscribed")["QueueUrl"])
    for topic in topics:
        arn = sns.create_topic(Name=topic)["TopicArn"]
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)
    return queue
