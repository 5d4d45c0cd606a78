"""Test the emulated FIFO queues with boto3."""

import pytest
from botocore.exceptions import ClientError

from sagemaker_runtime_client.emulator._messaging import drafts


@pytest.fixture
def fifo(make_queue):
    """A FIFO queue that computes deduplication IDs from the content."""
    return make_queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")


def test_order_within_groups(emulator, fifo):
    """While a message of a group is in flight, the group's next messages are not received."""
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        fifo.send(body, MessageGroupId=group)
    (first,) = fifo.receive(1)
    assert first["Body"] == "a1"
    assert fifo.bodies() == ["b1"]
    assert fifo.bodies() == []
    emulator.advance(30)
    received = fifo.receive()
    assert [message["Body"] for message in received] == ["a1", "a2", "b1"]
    for message in received[:1]:
        fifo.delete(message)
    assert fifo.bodies() == []  # message a2 is still in flight
    numbers = [message["Attributes"]["SequenceNumber"] for message in received]
    assert numbers == sorted(numbers)
    assert received[1]["Attributes"]["MessageGroupId"] == "a"


def test_repeated_messages(emulator, fifo):
    """A repeated message is accepted with the ID of the first one, and is delivered only once."""
    first = fifo.send("m", MessageGroupId="a")
    again = fifo.send("m", MessageGroupId="b")
    assert (again["MessageId"], again["SequenceNumber"]) == (
        first["MessageId"],
        first["SequenceNumber"],
    )
    other = fifo.send("m", MessageGroupId="a", MessageDeduplicationId="other")
    assert other["MessageId"] != first["MessageId"]
    emulator.advance(300)
    later = fifo.send("m", MessageGroupId="a")
    assert later["MessageId"] != first["MessageId"]
    ids = [message["MessageId"] for message in fifo.receive()]
    assert ids == [first["MessageId"], other["MessageId"], later["MessageId"]]


def test_repetitions_within_a_group(make_queue):
    """With DeduplicationScope=messageGroup, a message of another group is not a repetition."""
    queue = make_queue("q.fifo", FifoQueue="true", DeduplicationScope="messageGroup")
    for group in ("a", "b", "a"):
        queue.send(group, MessageGroupId=group, MessageDeduplicationId="d")
    assert queue.bodies() == ["a", "b"]


def test_bounded_memory_for_repetitions(fifo, monkeypatch):
    """If too many messages were sent, the deduplication ID of the oldest one is forgotten."""
    monkeypatch.setattr(drafts, "MOST_MESSAGES", 2)
    for body in ("1", "2", "3", "1"):
        fifo.send(body, MessageGroupId="g")
    assert fifo.bodies() == ["1", "2", "3", "1"]


def test_redrive_of_a_group(emulator, make_queue):
    """After a message is moved to the dead-letter queue, the next message of its group is received."""
    dead = make_queue("dead.fifo", FifoQueue="true")
    policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 1}}'
    queue = make_queue("q.fifo", FifoQueue="true", RedrivePolicy=policy)
    for body in ("1", "2"):
        queue.send(body, MessageGroupId="g", MessageDeduplicationId=body)
    assert [message["Body"] for message in queue.receive(1)] == ["1"]
    emulator.advance(30)
    assert queue.bodies() == ["2"]
    assert dead.bodies() == ["1"]
    standard = make_queue("standard")
    with pytest.raises(ClientError, match="Dead letter target does not exist"):
        standard.sqs.set_queue_attributes(
            QueueUrl=standard.url, Attributes={"RedrivePolicy": policy}
        )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "MessageGroupId"),
        ({"MessageGroupId": "g"}, "ContentBasedDeduplication"),
        ({"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 1}, "DelaySeconds"),
        ({"MessageGroupId": "a b"}, "MessageGroupId can only include"),
    ],
)
def test_wrong_messages(make_queue, options, text):
    """A message is rejected if it lacks a valid group or a deduplication ID, or has a delay."""
    queue = make_queue("q.fifo", FifoQueue="true")
    with pytest.raises(ClientError, match=text):
        queue.send("m", **options)


@pytest.mark.parametrize(
    ("name", "is_fifo"), [("q", "true"), ("q.fifo", "false"), ("a b", "false")]
)
def test_names(make_queue, name, is_fifo):
    """A queue whose name is invalid, or does not match the attribute FifoQueue, is rejected."""
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        make_queue(name, FifoQueue=is_fifo)
