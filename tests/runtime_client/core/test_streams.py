"""Tests of `stream_endpoint`: requests, items and failures."""

import json
import pickle
import struct
from threading import Event
from zlib import crc32

import pytest

from sagemaker_runtime_client import (
    InternalStreamFailureError,
    ModelError,
    ModelStreamError,
    ParamValidationError,
    ResponseStreamError,
    ResponseTooLargeError,
    RuntimeClientError,
    ServerSentEvent,
    ServiceError,
    TransportError,
)
from sagemaker_runtime_client.emulator import Emulator
from tests.runtime_client.clients import Driven, pointed_at, settings
from tests.runtime_client.core.streams import (
    chunked,
    collect,
    collect_from,
    failure,
    head,
    part,
    whole,
)
from tests.runtime_client.loopback import Loopback, response

EVENTS = b'data: {"a": "\xc3\xa4"}\r\n\r\n: ping\n\ndata: {"b":\ndata: 2}\n\ndata: [DONE]\n\n'
DOCUMENTS = [{"a": "ä"}, {"b": 2}]


def serving(data):
    """Return a server that sends *data* as the response, and then closes the connection."""

    def answer(_request, connection):
        connection.sendall(data)
        return b""

    return Loopback(answer)


def test_what_is_sent(driver):
    """stream_endpoint sends each argument under its name in the API, and the body unchanged."""
    with Loopback(lambda *_: whole(part(b"x"))) as server:
        client = driver.client(**pointed_at(server))
        items, error = collect(
            driver,
            client,
            content_type="text/csv",
            accept="application/json",
            custom_attributes="a=b",
            target_variant="blue",
            target_container_hostname="container",
            inference_id="mine",
            inference_component_name="component",
            session_id="session-1",
            prefix_aware_id="prefix",
        )
        (request,) = server.requests
    assert (items, error) == ([b"x"], None)
    assert (request.method, request.target) == ("POST", "/endpoints/e/invocations-response-stream")
    assert request.body == b"body"
    sent = {
        name.lower(): value
        for name, value in request.headers
        if name.lower().startswith(("x-amzn-sagemaker", "content-type", "accept"))
    }
    assert sent == {
        "content-type": "text/csv",
        "x-amzn-sagemaker-accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "a=b",
        "x-amzn-sagemaker-target-variant": "blue",
        "x-amzn-sagemaker-target-container-hostname": "container",
        "x-amzn-sagemaker-inference-id": "mine",
        "x-amzn-sagemaker-inference-component": "component",
        "x-amzn-sagemaker-session-id": "session-1",
        "x-amzn-sagemaker-prefix-aware-id": "prefix",
    }


def test_options_of_a_derived_client(plain_driver):
    """The options of `with_options` also apply to streams."""
    with Loopback(lambda *_: whole(part(b"x"))) as server:
        client = plain_driver.client(**pointed_at(server))
        derived = Driven(plain_driver, client.itself.with_options(content_type="text/csv"))
        assert collect(plain_driver, derived) == ([b"x"], None)
        (request,) = server.requests
    assert request.header("content-type") == "text/csv"


def test_the_head(plain_driver):
    """A stream has the content type, variant, attributes and request ID of the response, but its
    `repr` shows only the content type.
    """
    with Loopback(lambda *_: whole(part(b"x"))) as server:
        client = plain_driver.client(**pointed_at(server)).itself
        context = client.stream_endpoint("e", b"")

        def enter():
            with context as stream:
                return stream

        async def enter_async():
            async with context as stream:
                return stream

        stream = plain_driver.call(enter_async if plain_driver.kind.is_async else enter)
    assert stream.content_type == "text/event-stream"
    assert stream.production_variant == "blue"
    assert stream.custom_attributes == "c=d"
    assert stream.request_id == "R1"
    assert repr(stream) == f"{type(stream).__name__}(content_type='text/event-stream')"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bytes", [EVENTS[:20], EVENTS[20:]]),
        ("lines", EVENTS.decode().replace("\r\n", "\n").removesuffix("\n").split("\n")),
        ("events", [ServerSentEvent('{"a": "ä"}'), ServerSentEvent('{"b":\n2}')]),
        ("json", DOCUMENTS),
    ],
)
def test_items(driver, kind, expected):
    """Each method of a stream returns all items of the response in its own form."""
    with Loopback(lambda *_: whole(part(EVENTS[:20]), part(b""), part(EVENTS[20:]))) as server:
        assert collect_from(driver, server, kind) == (expected, None)


def test_the_emulator(driver):
    """If an emulated model yields parts, the items of the stream are the same as those of the
    whole.
    """
    with Emulator(model=lambda _request: iter([EVENTS[:9], EVENTS[9:]])) as emulator:
        client = driver.client(**settings(emulator))
        assert collect(driver, client, "json") == (DOCUMENTS, None)


@pytest.mark.parametrize("kind", ["events", "json"])
def test_every_cut(plain_driver, kind):
    """The items are the same wherever the text is split into parts, and the bytes into chunks."""
    cuts = iter(range(len(EVENTS) + 1))

    def answer(_request, _connection):
        cut = next(cuts)
        body = part(EVENTS[:cut]) + part(EVENTS[cut:])
        middle = cut * len(body) // len(EVENTS)
        return (
            head()
            + b"".join(map(chunked, filter(None, [body[:middle], body[middle:]])))
            + chunked(b"")
        )

    with Loopback(answer) as server:
        client = plain_driver.client(**pointed_at(server))
        found = [collect(plain_driver, client, kind) for _ in range(len(EVENTS) + 1)]
    (expected,) = {json.dumps(items) for items, _ in found}
    assert [error for _, error in found if error] == []
    assert len(json.loads(expected)) == 2


def test_every_truncation(plain_driver):
    """If the connection breaks anywhere, the items before the break are returned, and the error
    contains the data of the incomplete item.
    """
    text = b'{"a": 1}\n{"b": 2}\n{"c": 3}\n'
    frames = [part(text[n : n + 5]) for n in range(0, len(text), 5)]
    data = head() + b"".join(map(chunked, frames))
    ends = iter(range(len(head()), len(data) + 1, 7))

    def answer(_request, connection):
        connection.sendall(data[: next(ends)])
        return b""

    documents = [{"a": 1}, {"b": 2}, {"c": 3}]
    with Loopback(answer) as server:
        client = plain_driver.client(**pointed_at(server))
        for _ in range(len(head()), len(data) + 1, 7):
            items, error = collect(plain_driver, client, "json")
            assert items == documents[: len(items)]
            assert isinstance(error, ResponseStreamError)
            received = b"".join(json.dumps(item).encode() + b"\n" for item in items) + error.partial
            assert text.startswith(received)
            assert error.possibly_accepted
            assert error.request_id == "R1"
            assert error.status_code == 200


def test_the_end_within_a_message(plain_driver):
    """If a response ends in the middle of a message, an error is raised after the complete items."""
    data = part(b'{"a": 1}\n{"b') + part(b'": 2}\n')
    with Loopback(lambda *_: whole(data[:-3])) as server:
        items, error = collect_from(plain_driver, server, "json")
    assert items == [{"a": 1}]
    assert error.message == (
        "the response is not a valid event stream: the event stream ends in the middle of a message"
    )
    assert error.partial == b'{"b'


def test_a_document_without_end(plain_driver):
    """If a stream ends in the middle of a JSON document, the error contains the incomplete text."""
    with Loopback(lambda *_: whole(part(b'{"a": 1}\n{"b'))) as server:
        items, error = collect_from(plain_driver, server, "json")
    assert items == [{"a": 1}]
    assert isinstance(error, ResponseStreamError)
    assert error.partial == b'{"b'


# The start of a message that states a total length of 4 GiB.
HUGE = struct.pack(">II", 0xFFFFFFFF, 0)
MODEL = {"Message": "the container x-secret TOKEN/example= failed", "ErrorCode": "StreamBroken"}


@pytest.mark.parametrize("first", [b"", b"one\ntw"])
def test_model_failure(plain_driver, first):
    """If the model fails, its error follows the complete items, and does not show secrets."""
    data = [part(first)] if first else []
    with Loopback(lambda *_: whole(*data, failure("ModelStreamError", **MODEL))) as server:
        client = plain_driver.client(**pointed_at(server))
        items, error = collect(plain_driver, client, "lines", custom_attributes="x-secret")
        assert len(server.requests) == 1
    assert items == (["one"] if first else [])
    assert isinstance(error, ModelStreamError)
    assert error.message == "the container ... ... failed"
    assert (error.code, error.reason) == ("ModelStreamError", "StreamBroken")
    assert (error.attempts, error.status_code, error.request_id) == (1, 200, "R1")
    assert error.possibly_accepted
    assert not error.retryable
    assert error.partial == (b"tw" if first else b"")
    copied = pickle.loads(pickle.dumps(error))
    assert vars(copied) == vars(error)


@pytest.mark.parametrize(
    ("frame", "kind", "text"),
    [
        (
            failure("InternalStreamFailure", Message="m"),
            InternalStreamFailureError,
            "m (code InternalStreamFailure, status 200, request id R1)",
        ),
        (failure("New", Message=1), ServiceError, " (code New, status 200, request id R1)"),
    ],
)
def test_other_failures(plain_driver, frame, kind, text):
    """A failure of the service raises a typed error, even if the service model does not define it."""
    with Loopback(lambda *_: whole(part(b"x"), frame)) as server:
        items, error = collect_from(plain_driver, server)
    assert items == [b"x"]
    assert (type(error), str(error)) == (kind, text)


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"<html>not an event stream</html>", "an event message has an incorrect prelude CRC"),
        (
            HUGE + struct.pack(">I", crc32(HUGE)),
            (
                "the lengths in an event message are inconsistent or over the limits: 128 KiB of "
                "headers and 24 MiB of payload"
            ),
        ),
    ],
)
def test_not_an_event_stream(plain_driver, frame, fault):
    """If the response is not an event stream, or states a huge length, an error is raised."""
    with Loopback(lambda *_: whole(part(b"x"), frame)) as server:
        items, error = collect_from(plain_driver, server)
    assert items == [b"x"]
    assert error.message == f"the response is not a valid event stream: {fault}"


def test_error_responses(driver):
    """An error response to stream_endpoint raises the same error as one to invoke_endpoint."""
    body = b'{"Message": "m", "OriginalStatusCode": 500}'
    answer = response(body, 424, {"x-amzn-errortype": "ModelError"})
    with Loopback(lambda *_: answer) as server:
        items, error = collect_from(driver, server)
    assert (items, type(error), error.original_status_code) == ([], ModelError, 500)


def test_retries(plain_driver, shortest_pauses):  # noqa: ARG001 (a fixture)
    """After the status 503, the request is retried; after a break before the first item, only with
    ``retry_model=True``.
    """
    broken = head() + chunked(part(b"x"))[:20]
    answers = iter([response(status=503), broken, response(status=503), broken, whole(part(b"y"))])

    def answer(_request, connection):
        data = next(answers)
        if data is not broken:
            return data
        connection.sendall(data)
        return b""

    with Loopback(answer) as server:
        client = plain_driver.client(**pointed_at(server, max_attempts=3))
        items, error = collect(plain_driver, client)
        assert (items, type(error), error.attempts) == ([], ResponseStreamError, 2)
        assert collect(plain_driver, client, retry_model=True) == ([b"y"], None)
        assert len(server.requests) == 5


def test_leaving_early(driver):
    """If a stream is left early, its connection is closed, and the pool can open another one."""
    data = head() + chunked(part(b"a")) + chunked(part(b"b"))

    def answer(_request, connection):
        connection.sendall(data)
        connection.recv(1)  # until the client closes the connection
        return b""

    with Loopback(answer, buffered=False) as server:
        client = driver.client(**pointed_at(server, max_connections=1))
        for _ in range(3):
            assert collect(driver, client, most=1) == ([b"a"], None)
        assert server.connections == 3


def test_reuse(plain_driver):
    """If a stream is read to its end, its connection is reused by the next request."""
    with Loopback(lambda *_: whole(part(b"a"))) as server:
        client = plain_driver.client(**pointed_at(server, max_connections=1))
        for _ in range(3):
            assert collect(plain_driver, client) == ([b"a"], None)
        assert server.connections == 1


def test_parts_arrive_as_they_are_sent(plain_driver):
    """A part is returned to the caller before the server sends the next one."""
    seen = Event()

    def answer(_request, connection):
        connection.sendall(head() + chunked(part(b"a")))
        assert seen.wait(10)
        connection.sendall(chunked(part(b"b")) + chunked(b""))
        return b""

    with Loopback(answer) as server:
        client = plain_driver.client(**pointed_at(server)).itself
        context = client.stream_endpoint("e", b"")

        def read():
            with context as stream:
                parts = stream.bytes()
                first = next(parts)
                seen.set()
                return [first, *parts]

        async def read_async():
            async with context as stream:
                parts = stream.bytes()
                first = await anext(parts)
                seen.set()
                return [first, *[one async for one in parts]]

        assert plain_driver.call(read_async if plain_driver.kind.is_async else read) == [b"a", b"b"]


def test_timeout(driver):
    """`timeout` limits the duration of the whole stream, even if the server sends nothing more."""
    waiting = Event()

    def answer(_request, connection):
        connection.sendall(head() + chunked(part(b"a")))
        waiting.wait(10)
        return b""

    with Loopback(answer) as server:
        client = driver.client(**pointed_at(server))
        items, error = collect(driver, client, timeout=0.3)
        waiting.set()
    assert (items, type(error)) == ([b"a"], ResponseStreamError)


def test_read_timeout(driver):
    """The read timeout limits the wait for the next part of a stream."""
    waiting = Event()

    def answer(_request, connection):
        connection.sendall(head() + chunked(part(b"a")))
        waiting.wait(10)
        return b""

    with Loopback(answer) as server:
        items, error = collect_from(driver, server, read_timeout=0.2)
        waiting.set()
    assert (items, type(error)) == ([b"a"], ResponseStreamError)
    assert "ReadTimeout" in error.message


def test_a_long_line(plain_driver):
    """If a line is longer than 16 MiB, an error is raised after the items that precede it."""
    parts = [part(b"[1]\n"), *[part(bytes(1 << 20))] * 17]
    with Loopback(lambda *_: whole(*parts)) as server:
        items, error = collect_from(plain_driver, server, "json")
    assert (items, type(error)) == ([[1]], ResponseTooLargeError)
    assert error.message == "a line of the response is longer than 16,777,216 bytes"


def test_a_broken_connection(driver):
    """If the server closes the connection early, an error is raised after the items that arrived."""
    with serving(head() + chunked(part(b"a"))) as server:
        items, error = collect_from(driver, server)
    assert (items, type(error)) == ([b"a"], ResponseStreamError)
    assert isinstance(error, TransportError)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"session_id": "NEW_SESSION"},
            "session_id must contain only letters, digits and inner hyphens",
        ),
        ({"body": "text"}, "body must be bytes, not str: encode it first"),
        ({"endpoint_name": "-"}, None),
        ({"timeout": -1}, None),
        ({"wait_until_ready": -1}, None),
    ],
)
def test_invalid_arguments(plain_driver, arguments, text):
    """An invalid argument raises an error when the context is entered, before anything is sent."""
    arguments = {"endpoint_name": "e", "body": b"", **arguments}
    client = plain_driver.client(**pointed_at(None, endpoint_url="http://127.0.0.1:9")).itself
    context = client.stream_endpoint(**arguments)

    def enter():
        with context:
            pass

    async def enter_async():
        async with context:
            pass

    with pytest.raises(ParamValidationError) as caught:
        plain_driver.call(enter_async if plain_driver.kind.is_async else enter)
    assert text is None or caught.value.message == text


def test_unknown_arguments(plain_driver):
    """An unknown argument raises a TypeError that mentions the method."""
    client = plain_driver.client(**pointed_at(None)).itself
    with pytest.raises(TypeError, match=r"^\w+Client\.stream_endpoint\(\) got an unexpected"):
        client.stream_endpoint("e", b"", TargetModel="x")


def test_one_reading(plain_driver):
    """If a second method starts to read a stream, an error is raised."""
    with Loopback(lambda *_: whole(part(b"a"))) as server:
        client = plain_driver.client(**pointed_at(server)).itself
        context = client.stream_endpoint("e", b"")

        def read():
            with context as stream:
                stream.bytes()
                stream.lines()

        async def read_async():
            async with context as stream:
                stream.bytes()
                stream.lines()

        with pytest.raises(RuntimeClientError, match="the stream has already been read"):
            plain_driver.call(read_async if plain_driver.kind.is_async else read)
