"""Test the query protocol of SQS, which older SDKs use, with botocore's implementation of it."""

import json
from copy import deepcopy

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import create_loader

from sagemaker_runtime_client.emulator import Faults
from tests.emulator.conftest import ONE_ATTEMPT
from tests.emulator.wire import call, receive_until_reset, sign_request

# The names of list items in the query protocol, keyed by the names of shapes in the service model.
ITEMS = {
    "AttributeNameList": "AttributeName",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
}
MAPS = {
    "MessageBodyAttributeMap": "MessageAttribute",
    "MessageBodySystemAttributeMap": "MessageSystemAttribute",
    "MessageSystemAttributeMap": "Attribute",
    "QueueAttributeMap": "Attribute",
    "TagMap": "Tag",
}


def query_model():
    """Return botocore's service model of SQS, changed to use the query protocol."""
    model = deepcopy(create_loader().load_service_model("sqs", "service-2"))
    model["metadata"]["protocol"], model["metadata"]["protocols"] = "query", ["query"]
    model["metadata"]["xmlNamespace"] = "http://queue.amazonaws.com/doc/2012-11-05/"
    for name in ("awsQueryCompatible", "jsonVersion", "targetPrefix"):
        del model["metadata"][name]
    for name, operation in model["operations"].items():
        if "output" in operation:
            operation["output"]["resultWrapper"] = f"{name}Result"
    for name, item in ITEMS.items():
        model["shapes"][name]["flattened"] = True
        model["shapes"][name]["member"]["locationName"] = item
    for name in MAPS:
        key, value = ("Key", "Value") if name == "TagMap" else ("Name", "Value")
        model["shapes"][name]["flattened"] = True
        model["shapes"][name]["key"]["locationName"] = key
        model["shapes"][name]["value"]["locationName"] = value
    for shape in model["shapes"].values():
        for member in shape.get("members", {}).values():
            if member["shape"] in MAPS:
                member["locationName"] = MAPS[member["shape"]]
    return model


@pytest.fixture
def sqs(emulator, tmp_path):
    """A boto3 client that uses the query protocol."""
    folder = tmp_path / "sqs" / "2012-11-05"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(query_model()))
    session = boto3.Session(
        aws_access_key_id=emulator.credentials.access_key_id,
        aws_secret_access_key=emulator.credentials.secret_access_key,
        region_name=emulator.region,
    )
    session._loader.search_paths.insert(0, str(tmp_path))
    client = session.client("sqs", endpoint_url=emulator.url, config=ONE_ATTEMPT)
    yield client
    client.close()


def test_the_loop(emulator, sqs):
    """With the query protocol, a queue can be created, filled, read and deleted."""
    url = sqs.create_queue(
        QueueName="q", Attributes={"VisibilityTimeout": "7"}, tags={"team": "a"}
    )["QueueUrl"]
    assert sqs.list_queues()["QueueUrls"] == [url]
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="<ü>",
        MessageAttributes={"a": {"DataType": "Binary", "BinaryValue": b"\x00"}},
    )
    batch = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {
                "Id": "1",
                "MessageBody": "b",
                "MessageAttributes": {"a": {"DataType": "String", "StringValue": "s"}},
            },
            {"Id": "2", "MessageBody": "b", "MessageDeduplicationId": "d"},
        ],
    )
    assert [one["Id"] for one in batch["Successful"]] == ["1"]
    assert [(one["Id"], one["SenderFault"]) for one in batch["Failed"]] == [("2", True)]
    first, second = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        AttributeNames=["All"],
        MessageAttributeNames=["a"],
    )["Messages"]
    assert (first["Body"], first["MessageId"]) == ("<ü>", sent["MessageId"])
    assert first["MessageAttributes"]["a"]["BinaryValue"] == b"\x00"
    assert second["MessageAttributes"]["a"]["StringValue"] == "s"
    assert second["Attributes"]["ApproximateReceiveCount"] == "1"
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0
    )
    deleted = sqs.delete_message_batch(
        QueueUrl=url, Entries=[{"Id": "1", "ReceiptHandle": first["ReceiptHandle"]}]
    )
    assert [one["Id"] for one in deleted["Successful"]] == ["1"]
    attributes = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["VisibilityTimeout", "ApproximateNumberOfMessages"]
    )["Attributes"]
    assert attributes == {"VisibilityTimeout": "7", "ApproximateNumberOfMessages": "1"}
    sqs.delete_queue(QueueUrl=url)
    names = {request.header("content-type") for request in emulator.requests}
    assert names == {"application/x-www-form-urlencoded; charset=utf-8"}


def test_errors(emulator, sqs):
    """Errors have the error codes of the query protocol."""
    with pytest.raises(ClientError) as raised:
        sqs.get_queue_url(QueueName="missing")
    error = raised.value.response["Error"]
    assert error["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert (error["Type"], error["Message"]) == ("Sender", "The specified queue does not exist.")
    emulator.faults.once(Faults.INTERNAL_FAILURE, on="ListQueues")
    with pytest.raises(ClientError) as raised:
        sqs.list_queues()
    assert raised.value.response["Error"]["Type"] == "Receiver"
    emulator.faults.once(Faults.THROTTLED_NULL, on="ListQueues")
    with pytest.raises(ClientError):
        sqs.list_queues()


def post(emulator, body, path="/"):
    """Send a form in a signed request, and return the response."""
    return call(emulator, "POST", path, (), body, service="sqs")


def test_queue_in_the_path(emulator, queue):
    """A request to the URL of a queue is executed, because older SDKs send requests to this URL."""
    path = queue.url.removeprefix(emulator.url)
    response = post(emulator, b"Action=SendMessage&MessageBody=a%20b", path)
    assert response.status == 200
    assert queue.bodies() == ["a b"]


@pytest.mark.parametrize(
    "body",
    [
        b"Action=CreateQueue&QueueName=%FF",
        b"Action=ListQueues&" + b"&".join([b"a=1"] * 2001),
        b"Action=CreateQueue&QueueName=q&a=1&a.b=1",
        b"Action=CreateQueue&QueueName=q&a.b=1&a=1",
        b"Action=CreateQueue&QueueName=q&" + b".".join([b"a"] * 10) + b"=1",
        b"Action=SendMessageBatch&SendMessageBatchRequestEntry.1=a",
        b"Action=SendMessage&MessageBody=a&MessageAttribute.1.Name=a&MessageAttribute.1.Value=b",
        b"Action=ReceiveMessage&AttributeName.1.a=All",
    ],
)
def test_malformed_forms(emulator, queue, body):
    """A form that is malformed or too large is rejected."""
    response = post(emulator, body, queue.url.removeprefix(emulator.url))
    assert (response.status, b"MalformedInput" in response.body) == (400, True)


def test_unsupported_operation(emulator):
    """The error response to an unknown operation uses the protocol of the request."""
    response = post(emulator, b"Action=StartMessageMoveTask")
    code = b"<Code>AWS.SimpleQueueService.UnsupportedOperation</Code>"
    assert (response.status, code in response.body) == (400, True)
    assert emulator.requests[0].operation == "Unknown"


def test_reset_before_the_request_is_read(emulator):
    """`RESET_BEFORE_READ` also applies to an operation whose name is in the request body."""
    emulator.faults.once(Faults.RESET_BEFORE_READ, on="ListQueues")
    assert post(emulator, b"Action=CreateQueue&QueueName=q").status == 200
    request = sign_request(emulator, "POST", "/", (), b"Action=ListQueues", service="sqs")
    assert receive_until_reset(emulator, request) == b""
    assert emulator.requests[-1].outcome == "reset before_read"
    assert post(emulator, b"Action=ListQueues").status == 200
