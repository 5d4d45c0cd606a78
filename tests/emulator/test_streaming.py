"""Test response streams, and models that return iterators."""

import json
import socket
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from itertools import count
from threading import Event, Semaphore, Thread

import pytest
from botocore.exceptions import EventStreamError as BotoStreamError

from sagemaker_runtime_client.emulator import (
    BrokenStream,
    Emulator,
    Faults,
    ModelFailure,
    ModelResponse,
)
from sigv4 import EventDecoder, EventStreamError, Message
from tests.emulator.wire import (
    INVOCATION,
    TIMEOUT,
    address,
    call,
    receive_until_reset,
    sign_request,
)

STREAM = "/endpoints/my-endpoint/invocations-response-stream"
OUTPUT = "x-amzn-sagemaker-outputlocation"
SESSION = "x-amzn-sagemaker-session-id"
EVENT = {
    ":event-type": "PayloadPart",
    ":content-type": "application/octet-stream",
    ":message-type": "event",
}


@contextmanager
def opened(emulator):
    """Send a streamed invocation, and yield the response, whose body is still to be read."""
    with socket.create_connection(address(emulator), TIMEOUT) as connection:
        connection.sendall(sign_request(emulator, "POST", STREAM, (), b"in"))
        with HTTPResponse(connection, method="POST") as response:
            response.begin()
            assert response.status == 200
            yield response


def messages(response):
    """Yield the messages of a stream as they arrive."""
    decoder = EventDecoder()
    while data := response.read1(65_536):
        yield from decoder.feed(data)
    decoder.finish()


def stream(emulator, headers=()):
    """Send a streamed invocation, and return the messages of the response."""
    response = call(emulator, "POST", STREAM, headers, b"in")
    assert response.status == 200
    return [*EventDecoder().decode([response.body])]


def parts(model, **options):
    """Run an emulator with a model, and return the payloads of the messages in its stream."""
    with Emulator(model, **options) as emulator:
        return [message.payload for message in stream(emulator)]


def model_error(message):
    """Return the error code, the message and the other members of a ModelStreamError."""
    assert message.headers == {
        ":exception-type": "ModelStreamError",
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    document = json.loads(message.payload)
    return document.pop("ErrorCode"), document.pop("Message"), document


def test_boto3(boto):
    """Boto3 reads the headers and the events of a stream; the model gets all arguments."""
    received = []

    def model(request):
        received.append(request)
        return ModelResponse(iter([b"a", "\xe9"]), "text/plain", "c=d")

    with Emulator(model) as emulator:
        response = boto("sagemaker-runtime", emulator).invoke_endpoint_with_response_stream(
            EndpointName="e",
            Body=b"in",
            ContentType="text/csv",
            Accept="text/plain",
            CustomAttributes="a=b",
            TargetVariant="blue",
            InferenceId="mine",
        )
        events = [*response["Body"]]
    assert events == [{"PayloadPart": {"Bytes": b"a"}}, {"PayloadPart": {"Bytes": b"\xc3\xa9"}}]
    assert (response["ContentType"], response["InvokedProductionVariant"]) == ("text/plain", "blue")
    assert response["CustomAttributes"] == "c=d"
    (request,) = received
    assert (request.body, request.content_type, request.accept) == (b"in", "text/csv", "text/plain")
    assert (request.custom_attributes, request.inference_id) == ("a=b", "mine")
    assert (request.endpoint_name, request.session_id) == ("e", None)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(None, "ModelStreamError"), (Faults.STREAM_FAILED, "InternalStreamFailure")],
)
def test_exception_for_boto3(boto, fault, code):
    """Boto3 yields the events of a stream, and then raises the exception that ends the stream."""

    def model(_):
        yield b"a"
        raise ValueError("boom")

    found = []
    with Emulator(model) as emulator:
        if fault is not None:
            emulator.faults.once(fault)
        runtime = boto("sagemaker-runtime", emulator)
        response = runtime.invoke_endpoint_with_response_stream(EndpointName="e", Body=b"in")
        with pytest.raises(BotoStreamError) as caught:
            found.extend(response["Body"])
        response["Body"].close()
    assert found == [{"PayloadPart": {"Bytes": b"a"}}]
    assert caught.value.response["Error"]["Code"] == code


def test_bytes_on_the_wire():
    """The response is a chunked event stream, whose events have the headers of the service."""
    with Emulator(lambda _: (iter([b"a", b"bc"]), "text/event-stream")) as emulator:
        response = call(emulator, "POST", STREAM, (), b"in")
    assert response.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert response.headers["x-amzn-sagemaker-content-type"] == "text/event-stream"
    assert response.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in response.headers
    expected = [Message(EVENT, b"a"), Message(EVENT, b"bc")]
    assert [*EventDecoder().decode([response.body])] == expected
    assert response.body == b"".join(message.encode() for message in expected)
    assert emulator.requests[0].operation == "InvokeEndpointWithResponseStream"
    assert emulator.requests[0].outcome == "ok"


def test_each_part_is_sent_at_once():
    """A part is sent when the model yields it, and the model may wait before it yields the next."""
    go_on = Semaphore(0)

    def model(_):
        for number in range(3):
            yield str(number)
            assert go_on.acquire(timeout=TIMEOUT)

    found = []
    with Emulator(model) as emulator, opened(emulator) as response:
        for message in messages(response):
            found.append(message.payload)
            go_on.release()
    assert found == [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (b"whole", [b"whole"]),
        ("text", [b"text"]),
        (b"", []),
        (iter([]), []),
        (iter([b"", b"a", b"", "b"]), [b"", b"a", b"", b"b"]),
        (map(str, range(2)), [b"0", b"1"]),
    ],
    ids=["bytes", "str", "nothing", "no parts", "empty parts", "map"],
)
def test_parts(result, expected):
    """Each item of an iterator is an event, even an empty one; any other result is one event."""
    assert parts(lambda _: result) == expected


def letters(request):
    """Yield the letters of the input."""
    yield from request.body.decode()


def test_named_generator_function():
    """A generator function can be given by name, as on the command line."""
    assert parts(f"{__name__}:letters") == [b"i", b"n"]


@pytest.mark.parametrize("result", [b"abcde", iter([b"abcde"])])
def test_part_size(result):
    """A part that is larger than the part size is split."""
    assert parts(lambda _: result, part_size=2) == [b"ab", b"cd", b"e"]


def test_parts_are_never_joined():
    """Parts that are not larger than the part size are sent unchanged."""
    assert parts(lambda _: iter([b"a", b"bc", b""]), part_size=2) == [b"a", b"bc", b""]


@pytest.mark.parametrize("size", [0, 24 * 1024 * 1024 + 1])
def test_invalid_part_size(size):
    """A part size of 0 or of more than 24 MiB is rejected; the default is 24 MiB."""
    assert Emulator()._application.settings.part_size == 24 * 1024 * 1024
    with pytest.raises(ValueError, match="part_size must be from 1 to"):
        Emulator(part_size=size)


def failing(error):
    """Return a model that yields one part, and then raises an exception."""

    def model(_):
        yield b"a"
        raise error

    return model


@pytest.mark.parametrize(
    ("model", "status", "message"),
    [
        (failing(ValueError("boom")), "server error (500)", "ValueError: boom"),
        (failing(ModelFailure("full", status_code=404)), "client error (404)", "full"),
        (
            lambda _: iter([b"a", 42]),
            "server error (500)",
            "TypeError: a model must yield bytes or str, not int",
        ),
    ],
    ids=["exception", "failure", "type"],
)
def test_failure_within_the_stream(model, status, message):
    """If the model fails after its first part, the stream ends with a StreamBroken error."""
    with Emulator(model) as emulator:
        part, error = stream(emulator)
    assert part.payload == b"a"
    text = f'Received {status} from model with message "{message}"'
    assert model_error(error) == ("StreamBroken", text, {})


def test_failure_before_the_first_part():
    """If the model fails before its first part, the response is a ModelError."""

    def model(_):
        raise ValueError("boom")
        yield b"a"

    with Emulator(model) as emulator:
        response = call(emulator, "POST", STREAM, (), b"in")
    assert (response.status, response.headers["x-amzn-errortype"]) == (424, "ModelError")
    assert json.loads(response.body)["OriginalMessage"] == "ValueError: boom"


def test_time_limit_within_the_stream():
    """A stream that lasts 480 seconds ends with the error ModelInvocationTimeExceeded."""
    closed = Event()

    def model(request):
        try:
            yield b"a"
            request.cancelled.wait(TIMEOUT)
            yield b"late"
        finally:
            closed.set()

    with Emulator(model) as emulator, opened(emulator) as response:
        found = messages(response)
        assert next(found).payload == b"a"
        emulator.advance(480)
        (error,) = found
        assert closed.wait(TIMEOUT)
    message = "The model did not respond within 480 seconds."
    text = f'Received server error (0) from model with message "{message}"'
    assert model_error(error) == ("ModelInvocationTimeExceeded", text, {})


def test_time_limit_before_the_first_part():
    """If a model yields nothing for 480 seconds, the response has the status of a ModelError."""

    def model(request):
        emulator.advance(480)
        request.cancelled.wait(TIMEOUT)
        yield b"late"

    with Emulator(model) as emulator:
        response = call(emulator, "POST", STREAM, (), b"in")
    assert response.status == 424
    assert json.loads(response.body)["OriginalStatusCode"] == 0


def waiting(request):
    """Yield a part, wait until the request is cancelled, and yield another part."""
    yield b"a"
    assert request.cancelled.wait(TIMEOUT)
    yield b"b"


def endless(_):
    """Yield parts without end."""
    yield from (b"%1000d" % number for number in count())


@pytest.mark.parametrize("parts_of", [waiting, endless])
@pytest.mark.parametrize("leaves", ["client", "emulator"])
def test_end_before_the_end_of_the_stream(parts_of, leaves):
    """If the client leaves or the emulator stops during a stream, the model's iterator is closed."""
    closed = Event()

    def model(request):
        try:
            yield from parts_of(request)
        finally:
            closed.set()

    with ExitStack() as stack:
        with Emulator(model) as emulator:
            response = stack.enter_context(opened(emulator))
            assert next(messages(response)).headers == EVENT
            if leaves == "client":
                stack.close()
                assert closed.wait(TIMEOUT)
        assert closed.wait(TIMEOUT)


def test_slow_client():
    """If the client does not read, the model stops after the parts that fit into the buffers."""
    yielded = []

    def model(_):
        for number in range(40):
            yielded.append(number)
            yield "a" * 1_000_000

    with Emulator(model) as emulator, opened(emulator) as response:
        assert response.read(1_000_000)
        assert len(yielded) < 30  # the buffers of the sockets hold a few parts
        assert len(response.read()) > 39_000_000


def test_iterator_that_cannot_be_closed():
    """If an iterator raises an exception when it is closed, later streams still work."""

    def model(_):
        try:
            yield b"a"
            yield b"b"
        finally:
            raise ValueError("boom")

    with Emulator(model) as emulator:
        with opened(emulator) as response:
            assert next(messages(response)).payload == b"a"
        assert [message.payload for message in stream(emulator)][:2] == [b"a", b"b"]


@pytest.mark.parametrize(("after", "sent"), [(0, []), (1, [b"0"]), (2, [b"0", b"1"])])
def test_truncated_stream(after, sent):
    """With the fault ``truncated``, the response ends normally, but in the middle of an event."""
    decoder = EventDecoder()
    with Emulator(lambda _: iter("01")) as emulator:
        emulator.faults.once(BrokenStream("truncated", after))
        body = call(emulator, "POST", STREAM, (), b"in").body
    assert [message.payload for message in decoder.feed(body)] == sent
    with pytest.raises(EventStreamError, match="middle of a message"):
        decoder.finish()


def test_corrupt_event():
    """With `STREAM_CORRUPTED`, the event after the first one has a wrong checksum."""
    decoder = EventDecoder()
    with Emulator(lambda _: iter("01")) as emulator:
        emulator.faults.once(Faults.STREAM_CORRUPTED)
        body = call(emulator, "POST", STREAM, (), b"in").body
    assert [message.payload for message in decoder.feed(body)] == [b"0"]
    with pytest.raises(EventStreamError, match="message CRC"):
        decoder.finish()


def test_internal_stream_failure(emulator):
    """With `STREAM_FAILED`, the stream ends with the exception InternalStreamFailure."""
    emulator.faults.once(Faults.STREAM_FAILED, on="InvokeEndpointWithResponseStream")
    part, error = stream(emulator)
    assert part.payload == b"in"
    assert error.headers[":message-type"] == "exception"
    assert error.headers[":exception-type"] == "InternalStreamFailure"
    assert list(json.loads(error.payload)) == ["Message"]


def test_unmodelled_error(emulator):
    """With `STREAM_ERROR`, the stream ends with an error that the service model does not define."""
    emulator.faults.once(Faults.STREAM_ERROR)
    part, error = stream(emulator)
    assert part.payload == b"in"
    assert error.headers[":message-type"] == "error"
    assert error.headers[":error-code"] == "InternalError"


def test_reset_within_the_stream(emulator):
    """With the fault ``reset``, the connection is reset in the middle of an event."""
    emulator.faults.once(BrokenStream("reset", 0))
    received = receive_until_reset(emulator, sign_request(emulator, "POST", STREAM, (), b"in"))
    frame = Message(EVENT, b"in").encode()
    assert frame[: len(frame) // 2] in received
    assert frame not in received


def test_reset_in_the_body(emulator):
    """With `RESET_IN_BODY`, the head and half of the first event are sent."""
    emulator.faults.once(Faults.RESET_IN_BODY)
    received = receive_until_reset(emulator, sign_request(emulator, "POST", STREAM, (), b"in"))
    frame = Message(EVENT, b"in").encode()
    assert received.partition(b"\r\n\r\n")[2] == frame[: len(frame) // 2]


@pytest.mark.parametrize("session", ["NEW_SESSION", "unknown"])
def test_invalid_session(emulator, session):
    """A streamed invocation that opens a session or uses an unknown session is rejected."""
    response = call(emulator, "POST", STREAM, {SESSION: session}, b"in")
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationError")


def test_session():
    """A streamed call can use and close a session; its headers do not contain the closed ID."""

    def model(request):
        return ModelResponse(iter([request.session_id]), closes_session=request.body != b"open")

    with Emulator(model) as emulator:
        headers = {SESSION: "NEW_SESSION"}
        new = call(emulator, "POST", "/endpoints/e/invocations", headers, b"open")
        headers = {SESSION: new.body.decode()}
        response = call(emulator, "POST", STREAM, headers, b"in")
        assert new.body in response.body
        assert "x-amzn-sagemaker-closed-session-id" not in response.headers
        assert call(emulator, "POST", STREAM, headers, b"in").status == 400


def test_output_object():
    """If a model returns an iterator, the output object contains the joined parts."""
    with Emulator(lambda _: iter([b"a", "\xe9"])) as emulator:
        location = call(emulator, "POST", INVOCATION, (), b"in").headers[OUTPUT]
        assert emulator.objects.wait_for(location).body == b"a\xc3\xa9"


def test_repr():
    """The repr of a model's response does not contain the parts."""
    assert "<list_iterator>" in repr(ModelResponse(iter([b"canary"])))


def test_container(container):
    """A container's response is streamed; if it breaks off, the stream ends with StreamBroken."""
    with Emulator(container(b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n")) as emulator:
        assert b"".join(message.payload for message in stream(emulator)) == b"abc"
    with Emulator(container(b"2\r\nab\r\n9\r\nc")) as emulator:
        *found, error = stream(emulator)
    assert b"".join(message.payload for message in found) == b"abc"
    code, message, _ = model_error(error)
    assert code == "StreamBroken"
    assert "RemoteProtocolError" in message


@pytest.fixture
def container():
    """Return a function that starts a container with a chunked response, and returns the URL."""

    def respond(listener, pieces):
        connection, _ = listener.accept()
        with connection:
            received = b""
            while not received.endswith(b"in"):
                received += connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for piece in pieces:
                connection.sendall(piece)

    with ExitStack() as stack:

        def start(*pieces):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = Thread(target=respond, args=(listener, pieces))
            thread.start()
            stack.callback(thread.join, TIMEOUT)
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield start
