"""Converts one notification, without its envelopes, to events.

Sources: SageMaker's messages in public repositories, because AWS does not document their fields;
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html; and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html for EventBridge.
"""

from __future__ import annotations

from binascii import a2b_base64
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .._errors import ParamValidationError
from .._limits import NOTIFICATION_TEXT
from ._json import (
    Document,
    UnreadableError,
    encode,
    get_object,
    get_text,
    malformed,
    parse_size,
    parse_time,
)
from ._results import Completed, Failed
from ._values import ObjectCreated

if TYPE_CHECKING:
    from .._s3.objects import S3Location

# The arguments that all events have in common, except `fields`.
Common: TypeAlias = dict[str, Any]

_RESULT_TEXTS = {
    "inference_id": ("inferenceId",),
    "endpoint_name": ("requestParameters", "endpointName"),
    "inference_router_name": ("requestParameters", "inferenceRouterName"),
    "input_location": ("requestParameters", "inputLocation"),
    "output_location": ("responseParameters", "outputLocation"),
    "content_type": ("responseParameters", "contentType"),
    "accept": ("requestParameters", "accept"),
    "custom_attributes": ("requestParameters", "customAttributes"),
    "region": ("awsRegion",),
}


def read_result(document: Document, common: Common) -> Completed | Failed:
    """Return the `Completed` or `Failed` event that a SageMaker notification announces."""
    status = get_text(document, "invocationStatus")
    if document.get("eventSource", "aws:sagemaker") != "aws:sagemaker" or status not in (
        "Completed",
        "Failed",
    ):
        raise UnreadableError(
            "unrelated", "the message is not the result of an inference", document
        )
    _check_version(document, "1")
    texts = {name: get_text(document, *path) for name, path in _RESULT_TEXTS.items()}
    values: Common = {
        **texts,
        "received_time": parse_time(document.get("receivedTime")),
        "event_time": parse_time(document.get("eventTime")),
        "body": _read_body(document, status) if common["trusted"] else None,
        "fields": document,
        **common,
    }
    if status == "Completed":
        return Completed(**values)
    return Failed(
        reason=_read_reason(document),
        failure_location=get_text(document, "failureLocation")
        or get_text(document, "responseParameters", "failureLocation"),
        **values,
    )


def _read_body(document: Document, status: str) -> bytes | None:
    """Return the model's response, or None if the message does not contain all of it.

    AWS does not encode the response of a failed inference.  In a message about a successful
    inference, some senders replace a response that is too long with an unencoded note, which is
    ignored.
    """
    found = get_object(document, "responseBody")
    content, encoding = found.get("content"), found.get("encoding")
    if not isinstance(content, str):
        return None
    if encoding is None and status == "Failed":
        return encode(content)
    if encoding != "BASE64":
        return None
    try:
        return a2b_base64(content, strict_mode=True)
    except ValueError:
        return None


def _read_reason(document: Document) -> str | None:
    """Return the beginning of the failure's reason, or None if there is no usable reason."""
    reason = document.get("failureReason")
    if not isinstance(reason, str) or encode(reason) is None:
        return None
    return reason[:NOTIFICATION_TEXT] or None


class _ObjectNames(NamedTuple):
    """The names that one kind of message uses for the properties of an S3 object."""

    parent: str
    etag: str
    version_id: str
    event_name: str
    event_time: str
    region: str


_S3 = _ObjectNames("s3", "eTag", "versionId", "eventName", "eventTime", "awsRegion")
_EVENT_BRIDGE = _ObjectNames("detail", "etag", "version-id", "detail-type", "time", "region")


def read_s3_record(document: Document, common: Common) -> ObjectCreated:
    """Return the event for the object that a record of an S3 notification announces."""
    name = get_text(document, "eventName") or ""
    if document.get("eventSource") != "aws:s3" or not name.startswith("ObjectCreated:"):
        raise UnreadableError("unrelated", "the record is not about a new object", document)
    _check_version(document, "2")
    return _read_object(document, _S3, common)


def read_event_bridge(document: Document, common: Common) -> ObjectCreated:
    """Return the event for the object that an EventBridge event announces."""
    if (document.get("source"), document.get("detail-type")) != ("aws.s3", "Object Created"):
        raise UnreadableError("unrelated", "the event is not about a new object", document)
    return _read_object(document, _EVENT_BRIDGE, common)


def _read_object(document: Document, names: _ObjectNames, common: Common) -> ObjectCreated:
    described = get_object(get_object(document, names.parent), "object")
    bucket = get_text(document, names.parent, "bucket", "name") or ""
    location = _parse_location(bucket, get_text(described, "key") or "")
    return ObjectCreated(
        bucket=location.bucket,
        key=location.key,
        size=parse_size(described.get("size")),
        etag=get_text(described, names.etag),
        version_id=get_text(described, names.version_id),
        sequencer=get_text(described, "sequencer"),
        event_name=get_text(document, names.event_name),
        event_time=parse_time(document.get(names.event_time)),
        region=get_text(document, names.region),
        fields=document,
        **common,
    )


def _parse_location(bucket: str, key: str) -> S3Location:
    from .._s3.objects import S3Location

    with suppress(ParamValidationError):
        location = S3Location.parse(f"s3://{bucket}/{key}")
        if location.bucket == bucket:
            return location
    raise malformed("the record does not name a bucket and a key")


def _check_version(document: Document, major: str) -> None:
    """Check the major version; a missing version is accepted, because emulators omit it."""
    version = get_text(document, "eventVersion") or major
    if version.partition(".")[0] != major:
        raise UnreadableError("unknown", f"the major version is not {major}", document)
