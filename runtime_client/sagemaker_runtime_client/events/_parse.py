"""`parse`, which removes the envelopes of a message and reads the notifications in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from string import ascii_letters, digits
from typing import Any, TypeAlias, cast

from .._errors import ParamValidationError
from .._limits import EVENT_RECORDS, EVENT_SIZE, NOTIFICATION_ENVELOPES, NOTIFICATION_SIZE
from .._value import type_name
from ._json import Document, UnreadableError, check_extent, load, malformed
from ._readers import Common, read_event_bridge, read_result, read_s3_record
from ._results import Completed, Failed
from ._values import Ignored, ObjectCreated

Event: TypeAlias = Completed | Failed | ObjectCreated | Ignored

# For each kind of notification: the name of a field by which it is recognized, and its reader.
_READERS: dict[str, Callable[[Document, Common], Completed | Failed | ObjectCreated]] = {
    "invocationStatus": read_result,
    "s3": read_s3_record,
    "detail-type": read_event_bridge,
}
_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_NOT_IN_ARNS = frozenset(" *?")
_ID_CHARACTERS = ascii_letters + digits + "-_"
_LONGEST_ID = 100
_LONGEST_ARN = 2048


def parse(
    message: dict[str, Any] | str | bytes,
    *,
    source: str | None = None,
    trusted_sources: Collection[str] = (),
) -> list[Event]:
    """Return the events that a message announces, in the order of its records: at least one per record.

    The content of a message never raises an error: a message that is not a notification becomes an
    `Ignored` event.  This function sends nothing, reads no file and logs nothing.

    Anyone who can write to a queue, topic or bucket can forge a notification.  Therefore the
    response body in a notification is decoded only if the queue, topic or bucket is one of
    *trusted_sources*.  Use the locations in an event only with a client that has
    ``allowed_locations``, or compare them with the locations of a known job.

    Args:
        message: The event that AWS Lambda passed to a function, or one of its records; a response
            of SQS's ``ReceiveMessage``, or one of its messages; an envelope of SNS, or another
            object with the name ``Message``; a notification of SageMaker or S3; or an event of
            EventBridge.  A str, or bytes in UTF-8, must be one of these as JSON.  Pass a dict only
            if it came from Lambda or boto3, because `parse` trusts the ARN in a record of a dict.
            Pass the text of a message as str or bytes instead of parsing it first.
        source: The ARN of the queue or topic from which *message* came, which takes precedence over
            the ARN in a record.  Pass it for messages that were received from SQS, or whose SNS
            signature was verified.
        trusted_sources: The ARNs of queues and topics to which only trusted parties can write.
            Wildcards are not supported.

    Raises:
        ParamValidationError: An argument has a wrong type or is not an ARN.  Its message names the
            argument.
    """
    _check_arguments(message, source, trusted_sources)
    try:
        document = message if isinstance(message, dict) else load(message, EVENT_SIZE)
        records = _split(document)
    except UnreadableError as error:
        return [_ignored(error, _common(0, source, trusted_sources))]
    events: list[Event] = []
    for index, record in enumerate(records):
        content, sender, message_id = _open(record)
        if source is not None or not isinstance(message, dict):
            sender = source
        common = _common(index, sender, trusted_sources, message_id)
        events += _guarded(_read_content, content, common)
    return events


def _check_arguments(message: object, source: object, trusted_sources: object) -> None:
    if not isinstance(message, dict | str | bytes):
        raise ParamValidationError(
            f"message must be a dict, str or bytes, not {type_name(message)}", argument="message"
        )
    if source is not None and _parse_arn(source) is None:
        raise ParamValidationError(
            "source must be an ARN, such as arn:aws:sqs:us-east-1:123456789012:my-queue",
            argument="source",
        )
    is_collection = isinstance(trusted_sources, Collection) and not isinstance(
        trusted_sources, str | bytes | Mapping
    )
    if not is_collection or None in map(_parse_arn, cast("Collection[object]", trusted_sources)):
        raise ParamValidationError(
            "trusted_sources must be a collection of complete ARNs, such as"
            " {'arn:aws:sqs:us-east-1:123456789012:my-queue'}",
            argument="trusted_sources",
        )


def _parse_arn(value: object) -> str | None:
    """Return *value* if it can be an ARN without wildcards, otherwise None."""
    if not isinstance(value, str) or len(value) > _LONGEST_ARN or not value.startswith("arn:"):
        return None
    is_complete = value.isascii() and value.isprintable() and not set(value) & _NOT_IN_ARNS
    return value if is_complete else None


def _parse_id(value: object) -> str | None:
    """Return *value* if it can be the id of a message at AWS, otherwise None."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        return None
    return None if value.strip(_ID_CHARACTERS) else value


def _common(
    record: int,
    source: str | None,
    trusted_sources: Collection[str],
    message_id: str | None = None,
) -> Common:
    """Return the arguments that are the same for all events of a record."""
    return {
        "source": source,
        "trusted": source in trusted_sources,
        "message_id": message_id,
        "record": record,
    }


def _split(document: Document) -> list[object]:
    """Return the records in the message that was passed to `parse`."""
    for name in ("Records", "Messages"):
        if name in document:
            return _check_records(document[name], name)
    # This is a response to ReceiveMessage that contains no messages.
    return [] if "ResponseMetadata" in document else [document]


def _check_records(records: object, name: str) -> list[object]:
    if not isinstance(records, list):
        raise malformed(f"{name} is not a list")
    if len(records) > EVENT_RECORDS:  # pyright: ignore[reportUnknownArgumentType]
        raise malformed(f"{name} has more than {EVENT_RECORDS:,} records")
    return cast("list[object]", records)


def _open(record: object) -> tuple[object, str | None, str | None]:
    """Return a record's content, and the ARN and the message id that AWS added to the record.

    A value that is not a record of SNS, SQS or S3 is its own content.
    """
    if not isinstance(record, dict):
        return None, None, None
    record = cast("Document", record)
    if "Sns" in record:
        envelope = record["Sns"]
        topic, message_id = _get(envelope, "TopicArn"), _get(envelope, "MessageId")
        return envelope, _parse_arn(topic), _parse_id(message_id)
    for body, message_id in (("body", "messageId"), ("Body", "MessageId")):
        if body in record:
            queue = record.get("eventSourceARN")
            return record[body], _parse_arn(queue), _parse_id(record.get(message_id))
    return record, _parse_arn(_get(record, "s3", "bucket", "arn")), None


def _get(value: object, *path: str) -> object:
    for name in path:
        value = cast("Document", value).get(name) if isinstance(value, dict) else None
    return value


def _guarded(
    read: Callable[[object, Common], list[Event]], content: object, common: Common
) -> list[Event]:
    """Return *read*'s events, or one `Ignored` event if *read* raises `UnreadableError`."""
    try:
        return read(content, common)
    except UnreadableError as error:
        return [_ignored(error, common)]


def _ignored(error: UnreadableError, common: Common) -> Ignored:
    return Ignored(error.kind, error.reason, fields=error.fields, **common)


def _read_content(content: object, common: Common) -> list[Event]:
    """Return the events of a record's content, which is a notification, possibly in envelopes."""
    notification = _unwrap(content, common)
    if "Records" not in notification:
        return [_read_notification(notification, common)]
    records = _check_records(notification["Records"], "Records")
    if not records:
        raise UnreadableError("unknown", "the message has no records", notification)
    return [event for record in records for event in _guarded(_read_record, record, common)]


def _unwrap(content: object, common: Common) -> Document:
    """Return the notification that one or more SNS envelopes contain.

    If the record has no message id, the id in the outer envelope becomes the message id.
    """
    for _ in range(NOTIFICATION_ENVELOPES + 1):
        document = _load_content(content)
        if document.get("Type") in _CONFIRMATIONS:
            raise UnreadableError("confirmation", "the message is about a subscription", document)
        if "Message" not in document or not _READERS.keys().isdisjoint(document):
            return document
        common["message_id"] = common["message_id"] or _parse_id(document.get("MessageId"))
        content = document["Message"]
    raise malformed(f"the message has more than {NOTIFICATION_ENVELOPES} envelopes")


def _load_content(content: object) -> Document:
    if isinstance(content, str):
        content = load(content, NOTIFICATION_SIZE)
    if not isinstance(content, dict):
        raise malformed("the message is neither a JSON object nor a string with JSON")
    document = cast("Document", content)
    check_extent(document)
    return document


def _read_record(record: object, common: Common) -> list[Event]:
    """Return the event of a record within a notification."""
    if not isinstance(record, dict):
        raise malformed("the record is not a JSON object")
    return [_read_notification(cast("Document", record), common)]


def _read_notification(document: Document, common: Common) -> Event:
    """Return the event of a notification without envelopes."""
    for name, read in _READERS.items():
        if name in document:
            return read(document, common)
    if document.get("Event") == "s3:TestEvent":
        raise UnreadableError(
            "test", "S3 sends this message when notifications are set up", document
        )
    source = document.get("eventSource", document.get("EventSource"))
    if isinstance(source, str) and source.startswith("aws:"):
        raise UnreadableError("unrelated", "the record is of another service", document)
    raise UnreadableError("unknown", "the message is of no known kind", document)
