"""Messages about notifications: arguments of `parse`, and reasons why messages are ignored."""

import json

from sagemaker_runtime_client.events import parse

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/events",)


def reason(message):
    """Return the reason why a message is ignored."""
    (event,) = parse(message)
    return event.reason


def result(**changes):
    """Return the reason why a SageMaker notification with these changes is ignored."""
    return reason({"eventSource": "aws:sagemaker", "invocationStatus": "Completed", **changes})


def created(**changes):
    """Return the reason why an S3 record with these changes is ignored."""
    found = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}, **changes}
    return reason({"Records": [found]})


def wrapped(count, message):
    """Return a message in *count* envelopes."""
    for _ in range(count):
        message = json.dumps({"Type": "Notification", "Message": message})
    return message


MESSAGES = [
    # Arguments.
    (lambda: parse([]), "message must be a dict, str or bytes, not list"),
    (
        lambda: parse({}, source="my-queue"),
        "source must be an ARN, such as arn:aws:sqs:us-east-1:123456789012:my-queue",
    ),
    (
        lambda: parse({}, trusted_sources="arn:aws:sqs:us-east-1:123456789012:my-queue"),
        "trusted_sources must be a collection of complete ARNs, such as {'arn:aws:sqs:us-east-1:123456789012:my-queue'}",
    ),
    # Messages that are not notifications.
    (
        lambda: reason({"Type": "SubscriptionConfirmation"}),
        "the message is about a subscription",
    ),
    (
        lambda: reason({"Service": "Amazon S3", "Event": "s3:TestEvent"}),
        "S3 sends this message when notifications are set up",
    ),
    (lambda: result(eventSource="aws:ec2"), "the message is not the result of an inference"),
    (lambda: created(eventName="ObjectRemoved:Delete"), "the record is not about a new object"),
    (
        lambda: reason({"source": "aws.ec2", "detail-type": "EC2 Instance Change"}),
        "the event is not about a new object",
    ),
    (lambda: reason({"eventSource": "aws:kinesis"}), "the record is of another service"),
    (lambda: reason({"a": 1}), "the message is of no known kind"),
    (lambda: reason("[]"), "the message is not a JSON object"),
    (lambda: reason({"Body": '{"Records": []}'}), "the message has no records"),
    (lambda: result(eventVersion="2.0"), "the major version is not 1"),
    # Malformed messages.
    (lambda: reason("{"), "the message is not JSON"),
    (
        lambda: reason({"Records": [1]}),
        "the message is neither a JSON object nor a string with JSON",
    ),
    (lambda: reason({"Records": 1}), "Records is not a list"),
    (lambda: reason({"Body": '{"Records": [1]}'}), "the record is not a JSON object"),
    (lambda: result(requestParameters=1), "requestParameters is not a JSON object"),
    (
        lambda: result(requestParameters={"endpointName": 1}),
        "requestParameters.endpointName is not a string",
    ),
    (lambda: result(inferenceId="\ud800"), "inferenceId is not Unicode text"),
    (created, "the record does not name a bucket and a key"),
    # Limits.
    (lambda: result(inferenceId="i" * 4097), "inferenceId is longer than 4,096 characters"),
    (
        lambda: reason({"Body": " " * (2 << 20) + "{}"}),
        "the message is longer than 2,097,152 bytes",
    ),
    (
        lambda: reason({"Records": [0] * 10_001}),
        "Records has more than 10,000 records",
    ),
    (lambda: reason("[" + "0," * 500_000 + "0]"), "the message has more than 500,000 values"),
    (lambda: reason({"a": [0] * 10_000}), "the message has more than 10,000 values"),
    (
        lambda: reason('{"a":' * 33 + "1" + "}" * 33),
        "the message is nested more than 32 levels deep",
    ),
    (lambda: reason(wrapped(5, "{}")), "the message has more than 4 envelopes"),
]
