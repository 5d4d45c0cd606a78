"""Tests of the command `stream`, which prints the response of a model while it arrives."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from threading import Event

import pytest

from sagemaker_runtime_client.emulator import Emulator, Faults, ModelFailure
from tests.runtime_client.cli.programs import PROGRAM, SOURCES

STREAM = ("stream", "my-endpoint", "--input", "-")
WAIT = 30


class Model:
    """A model that yields the pieces of the payload, which are separated by `|`.

    At the piece `fail`, the model fails.  At `pause`, it waits until `resumed` is set.  At
    `endless`, it yields pieces until the client has closed the connection.
    """

    def __init__(self):
        self.resumed = Event()
        self.left = Event()

    def __call__(self, request):
        try:
            for piece in request.body.split(b"|"):
                if piece == b"fail":
                    raise ModelFailure("out of memory", status_code=400)
                if piece == b"pause":
                    assert self.resumed.wait(WAIT)
                elif piece == b"endless":
                    while True:
                        yield b"more\n"
                elif piece == b"hang":
                    request.cancelled.wait(WAIT)
                else:
                    yield piece
        finally:
            self.left.set()


@pytest.fixture
def model():
    """The model of the emulator."""
    return Model()


@pytest.fixture
def emulator(bare_environment, model):
    """A running emulator; environment variables point all clients to it."""
    bare_environment.setenv("PYTHONPATH", SOURCES)
    with Emulator(model) as emulator:
        for name, value in emulator.environ.items():
            bare_environment.setenv(name, value)
        yield emulator


def test_parts(command, emulator):
    """`stream` writes the bytes of the response to stdout, and nothing to stderr."""
    assert command(*STREAM, stdin=b"a|\xff\n|b") == (0, b"a\xff\nb", "")
    (request,) = emulator.requests
    assert request.operation == "InvokeEndpointWithResponseStream"


def test_each_option(command, emulator, tmp_path):
    """The service receives the value of each request option, and the content of a payload file."""
    payload = tmp_path / "in"
    payload.write_bytes(b"hello")
    options = {
        "--content-type": "text/csv",
        "--accept": "text/plain",
        "--custom-attributes": "a=b",
        "--inference-id": "mine",
        "--target-variant": "blue",
        "--target-container-hostname": "host",
        "--inference-component-name": "component",
        "--prefix-aware-id": "prefix",
    }
    pairs = [text for pair in options.items() for text in pair]
    assert command("stream", "e", "--input", str(payload), *pairs)[:2] == (0, b"hello")
    headers = dict(emulator.requests[0].headers)
    assert {*options.values()} - {*headers.values()} == {
        "a=b"
    }  # the emulator's record hides this value


@pytest.mark.usefixtures("emulator")
def test_open_session(command):
    """`stream` sends the ID of a session, and does not open a new session."""
    code, _, err = command(*STREAM, "--session-id", "NEW_SESSION", stdin=b"x")
    assert code == 2
    assert "--session-id must contain only letters" in err
    code, _, err = command(*STREAM, "--session-id", "unknown", stdin=b"x")
    assert code == 4
    assert "Session unknown not found" in err


FORMS = [
    ("--lines", "a\r|\nb|é\n\nc".encode(), "a\nbé\n\nc\n".encode()),
    (
        "--events",
        b"id: 1\ndata: a\nda|ta: b\n\n: comment\nevent: end\nretry: 5\ndata: c\n\ndata: [DONE]\n\nx",
        (
            b'{"data": "a\\nb", "event": "message", "id": "1", "retry": null}\n'
            b'{"data": "c", "event": "end", "id": "1", "retry": 5}\n'
        ),
    ),
    ("--json", b'{"a":|1}\n\n["\xc3|\xa9"]', b'{"a": 1}\n["\\u00e9"]\n'),
    ("--json", b'data: {"a":|1}\n\ndata: [DONE]\n\n', b'{"a": 1}\n'),
]


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(("form", "payload", "expected"), FORMS)
def test_forms(command, tmp_path, form, payload, expected):
    """With `--lines`, `--events` or `--json`, one item is written per line, to stdout or a file."""
    assert command(*STREAM, form, stdin=payload) == (0, expected, "")
    output = tmp_path / "out"
    assert command(*STREAM, form, "--output", str(output), stdin=payload) == (0, b"", "")
    assert output.read_bytes() == expected


@pytest.mark.usefixtures("emulator")
def test_a_form_is_chosen_once(command):
    """Only one of the options for the output format can be used at a time."""
    with pytest.raises(SystemExit):
        command(*STREAM, "--lines", "--json", stdin=b"x")


@pytest.mark.usefixtures("emulator")
def test_failure_in_the_middle(command):
    """If the model fails later, the earlier parts and the error are printed, and the exit code is
    5.
    """
    code, out, err = command(*STREAM, stdin=b"a\nb|fail")
    assert (code, out) == (5, b"a\nb")
    assert "out of memory" in err
    assert command(*STREAM, "--lines", stdin=b"a\nb|fail")[:2] == (5, b"a\n")


@pytest.mark.usefixtures("emulator")
def test_failure_as_json(command):
    """With `--json`, the error and the reason for the failure follow the documents."""
    code, out, _ = command(*STREAM, "--json", stdin=b"[1]\n|fail")
    first, last = out.splitlines()
    assert (code, first) == (5, b"[1]")
    error = json.loads(last)["error"]
    assert (error["type"], error["reason"]) == ("ModelStreamError", "StreamBroken")
    assert error["possibly_accepted"]


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (Faults.STREAM_TRUNCATED, 7, "not a valid event stream"),
        (Faults.STREAM_CORRUPTED, 7, "not a valid event stream"),
        (Faults.STREAM_FAILED, 4, "The stream processing failed."),
    ],
    ids=str,
)
def test_broken_stream(command, emulator, fault, code, message):
    """If the stream breaks off, the parts that arrived are printed, and the exit code shows the
    error.
    """
    emulator.faults.once(fault)
    found, out, err = command(*STREAM, stdin=b"a|b|c")
    assert (found, out) == (code, b"a")
    assert message in err


@pytest.mark.usefixtures("emulator")
def test_failure_before_the_first_part(command, tmp_path):
    """If the model fails before its first part, nothing is printed, and a file stays unchanged."""
    output = tmp_path / "out"
    output.write_bytes(b"as it was")
    code, out, err = command(*STREAM, "--output", str(output), stdin=b"fail")
    assert (code, out, output.read_bytes()) == (5, b"", b"as it was")
    assert "out of memory" in err


@pytest.mark.usefixtures("emulator")
def test_file_after_a_failure(command, tmp_path):
    """If the model fails later, the output file contains the parts before the failure."""
    output = tmp_path / "out"
    output.write_bytes(b"as it was")
    assert command(*STREAM, "--output", str(output), stdin=b"a|fail")[0] == 5
    assert output.read_bytes() == b"a"


def test_other_errors(command, emulator):
    """Invalid arguments are rejected before anything is sent."""
    for arguments, message in (
        (("stream", "my_endpoint", "--input", "-"), "ENDPOINT must contain only letters"),
        ((*STREAM, "--timeout", "0"), "--timeout must be more than 0 seconds"),
        (("stream", "e", "--input", "/no/such/file"), "No such file"),
    ):
        code, _, err = command(*arguments, stdin=b"x")
        assert code == 2
        assert message in err
    code, _, err = command(*STREAM, stdin=bytes(6_291_457))
    assert code == 2
    assert "stdin has more than 6,291,456 bytes" in err
    assert emulator.requests == ()


def test_repeated_requests(command, emulator, monkeypatch):
    """With `--wait-until-ready`, the request is repeated while the model is not ready.

    With `--retry-model`, the request is repeated even if the model may have run.
    """
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    emulator.faults.once(Faults.MODEL_NOT_READY)
    assert command(*STREAM, stdin=b"x")[0] == 4
    emulator.faults.once(Faults.MODEL_NOT_READY)
    assert command(*STREAM, "--wait-until-ready", "30", stdin=b"x")[:2] == (0, b"x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    emulator.faults.once(Faults.RESET_AFTER_TAKEN)
    assert command(*STREAM, stdin=b"x")[0] == 7
    emulator.faults.once(Faults.RESET_AFTER_TAKEN)
    assert command(*STREAM, "--retry-model", stdin=b"x")[:2] == (0, b"x")


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("form", [(), ("--lines",)])
def test_full_device(command, model, monkeypatch, form):
    """If a part cannot be written, the exit code is 8, and the connection is closed."""
    output = ("--output", "/dev/full")
    code, _, err = command(*STREAM, *form, *output, stdin=b"endless")
    assert code == 8
    assert "/dev/full could not be written: No space left on device" in err
    assert model.left.wait(WAIT)
    with open("/dev/full", "w") as stdout:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", stdout)
        code, _, err = command(*STREAM, *form, stdin=b"endless")
    assert code == 8
    assert "stdout could not be written: No space left on device" in err


@contextmanager
def running(payload, *arguments):
    """Run `stream` in a separate process."""
    with subprocess.Popen(
        [*PROGRAM.split(), *STREAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        process.stdin.write(payload)
        process.stdin.close()
        process.stdin = None
        yield process


@pytest.mark.usefixtures("emulator")
def test_parts_arrive_early(model):
    """Each part is written to stdout before the model yields the next part."""
    with running(b"a|pause|b") as process:
        assert process.stdout.read(1) == b"a"
        model.resumed.set()
        assert process.communicate(timeout=WAIT) == (b"b", b"")
    assert process.returncode == 0


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(
    ("form", "payload", "first"),
    [
        ("--lines", b"a\n|pause|b", b"a\n"),
        ("--events", b"data: a\n\n|pause|", b'{"data": "a"'),
        ("--json", b"[1]\n|pause|[2]", b"[1]\n"),
    ],
)
def test_items_arrive_early(model, form, payload, first, tmp_path):
    """Each item is written to a named pipe before the model yields the next item."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with running(payload, form, "--output", str(pipe)) as process:
        with pipe.open("rb", buffering=0) as reader:
            assert reader.read(len(first)) == first
            model.resumed.set()
            reader.read()
        assert process.wait(WAIT) == 0


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals(model, number):
    """A signal ends `stream`, and its connection is closed, so that the model can stop."""
    with running(b"a|hang") as process:
        assert process.stdout.read(1) == b"a"
        process.send_signal(number)
        assert process.communicate(timeout=WAIT) == (b"", b"")
    assert process.returncode == -number
    assert model.left.wait(WAIT)


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("form", [(), ("--lines",)])
def test_broken_pipe(model, form):
    """If the reader of stdout stops, `stream` ends without a message and closes its connection."""
    with running(b"endless", *form) as process:
        assert process.stdout.read(4) == b"more"
        process.stdout.close()
        assert process.wait(WAIT) == 141
        assert process.stderr.read() == b""
    assert model.left.wait(WAIT)
