"""Fixtures that provide boto3 clients for SQS and SNS, and a queue."""

import pytest

from tests.emulator.messaging.boto_queue import BotoQueue


@pytest.fixture
def make_queue(emulator, boto):
    """A function that creates a queue."""

    def make(name="queue", **attributes):
        sqs = boto("sqs", emulator)
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return BotoQueue(sqs, url)

    return make


@pytest.fixture
def queue(make_queue):
    """A queue with default attributes."""
    return make_queue()
