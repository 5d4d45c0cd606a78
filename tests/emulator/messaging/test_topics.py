"""Test the emulated SNS with boto3."""

import json

import pytest
from botocore.exceptions import ClientError

from sagemaker_runtime_client.emulator import Faults
from sagemaker_runtime_client.emulator._messaging import topic_routes, topics


@pytest.fixture
def sns(emulator, boto):
    """A boto3 client for SNS."""
    return boto("sns", emulator)


@pytest.fixture
def topic(sns):
    """The ARN of a new topic."""
    return sns.create_topic(Name="topic")["TopicArn"]


def test_delivery_in_an_envelope(sns, topic, queue):
    """A subscribed queue receives a published message in an SNS envelope."""
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    published = sns.publish(
        TopicArn=topic,
        Message='{"a": "ü"}',
        Subject="Subject",
        MessageAttributes={
            "text": {"DataType": "String", "StringValue": "s"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
    )
    (received,) = queue.receive()
    envelope = json.loads(received["Body"])
    assert envelope.pop("Timestamp").startswith("20")
    assert envelope.pop("UnsubscribeURL").endswith(subscribed["SubscriptionArn"])
    assert envelope == {
        "Type": "Notification",
        "MessageId": published["MessageId"],
        "TopicArn": topic,
        "Subject": "Subject",
        "Message": '{"a": "ü"}',
        "SignatureVersion": "1",
        "Signature": "RU1VTEFUT1I=",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/"
        "SimpleNotificationService-00000000000000000000000000000000.pem",
        "MessageAttributes": {
            "text": {"Type": "String", "Value": "s"},
            "bytes": {"Type": "Binary", "Value": "AA=="},
        },
    }
    assert received["Body"].startswith('{\n  "Type" : "Notification",\n')


def test_raw_delivery(sns, topic, queue):
    """With RawMessageDelivery, the queue receives only the message and its attributes."""
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=queue.arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    value = {"DataType": "String", "StringValue": "v"}
    sns.publish(TopicArn=topic, Message="m", MessageAttributes={"a": value})
    (received,) = queue.receive(MessageAttributeNames=["All"])
    assert (received["Body"], received["MessageAttributes"]) == ("m", {"a": value})


def test_batch(sns, topic, queue):
    """PublishBatch publishes each valid entry, and reports a failure for each invalid one."""
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
    result = sns.publish_batch(
        TopicArn=topic,
        PublishBatchRequestEntries=[
            {"Id": "1", "Message": "a"},
            {"Id": "2", "Message": "b", "Subject": "two\nlines"},
        ],
    )
    assert [one["Id"] for one in result["Successful"]] == ["1"]
    assert [(one["Id"], one["Code"]) for one in result["Failed"]] == [("2", "InvalidParameter")]
    assert queue.bodies() == ["a"]


def test_message_for_queues(sns, topic, queue):
    """With MessageStructure=json, a queue receives the message for "sqs", or else the default one."""
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
    for message in ({"default": "d"}, {"default": "d", "sqs": "s"}):
        sns.publish(TargetArn=topic, Message=json.dumps(message), MessageStructure="json")
    assert queue.bodies() == ["d", "s"]
    for message in ('{"sqs": "s"}', "[]", "no JSON", '{"default": 1}'):
        with pytest.raises(sns.exceptions.InvalidParameterException):
            sns.publish(TopicArn=topic, Message=message, MessageStructure="json")


def test_topics(sns, topic, monkeypatch):
    """Creating a topic twice has no effect; topics can be described, changed, listed and deleted."""
    monkeypatch.setattr(topic_routes, "_PAGE", 1)
    assert sns.create_topic(Name="topic")["TopicArn"] == topic
    assert topic == "arn:aws:sns:us-east-1:000000000000:topic"
    other = sns.create_topic(Name="other", Attributes={"DisplayName": "o"})["TopicArn"]
    pages = [page["Topics"] for page in sns.get_paginator("list_topics").paginate()]
    assert pages == [[{"TopicArn": other}], [{"TopicArn": topic}]]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="2")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"] == {
        "TopicArn": topic,
        "Owner": "000000000000",
        "SubscriptionsConfirmed": "0",
        "SignatureVersion": "2",
    }
    for _ in range(2):
        sns.delete_topic(TopicArn=other)
    assert sns.list_topics()["Topics"] == [{"TopicArn": topic}]
    for method in (sns.get_topic_attributes, sns.list_subscriptions_by_topic):
        with pytest.raises(sns.exceptions.NotFoundException):
            method(TopicArn=other)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=other, Message="m")


def test_subscriptions(sns, topic, queue):
    """Subscribing twice has no effect; subscriptions can be described, changed, listed and deleted."""
    arguments = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue.arn}
    arn = sns.subscribe(**arguments)["SubscriptionArn"]
    assert sns.subscribe(**arguments)["SubscriptionArn"] == arn
    described = {**arguments, "Owner": "000000000000", "SubscriptionArn": arn}
    assert sns.list_subscriptions()["Subscriptions"] == [described]
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [described]
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes == {
        **described,
        "PendingConfirmation": "false",
        "RawMessageDelivery": "true",
    }
    with pytest.raises(ClientError, match="different attributes"):
        sns.subscribe(**arguments)
    sns.subscribe(**{**arguments, "Endpoint": f"{queue.arn}-other"})
    for _ in range(2):
        sns.unsubscribe(SubscriptionArn=arn)
    sns.publish(TopicArn=topic, Message="m")
    assert queue.bodies() == []
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_subscription_attributes(SubscriptionArn=arn)


def test_a_queue_that_does_not_exist(sns, topic, queue):
    """If one subscribed queue does not exist, the other queues still receive the message."""
    for arn in (f"{queue.arn}-missing", queue.arn):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="m")
    assert len(queue.bodies()) == 1


@pytest.mark.parametrize(("fault", "copies"), [(Faults.LOST, 0), (Faults.DUPLICATED, 2)])
def test_lost_and_duplicated_messages(emulator, sns, topic, queue, fault, copies):
    """`LOST` loses a published message, and `DUPLICATED` delivers it twice with the same message
    ID.
    """
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    emulator.faults.once(fault, on="Publish")
    published = sns.publish(TopicArn=topic, Message="m")
    ids = [json.loads(body)["MessageId"] for body in queue.bodies()]
    assert ids == [published["MessageId"]] * copies


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"FilterPolicy": "{}"}, "does not support FilterPolicy"),
        ({"RawMessageDelivery": "yes"}, "RawMessageDelivery: Invalid value"),
    ],
)
def test_wrong_attributes(sns, topic, queue, attributes, text):
    """An unsupported or invalid attribute of a subscription is rejected, not ignored."""
    with pytest.raises(ClientError, match=text):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)


@pytest.mark.parametrize(
    "changes", [{"Protocol": "http"}, {"Endpoint": "arn:aws:sqs:us-east-1:000000000000:q.fifo"}]
)
def test_wrong_subscriptions(sns, topic, changes):
    """A subscription of anything but a standard queue is rejected."""
    arn = "arn:aws:sqs:us-east-1:000000000000:q"
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.subscribe(**{"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn, **changes})


def test_limits(sns, topic, queue, monkeypatch):
    """Too many topics, too many subscriptions and messages that are too large are rejected."""
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.create_topic(Name="a b")
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.publish(TopicArn=topic, Message="m" * 262_145)
    monkeypatch.setattr(topics, "MOST_TOPICS", 1)
    with pytest.raises(sns.exceptions.TopicLimitExceededException):
        sns.create_topic(Name="other")
    monkeypatch.setattr(topics, "MOST_SUBSCRIPTIONS", 0)
    with pytest.raises(sns.exceptions.SubscriptionLimitExceededException):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)


def test_signatures(emulator, boto):
    """A request that is signed with a wrong secret is rejected in the error format of SNS."""
    sns = boto("sns", emulator, aws_secret_access_key="wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        sns.list_topics()


def test_unsupported_operation(sns):
    """An operation that the emulator does not support is rejected."""
    with pytest.raises(ClientError, match="InvalidAction"):
        sns.list_origination_numbers()
