"""Messages of the emulated SNS."""

import asyncio
from threading import Event
from unittest.mock import patch
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from sagemaker_runtime_client.emulator import Emulator, Notifications
from sagemaker_runtime_client.emulator._messaging import topics
from sagemaker_runtime_client.emulator._notifications import connecting
from tests.emulator.wire import INVOCATION, call

COVERED = ()

TOPIC = "arn:aws:sns:us-east-1:000000000000:topic"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"


def error(action, *others, **arguments):
    """Send requests to a new emulator, and return the message of the last response, which is an
    error.
    """
    with Emulator() as emulator:
        requests = [{"Action": "CreateTopic", "Name": "topic"}, *others]
        for request in [*requests, {"Action": action, "TopicArn": TOPIC, **arguments}]:
            body = urlencode(request).encode()
            response = call(emulator, "POST", "/", (), body, service="sns")
        return ET.fromstring(response.body).findtext(".//{*}Message")


def subscription(raw="false", endpoint=QUEUE):
    """Return the parameters of a Subscribe request."""
    return {
        "TopicArn": TOPIC,
        "Protocol": "sqs",
        "Endpoint": endpoint,
        "Attributes.entry.1.key": "RawMessageDelivery",
        "Attributes.entry.1.value": raw,
    }


def limited(name, make):
    """Return the result of *make* while a limit of the emulator is 1."""
    with patch.object(topics, name, 1):
        return make()


def fail(_event, _context):
    """Raise an error, as a user's function may do."""
    raise ValueError


def notify(function, timeout=30.0, wait=10.0):
    """Queue a job whose notification is passed to *function*, and wait until the emulator is idle."""
    with (
        patch.object(connecting, "_TIMEOUT", timeout),
        Emulator(notify=function) as emulator,
    ):
        call(emulator, "POST", INVOCATION, (), b"in")
        emulator._queue.wait_idle(10)
        emulator.wait_idle(wait)


SUBSCRIBE = {"Action": "Subscribe", **subscription()}

MESSAGES = [
    (
        lambda: error("OptInPhoneNumber"),
        "The emulator does not support this operation.",
    ),
    (lambda: error("GetTopicAttributes", TopicArn="a"), "Topic does not exist"),
    (
        lambda: error("GetSubscriptionAttributes", SubscriptionArn="a"),
        "Subscription does not exist",
    ),
    (lambda: error("CreateTopic", Name="a b"), "Invalid parameter: Topic Name"),
    (
        lambda: limited("MOST_TOPICS", lambda: error("CreateTopic", Name="other")),
        "The emulator keeps at most 1 topics.",
    ),
    (
        lambda: limited(
            "MOST_SUBSCRIPTIONS",
            lambda: error("Subscribe", SUBSCRIBE, **subscription(endpoint=f"{QUEUE}2")),
        ),
        "The emulator keeps at most 1 subscriptions.",
    ),
    (
        lambda: error("Subscribe", **{**subscription(), "Protocol": "http"}),
        "Invalid parameter: Protocol Reason: the emulator supports only sqs",
    ),
    (
        lambda: error("Subscribe", **subscription(endpoint="a")),
        "Invalid parameter: Endpoint Reason: it must be the ARN of a standard queue",
    ),
    (
        lambda: error("Subscribe", SUBSCRIBE, **subscription("true")),
        """
        Invalid parameter: Attributes Reason: Subscription already exists with different attributes
        """,
    ),
    (
        lambda: error("Subscribe", **subscription("yes")),
        "Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value",
    ),
    (
        lambda: error("SetTopicAttributes", AttributeName="FifoTopic", AttributeValue="true"),
        "Invalid parameter: Attributes Reason: the emulator does not support FifoTopic",
    ),
    (
        lambda: error("Publish", Message="m", Subject="two\nlines"),
        "Invalid parameter: Subject",
    ),
    (lambda: error("Publish", Message="m" * 262_145), "Invalid parameter: Message too long"),
    (
        lambda: error("Publish", Message="[]", MessageStructure="json"),
        "Invalid parameter: Message Structure - No default entry in JSON message body",
    ),
    # The configuration of notifications.
    (
        lambda: Notifications(success_topic="a b"),
        """
        success_topic must be a name of 1 to 80 letters, digits, hyphens and underscores, not 'a b'
        """,
    ),
    (
        lambda: Notifications(include_inference_response_in=["BOTH"]),
        """
        include_inference_response_in must contain only SUCCESS_NOTIFICATION_TOPIC and
        ERROR_NOTIFICATION_TOPIC, not ['BOTH']
        """,
    ),
    (
        lambda: Notifications(objects="s3://bucket"),
        "objects must be a list of s3:// locations, not 's3://bucket'",
    ),
    # The function that is called for notifications.
    (
        lambda: Emulator(notify="handler"),
        "notify must be a function or 'module:function', not 'handler'",
    ),
    (lambda: Emulator(notify="json:__doc__"), "notify must be callable, not str"),
    (
        lambda: Emulator(notify=asyncio.sleep),
        f"notify must not be a coroutine function: {asyncio.sleep!r}",
    ),
    (lambda: Emulator(notify_by="http"), "notify_by must be one of s3, sns, sqs, not 'http'"),
    (
        lambda: Emulator(notify=print, notifications=Notifications()),
        "notify_by='sns' requires a topic in notifications",
    ),
    (lambda: notify(fail), "the function failed"),
    (lambda: notify(lambda *_: Event().wait(0.2), timeout=0), "the function timed out after 0 s"),
    (
        lambda: notify(lambda *_: Event().wait(0.2), wait=0),
        "calls of notify are still due or running after 0 s",
    ),
]
