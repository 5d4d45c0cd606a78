"""Connects a function to the notifications for which it is to be called."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from .._messaging.broker import Broker
from .._messaging.drafts import Draft
from .._messaging.envelopes import Publication
from .._reply import RejectedRequestError
from .announcer import Announcer
from .configuration import Notifications
from .functions import Functions, Handler, import_handler
from .sources import EVENT_QUEUE, EventSource, QueueSource

NotifyBy = Literal["s3", "sns", "sqs"]
NOTIFY_BY = ("s3", "sns", "sqs")
FUNCTION_QUEUE = "sagemaker-emulator-function"
_TIMEOUT = 30.0  # the maximum time of a call, and the default of the queue's VisibilityTimeout
# The maximum VisibilityTimeout.  An event stays invisible until its call ends; if the call fails, a
# shorter pause is set.
_VISIBILITY = "43200"
_DEFAULT = Notifications(
    success_topic="sagemaker-emulator-success", error_topic="sagemaker-emulator-error"
)


def default_notifications(*, has_function: bool) -> Notifications:
    """Return the default configuration, which announces results only to a function."""
    return _DEFAULT if has_function else Notifications()


def connect(function: Handler | str | None, by: NotifyBy, announcer: Announcer) -> Functions:
    """Return the function, connected to the notifications for which it is called.

    Args:
        function: The function, or ``"module:function"``; None for none.
        by: The service whose events are passed to the function.
        announcer: Sends the notifications.

    Raises:
        ValueError: *by* is unknown, no notification that it would deliver is configured, or the
            function is invalid.
        ImportError: The module does not exist.
        AttributeError: The module has no such function.
    """
    functions = Functions()
    if by not in NOTIFY_BY:
        raise ValueError(f"notify_by must be one of {', '.join(NOTIFY_BY)}, not {by!r}")
    if function is not None:
        _CONNECT[by](functions, import_handler(function), announcer)
    return functions


def _by_sqs(functions: Functions, handler: Handler, announcer: Announcer) -> None:
    """Call the function for the messages in a queue that is subscribed to all topics."""
    broker, notifications = announcer.topics.broker, announcer.notifications
    _check(bool(notifications.topics or notifications.object_queue), "topic or object_queue", "sqs")
    if notifications.topics:
        broker.create(FUNCTION_QUEUE, {})
        functions.add(handler, QueueSource(broker, FUNCTION_QUEUE), _TIMEOUT)
    for name in notifications.topics:
        announcer.topics.subscribe(announcer.topics.arn(name), broker.arn(FUNCTION_QUEUE), {})
    if notifications.object_queue is not None:
        functions.add(handler, QueueSource(broker, notifications.object_queue), _TIMEOUT)


def _by_sns(functions: Functions, handler: Handler, announcer: Announcer) -> None:
    """Call the function for each message that is published to one of the topics."""
    _check(bool(announcer.notifications.topics), "topic", "sns")
    send = _event_queue(functions, handler, announcer)

    def deliver(subscription_arn: str, publication: Publication) -> None:
        send({"Records": [publication.lambda_record(subscription_arn)]})

    for name in announcer.notifications.topics:
        announcer.topics.call_on_publish(name, deliver)


def _by_s3(functions: Functions, handler: Handler, announcer: Announcer) -> None:
    """Call the function for the event notifications of S3."""
    announcer.on_object.append(_event_queue(functions, handler, announcer))


_CONNECT: dict[str, Callable[[Functions, Handler, Announcer], None]] = {
    "s3": _by_s3,
    "sns": _by_sns,
    "sqs": _by_sqs,
}


def _event_queue(
    functions: Functions, handler: Handler, announcer: Announcer
) -> Callable[[Any], None]:
    """Return a function that adds an event to Lambda's internal queue, which SQS does not list."""
    shown = announcer.topics.broker
    hidden = Broker(shown.region, shown.clock, shown.faults)
    hidden.create(EVENT_QUEUE, {"VisibilityTimeout": _VISIBILITY})
    functions.add(handler, EventSource(hidden), _TIMEOUT)

    def send(event: Any) -> None:
        with suppress(RejectedRequestError):  # raised if the queue is full
            hidden.send(EVENT_QUEUE, Draft(body=json.dumps(event, ensure_ascii=False)))

    return send


def _check(is_configured: bool, what: str, by: str) -> None:
    if not is_configured:
        raise ValueError(f"notify_by={by!r} requires a {what} in notifications")
