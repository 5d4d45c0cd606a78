"""`Message` and `Job`, which functions with the decorator `sqs_submitter` accept and return."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, cast

from .._errors import ParamValidationError
from .._value import Value

if TYPE_CHECKING:
    from .._inference.invoke_endpoint_async import InvokeOptions
    from ._batch import Record


class Message(Value):
    """A message in an SQS queue, for which a job is submitted.

    Attributes:
        body: The text of the message.  ``repr`` omits it.
        message_id: The id of the message.
        queue_arn: The ARN of the queue.
        receive_count: How many times the message was delivered, including this time.
        attributes: The message attributes that the sender has set, in the form in which Lambda
            passes them: a mapping from names to mappings.  ``repr`` omits them.
    """

    __slots__ = __match_args__ = (
        "body",
        "message_id",
        "queue_arn",
        "receive_count",
        "attributes",
    )
    _hidden = frozenset({"body", "attributes"})

    body: str
    message_id: str
    queue_arn: str
    receive_count: int
    attributes: Mapping[str, object]

    def __init__(
        self,
        body: str,
        message_id: str = "",
        queue_arn: str = "",
        receive_count: int = 1,
        attributes: Mapping[str, object] | None = None,
    ) -> None:
        self.body = body
        self.message_id = message_id
        self.queue_arn = queue_arn
        self.receive_count = receive_count
        self.attributes = attributes or {}

    def __hash__(self) -> int:
        """Return a hash of all fields except the attributes, which cannot be hashed."""
        return hash((self.body, self.message_id, self.queue_arn, self.receive_count))

    @classmethod
    def from_record(cls, record: Record) -> Message:
        """Return the message in a record of a Lambda event from SQS."""
        attributes = cast("Mapping[str, object]", record.get("attributes") or {})
        return cls(
            str(record["body"]),
            str(record["messageId"]),
            str(record["eventSourceARN"]),
            int(str(attributes.get("ApproximateReceiveCount", 1))),
            cast("Mapping[str, object]", record.get("messageAttributes")),
        )

    @property
    def job_name(self) -> str:
        """The inference id of the message's job, which is also the file name of the job's output.

        It consists of 32 hexadecimal digits that are computed from the ARN of the queue and the id
        of the message, so that it is the same for each delivery of the message.
        """
        return sha256(dumps([self.queue_arn, self.message_id]).encode()).hexdigest()[:32]


class Job(Value):
    """The input and the options of one job.

    Attributes:
        payload: The input, of any size.  Exactly one of *payload* and *input_location* is required.
            ``repr`` omits it.
        input_location: The location of an input that is already in S3, as ``s3://bucket/key``.
        content_type: The media type of the input.
        accept: The requested media type of the output.
        custom_attributes: Text that is passed to the model.  ``repr`` omits it.
        s3_output_path_extension: A path that is appended to the endpoint's output path.
        request_ttl_seconds: How long the job may wait in the queue, 60 to 21600 seconds.
        invocation_timeout_seconds: How long the model may work on the job, 1 to 3600 seconds.
    """

    __slots__ = __match_args__ = (
        "payload",
        "input_location",
        "content_type",
        "accept",
        "custom_attributes",
        "s3_output_path_extension",
        "request_ttl_seconds",
        "invocation_timeout_seconds",
    )
    _hidden = frozenset({"payload", "custom_attributes"})

    payload: bytes | bytearray | memoryview | None
    input_location: str | None

    def __init__(
        self,
        payload: bytes | bytearray | memoryview | None = None,
        input_location: str | None = None,
        content_type: str | None = None,
        accept: str | None = None,
        custom_attributes: str | None = None,
        s3_output_path_extension: str | None = None,
        request_ttl_seconds: int | None = None,
        invocation_timeout_seconds: int | None = None,
    ) -> None:
        if (payload is None) == (input_location is None):
            raise ParamValidationError("pass either payload or input_location", argument="payload")
        self.payload = payload
        self.input_location = input_location
        self.content_type = content_type
        self.accept = accept
        self.custom_attributes = custom_attributes
        self.s3_output_path_extension = s3_output_path_extension
        self.request_ttl_seconds = request_ttl_seconds
        self.invocation_timeout_seconds = invocation_timeout_seconds

    @property
    def options(self) -> InvokeOptions:
        """The options that are not None, keyed by the argument names of `invoke_endpoint_async`."""
        found = {name: getattr(self, name) for name in self.__match_args__[2:]}
        return cast("InvokeOptions", {name: x for name, x in found.items() if x is not None})
