"""Properties that `parse` must have for all messages.

``test_event_properties.py`` checks each property with 300 examples, and ``tests/fuzz`` checks it
with many more.  `PROPERTIES` maps each check to the strategy for its argument.
"""

import copy
import json
import pickle
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import reduce
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from sagemaker_runtime_client.events import (
    Event,
    Failed,
    Ignored,
    ObjectCreated,
    parse,
)
from tests.messages.of_events import COVERED
from tests.messages.templates import templates
from tests.runtime_client.events.cases import cases

QUEUE = "arn:aws:sqs:us-east-1:123456789012:results"
TOPIC = "arn:aws:sns:us-east-1:123456789012:results"
SENDERS = "arn:aws:sqs:us-east-1:123456789012:of-the-sender"
CONTENT = "text-of-the-sender"
REASONS = [template.pattern for template in templates(COVERED[0])]


class Delivered(NamedTuple):
    """A notification, the envelopes around it, and whether its source is trusted."""

    notification: dict[str, Any]
    envelopes: Sequence[str]
    delivery: str
    trusted: bool

    def message(self) -> dict[str, Any]:
        """Return the message that contains the notification and its envelopes."""
        text = reduce(_wrap, self.envelopes, json.dumps(self.notification))
        return DELIVERIES[self.delivery](text)

    def parse(self) -> list[Event]:
        """Parse the message; if the notification is trusted, the queue and the topic are trusted
        sources.
        """
        return parse(self.message(), trusted_sources=[QUEUE, TOPIC] if self.trusted else [SENDERS])


class Mutated(NamedTuple):
    """A message, and the changes to make to it; each is a path of numbers and a new value."""

    message: Any
    changes: Sequence[tuple[Sequence[int], Any]]

    def altered(self) -> Any:
        """Return a copy of the message in which all changes have been made."""
        message = copy.deepcopy(self.message)
        for path, value in self.changes:
            _replace(message, path, copy.deepcopy(value))
        return message


def _wrap(text: str, envelope: str) -> str:
    found = {"Message": text, "TopicArn": SENDERS, "eventSourceARN": SENDERS}
    return json.dumps({"Type": "Notification", **found} if envelope == "SNS" else found)


def _record(text: str) -> dict[str, Any]:
    return {"eventSource": "aws:sqs", "eventSourceARN": QUEUE, "messageId": "1", "body": text}


def _topic(text: str) -> dict[str, Any]:
    envelope = {"Type": "Notification", "TopicArn": TOPIC, "MessageId": "1", "Message": text}
    return {"EventSource": "aws:sns", "Sns": envelope}


DELIVERIES = {
    "SQS": lambda text: {"Records": [_record(text)]},
    "a record of SQS": _record,
    "SNS": lambda text: {"Records": [_topic(text)]},
    "a record of SNS": _topic,
}


def _replace(message: Any, path: Sequence[int], value: Any) -> None:
    """Replace the value at a path of numbers.

    Each number selects a child of a dict or a list; if a string on the path contains JSON, it is
    parsed, changed and serialized again.
    """
    if not isinstance(message, dict | list) or not message:
        return
    names = list(message) if isinstance(message, dict) else list(range(len(message)))
    name = names[path[0] % len(names)]
    if len(path) == 1:
        message[name] = value
        return
    child = message[name]
    if isinstance(child, str):
        with suppress(ValueError, RecursionError):
            child = json.loads(child)
            _replace(child, path[1:], value)
            message[name] = json.dumps(child)
    else:
        _replace(child, path[1:], value)


def results_are_read(delivered: Delivered) -> None:
    """`parse` returns the values of a notification unchanged for any envelopes and any delivery."""
    (event,) = delivered.parse()
    found = delivered.notification
    request, response = found["requestParameters"], found.get("responseParameters", {})
    body = found.get("responseBody", {}).get("content")
    expected = {
        "inference_id": found["inferenceId"],
        "endpoint_name": request["endpointName"],
        "inference_router_name": None,
        "input_location": request["inputLocation"],
        "output_location": response.get("outputLocation"),
        "content_type": response.get("contentType"),
        "accept": None,
        "custom_attributes": request.get("customAttributes"),
        "received_time": datetime.fromisoformat(found["receivedTime"]),
        "event_time": datetime.fromisoformat(found["eventTime"]),
        "region": "us-east-1",
        "body": None if body is None or not delivered.trusted else BODIES[body],
        "source": QUEUE if "SQS" in delivered.delivery else TOPIC,
        "trusted": delivered.trusted,
        "message_id": "1",
        "record": 0,
        "fields": found,
    }
    if isinstance(event, Failed):
        expected |= {"reason": found["failureReason"], "failure_location": None}
    assert type(event).__name__ == found["invocationStatus"]
    assert event._asdict() == expected


def objects_are_matched(key: str) -> None:
    """An event matches its object's location, whether S3 encoded the key or not, but not a longer
    one.
    """
    location = f"s3://digits-bucket/{key}"
    for written in (key, quote_plus(key, safe="/"), quote(key)):
        described = {"bucket": {"name": "digits-bucket"}, "object": {"key": written}}
        names = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": described}
        (event,) = parse({"Records": [names]})
        assert isinstance(event, ObjectCreated)
        assert event.matches(location)
        assert not event.matches(f"{location}x")
        assert event.location in {location, None}


def mutated_messages_are_read_or_ignored(mutated: Mutated) -> None:
    """If values in a message are replaced, `parse` raises no error, and its events pass `_check`."""
    message = mutated.altered()
    _check(parse(message, trusted_sources=[SENDERS]), _sources(message))
    _check(parse(json.dumps(message), trusted_sources=[SENDERS]), {None})


def mutated_text_is_read_or_ignored(text: bytes) -> None:
    """For any text, `parse` raises no error, and its events pass `_check`."""
    for message in (text, text.decode(errors="surrogateescape")):
        _check(parse(message, trusted_sources=[SENDERS]), {None})
    body = text.decode("latin-1")
    _check(parse(_record(body), trusted_sources=[SENDERS]), {QUEUE})
    _check(parse({"Message": body}, source=QUEUE, trusted_sources=[SENDERS]), {QUEUE})


def _sources(message: Any) -> set[str | None]:
    """Return the sources that Lambda may have added to a message, and None."""
    records = message.get("Records", [message])
    sources: set[str | None] = {None}
    for record in records if isinstance(records, list) else []:
        for path in (("eventSourceARN",), ("Sns", "TopicArn"), ("s3", "bucket", "arn")):
            value = record
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, str):
                sources.add(value)
    return sources


def _check(events: list[Event], sources: set[str | None]) -> None:
    """Check what must hold for the events of any message, with *sources* as the only possible
    sources.
    """
    for event in events:
        assert event.source in sources
        assert event.trusted == (event.source == SENDERS)
        assert pickle.loads(pickle.dumps(event)) == event
        assert hash(event.replace()) == hash(event)
        key = event.idempotency_key
        assert key is None or (key.isascii() and key.isprintable() and len(key) < 80)
        if isinstance(event, Ignored):
            assert len(event.reason) < 100
            assert any(reason.fullmatch(event.reason) for reason in REASONS)
            assert CONTENT not in repr(event.replace(source=None))
        elif isinstance(event, ObjectCreated):
            assert 1 <= len(event.locations) <= 3
        else:
            assert event.trusted or event.body is None
            assert event.invocation.date == event.received_time


# This dict maps the text of each body to the decoded body.
BODIES = {"plain text, 100 %": b"plain text, 100 %"} | {
    b64encode(body).decode(): body for body in (b"", b"3", bytes(range(256)))
}

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_TIMES = st.datetimes(datetime(1903, 1, 1), datetime(8990, 1, 1)).map(  # noqa: DTZ001 (naive)
    lambda time: time.replace(tzinfo=UTC).isoformat()
)


@st.composite
def _notifications(draw: st.DrawFn) -> dict[str, Any]:
    failed = draw(st.booleans())
    encoded = [{"content": text, "encoding": "BASE64"} for text in BODIES if " " not in text]
    plain = [{"content": "plain text, 100 %"}]
    request = {"endpointName": draw(_TEXTS), "inputLocation": draw(_TEXTS)}
    found: dict[str, Any] = {
        "awsRegion": "us-east-1",
        "eventTime": draw(_TIMES),
        "receivedTime": draw(_TIMES),
        "invocationStatus": "Failed" if failed else "Completed",
        "requestParameters": request,
        "inferenceId": draw(_TEXTS),
    }
    if draw(st.booleans()):
        request["customAttributes"] = draw(_TEXTS)
    if failed:
        found["failureReason"] = draw(_TEXTS)
    else:
        found["responseParameters"] = {"contentType": draw(_TEXTS), "outputLocation": draw(_TEXTS)}
    if draw(st.booleans()):
        found["responseBody"] = draw(st.sampled_from(plain + encoded if failed else encoded))
    extra = draw(st.dictionaries(_TEXTS.map("x-".__add__), _VALUES, max_size=3))
    return {**extra, **found}


_ODD = (
    *(None, True, 0, -1, 1.5, 10**30, 1e308, "", CONTENT, "\ud800", "\0", "x" * 5000, [], {}),
    *([CONTENT], {CONTENT: CONTENT}, [[[[[]]]]], "Completed", "Failed", "aws:s3", "aws:sagemaker"),
    *("SubscriptionConfirmation", "ObjectCreated:Put", "s3:TestEvent", SENDERS, "[" * 2000, "{"),
    *({"Message": CONTENT}, {"content": CONTENT}, {"content": "YQ==", "encoding": "BASE64"}),
    *([{"body": CONTENT}], {"TopicArn": SENDERS}, {"eventSourceARN": SENDERS}, "9999-12-31T23:59Z"),
)
_VALUES = st.sampled_from([value for value in _ODD if value != "\ud800"]) | st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda children: st.lists(children) | st.dictionaries(_TEXTS, children),
    max_leaves=8,
)
_MESSAGES = [
    case["message"]
    for name in ("results", "envelopes", "objects")
    for case in cases(name)
    if isinstance(case["message"], dict)
]
_CHANGES = st.lists(
    st.tuples(
        st.lists(st.integers(0, 40), min_size=1, max_size=8), st.sampled_from(_ODD) | _VALUES
    ),
    min_size=1,
    max_size=4,
)
_BITS = (
    *(b'"', b"\\", b"\\ud800", b"\\u0000", b"\x00", b"{", b"}", b"[", b"]", b":", b",", b"null", b"1e999"),
    *(b"NaN", b"-", b"\xff", b"\xed\xa0\x80", b'"Records":', b'"Message":', b'"body":', b'"Sns":'),
    *(CONTENT.encode(), SENDERS.encode(), b"9" * 5000, b"[" * 3000, b'{"a":' * 1200),
)  # fmt: skip


@st.composite
def _altered_text(draw: st.DrawFn) -> bytes:
    text = json.dumps(draw(st.sampled_from(_MESSAGES))).encode()
    for _ in range(draw(st.integers(0, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.sampled_from([0, 0, 1, 3, 60]))
        text = (
            text[:at] + draw(st.sampled_from(_BITS) | st.binary(max_size=3)) + text[at + length :]
        )
    return text


PROPERTIES = {
    results_are_read: st.builds(
        Delivered,
        _notifications(),
        st.lists(st.sampled_from(["SNS", "Message"]), max_size=3),
        st.sampled_from(sorted(DELIVERIES)),
        st.booleans(),
    ),
    objects_are_matched: _TEXTS,
    mutated_messages_are_read_or_ignored: st.builds(Mutated, st.sampled_from(_MESSAGES), _CHANGES),
    mutated_text_is_read_or_ignored: _altered_text()
    | st.lists(st.sampled_from(_BITS)).map(b"".join),
}
