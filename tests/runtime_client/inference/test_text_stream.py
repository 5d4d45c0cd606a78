"""Tests of reading lines, server-sent events and JSON documents from a response.

The results must not depend on how the response is split into parts.
"""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_runtime_client import ResponseTooLargeError
from sagemaker_runtime_client._inference.text_stream import (
    EventParser,
    JSONParser,
    LineDecoder,
    ServerSentEvent,
)
from sagemaker_runtime_client._limits import LINE_SIZE


def cuts(data):
    """Return several ways to split the data into parts: not at all, into single bytes, and into two
    parts at each position.
    """
    pairs = [[data[:place], data[place:]] for place in range(len(data) + 1)]
    return [[data], [data[n : n + 1] for n in range(len(data))], *pairs]


def decode_lines(parts, **options):
    """Return the lines in data that arrives in parts."""
    decoder = LineDecoder(**options)
    return [*(line for part in parts for line in decoder.feed(part)), *decoder.finish()]


def parse_events(parts):
    """Return the server-sent events in data that arrives in parts."""
    parser = EventParser()
    found = [parser.feed(line) for line in decode_lines(parts, ends_at_return=True)]
    return [event for event in [*found, parser.finish()] if event]


def parse_documents(parts):
    """Return the JSON documents in data that arrives in parts."""
    parser = JSONParser()
    found = [
        item for line in decode_lines(parts, ends_at_return=True) for item in parser.feed(line)
    ]
    return [*found, *parser.finish()]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"a\rb\n", ["a\rb"]),
        (b"\r\n\r\n", ["", ""]),
        ("\u00e9\u20ac\U0001f600\n\u00e9".encode(), ["\u00e9\u20ac\U0001f600", "\u00e9"]),
        (b"a\xffb\n", ["a\ufffdb"]),
        ("a\u2028b\x0bc\x85d\n".encode(), ["a\u2028b\x0bc\x85d"]),
    ],
    ids=repr,
)
def test_lines(data, expected):
    """Data results in the same lines regardless of how it is split into parts.

    Only LF and CRLF end a line.
    """
    for parts in cuts(data):
        assert decode_lines(parts) == expected


@pytest.mark.parametrize("data", [b"a\rb\r\nc\n\rd", b"\r\r\n\n", b"a\r"], ids=repr)
def test_lines_that_end_with_a_return(data):
    """With the option for server-sent events, CR, LF and CRLF each end a line."""
    expected = data.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    expected = expected if expected[-1] else expected[:-1]
    for parts in cuts(data):
        assert decode_lines(parts, ends_at_return=True) == expected


@given(st.lists(st.binary(max_size=8)), st.booleans())
def test_any_parts(parts, ends_at_return):
    """Any bytes that arrive in parts result in the same lines as if they arrived in one piece."""
    whole = decode_lines([b"".join(parts)], ends_at_return=ends_at_return)
    assert decode_lines(parts, ends_at_return=ends_at_return) == whole


@pytest.mark.parametrize("parts", [[b"12345"], [b"123", b"45"], [b"12345\n"], [b"\n123", b"45\n"]])
def test_a_line_that_is_too_long(parts):
    """A line that is longer than the size limit raises an error, even if its end has not arrived
    yet.
    """
    with pytest.raises(
        ResponseTooLargeError, match="a line of the response is longer than 4 bytes"
    ):
        decode_lines(parts, limit=4)
    assert decode_lines([b"1234\n12", b"34"], limit=4) == ["1234", "1234"]


EVENTS = (
    b"\xef\xbb\xbf: a comment\r\n"
    b"data: one\n\n"
    b"data:two\rdata:  three\r\r"
    b'event: token\nid: 7\nretry: 1500\ndata: {"a": "\xe2\x82\xac"}\r\n\r\n'
    b"data\n\n"
    b"event: no data\n\n"
    b"id: \0\nretry: soon\nunknown: x\ndata: four\n\n"
    b"data: last"
)


def test_events():
    """The fields, comments, line ends and IDs of server-sent events are parsed as in the HTML
    standard, regardless of how the data is split. A last event without an empty line after it is
    returned, too.
    """
    for parts in cuts(EVENTS):
        assert parse_events(parts) == [
            ServerSentEvent("one"),
            ServerSentEvent("two\n three"),
            ServerSentEvent('{"a": "\u20ac"}', "token", "7", 1500),
            ServerSentEvent("", id="7"),
            ServerSentEvent("four", id="7"),
            ServerSentEvent("last", id="7"),
        ]


def test_the_last_event():
    """An event with the data ``[DONE]`` ends the stream, and no event after it is returned."""
    parser = EventParser()
    lines = ["data: 1", "", "data: [DONE]", "", "data: 2", ""]
    assert [event for event in map(parser.feed, lines) if event] == [ServerSentEvent("1")]
    assert parser.is_done


@pytest.mark.parametrize("last", ["data:x", "data:", "data"])
def test_an_event_that_is_too_long(last):
    """The size limit applies to the total length of an event's data lines with their line breaks."""
    parser = EventParser()
    for _ in range(16):
        parser.feed("data:" + "x" * (LINE_SIZE // 16 - 1))
    with pytest.raises(ResponseTooLargeError, match="an event of the response is longer than"):
        parser.feed(last)


@pytest.mark.parametrize("is_event", [False, True], ids=["a line", "an event"])
def test_memory(is_event):
    """A line in many parts, or an event with many data lines, occupies little more than its text."""
    decoder, parser = LineDecoder(), EventParser()
    tracemalloc.start()
    for number in range(100_000, 400_000 if is_event else 200_000):
        if is_event:
            parser.feed(f"data:{number}")
        else:
            list(decoder.feed(b"%d " % number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 5 * len(parser.partial + decoder.partial)


def test_the_json_document_of_an_event():
    """`ServerSentEvent.json` parses the data of an event as JSON."""
    assert ServerSentEvent('{"a": 1}').json() == {"a": 1}


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": "\xe2\x82\xac"}\n[1]\n\n"b"\r\n7',
        b'\xef\xbb\xbf\n{"a": "\xe2\x82\xac"}\n[1]\n"b"\n7\n',
        b'data: {"a": "\xe2\x82\xac"}\n\ndata: [1]\r\n\r\n: x\ndata: "b"\n\ndata: 7',
        b'\n:\n\nid: 1\ndata: {"a":\ndata: "\xe2\x82\xac"}\n\ndata: [1]\n\ndata:"b"\n\ndata:7\n\n',
    ],
    ids=["lines", "lines after a mark", "events", "events of several lines"],
)
def test_documents(data):
    """JSON Lines and server-sent events result in the same JSON documents, regardless of how the
    data is split.
    """
    for parts in cuts(data):
        assert parse_documents(parts) == [{"a": "\u20ac"}, [1], "b", 7]


@pytest.mark.parametrize("data", [b"{\n", b"data: {\n\n", b"1\ndata: 2\n", b"data: {"])
def test_what_is_not_json(data):
    """A line or an event that is not a JSON document raises a JSONDecodeError."""
    with pytest.raises(json.JSONDecodeError):
        parse_documents([data])
