"""`Completed` and `Failed`, the events by which SageMaker announces that an inference has ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .._inference.invocation import Invocation
from ._values import EMPTY, Notification, digest


class _InferenceResult(Notification):
    """The base class of `Completed` and `Failed`; `Completed` describes the attributes."""

    __slots__ = (
        "inference_id",
        "endpoint_name",
        "inference_router_name",
        "input_location",
        "output_location",
        "content_type",
        "accept",
        "custom_attributes",
        "received_time",
        "event_time",
        "region",
        "body",
    )
    # The location of an input may be a presigned URL, whose query is a secret.
    _hidden = frozenset({"input_location", "custom_attributes", "body", "fields"})

    inference_id: str | None
    endpoint_name: str | None
    inference_router_name: str | None
    input_location: str | None
    output_location: str | None
    content_type: str | None
    accept: str | None
    custom_attributes: str | None
    received_time: datetime | None
    event_time: datetime | None
    region: str | None
    body: bytes | None

    def __init__(
        self,
        inference_id: str | None = None,
        endpoint_name: str | None = None,
        inference_router_name: str | None = None,
        input_location: str | None = None,
        output_location: str | None = None,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        received_time: datetime | None = None,
        event_time: datetime | None = None,
        region: str | None = None,
        body: bytes | None = None,
        source: str | None = None,
        trusted: bool = False,
        message_id: str | None = None,
        record: int = 0,
        fields: Mapping[str, Any] = EMPTY,
    ) -> None:
        super().__init__(source, trusted, message_id, record, fields)
        self.inference_id = inference_id
        self.endpoint_name = endpoint_name
        self.inference_router_name = inference_router_name
        self.input_location = input_location
        self.output_location = output_location
        self.content_type = content_type
        self.accept = accept
        self.custom_attributes = custom_attributes
        self.received_time = received_time
        self.event_time = event_time
        self.region = region
        self.body = body

    @property
    def invocation(self) -> Invocation:
        """A handle of the job, built from the fields of the event.

        Its `date` is the time at which the service received the job.  The handle is as trustworthy
        as the event: pass it only to a client with ``allowed_locations``.
        """
        return Invocation(
            inference_id=self.inference_id,
            output_location=self.output_location,
            failure_location=getattr(self, "failure_location", None),
            endpoint_name=self.endpoint_name,
            date=self.received_time,
            inference_router_name=self.inference_router_name,
        )

    @property
    def idempotency_key(self) -> str | None:
        """A string that is the same each time this notification is delivered.

        It has at most 74 ASCII characters, and is computed from the status, the name of the
        endpoint or inference router, and the inference id.  It is None if one of them is missing.
        Names of endpoints are unique only within an account and a region, so store the keys of
        different accounts or regions separately.
        """
        name = self.inference_router_name or self.endpoint_name
        if name is None or self.inference_id is None:
            return None
        return digest(type(self).__name__, name, self.inference_id)


class Completed(_InferenceResult):
    """An inference is complete, and its output is in S3.

    Each field except `trusted`, `record` and `fields` is None if the message lacks it.  The
    locations are those in the message, and were not checked.

    Attributes:
        inference_id: The id of the job.
        endpoint_name: The name of the endpoint.
        inference_router_name: The name of the inference router that accepted the job.
        input_location: The location of the input.  ``repr`` omits it.
        output_location: The location of the output.
        content_type: The media type of the output.
        accept: The media type that the job requested.
        custom_attributes: The custom attributes of the job.  ``repr`` omits them.
        received_time: The time at which the service received the job.
        event_time: The time of the notification.
        region: The AWS region.
        body: The output, if the notification contains it and is trusted.  ``repr`` omits it.
        source: The ARN of the queue, topic or bucket from which the message came, according to AWS
            Lambda or to the argument ``source`` of `parse`; never text within the message.
        trusted: Whether `source` is one of the ``trusted_sources`` of `parse`.
        message_id: The id that SQS or, if SQS did not deliver the message, SNS assigned to it.
        record: The index of the record, from 0, in the message that was passed to `parse`.
        fields: The complete notification as a mapping.  ``repr`` omits it.
    """

    __slots__ = ()
    __match_args__ = (
        "inference_id",
        "endpoint_name",
        "inference_router_name",
        "input_location",
        "output_location",
        "content_type",
        "accept",
        "custom_attributes",
        "received_time",
        "event_time",
        "region",
        "body",
        "source",
        "trusted",
        "message_id",
        "record",
        "fields",
    )


class Failed(_InferenceResult):
    """An inference failed.

    Each field except `trusted`, `record` and `fields` is None if the message lacks it.  The
    locations are those in the message, and were not checked.

    Attributes:
        inference_id: The id of the job.
        endpoint_name: The name of the endpoint.
        inference_router_name: The name of the inference router that accepted the job.
        input_location: The location of the input.  ``repr`` omits it.
        output_location: The location of the output; AWS does not send it for a failed inference.
        content_type: The media type of `body`.
        accept: The media type that the job requested.
        custom_attributes: The custom attributes of the job.  ``repr`` omits them.
        received_time: The time at which the service received the job.
        event_time: The time of the notification.
        region: The AWS region.
        body: The response of the model, if the notification contains it and is trusted.  ``repr``
            omits it.
        reason: Why the inference failed, such as ``ClientError: Received client error (400) from
            model``.
        failure_location: The location of the failure object; AWS does not send it.
        source: The ARN of the queue, topic or bucket from which the message came, according to AWS
            Lambda or to the argument ``source`` of `parse`; never text within the message.
        trusted: Whether `source` is one of the ``trusted_sources`` of `parse`.
        message_id: The id that SQS or, if SQS did not deliver the message, SNS assigned to it.
        record: The index of the record, from 0, in the message that was passed to `parse`.
        fields: The complete notification as a mapping.  ``repr`` omits it.
    """

    __slots__ = ("reason", "failure_location")
    __match_args__ = (
        "inference_id",
        "endpoint_name",
        "inference_router_name",
        "input_location",
        "output_location",
        "content_type",
        "accept",
        "custom_attributes",
        "received_time",
        "event_time",
        "region",
        "body",
        "reason",
        "failure_location",
        "source",
        "trusted",
        "message_id",
        "record",
        "fields",
    )

    reason: str | None
    failure_location: str | None

    def __init__(
        self,
        inference_id: str | None = None,
        endpoint_name: str | None = None,
        inference_router_name: str | None = None,
        input_location: str | None = None,
        output_location: str | None = None,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        received_time: datetime | None = None,
        event_time: datetime | None = None,
        region: str | None = None,
        body: bytes | None = None,
        reason: str | None = None,
        failure_location: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(
            inference_id,
            endpoint_name,
            inference_router_name,
            input_location,
            output_location,
            content_type,
            accept,
            custom_attributes,
            received_time,
            event_time,
            region,
            body,
            **common,
        )
        self.reason = reason
        self.failure_location = failure_location
