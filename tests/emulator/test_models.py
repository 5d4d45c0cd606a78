"""Test the kinds of models: functions, names of functions, and containers."""

import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from sagemaker_runtime_client.emulator import (
    Emulator,
    ModelFailure,
    ModelRequest,
    ModelResponse,
    echo,
)
from tests.emulator.wire import INVOCATION, TIMEOUT, call

OUTPUT = "x-amzn-sagemaker-outputlocation"
FAILURE = "x-amzn-sagemaker-failurelocation"
HEADERS = {
    "x-amzn-sagemaker-content-type": "text/csv",
    "x-amzn-sagemaker-accept": "application/json",
    "x-amzn-sagemaker-custom-attributes": "canary",
    "x-amzn-sagemaker-inference-id": "mine",
}


def outcome(model, headers=(), body=b"in"):
    """Run one invocation; return its state, and the content and type of the object it writes."""
    with Emulator(model) as emulator:
        accepted = call(emulator, "POST", INVOCATION, headers, body).headers
        emulator.wait_idle()
        output, failure = (emulator.objects.get(accepted[name]) for name in (OUTPUT, FAILURE))
        assert (output is None) != (failure is None)
        stored = output or failure
        return emulator.jobs[0].state, stored.body, stored.content_type


@pytest.mark.parametrize(
    ("result", "body", "content_type"),
    [
        (b"out", b"out", "application/octet-stream"),
        ("\xe9", b"\xc3\xa9", "text/plain; charset=utf-8"),
        ((b"1,2", "text/csv"), b"1,2", "text/csv"),
        (ModelResponse(b"{}", "application/json"), b"{}", "application/json"),
    ],
    ids=["bytes", "str", "pair", "response"],
)
def test_return_value(result, body, content_type):
    """The return value of a model becomes the output object."""
    assert outcome(lambda _: result) == ("completed", body, content_type)


def test_request():
    """A model receives the headers and the body of the request."""
    received = []

    def model(request):
        received.append(request)
        return b""

    outcome(model, HEADERS)
    expected = ModelRequest(b"in", "text/csv", "application/json", "canary", "my-endpoint", "mine")
    assert received == [expected]
    assert "canary" not in repr(received)


def test_echo():
    """The default model returns its input unchanged."""
    assert outcome(echo, HEADERS) == ("completed", b"in", "text/csv")
    assert outcome(echo) == ("completed", b"in", "application/octet-stream")


def test_exception():
    """If a model raises an exception, the inference fails with SageMaker's message."""

    def model(_):
        raise ValueError("bad input")

    expected = b'Received server error (500) from model with message "ValueError: bad input"'
    assert outcome(model) == ("failed", expected, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("failure", "body", "content_type"),
    [
        (ModelFailure("why"), b"why", "text/plain; charset=utf-8"),
        (ModelFailure(b"{}", "application/json"), b"{}", "application/json"),
        (ModelFailure(b""), b"", "text/plain; charset=utf-8"),
    ],
    ids=["text", "json", "empty"],
)
def test_chosen_failure(failure, body, content_type):
    """A model that raises `ModelFailure` chooses the content and type of the failure object."""

    def model(_):
        raise failure

    assert outcome(model) == ("failed", body, content_type)


def test_model_that_exits():
    """If a model raises SystemExit, the inference fails."""
    assert outcome(lambda _: sys.exit(3))[0] == "failed"


class UnprintableError(Exception):
    def __str__(self):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (UnprintableError(), "ZeroDivisionError"),
        (ValueError("\ud800"), "ValueError: \\ud800"),
    ],
    ids=["interrupt", "exit", "without text", "surrogate"],
)
def test_unusual_exception(error, message):
    """Any exception of a model fails the inference, so that the job does not run until its timeout."""

    def model(_):
        raise error

    state, body, _ = outcome(model)
    assert state == "failed"
    assert body.decode().endswith(f'message "{message}"')


@pytest.mark.parametrize(
    "arguments",
    [{"content_type": "text/plain\r\nx: y"}, {"status_code": "500"}],
    ids=["content type", "status"],
)
def test_invalid_failure(arguments):
    """A failure with an invalid content type or status fails the inference when it is created."""

    def model(_):
        raise ModelFailure("why", **arguments)

    state, body, content_type = outcome(model)
    assert (state, content_type) == ("failed", "text/plain; charset=utf-8")
    assert body.startswith(b"Received server error (500) from model")


@pytest.mark.parametrize("content_type", ["text/\u20ac", "text/plain\r\nx: y"])
def test_invalid_content_type(content_type):
    """If a model returns a content type that is not a valid header value, the inference fails."""
    assert outcome(lambda _: (b"x", content_type))[0] == "failed"


def test_invalid_return_value():
    """If a model returns a value of an invalid type, the failure object lists the valid types."""
    state, body, _ = outcome(lambda _: 42)
    assert state == "failed"
    assert body.endswith(
        b'bytes, str, an iterator, (bytes or an iterator, content type) or ModelResponse, not int"'
    )


def upper_case(request):
    """Return the body of *request* in upper case."""
    return request.body.upper()


def test_named_function():
    """A model can be given as ``"module:function"``."""
    assert outcome(f"{__name__}:upper_case")[1] == b"IN"


@pytest.mark.parametrize("model", ["upper_case", ":upper_case", "module:"])
def test_invalid_name(model):
    """A model string that is neither ``"module:function"`` nor an http(s) URL is rejected."""
    with pytest.raises(ValueError, match="model must be a function, 'module:function' or"):
        Emulator(model)


def test_late_return_value():
    """A value that a model returns after a timeout or after the emulator's stop is discarded."""

    def model(request):
        request.cancelled.wait(TIMEOUT)
        return b"late"

    with Emulator(model) as emulator:
        call(
            emulator, "POST", INVOCATION, {"x-amzn-sagemaker-invocationtimeoutseconds": "60"}, b"1"
        )
        emulator.advance(60)
        emulator.wait_idle()
        emulator._runner.join(TIMEOUT)
        call(emulator, "POST", INVOCATION, (), b"2")
    assert [job.state for job in emulator.jobs] == ["failed", "running"]


class Container(BaseHTTPRequestHandler):
    """A fake model container.

    If the body of a request is a number, it is the status of the response.
    """

    protocol_version = "HTTP/1.1"
    received: ClassVar = []

    def do_POST(self):
        """Respond to an invocation like a model container."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append((self.path, dict(self.headers), body))
        self.send_response(int(body) if body.isdigit() else 200)
        if body != b"bare":
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Log nothing."""


@contextmanager
def container():
    """Run a model container, and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Container) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_container():
    """The emulator sends a container the same requests as SageMaker, and stores its response."""
    Container.received.clear()
    with container() as url:
        assert outcome(url, HEADERS) == ("completed", b"{}", "application/json")
        assert outcome(url, (), b"bare") == ("completed", b"{}", "application/octet-stream")
    path, headers, body = Container.received[0]
    assert (path, body) == ("/invocations", b"in")
    assert headers["content-type"] == "text/csv"
    assert headers["accept"] == "application/json"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "canary"
    assert "content-type" not in Container.received[1][1]


@pytest.mark.parametrize(
    ("status", "side"), [(b"500", b"server"), (b"404", b"client"), (b"302", b"client")]
)
def test_container_error(status, side):
    """If the status of a container's response is not 2xx, the inference fails."""
    with container() as url:
        state, body, _ = outcome(url, (), status)
    assert state == "failed"
    assert body == b'Received %s error (%s) from model with message "{}"' % (side, status)


def test_container_connections():
    """Three invocations of a model in the same container complete."""
    with container() as url, Emulator(url) as emulator:
        for _ in range(3):
            call(emulator, "POST", INVOCATION, (), b"in")
        emulator.wait_idle()
        assert [job.state for job in emulator.jobs] == ["completed"] * 3


def test_unreachable_container():
    """If a container cannot be reached, the inference fails."""
    with container() as url:
        pass
    expected = f"Could not reach the model at {url.rstrip('/')}: ConnectError".encode()
    assert outcome(url)[:2] == ("failed", expected)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:port", "http://a\x00"])
def test_invalid_container_address(url):
    """If the address of a container is invalid, the inference fails."""
    assert outcome(url)[0] == "failed"


def test_unused_container():
    """An emulator whose container is never called stops cleanly."""
    with Emulator("http://127.0.0.1:9") as emulator:
        assert emulator.jobs == ()
