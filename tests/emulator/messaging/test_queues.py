"""Test the emulated SQS with boto3."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from sagemaker_runtime_client.emulator import Emulator, Faults
from sagemaker_runtime_client.emulator._messaging import broker, drafts, queues
from tests.emulator.wire import call


def error_code(function, **arguments):
    """Return the code of the error that a boto3 call raises."""
    with pytest.raises(ClientError) as raised:
        function(**arguments)
    return raised.value.response["Error"]["Code"]


def test_a_message(queue):
    """A message is received with its attributes, and no longer exists after it was deleted."""
    sent = queue.send(
        "Grüße",
        MessageAttributes={
            "text": {"DataType": "String", "StringValue": "ü"},
            "prefix.number": {"DataType": "Number.int", "StringValue": "1"},
            "prefix.bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "t"}},
    )
    (received,) = queue.receive(MessageAttributeNames=["All"])
    assert received["MessageId"] == sent["MessageId"]
    assert received["Body"] == "Grüße"
    assert received["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert received["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert received["MessageAttributes"]["prefix.bytes"]["BinaryValue"] == b"\x00\xff"
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"
    assert received["Attributes"]["AWSTraceHeader"] == "t"
    queue.delete(received)
    assert queue.attribute("ApproximateNumberOfMessagesNotVisible") == "0"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["text"], ["text"]),
        (["prefix.*"], ["prefix.a", "prefix.b"]),
        ([".*"], ["prefix.a", "prefix.b", "text"]),
    ],
)
def test_selected_message_attributes(queue, names, expected):
    """Only the message attributes that the receiver requests are returned."""
    attribute = {"DataType": "String", "StringValue": "v"}
    queue.send("m", MessageAttributes=dict.fromkeys(["text", "prefix.a", "prefix.b"], attribute))
    (received,) = queue.receive(MessageAttributeNames=names)
    assert sorted(received.get("MessageAttributes", {})) == expected


def test_known_digest_of_attributes(queue):
    """For a known example, the digest of the message attributes is the same as that of SQS."""
    value = {"DataType": "Number", "StringValue": "1493147359900"}
    sent = queue.send("m", MessageAttributes={"timestamp": value})
    assert sent["MD5OfMessageAttributes"] == "235c5c510d26fb653d073faed50ae77c"


def test_visibility_timeout(emulator, queue):
    """A message that is not deleted is received again after the visibility timeout, and is counted."""
    queue.send("m")
    (first,) = queue.receive()
    assert queue.bodies() == []
    emulator.advance(30)
    (again,) = queue.receive()
    assert again["MessageId"] == first["MessageId"]
    assert again["ReceiptHandle"] != first["ReceiptHandle"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    queue.delete(first)  # the receipt handle of an earlier receipt does not delete the message
    assert queue.attribute("ApproximateNumberOfMessagesNotVisible") == "1"


def test_changed_visibility(emulator, queue):
    """A receiver can extend or end the visibility timeout of a message."""
    queue.send("m")
    (message,) = queue.receive(VisibilityTimeout=5)
    handle = {"QueueUrl": queue.url, "ReceiptHandle": message["ReceiptHandle"]}
    queue.sqs.change_message_visibility(**handle, VisibilityTimeout=100)
    emulator.advance(50)
    assert queue.bodies() == []
    queue.sqs.change_message_visibility(**handle, VisibilityTimeout=0)
    assert queue.bodies() == ["m"]
    change = queue.sqs.change_message_visibility
    code = "AWS.SimpleQueueService.MessageNotInflight"
    assert error_code(change, **handle, VisibilityTimeout=1) == code


def test_batches(queue):
    """Batch operations send, hide and delete messages, and report a failure for each invalid entry."""
    entries = [{"Id": name, "MessageBody": name} for name in ("a", "b")]
    bad = {"Id": "bad", "MessageBody": "bad", "MessageDeduplicationId": "d"}
    sent = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=[*entries, bad])
    assert [one["Id"] for one in sent["Successful"]] == ["a", "b"]
    assert [one["Code"] for one in sent["Failed"]] == ["InvalidParameterValue"]
    handles = {one["Body"]: one["ReceiptHandle"] for one in queue.receive()}
    changed = queue.sqs.change_message_visibility_batch(
        QueueUrl=queue.url,
        Entries=[
            {"Id": name, "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for name, handle in handles.items()
        ],
    )
    assert [one["Id"] for one in changed["Successful"]] == ["a", "b"]
    handles = {one["Body"]: one["ReceiptHandle"] for one in queue.receive()}
    deleted = queue.sqs.delete_message_batch(
        QueueUrl=queue.url,
        Entries=[
            {"Id": "1", "ReceiptHandle": handles["a"]},
            {"Id": "2", "ReceiptHandle": "other"},
        ],
    )
    assert [one["Id"] for one in deleted["Successful"]] == ["1"]
    assert [one["Code"] for one in deleted["Failed"]] == ["ReceiptHandleIsInvalid"]
    assert queue.attribute("ApproximateNumberOfMessagesNotVisible") == "1"


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([{"Id": "1", "MessageBody": "a"}] * 2, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        ([], "AWS.SimpleQueueService.EmptyBatchRequest"),
        ([{"Id": "?", "MessageBody": "a"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        (
            [{"Id": str(number), "MessageBody": "a"} for number in range(11)],
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        (
            [{"Id": str(number), "MessageBody": "a" * 600_000} for number in range(2)],
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
    ],
)
def test_wrong_batches(queue, entries, code):
    """A batch whose number of entries, IDs or size is invalid is rejected as a whole."""
    assert error_code(queue.sqs.send_message_batch, QueueUrl=queue.url, Entries=entries) == code


def test_redrive(emulator, make_queue):
    """After the maximum number of receipts, a message is moved to the dead-letter queue."""
    dead = make_queue("dead")
    policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": "2"}}'
    queue = make_queue("queue", RedrivePolicy=policy, VisibilityTimeout="7")
    queue.send("m")
    for _ in range(2):
        assert queue.bodies() == ["m"]
        emulator.advance(7)
    assert queue.bodies() == []
    (message,) = dead.receive()
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == queue.arn
    dead.sqs.delete_queue(QueueUrl=dead.url)
    queue.send("stays")
    for _ in range(3):  # the dead-letter queue has been deleted
        assert queue.bodies() == ["stays"]
        emulator.advance(7)


def test_long_polling(emulator, queue):
    """With long polling, a receiver gets a message as soon as it is sent."""
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(queue.receive, WaitTimeSeconds=20)
        while not emulator._broker._wakers:
            assert not waiting.done()
        queue.send("m")
        assert [message["Body"] for message in waiting.result(15)] == ["m"]


def test_waiting_for_a_visible_message(make_queue):
    """With long polling, a receiver gets a message that becomes visible while the receiver waits."""
    queue = make_queue(DelaySeconds="1", ReceiveMessageWaitTimeSeconds="20")
    queue.send("m")
    assert queue.attribute("ApproximateNumberOfMessagesDelayed") == "1"
    assert queue.bodies() == ["m"]


def test_waiting_ends(queue):
    """If no message arrives within the waiting time, the receiver gets none."""
    assert queue.receive(WaitTimeSeconds=1) == []


def test_a_stopped_emulator_ends_waits(boto):
    """If the emulator stops while a receiver waits, the emulator stops immediately."""
    with ThreadPoolExecutor() as threads:
        with Emulator() as emulator:
            sqs = boto("sqs", emulator)
            url = sqs.create_queue(QueueName="q")["QueueUrl"]
            waiting = threads.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
            while not emulator._broker._wakers:
                assert not waiting.done()
        assert isinstance(waiting.exception(5), HTTPClientError)


def test_queues(make_queue):
    """Creating a queue twice has no effect; queues can be listed, found by name and deleted."""
    first, second = make_queue("a-1", VisibilityTimeout="3"), make_queue("a-2")
    make_queue("b")
    sqs = first.sqs
    assert make_queue("a-1", VisibilityTimeout="3").url == first.url
    assert sqs.get_queue_url(QueueName="a-1")["QueueUrl"] == first.url
    assert sqs.list_queues(QueueNamePrefix="a-")["QueueUrls"] == [first.url, second.url]
    page = sqs.list_queues(MaxResults=2)
    assert page["QueueUrls"] == [first.url, second.url]
    rest = sqs.list_queues(MaxResults=2, NextToken=page["NextToken"])
    assert [url.rpartition("/")[2] for url in rest["QueueUrls"]] == ["b"]
    assert "NextToken" not in rest
    code = "QueueAlreadyExists"
    other = {"VisibilityTimeout": "4"}
    assert error_code(sqs.create_queue, QueueName="a-1", Attributes=other) == code
    sqs.delete_queue(QueueUrl=first.url)
    missing = "AWS.SimpleQueueService.NonExistentQueue"
    assert error_code(sqs.get_queue_url, QueueName="a-1") == missing
    assert error_code(sqs.receive_message, QueueUrl=first.url) == missing
    assert error_code(sqs.receive_message, QueueUrl="http://other/a-2") == missing
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.purge_queue(QueueUrl=first.url)


def test_attributes(emulator, queue):
    """Attributes can be set and removed, old messages expire, and PurgeQueue removes all messages."""
    sqs, url = queue.sqs, queue.url
    attributes = {"VisibilityTimeout": "9", "Policy": "{}", "MessageRetentionPeriod": "60"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    assert (queue.attribute("VisibilityTimeout"), queue.attribute("Policy")) == ("9", "{}")
    assert queue.arn == "arn:aws:sqs:us-east-1:000000000000:queue"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert "Policy" not in found
    assert sqs.get_queue_attributes(QueueUrl=url).get("Attributes", {}) == {}
    queue.send("old")
    emulator.advance(60)
    assert queue.attribute("ApproximateNumberOfMessages") == "0"
    queue.send("new")
    sqs.purge_queue(QueueUrl=url)
    assert queue.bodies() == []


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ({"VisibilityTimeout": "many"}, "InvalidAttributeValue"),
        ({"SqsManagedSseEnabled": "yes"}, "InvalidAttributeValue"),
        ({"ContentBasedDeduplication": "true"}, "InvalidAttributeName"),
        ({"FifoQueue": "false"}, "InvalidAttributeName"),
        ({"Other": "1"}, "InvalidAttributeName"),
        ({"RedrivePolicy": "{"}, "InvalidParameterValue"),
        ({"RedrivePolicy": '["a"]'}, "InvalidParameterValue"),
        (
            {"RedrivePolicy": '{"deadLetterTargetArn": "a", "maxReceiveCount": 1e400}'},
            "InvalidParameterValue",
        ),
        ({"RedrivePolicy": '{"deadLetterTargetArn": "a"}'}, "InvalidParameterValue"),
        (
            {
                "RedrivePolicy": '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:queue"}'
            },
            "InvalidParameterValue",
        ),
    ],
)
def test_wrong_attributes(queue, attributes, code):
    """Invalid values and unknown names of queue attributes are rejected."""
    change = queue.sqs.set_queue_attributes
    assert error_code(change, QueueUrl=queue.url, Attributes=attributes) == code


@pytest.mark.parametrize(
    ("fault", "expected"), [(Faults.LOST, ["2"]), (Faults.DUPLICATED, ["1", "1", "2"])]
)
def test_lost_and_duplicated_messages(emulator, queue, fault, expected):
    """`LOST` or `DUPLICATED` affects the next message that is sent, after an error that was
    injected.
    """
    emulator.faults.once(Faults.LOST, on="Publish")
    emulator.faults.once(fault, on="SendMessage")
    emulator.faults.once(Faults.THROTTLED_429, on=["SendMessage"])
    assert error_code(queue.send, body="1") == "ThrottlingException"
    queue.send("1")
    queue.send("2")
    received = queue.receive()
    assert [message["Body"] for message in received] == expected
    assert len({message["MessageId"] for message in received}) == len(set(expected))
    emulator.faults.always(Faults.LOST)
    queue.send("3")
    assert queue.bodies() == []


def test_bounded_memory(make_queue, monkeypatch):
    """A full queue rejects messages, and an emulator with too many queues rejects further ones."""
    monkeypatch.setattr(queues, "MOST_MESSAGES", 1)
    monkeypatch.setattr(broker, "MOST_QUEUES", 1)
    queue = make_queue()
    queue.send("1")
    assert error_code(queue.send, body="2") == "OverLimit"
    monkeypatch.setattr(queues, "MOST_MESSAGES", drafts.MOST_MESSAGES)
    monkeypatch.setattr(queues, "_MOST_BYTES", 1)
    assert error_code(queue.send, body="2") == "OverLimit"
    assert error_code(queue.sqs.create_queue, QueueName="other") == "OverLimit"


def test_signatures(emulator, boto):
    """Requests with a wrong secret, an unknown key or a signature for another service are rejected."""
    for key, code in (
        (emulator.credentials.access_key_id, "SignatureDoesNotMatch"),
        ("AKIDOTHER", "InvalidClientTokenId"),
    ):
        sqs = boto("sqs", emulator, aws_access_key_id=key, aws_secret_access_key="wrong")
        assert error_code(sqs.list_queues) == code
    target = {"x-amz-target": "AmazonSQS.ListQueues"}
    response = call(emulator, "POST", "/", target, b"{}", service="sns")
    assert response.status == 403


@pytest.mark.parametrize("number", ["many", True, 1.5, 11])
def test_wrong_numbers(emulator, queue, number):
    """MaxNumberOfMessages is rejected if it is not an integer or is out of range."""
    headers = {"x-amz-target": "AmazonSQS.ReceiveMessage"}
    body = json.dumps({"QueueUrl": queue.url, "MaxNumberOfMessages": number}).encode()
    response = call(emulator, "POST", "/", headers, body, service="sqs")
    assert (response.status, b"MaxNumberOfMessages is invalid" in response.body) == (400, True)


def test_a_long_queue(queue):
    """Each of 1,000 messages in a queue is received once, in order."""
    for start in range(0, 1000, 10):
        numbers = [str(number) for number in range(start, start + 10)]
        entries = [{"Id": number, "MessageBody": number} for number in numbers]
        queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    found = [body for _ in range(100) for body in queue.bodies()]
    assert found == [str(number) for number in range(1000)]


def test_dead_letters_make_room(make_queue):
    """A message that is moved to the dead-letter queue does not count for the limit of its old
    queue.
    """
    dead = make_queue("dead")
    policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 1}}'
    queue = make_queue(RedrivePolicy=policy, VisibilityTimeout="0")
    queue.send("1")
    assert queue.bodies() == ["1"]
    queue.send("2")
    assert queue.bodies(1) == ["2"]
    assert dead.bodies() == ["1"]


@pytest.mark.parametrize("body", [b"[", b"[]", b"[" * 100_000, b'{"QueueName": "\\ud800"}'])
def test_malformed_bodies(emulator, body):
    """A request body that is not a valid JSON object is rejected."""
    headers = {"x-amz-target": "AmazonSQS.CreateQueue"}
    response = call(emulator, "POST", "/", headers, body, service="sqs")
    assert (response.status, b"MalformedInput" in response.body) == (400, True)


@pytest.mark.parametrize(
    "arguments",
    [
        b'{"QueueName": 1}',
        b'{"QueueName": "a", "Attributes": ["b"]}',
        b'{"QueueName": "a", "Attributes": {"b": 1}}',
    ],
)
def test_arguments_of_wrong_types(emulator, arguments):
    """A CreateQueue request with an argument of a wrong type is rejected."""
    headers = {"x-amz-target": "AmazonSQS.CreateQueue"}
    response = call(emulator, "POST", "/", headers, arguments, service="sqs")
    assert (response.status, b"MalformedInput" in response.body) == (400, True)
