"""The base class of all events, and the events that do not announce the result of an inference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from .._value import Value

IgnoredKind: TypeAlias = Literal[
    "test", "confirmation", "unrelated", "unknown", "malformed", "untrusted"
]

EMPTY: Mapping[str, Any] = MappingProxyType({})


class Notification(Value):
    """The base class of all events, whose fields describe where an event came from."""

    __slots__ = ("source", "trusted", "message_id", "record", "fields")
    _hidden = frozenset({"fields"})

    source: str | None
    trusted: bool
    message_id: str | None
    record: int
    fields: Mapping[str, Any]

    def __init__(
        self,
        source: str | None = None,
        trusted: bool = False,
        message_id: str | None = None,
        record: int = 0,
        fields: Mapping[str, Any] = EMPTY,
    ) -> None:
        self.source = source
        self.trusted = trusted
        self.message_id = message_id
        self.record = record
        self.fields = dict(fields)  # a copy, because a read-only view cannot be pickled

    def __hash__(self) -> int:
        """Return a hash of all fields except `fields`, which cannot be hashed."""
        return hash(tuple([getattr(self, name) for name in self.__match_args__[:-1]]))

    @property
    def idempotency_key(self) -> str | None:
        """None, because this event needs no handling, so handling it twice does no harm."""
        return None


class ObjectCreated(Notification):
    """An object was written to S3.

    Each field except `bucket`, `key`, `trusted`, `record` and `fields` is None if the message lacks
    it.

    Attributes:
        bucket: The name of the bucket.
        key: The key of the object, exactly as in the message: S3 percent-encodes it and replaces
            each space with a plus sign, but EventBridge and some emulators do not.
        size: The size of the object in bytes.
        etag: The entity tag, without quotes.
        version_id: The id of the object's version, if the bucket has versioning.
        sequencer: A hexadecimal number, which is greater in the later of two events about one key.
        event_name: The kind of event, such as ``ObjectCreated:Put``.
        event_time: The time at which S3 wrote the object.
        region: The AWS region.
        source: The ARN of the queue, topic or bucket from which the message came, according to AWS
            Lambda or to the argument ``source`` of `parse`; never text within the message.
        trusted: Whether `source` is one of the ``trusted_sources`` of `parse`.
        message_id: The id that SQS or, if SQS did not deliver the message, SNS assigned to it.
        record: The index of the record, from 0, in the message that was passed to `parse`.
        fields: The complete notification about this object as a mapping.  ``repr`` omits it.
    """

    __slots__ = (
        "bucket",
        "key",
        "size",
        "etag",
        "version_id",
        "sequencer",
        "event_name",
        "event_time",
        "region",
    )
    __match_args__ = (
        "bucket",
        "key",
        "size",
        "etag",
        "version_id",
        "sequencer",
        "event_name",
        "event_time",
        "region",
        "source",
        "trusted",
        "message_id",
        "record",
        "fields",
    )

    bucket: str
    key: str
    size: int | None
    etag: str | None
    version_id: str | None
    sequencer: str | None
    event_name: str | None
    event_time: datetime | None
    region: str | None

    def __init__(
        self,
        bucket: str,
        key: str,
        size: int | None = None,
        etag: str | None = None,
        version_id: str | None = None,
        sequencer: str | None = None,
        event_name: str | None = None,
        event_time: datetime | None = None,
        region: str | None = None,
        source: str | None = None,
        trusted: bool = False,
        message_id: str | None = None,
        record: int = 0,
        fields: Mapping[str, Any] = EMPTY,
    ) -> None:
        super().__init__(source, trusted, message_id, record, fields)
        self.bucket = bucket
        self.key = key
        self.size = size
        self.etag = etag
        self.version_id = version_id
        self.sequencer = sequencer
        self.event_name = event_name
        self.event_time = event_time
        self.region = region

    @property
    def locations(self) -> tuple[str, ...]:
        """The distinct locations that `key` may refer to, as ``s3://bucket/key``.

        The message does not state how `key` is encoded, so the locations contain the unchanged key,
        the key with plus signs and percent-encoding decoded, and the key with only percent-encoding
        decoded.
        """
        from urllib.parse import unquote, unquote_plus

        keys = [self.key]
        for decode in (unquote_plus, unquote):
            with suppress(UnicodeDecodeError):
                keys.append(decode(self.key, errors="strict"))
        return tuple(dict.fromkeys(f"s3://{self.bucket}/{key}" for key in keys))

    @property
    def location(self) -> str | None:
        """The location of the object if `key` can refer to only one location, otherwise None."""
        locations = self.locations
        return locations[0] if len(locations) == 1 else None

    def matches(self, location: str | None) -> bool:
        """Return whether *location* is one of `locations`.

        Args:
            location: A location that the caller has stored, as ``s3://bucket/key``; None never
                matches.
        """
        return location in self.locations

    @property
    def idempotency_key(self) -> str | None:
        """A string that is the same whenever this notification is delivered again.

        It has 78 ASCII characters, and is computed from the bucket, the key, the version or entity
        tag, and the sequencer.  It is None if the message contains no version, no entity tag and no
        sequencer.
        """
        parts = (self.version_id or self.etag, self.sequencer)
        return digest("ObjectCreated", self.bucket, self.key, *parts) if any(parts) else None


class Ignored(Notification):
    """A message, or one of its records, that announces neither a result nor a new object.

    Attributes:
        kind: ``"test"``, a test message of S3; ``"confirmation"``, a message of SNS about a
            subscription, whose ``SubscribeURL`` is in `fields`; ``"unrelated"``, a message of AWS
            about something else; ``"unknown"``, JSON of another kind; ``"malformed"``, not JSON,
            too large, or with a wrong type where a type is required; or ``"untrusted"``, which only
            the decorators in `handlers` use, for an event from another source or location than they
            accept.
        reason: Why the message was ignored.  It never quotes the message.
        source: The ARN of the queue, topic or bucket from which the message came, according to AWS
            Lambda or to the argument ``source`` of `parse`; never text within the message.
        trusted: Whether `source` is one of the ``trusted_sources`` of `parse`.
        message_id: The id that SQS or, if SQS did not deliver the message, SNS assigned to it; None
            if it is unknown.  ``repr`` omits it.
        record: The index of the record, from 0, in the message that was passed to `parse`.
        fields: The message as a mapping; empty if it is malformed.  ``repr`` omits it.
    """

    __slots__ = ("kind", "reason")
    __match_args__ = (
        "kind",
        "reason",
        "source",
        "trusted",
        "message_id",
        "record",
        "fields",
    )
    _hidden = frozenset({"message_id", "fields"})  # both may be text from an unknown sender

    kind: IgnoredKind
    reason: str

    def __init__(
        self,
        kind: IgnoredKind,
        reason: str,
        source: str | None = None,
        trusted: bool = False,
        message_id: str | None = None,
        record: int = 0,
        fields: Mapping[str, Any] = EMPTY,
    ) -> None:
        super().__init__(source, trusted, message_id, record, fields)
        self.kind = kind
        self.reason = reason


def digest(*parts: str | None) -> str:
    """Return a short ASCII string that depends on an event's kind and identifying texts."""
    from hashlib import sha256

    return f"{parts[0]}-{sha256(json.dumps(parts).encode()).hexdigest()}"
