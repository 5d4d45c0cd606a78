"""Fixtures that provide boto3's clients of SQS and SNS, and a queue."""

from typing import Any, NamedTuple

import pytest


class BotoQueue(NamedTuple):
    """A queue, used through boto3."""

    sqs: Any
    url: str

    def send(self, body, **options):
        """Send a message, and return the response."""
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **options)

    def receive(self, count=10, **options):
        """Return the messages that can be received now."""
        response = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=count,
            MessageSystemAttributeNames=["All"],
            **options,
        )
        return response.get("Messages", [])

    def bodies(self, count=10):
        """Return the bodies of the messages that can be received now."""
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


@pytest.fixture
def make_queue(emulator, boto):
    """Return a function that creates a queue."""

    def make(name="queue", **attributes):
        sqs = boto("sqs", emulator)
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return BotoQueue(sqs, url)

    return make


@pytest.fixture
def queue(make_queue):
    """Return a queue with default attributes."""
    return make_queue()
