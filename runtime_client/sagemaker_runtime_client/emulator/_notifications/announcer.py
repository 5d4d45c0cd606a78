"""Sends the notifications of SageMaker and S3 to topics and queues."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field

from .._messaging.drafts import Draft
from .._messaging.topics import Topics
from .._queue.outcomes import Outcome
from .._reply import RejectedRequestError
from .._s3.stored import StoredObject
from .configuration import Notifications
from .object_events import ObjectEvents
from .results import result_message


@define(eq=False)
class Announcer:
    """Sends notifications about inferences and objects.

    As in production, a notification is lost if its topic or queue was deleted.

    Attributes:
        notifications: Which notifications are sent.
        topics: The topics and the queues, which must include those that *notifications* mentions.
        paths: The output path and the failure path of the endpoints, where S3 announces objects by
            default.
        on_object: Functions that are called with each event notification of S3.
    """

    notifications: Notifications
    topics: Topics
    paths: Sequence[str]
    on_object: list[Callable[[Mapping[str, Any]], object]] = field(
        factory=list[Callable[[Mapping[str, Any]], object]], init=False
    )
    _events: ObjectEvents = field(init=False)

    def __attrs_post_init__(self) -> None:
        broker = self.topics.broker
        self._events = ObjectEvents(broker.region, self.notifications.raw_keys)
        for name in self.notifications.topics:
            self.topics.create(name, {})
        if self.notifications.object_queue is not None:
            broker.create(self.notifications.object_queue, {})

    def announce_result(self, outcome: Outcome) -> None:
        """Announce the outcome of an inference, if a topic for such outcomes is configured."""
        names = {
            (False, False): self.notifications.success_topic,
            (False, True): self.notifications.error_topic,
            (True, False): self.notifications.router_success_topic,
            (True, True): self.notifications.router_error_topic,
        }
        message = result_message(
            outcome,
            region=self.topics.broker.region,
            at=self.topics.broker.clock.now(),
            responses=self.notifications.include_inference_response_in,
        )
        self._publish(names[outcome.is_of_router, outcome.failure is not None], message)

    def announce_object(self, bucket: str, key: str, stored: StoredObject) -> None:
        """Announce a new object, if its location is one that S3 announces."""
        locations = self.notifications.objects
        if locations is None:
            locations = [f"{path}/" for path in self.paths]
        if not f"s3://{bucket}/{key}".startswith(tuple(locations)):
            return
        event = self._events.created(bucket, key, stored, self.topics.broker.clock.now())
        self._publish(self.notifications.object_topic, event, "Amazon S3 Notification")
        broker, queue = self.topics.broker, self.notifications.object_queue
        if queue is not None:
            with suppress(RejectedRequestError):
                broker.send(queue, Draft(body=json.dumps(event)), broker.copies("SendMessage"))
        for call in self.on_object:
            call(event)

    def _publish(
        self, name: str | None, message: Mapping[str, Any], subject: str | None = None
    ) -> None:
        """Publish a message to a topic; do nothing if *name* is None or the topic was deleted."""
        if name is not None:
            with suppress(RejectedRequestError):
                self.topics.publish(self.topics.arn(name), json.dumps(message), subject=subject)
