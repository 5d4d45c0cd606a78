"""Tests of damaged or failing streamed responses."""

import time
import traceback
from contextlib import nullcontext
from types import SimpleNamespace

import httpx
import pytest

from sagemaker_runtime_client import (
    InternalFailureError,
    ModelStreamError,
    RuntimeClientError,
    ServerSentEvent,
    ServiceError,
)
from sagemaker_runtime_client._errors import TransportError
from sagemaker_runtime_client._inference.model_errors import ResponseStreamError
from sagemaker_runtime_client._inference.stream_items import EventsDecoder, JSONDecoder
from sagemaker_runtime_client._io.open_response import OpenResponse
from sagemaker_runtime_client._io.run import run
from sigv4 import Message
from tests.runtime_client.clients import pointed_at
from tests.runtime_client.core.streams import (
    chunked,
    collect,
    collect_from,
    failure,
    head,
    part,
    whole,
)
from tests.runtime_client.loopback import Loopback, refusing, response


def test_other_messages(plain_driver):
    """Messages of unknown types in a stream are ignored."""
    unknown = [
        Message({":message-type": "event", ":event-type": "initial-response"}, b"x").encode(),
        Message({":message-type": "new"}, b"x").encode(),
        Message({}, b"x").encode(),
    ]
    with Loopback(lambda *_: whole(*unknown, part(b"a"), *unknown)) as server:
        assert collect_from(plain_driver, server) == ([b"a"], None)


def test_an_error_message(plain_driver):
    """An error message in a stream raises an error with its code and text, without reading its
    payload.
    """
    headers = {":message-type": "error", ":error-code": "Code", ":error-message": "text"}
    with Loopback(lambda *_: whole(Message(headers, b"{").encode())) as server:
        items, error = collect_from(plain_driver, server)
    assert (items, type(error), error.code, error.message) == ([], ServiceError, "Code", "text")


def test_a_model_error_without_a_reason(plain_driver):
    """If the payload of an exception lacks its members, the error has an empty message and no
    reason.
    """
    headers = {":message-type": "exception", ":exception-type": "ModelStreamError"}
    with Loopback(lambda *_: whole(Message(headers, b"[]").encode())) as server:
        _, error = collect_from(plain_driver, server)
    assert (error.message, error.reason) == ("", None)


def test_reading_after_the_end(plain_driver):
    """Reading a stream after its context was left raises an error, even if nothing was read before."""
    with Loopback(lambda *_: whole(part(b"a"), part(b"b"))) as server:
        client = plain_driver.client(**pointed_at(server)).itself
        context = client.stream_endpoint("e", b"")

        def read():
            with context as stream:
                parts = stream.bytes()
            next(parts)

        async def read_async():
            async with context as stream:
                parts = stream.bytes()
            await anext(parts)

        with pytest.raises(ResponseStreamError) as caught:
            plain_driver.call(read_async if plain_driver.kind.is_async else read)
    assert caught.value.message == "the stream is closed: read it inside its `with` statement"


def test_connection_refused(plain_driver):
    """If the server refuses the connection, the error states that the request was not accepted."""
    with refusing() as port:
        server = SimpleNamespace(url=f"http://127.0.0.1:{port}")
        items, error = collect_from(plain_driver, server)
    assert (items, type(error), error.possibly_accepted) == ([], TransportError, False)


@pytest.mark.parametrize("size", [2_000_000, 10])
def test_the_body_of_an_error(plain_driver, size):
    """If the body of an error response is too large or cut off, the error of the response is
    raised.
    """
    data = response(b"x" * 2_000_000, 500)
    end = len(data) - 2_000_000 + size

    def answer(_request, connection):
        connection.sendall(data[:end])
        return b""

    with Loopback(answer) as server:
        items, error = collect_from(plain_driver, server)
    assert (items, type(error)) == ([], InternalFailureError)


def test_an_interrupt_while_the_request_is_built():
    """An interrupt while a request is built releases the reserved connection exactly once."""
    held = []

    class Reservation(nullcontext):
        async def __aexit__(self, *_):
            held.append("released")

    def make():
        raise KeyboardInterrupt

    sender = SimpleNamespace(library=httpx, client=None, reserve=lambda _wait: Reservation())
    opened = OpenResponse(sender, "https://host.example", None)
    with pytest.raises(KeyboardInterrupt):
        run(opened.send(make, connect=1, read=1))
    run(opened.aclose())
    assert held == ["released"]


def test_a_read_after_the_deadline():
    """A read after the deadline raises an error, even if data have arrived."""
    sender = SimpleNamespace(library=httpx, client=None)
    opened = OpenResponse(sender, "https://host.example", time.monotonic())
    opened._body = httpx.ByteStream(b"late")
    opened._body.read = None  # calling this would raise a TypeError
    with pytest.raises(TransportError, match=r"the timeout elapsed while the response from https"):
        run(opened.read())


def test_incomplete_events():
    """The data of an incomplete event are partial data; if the stream ends, they become an event."""
    decoder = EventsDecoder()
    assert list(decoder.feed(b"data: a\ndata: b\nda")) == []
    assert decoder.partial == b"a\nbda"
    decoder = EventsDecoder()
    assert list(decoder.feed(b"data: a\ndata: b")) == []
    assert list(decoder.finish()) == [ServerSentEvent("a\nb")]
    assert list(EventsDecoder().finish()) == []


def test_incomplete_documents():
    """The data of an incomplete event are partial data; if the stream ends, they must be valid
    JSON.
    """
    decoder = JSONDecoder()
    assert list(decoder.feed(b"data: {\nda")) == []
    assert decoder.partial == b"{da"
    decoder = JSONDecoder()
    assert list(decoder.feed(b"data: {\n")) == []
    with pytest.raises(ResponseStreamError) as caught:
        list(decoder.finish())
    assert caught.value.partial == b"{"


def test_entering_twice(plain_driver):
    """Entering a stream's context a second time raises an error, and does not disturb the stream."""
    with Loopback(lambda *_: whole(part(b"a"), part(b"b"))) as server:
        context = plain_driver.client(**pointed_at(server)).itself.stream_endpoint("e", b"")

        def read():
            with context as stream:
                with pytest.raises(RuntimeClientError, match="can be entered once"):
                    context.__enter__()
                return list(stream.bytes())

        async def read_async():
            async with context as stream:
                with pytest.raises(RuntimeClientError, match="can be entered once"):
                    await context.__aenter__()
                return [one async for one in stream.bytes()]

        found = plain_driver.call(read_async if plain_driver.kind.is_async else read)
    assert found == [b"a", b"b"]


def test_a_document_that_is_nested_too_deeply(plain_driver):
    """If a JSON document is nested too deeply, an error is raised after the documents before it."""
    with Loopback(lambda *_: whole(part(b"1\n" + b"[" * 200_000 + b"\n"))) as server:
        items, error = collect_from(plain_driver, server, "json")
    assert (items, type(error)) == ([1], ResponseStreamError)
    assert error.message == (
        "the response contains text that is not a JSON document: it is nested too deeply"
    )


@pytest.mark.parametrize("start", [b"", b"data: "])
def test_an_integer_with_too_many_digits(plain_driver, start):
    """If an integer in JSON has too many digits, an error is raised after the documents before it."""
    text = start + b"1\n\n" + start + b"1" * 5000 + b"\n\n"
    with Loopback(lambda *_: whole(part(text))) as server:
        items, error = collect_from(plain_driver, server, "json")
    assert (items, type(error)) == ([1], ResponseStreamError)
    assert error.message == (
        "the response contains text that is not a JSON document: "
        "an integer in it has too many digits"
    )


def test_a_failure_beside_the_first_part(plain_driver):
    """The error for an exception after the first part contains the attempts, but no secrets."""
    failed = failure("ModelStreamError", Message="m", ErrorCode="x TOKEN/example=")
    with Loopback(lambda *_: whole(part(b"a") + failed)) as server:
        items, error = collect_from(plain_driver, server)
    assert (items, error.attempts, error.reason) == ([b"a"], 1, "x ...")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        (b'{"a": "\xc3\xa4"}\r\n[1]\n"\xf0\x9f\x98\x80"\n', b"\n"),
        (b'data: {"a": "\xc3\xa4"}\r\n\r\nid: 7\ndata:[1]\n\ndata:"\xf0\x9f\x98\x80"\r\r', b"\n\n"),
    ],
    ids=["JSON Lines", "server-sent events"],
)
def test_a_failure_at_every_position(plain_driver, text, separator):
    """If the model fails at any position, the complete items are returned, and the error contains
    the data of the incomplete item.
    """
    cuts = iter(range(1, len(text) + 1))
    with Loopback(
        lambda *_: whole(part(text[: next(cuts)]), failure("ModelStreamError"))
    ) as server:
        client = plain_driver.client(**pointed_at(server))
        for cut in range(1, len(text) + 1):
            items, error = collect(plain_driver, client, "json")
            came = text[:cut].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *complete, rest = came.split(separator)
            assert items == [{"a": "ä"}, [1], "\U0001f600"][: len(complete)]
            assert type(error) is ModelStreamError
            assert error.partial.endswith(rest.rpartition(b"\n")[2])


ECHO = "TOKEN/example= x-secret"


@pytest.mark.parametrize(
    "data",
    [
        whole(failure(ECHO, Message="m")),
        whole(Message({":message-type": "error", ":error-code": ECHO}).encode()),
        head({"x-amzn-requestid": ECHO}) + chunked(part(b"a")[:-1]) + chunked(b""),
        head({ECHO: ECHO}),
        head({"x": f"y\r\n{ECHO}"}),
        head() + chunked(part(b"a")) + ECHO.encode() + b"\r\n",
        response(b"{}", 400, {"x-amzn-errortype": ECHO, "x-amzn-requestid": ECHO}),
    ],
    ids=["exception", "error", "request id", "header", "line", "chunk", "error response"],
)
def test_secrets_that_a_server_repeats(driver, data):
    """If the server repeats secrets anywhere in a response, the error does not show them."""
    with Loopback(lambda *_: data) as server:
        client = driver.client(**pointed_at(server, read_timeout=1))
        _, error = collect(driver, client, custom_attributes="x-secret")
    shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert isinstance(error, RuntimeClientError)
    assert [secret for secret in ECHO.split() if secret in shown] == []


def test_long_codes_and_ids(plain_driver):
    """An error code that is too long is dropped, and a request ID that is too long is truncated."""
    data = head({"x-amzn-requestid": "i" * 5000}) + chunked(failure("c" * 5000)) + chunked(b"")
    with Loopback(lambda *_: data) as server:
        _, error = collect_from(plain_driver, server)
    assert (error.code, error.request_id) == (None, "i" * 128)
