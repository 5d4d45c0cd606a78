"""Events in the forms in which AWS Lambda passes them, and a context with a simulated clock."""

import json

QUEUE = "arn:aws:sqs:eu-west-1:111122223333:results"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:results"
OUTPUT = "s3://my-bucket/outputs/0001.out"


def completed(number=1, **changes):
    """Return a SageMaker notification that the job with this number has been completed."""
    return {
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-29T10:00:01.5Z",
        "receivedTime": "2026-11-29T10:00:00.25Z",
        "invocationStatus": "Completed",
        "requestParameters": {"endpointName": "my-endpoint"},
        "responseParameters": {"contentType": "text/csv", "outputLocation": OUTPUT},
        "inferenceId": f"job-{number}",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
        **changes,
    }


def failed(number=1, **changes):
    """Return a SageMaker notification that the job with this number has failed."""
    notification = completed(number, invocationStatus="Failed", failureReason="no", **changes)
    del notification["responseParameters"]
    return notification


def as_text(message):
    """Return a message as JSON text; a str is returned unchanged."""
    return message if isinstance(message, str) else json.dumps(message)


def sqs_event(*messages, queue=QUEUE, received=1):
    """Return the event that Lambda passes for SQS messages, which have the IDs m0, m1 and so on."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "handle",
                "body": as_text(message),
                "attributes": {"ApproximateReceiveCount": str(received)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": queue,
                "awsRegion": "eu-west-1",
            }
            for number, message in enumerate(messages)
        ]
    }


def sns_event(*messages, topic=TOPIC):
    """Return the event that Lambda passes for SNS messages."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": f"{topic}:1",
                "Sns": {
                    "Type": "Notification",
                    "MessageId": f"m{number}",
                    "TopicArn": topic,
                    "Subject": None,
                    "Message": as_text(message),
                    "Timestamp": "2026-11-29T10:00:02.000Z",
                },
            }
            for number, message in enumerate(messages)
        ]
    }


def s3_event(*keys, name="ObjectCreated:Put"):
    """Return the event that Lambda passes for new objects with these keys."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-west-1",
                "eventTime": "2026-11-29T10:00:02.000Z",
                "eventName": name,
                "s3": {
                    "bucket": {"name": "my-bucket", "arn": "arn:aws:s3:::my-bucket"},
                    "object": {"key": key, "size": 3, "eTag": "e", "sequencer": "00"},
                },
            }
            for key in keys
        ]
    }


class Context:
    """A Lambda context; each call that reads the remaining time reduces it by *step* seconds."""

    def __init__(self, seconds=60.0, step=0.0):
        self.seconds, self.step = seconds, step

    def get_remaining_time_in_millis(self):
        """Return how many milliseconds are left."""
        self.seconds -= self.step
        return int(self.seconds * 1000)


def failed_ids(response):
    """Return the message IDs in a partial batch response."""
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]
