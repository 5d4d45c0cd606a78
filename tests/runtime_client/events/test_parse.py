"""Test `parse` with invalid arguments, hostile messages and messages at the size limits."""

import json
import subprocess
import sys
from base64 import b64encode

import pytest

from sagemaker_runtime_client import ParamValidationError
from sagemaker_runtime_client.events import Completed, Failed, Ignored, ObjectCreated, parse

QUEUE = "arn:aws:sqs:us-east-1:123456789012:results"
TOPIC = "arn:aws:sns:us-east-1:123456789012:results"
BUCKET = "arn:aws:s3:::b"
BODY = {"content": b64encode(b"secret answer").decode(), "encoding": "BASE64"}


def result(**changes):
    """Return a SageMaker notification of a completed job, to which *changes* have been applied."""
    found = {"invocationStatus": "Completed", "inferenceId": "7", "responseBody": BODY}
    return {**found, **changes}


def created(**changes):
    """Return an S3 record that announces a new object, with *changes* to the object's description."""
    described = {"bucket": {"name": "b", "arn": BUCKET}, "object": {"key": "k", **changes}}
    return {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": described}


def sqs(body, source=QUEUE):
    """Return an SQS record in the form in which Lambda passes it."""
    return {"eventSource": "aws:sqs", "eventSourceARN": source, "messageId": "1", "body": body}


def only(message, **arguments):
    """Parse a message and return its event, which must be the only one."""
    (event,) = parse(message, **arguments)
    return event


class TestArguments:
    """`parse` raises an error that names the argument if an argument is invalid."""

    @pytest.mark.parametrize("message", [None, 1, [], [{}], bytearray(b"{}"), ("{}",)])
    def test_message(self, message):
        """The argument *message* must be a dict, str or bytes."""
        with pytest.raises(ParamValidationError, match=r"^message must be a dict") as caught:
            parse(message)
        assert caught.value.argument == "message"

    @pytest.mark.parametrize(
        "source",
        ["", "results", 1, b"arn:aws:sqs", "arn: a", "arn:a*", "arn:é", "arn:" + "a" * 2048],
    )
    def test_source(self, source):
        """The argument *source* must be an ARN."""
        with pytest.raises(ParamValidationError, match=r"^source must be an ARN") as caught:
            parse({}, source=source)
        assert caught.value.argument == "source"

    @pytest.mark.parametrize(
        "trusted", [None, QUEUE, QUEUE.encode(), [1], ["results"], [f"{QUEUE[:-1]}*"], {QUEUE: 1}]
    )
    def test_trusted_sources(self, trusted):
        """The argument *trusted_sources* must be a collection of ARNs."""
        with pytest.raises(ParamValidationError, match=r"^trusted_sources must be") as caught:
            parse({}, trusted_sources=trusted)
        assert caught.value.argument == "trusted_sources"

    @pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
    def test_collections(self, kind):
        """The argument *trusted_sources* may be a list, tuple, set or frozenset."""
        event = only(sqs(json.dumps(result())), trusted_sources=kind([TOPIC, QUEUE]))
        assert (event.trusted, event.body) == (True, b"secret answer")


class TestTrust:
    """The source of an event comes only from Lambda's record or from the caller."""

    def test_the_source_of_the_call(self):
        """The argument *source* takes precedence over the source in an SQS record."""
        event = only(sqs(json.dumps(result())), source=TOPIC, trusted_sources=[QUEUE])
        assert (event.source, event.trusted, event.body) == (TOPIC, False, None)

    @pytest.mark.parametrize(
        "body",
        [
            {"Type": "Notification", "TopicArn": TOPIC, "Message": json.dumps(result())},
            {"TopicArn": TOPIC, "eventSourceARN": TOPIC, **result()},
            {"source": TOPIC, "eventSourceARN": TOPIC, "Message": result()},
            {"Message": json.dumps({"Sns": {"TopicArn": TOPIC}, **result()})},
        ],
    )
    def test_sources_within_a_body(self, body):
        """An ARN in the body of an SQS record does not change the event's source."""
        event = only(sqs(json.dumps(body)), trusted_sources=[TOPIC])
        assert (event.source, event.trusted, event.body) == (QUEUE, False, None)

    @pytest.mark.parametrize(
        "message",
        [
            {"Records": [sqs(json.dumps(result()))]},
            sqs(json.dumps(result())),
            {"Records": [{"Sns": {"TopicArn": QUEUE, "Message": json.dumps(result())}}]},
            {"Records": [created()], "trusted": QUEUE},
        ],
    )
    def test_text(self, message):
        """If a message is passed as text, the ARNs in it do not become the event's source."""
        for event in (only(json.dumps(message)), only({"Body": json.dumps(message)})):
            assert (event.source, event.trusted) == (None, False)

    @pytest.mark.parametrize("source", [None, 1, [], "", "results", "arn:\n", "arn:a b"])
    def test_malformed_source(self, source):
        """If the source in an SQS record is not an ARN, the event's source is None."""
        assert only(sqs(json.dumps(result()), source)).source is None

    def test_bucket(self):
        """The source of an event for an S3 record from Lambda is the ARN of the bucket."""
        assert only({"Records": [created()]}).source == BUCKET


@pytest.mark.parametrize(
    "body",
    [
        {"content": "not base64", "encoding": "BASE64"},
        {"content": "YQ", "encoding": "BASE64"},
        {"content": "é", "encoding": "BASE64"},
        {"content": "YQ==", "encoding": "GZIP"},
        {"content": "YQ==", "encoding": ["BASE64"]},
        {"content": "a note in place of the body"},
        {"content": 1, "encoding": "BASE64"},
        {"message": "no content"},
        None,
    ],
)
def test_body_that_cannot_be_decoded(body):
    """If a response body cannot be decoded, the event is still `Completed`, and its body is None."""
    event = only(result(responseBody=body), source=QUEUE, trusted_sources=[QUEUE])
    assert (type(event), event.trusted, event.body) == (Completed, True, None)


def test_long_body():
    """A body of 750 kB is decoded, and a record with a body of 10 MB is malformed."""
    encoded = [b64encode(bytes(size)).decode() for size in (750_000, 10_000_000)]
    bodies = [{"content": content, "encoding": "BASE64"} for content in encoded]
    records = [sqs(json.dumps(result(responseBody=body))) for body in bodies]
    fits, too_long = parse({"Records": records}, trusted_sources=[QUEUE])
    assert fits.body == bytes(750_000)
    assert (too_long.kind, too_long.fields) == ("malformed", {})


def test_plain_body_with_half_a_surrogate_pair():
    """If a plain-text body is not valid Unicode, the event's body is None."""
    message = result(invocationStatus="Failed", responseBody={"content": "\ud800"})
    assert only(message, source=QUEUE, trusted_sources=[QUEUE]).body is None


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("x" * 5000, "x" * 4096),
        ("", None),
        (1, None),
        (["x"], None),
        ("\ud800", None),
        (None, None),
    ],
)
def test_reason(reason, expected):
    """A failure reason is cut to 4,096 characters, and is None if it is not valid text."""
    event = only(result(invocationStatus="Failed", failureReason=reason))
    assert (type(event), event.reason) == (Failed, expected)


@pytest.mark.parametrize(
    "time",
    [
        *(None, 1, [], "", "now", "2026-11-22", "2026-11-22T12:00:00", "2026-13-01T00:00:00Z"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1901-01-01T00:00:00Z"),
        *(
            "8999-01-01T00:00:00Z",
            "2026-11-22T12:00:00." + "0" * 40 + "Z",
            "\uff12026-11-22T12:00:00Z",
        ),
    ],
)
def test_time(time):
    """A timestamp that is malformed, or that an invocation handle cannot store, becomes None."""
    event = only(result(receivedTime=time, eventTime=time))
    assert (event.received_time, event.event_time) == (None, None)
    assert event.invocation.date is None


@pytest.mark.parametrize("time", ["1902-01-01T00:00:00+23:59", "8998-12-31T23:59:59-23:59"])
def test_time_at_the_limit(time):
    """The earliest and the latest accepted timestamps can be stored in an invocation handle."""
    event = only(result(receivedTime=time))
    assert event.invocation.date == event.received_time is not None


@pytest.mark.parametrize("size", [-1, 1 << 63, 1.5, True, "1", None, []])
def test_size(size):
    """A size that is not an integer from 0 to 2**63 - 1 becomes None."""
    assert only(created(size=size)).size is None


@pytest.mark.parametrize("message_id", [None, 1, "", "a b", "a\n", "ü", "a" * 101])
def test_message_id(message_id):
    """A message ID that AWS would not generate becomes None."""
    assert only({"messageId": message_id, "body": "{}"}).message_id is None


@pytest.mark.parametrize(
    ("bucket", "key"),
    [("", "k"), (None, "k"), ("a/b", "k"), ("a b", "k"), ("b", ""), ("b", None), ("b", "\ud800")],
)
def test_objects_without_a_location(bucket, key):
    """An S3 record without a valid bucket name and key is malformed."""
    record = {**created(), "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
    event = only({"Records": [record]})
    assert (type(event), event.kind) == (Ignored, "malformed")


@pytest.mark.parametrize("key", ["a\nb", "a\x00b", "../a", "//", "?versionId=1", "#"])
def test_odd_keys(key):
    """An unusual object key, for example with a line break, is returned unchanged."""
    event = only(created(key=key))
    assert (type(event), event.key, event.location) == (ObjectCreated, key, f"s3://b/{key}")


MALFORMED = {
    "nothing": "",
    "blanks": "  ",
    "half": '{"a":',
    "two documents": "{}{}",
    "byte order mark": "\ufeff{}",
    "NaN": '{"a": NaN}',
    "infinity": '{"a": -Infinity}',
    "a huge number": '{"a": 1' + "0" * 5000 + "}",
    "deep lists": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "unfinished deep lists": "[" * 100_000,
    "many values": '{"a":[' + "[]," * 400_000 + "[]]}",
    "a long text": '{"a":"' + "x" * (2 << 20) + '"}',
    "NUL": "\0",
    "a control character": '{"a": "\n"}',
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_text(text):
    """Text that is invalid JSON, too large or nested too deeply gives a malformed event."""
    for message in ({"Records": [sqs(text)]}, {"Message": text}, {"Body": text}):
        event = only(message)
        assert (type(event), event.kind, event.fields) == (Ignored, "malformed", {})


@pytest.mark.parametrize("data", [b"\xff", b'{"a": "\xff"}', "{}".encode("utf-16"), b"\0"])
def test_malformed_bytes(data):
    """Bytes that are not valid JSON in UTF-8 give a malformed event."""
    assert only(data).kind == "malformed"


@pytest.mark.parametrize("document", ["1", "null", "[]", '"{}"', "true", "1e999"])
def test_other_json(document):
    """A JSON document that is not an object gives an event of the kind "unknown"."""
    assert [only(document).kind, only(sqs(document)).kind] == ["unknown", "unknown"]


def test_long_text():
    """A text with ten records of one mebibyte is parsed, and a text of 16 mebibytes is malformed."""
    record = sqs(json.dumps(result(padding="x" * (1 << 20))))
    assert len(parse(json.dumps({"Records": [record] * 10}))) == 10
    assert only(" " * (16 << 20) + "{}").kind == "malformed"


@pytest.mark.parametrize("depth", [30, 31, 900, 100_000])
def test_deep_values(depth):
    """A dict that is nested too deeply is ignored, because comparing or pickling it could fail."""
    value = []
    for _ in range(depth):
        value = [value]
    event = only(result(deep=value))
    assert type(event) is (Completed if depth < 31 else Ignored)


@pytest.mark.parametrize("count", [1, 9000])
def test_endless_values(count):
    """A dict that contains itself, once or many times, is malformed."""
    message = result()
    message["again"] = [message] * count
    assert only(message).kind == "malformed"


def test_many_records():
    """An event with 10,000 records, the most that Lambda passes, is parsed; one more is malformed."""
    record = sqs(json.dumps(result()))
    events = parse({"Records": [record] * 10_000})
    assert [event.record for event in events] == list(range(10_000))
    assert only({"Records": [record] * 10_001}).kind == "malformed"


@pytest.mark.parametrize(("envelopes", "kind"), [(4, Completed), (5, Ignored), (12, Ignored)])
def test_many_envelopes(envelopes, kind):
    """A notification in four envelopes is parsed, and one in five or more is ignored."""
    message = result()
    for _ in range(envelopes):
        message = {"Type": "Notification", "Message": json.dumps(message)}
    assert type(only(message)) is kind


def test_names_that_occur_twice():
    """If a JSON object contains a name twice, the last value is used."""
    text = '{"invocationStatus": "Failed", "inferenceId": "1", "inferenceId": "2"}'
    assert only(text).inference_id == "2"


@pytest.mark.parametrize("value", [1, [], {}, True, "\ud800", "x" * 4097])
@pytest.mark.parametrize(
    "path",
    [
        *(("inferenceId",), ("awsRegion",), ("requestParameters", "endpointName")),
        *(("requestParameters", "inputLocation"), ("responseParameters", "outputLocation")),
        *(("requestParameters", "customAttributes"), ("invocationStatus",), ("eventVersion",)),
    ],
)
def test_wrong_types(path, value):
    """A notification is malformed if a field has a wrong type, is too long or is not valid Unicode."""
    for name in reversed(path):
        value = {name: value}
    event = only(result(**value))
    assert (event.kind, event.fields) == ("malformed", {})


@pytest.mark.parametrize(
    "message",
    [
        *({"Records": None}, {"Records": {}}, {"Records": "a"}, {"Messages": 1}),
        *({"Records": [None]}, {"Records": [[]]}, {"Records": [{"Sns": None}]}, {"body": None}),
        *({"Records": [{"Sns": "a"}]}, {"Body": 1}, {"Message": 1}, {"Message": []}, {"s3": 1}),
        *({"Sns": {"Message": "a"}}, {**created(), "s3": {"object": []}}),
    ],
)
def test_malformed_records(message):
    """A message or record whose content has a wrong type gives an ignored event."""
    event = only(message)
    assert type(event) is Ignored
    assert event.kind in {"malformed", "unrelated"}


def test_no_records():
    """An SQS body with an empty list of records gives one event; such a Lambda event gives none."""
    assert only(sqs('{"Records": []}')).kind == "unknown"
    assert parse({"Records": []}) == []


def test_nested_records():
    """A malformed record in an SQS body does not affect the other records in the body."""
    body = json.dumps({"Records": [1, created(), {"Sns": 1}, created(key=1)]})
    kinds = [getattr(event, "kind", "created") for event in parse(sqs(body))]
    assert kinds == ["malformed", "created", "unknown", "malformed"]


def test_what_an_import_loads():
    """Importing `events` loads only its own files, and parsing an S3 record loads `_s3.objects`."""
    program = (
        "import sys, sagemaker_runtime_client as s\n"
        "assert not hasattr(s, 'events') and 'handlers' not in vars(s)\n"
        "before = set(sys.modules)\n"
        "from sagemaker_runtime_client.events import parse\n"
        "print(*sorted(set(sys.modules) - before))\nbefore = set(sys.modules)\n"
        f"parse({result()!r})\nprint(*sorted(set(sys.modules) - before))\n"
        f"parse({created()!r})\nprint(*sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    ours = "sagemaker_runtime_client."
    files = ["", "._json", "._parse", "._readers", "._results", "._values"]
    assert [line.split() for line in done.stdout.splitlines()] == [
        [f"{ours}events{name}" for name in files],
        [],
        [f"{ours}_s3", f"{ours}_s3.objects"],
    ]
