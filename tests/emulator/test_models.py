"""What stands for the model: functions, names of functions, containers."""

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
ASKED = {
    "x-amzn-sagemaker-content-type": "text/csv",
    "x-amzn-sagemaker-accept": "application/json",
    "x-amzn-sagemaker-custom-attributes": "canary",
    "x-amzn-sagemaker-inference-id": "mine",
}


def outcome(model, headers=(), body=b"in"):
    """Run one invocation, and return the body and type of whichever object it leaves."""
    with Emulator(model) as emulator:
        accepted = call(emulator, "POST", INVOCATION, headers, body).headers
        emulator.wait_idle()
        output, failure = (emulator.objects.get(accepted[name]) for name in (OUTPUT, FAILURE))
        assert (output is None) != (failure is None)
        stored = output or failure
        return emulator.jobs[0].state, stored.body, stored.content_type


@pytest.mark.parametrize(
    ("response", "body", "content_type"),
    [
        (b"out", b"out", "application/octet-stream"),
        ("\xe9", b"\xc3\xa9", "text/plain; charset=utf-8"),
        ((b"1,2", "text/csv"), b"1,2", "text/csv"),
        (ModelResponse(b"{}", "application/json"), b"{}", "application/json"),
    ],
    ids=["bytes", "str", "pair", "response"],
)
def test_answer(response, body, content_type):
    """Whatever a model returns becomes the output object as it is."""
    assert outcome(lambda _: response) == ("completed", body, content_type)


def test_request():
    """A model is asked what the caller asked."""
    asked = []

    def model(request):
        asked.append(request)
        return b""

    outcome(model, ASKED)
    expected = ModelRequest(b"in", "text/csv", "application/json", "canary", "my-endpoint", "mine")
    assert asked == [expected]
    assert "canary" not in repr(asked)


def test_echo():
    """The model of those who name none answers with what it was asked."""
    assert outcome(echo, ASKED) == ("completed", b"in", "text/csv")
    assert outcome(echo) == ("completed", b"in", "application/octet-stream")


def test_exception():
    """An exception is a failed inference, in SageMaker's words."""

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
def test_failure_of_choice(failure, body, content_type):
    """A model chooses what the failure object holds."""

    def model(_):
        raise failure

    assert outcome(model) == ("failed", body, content_type)


def test_model_that_ends_the_program():
    """A model that wants to end the program has failed."""
    assert outcome(lambda _: sys.exit(3))[0] == "failed"


@pytest.mark.parametrize("content_type", ["text/\u20ac", "text/plain\r\nx: y"])
def test_content_type_that_is_no_header(content_type):
    """What cannot go into a header is a failed inference."""
    assert outcome(lambda _: (b"x", content_type))[0] == "failed"


def test_answer_of_a_wrong_type():
    """A model that returns something else has failed, and the failure object says what it may."""
    state, body, _ = outcome(lambda _: 42)
    assert state == "failed"
    assert body.endswith(b'bytes, str, (bytes, content type) or ModelResponse, not int"')


def shout(request):
    """Return a response in capitals."""
    return request.body.upper()


def test_named_function():
    """A function is found by its module and name."""
    assert outcome(f"{__name__}:shout")[1] == b"IN"


@pytest.mark.parametrize("model", ["shout", ":shout", "module:"])
def test_name_of_nothing(model):
    """A text that names neither a function nor an address is refused at once."""
    with pytest.raises(ValueError, match="model must be a function, 'module:function' or"):
        Emulator(model)


def test_late_answer_of_a_model():
    """An response that comes after its invocation ended is dropped."""

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
    """A model container; a body that is a number is the status it answers with."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar = []

    def do_POST(self):
        """Return a response as SageMaker asks."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append((self.path, dict(self.headers), body))
        self.send_response(int(body) if body.isdigit() else 200)
        if body != b"bare":
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Say nothing."""


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
    """A container is called as SageMaker calls it, and its type is the output's."""
    Container.asked.clear()
    with container() as url:
        assert outcome(url, ASKED) == ("completed", b"{}", "application/json")
        assert outcome(url, (), b"bare") == ("completed", b"{}", "application/octet-stream")
    path, headers, body = Container.asked[0]
    assert (path, body) == ("/invocations", b"in")
    assert headers["content-type"] == "text/csv"
    assert headers["accept"] == "application/json"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "canary"
    assert "content-type" not in Container.asked[1][1]


@pytest.mark.parametrize(
    ("status", "side"), [(b"500", b"server"), (b"404", b"client"), (b"302", b"client")]
)
def test_container_that_refuses(status, side):
    """Any status but 2xx is a failed inference."""
    with container() as url:
        state, body, _ = outcome(url, (), status)
    assert state == "failed"
    assert body == b'Received %s error (%s) from model with message "{}"' % (side, status)


def test_container_serves_many():
    """The connections to a container are shared between invocations."""
    with container() as url, Emulator(url) as emulator:
        for _ in range(3):
            call(emulator, "POST", INVOCATION, (), b"in")
        emulator.wait_idle()
        assert [job.state for job in emulator.jobs] == ["completed"] * 3


def test_container_that_is_not_there():
    """A container that cannot be reached is a failed inference."""
    with container() as url:
        pass
    expected = f"Could not reach the model at {url.rstrip('/')}: ConnectError".encode()
    assert outcome(url)[:2] == ("failed", expected)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:port", "http://a\x00"])
def test_container_that_cannot_be(url):
    """Nor can one be reached whose address is none."""
    assert outcome(url)[0] == "failed"


def test_container_that_is_never_asked():
    """An emulator with a container that nobody needs stops as well."""
    with Emulator("http://127.0.0.1:9") as emulator:
        assert emulator.jobs == ()
