"""Messages of the emulated SQS."""

import json
from unittest.mock import patch

from sagemaker_runtime_client.emulator import Emulator
from sagemaker_runtime_client.emulator._messaging import broker, queues
from tests.emulator.wire import call

COVERED = ()


def request(emulator, operation, arguments):
    """Send a request to SQS in the JSON protocol, and return the parsed response."""
    body = arguments if isinstance(arguments, bytes) else json.dumps(arguments).encode()
    target = {"x-amz-target": f"AmazonSQS.{operation}"}
    return json.loads(call(emulator, "POST", "/", target, body, service="sqs").body)


def error(operation, arguments, attributes=None, name="q"):
    """Send a request about a new queue, and return the message of the error response."""
    with Emulator() as emulator:
        creation = {"QueueName": name, "Attributes": attributes or {}}
        created = request(emulator, "CreateQueue", creation)
        if "QueueUrl" not in created:
            return created["message"]
        if isinstance(arguments, dict):
            arguments = {"QueueUrl": created["QueueUrl"], **arguments}
        response = request(emulator, operation, arguments)
        failed = response.get("Failed", [])
        return failed[0]["Message"] if failed else response["message"]


def send(arguments, attributes=None, name="q"):
    """Return the message of the error response to SendMessage."""
    return error("SendMessage", {"MessageBody": "m", **arguments}, attributes, name)


def send_batch(*entries):
    """Return the message of the error response to SendMessageBatch."""
    return error("SendMessageBatch", {"Entries": [{"MessageBody": "m", **one} for one in entries]})


def attribute(value):
    """Send a message with this attribute, and return the message of the error response."""
    return send({"MessageAttributes": {"a": value}})


def not_in_flight():
    """Return the message of the error response to a receipt handle that has expired."""
    with Emulator() as emulator:
        url = {"QueueUrl": request(emulator, "CreateQueue", {"QueueName": "q"})["QueueUrl"]}
        request(emulator, "SendMessage", {**url, "MessageBody": "m"})
        (message,) = request(emulator, "ReceiveMessage", url)["Messages"]
        handle = message["ReceiptHandle"]
        emulator.advance(30)
        change = {**url, "ReceiptHandle": handle, "VisibilityTimeout": 1}
        response = request(emulator, "ChangeMessageVisibility", change)
        return response["message"].replace(handle, "HANDLE")


def limited(module, name, most, make):
    """Return the result of *make* while a limit of the emulator is reduced to *most*."""
    with patch.object(module, name, most):
        return make()


VALUE = {"DataType": "String", "StringValue": "v"}
FIFO = {"FifoQueue": "true"}

MESSAGES = [
    (
        lambda: error("StartMessageMoveTask", {}),
        "The emulator does not support this operation.",
    ),
    (lambda: error("SendMessage", b"["), "The request is malformed at: body"),
    (
        lambda: error("GetQueueUrl", {}),
        "The request must contain the parameter QueueName.",
    ),
    (
        lambda: error("PurgeQueue", {"QueueUrl": ""}),
        "The request must contain the parameter QueueUrl.",
    ),
    (
        lambda: error("ChangeMessageVisibility", {"ReceiptHandle": "h"}),
        "The request must contain the parameter VisibilityTimeout.",
    ),
    (
        lambda: error("ReceiveMessage", {"MaxNumberOfMessages": 11}),
        """
        Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if
        provided.
        """,
    ),
    (
        lambda: error("ListQueues", {"NextToken": "A"}),
        "Value for parameter NextToken is invalid.",
    ),
    (
        lambda: error("PurgeQueue", {"QueueUrl": "http://h/000000000000/other"}),
        "The specified queue does not exist.",
    ),
    (
        lambda: error("CreateQueue", {}, {}, "a b"),
        """
        Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length; the
        name of a FIFO queue, which has the attribute FifoQueue=true, ends in .fifo
        """,
    ),
    (
        lambda: error("CreateQueue", {"QueueName": "q", "Attributes": {"DelaySeconds": "3"}}),
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    ),
    (
        lambda: limited(broker, "MOST_QUEUES", 1, lambda: error("CreateQueue", {"QueueName": "r"})),
        "The emulator keeps at most 1 queues.",
    ),
    # Attributes of queues.
    (
        lambda: error("SetQueueAttributes", {"Attributes": {"Other": "1"}}),
        "Unknown Attribute Other.",
    ),
    (
        lambda: error("SetQueueAttributes", {"Attributes": {"FifoQueue": "true"}}),
        "Unknown Attribute FifoQueue.",
    ),
    (
        lambda: error("SetQueueAttributes", {"Attributes": {"DelaySeconds": "901"}}),
        "Invalid value for the parameter DelaySeconds.",
    ),
    (
        lambda: error("SetQueueAttributes", {"Attributes": {"RedrivePolicy": "{}"}}),
        """
        Value {} for parameter RedrivePolicy is invalid. Reason: It must contain deadLetterTargetArn
        and maxReceiveCount (1 to 1000).
        """,
    ),
    (
        lambda: error(
            "SetQueueAttributes", {"Attributes": {"RedrivePolicy": '{"deadLetterTargetArn":"a"}'}}
        ),
        """
        Value {"deadLetterTargetArn":"a"} for parameter RedrivePolicy is invalid. Reason: Dead
        letter target does not exist.
        """,
    ),
    # Messages.
    (
        lambda: send({"MessageBody": "\0"}),
        "The message contains characters that are not allowed.",
    ),
    (
        lambda: send({"MessageBody": "m" * 1025}, {"MaximumMessageSize": "1024"}),
        """
        One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.
        """,
    ),
    (
        lambda: limited(queues, "MOST_MESSAGES", 0, lambda: send({})),
        "The emulator keeps at most 0 messages and 268435456 bytes in a queue.",
    ),
    (
        lambda: send({"MessageAttributes": dict.fromkeys(map(str, range(11)), VALUE)}),
        "The message has more than 10 attributes.",
    ),
    (
        lambda: attribute({"DataType": "Other"}),
        "The name or the type of a message attribute is invalid.",
    ),
    (
        lambda: attribute({"DataType": "Binary", "BinaryValue": "?"}),
        "The message attribute 'a' must contain a valid BinaryValue.",
    ),
    (
        lambda: send({"MessageDeduplicationId": "d"}),
        """
        Value d for parameter MessageDeduplicationId is invalid. Reason: The request includes a
        parameter that is not valid for this queue type.
        """,
    ),
    (
        lambda: send({"MessageGroupId": "a b"}),
        """
        Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include
        alphanumeric and punctuation characters. 1 to 128 in length.
        """,
    ),
    (
        lambda: send({}, FIFO, "q.fifo"),
        "The request must contain the parameter MessageGroupId.",
    ),
    (
        lambda: send({"MessageGroupId": "g"}, FIFO, "q.fifo"),
        """
        The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId
        provided explicitly
        """,
    ),
    # Receipt handles.
    (
        lambda: error("DeleteMessage", {"ReceiptHandle": "h"}),
        'The input receipt handle "h" is invalid.',
    ),
    (
        not_in_flight,
        """
        Value HANDLE for parameter ReceiptHandle is invalid. Reason: Message does not exist or is
        not available for visibility timeout change.
        """,
    ),
    # Batches.
    (
        send_batch,
        "There should be at least one entry in the request.",
    ),
    (
        lambda: send_batch(*[{"Id": str(number)} for number in range(11)]),
        "Maximum number of entries per request are 10. You have sent 11.",
    ),
    (
        lambda: send_batch({"Id": "?"}),
        """
        A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can
        be at most 80 letters long.
        """,
    ),
    (
        lambda: send_batch({"Id": "1"}, {"Id": "1"}),
        "Two entries have the same id.",
    ),
    (
        lambda: send_batch({"Id": "1", "MessageBody": "m" * 1_048_577}),
        """
        Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.
        """,
    ),
]
