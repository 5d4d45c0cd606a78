"""Test writing the output of a job to a file or into memory while it arrives."""

import pytest

from sagemaker_runtime_client import (
    InferenceFailedError,
    Invocation,
    Output,
    ParamValidationError,
    ResponseTooLargeError,
    TargetError,
    WaitTimeoutError,
)
from sagemaker_runtime_client.emulator import Emulator
from tests.runtime_client.clients import often, settings
from tests.runtime_client.s3.downloads.object_server import names

PAYLOAD = b"abc" * 100_000


def infer(driver, emulator, output, **options):
    """Call `infer` with *output* as the target of the output."""
    arguments = {"timeout": 30, "schedule": often, "input_prefix": "s3://bucket/in/", **options}
    return driver.client(**settings(emulator)).infer("e", PAYLOAD, output=output, **arguments)


def test_path(driver, emulator, tmp_path):
    """If the target is a path, `infer` writes the output there, and returns its description."""
    found = infer(driver, emulator, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == PAYLOAD.upper()
    assert names(tmp_path) == ["out"]
    assert (found.body, found.size) == (b"", len(PAYLOAD))
    assert found.invocation.output_location == found.location
    assert found.etag is not None
    assert isinstance(found, Output)


def test_open_file(plain_driver, emulator, tmp_path):
    """If the target is an open file, `infer` writes the output to it."""
    with (tmp_path / "out").open("wb") as file:
        infer(plain_driver, emulator, file)
    assert (tmp_path / "out").read_bytes() == PAYLOAD.upper()


def test_wait(plain_driver, emulator):
    """If the target is a bytearray, `wait` writes the output into it."""
    client, memory = plain_driver.client(**settings(emulator)), bytearray()
    job = client.submit("e", b"abc")
    found = client.wait(job, timeout=30, schedule=often, output=memory)
    assert (memory, found.body, found.invocation) == (b"ABC", b"", job)


@pytest.mark.parametrize(
    ("output", "error"), [(3, ParamValidationError), ("/proc/out", TargetError)]
)
def test_impossible(plain_driver, emulator, output, error):
    """If the target cannot be written, an error is raised before the job is submitted."""
    with pytest.raises(error, match="output"):
        infer(plain_driver, emulator, output)
    assert emulator.jobs == ()


def test_timeout(plain_driver, emulator, tmp_path):
    """If the timeout elapses before the output appears, nothing is written."""
    client = plain_driver.client(**settings(emulator))
    job = Invocation(output_location="s3://bucket/none")
    with pytest.raises(WaitTimeoutError):
        client.wait(job, timeout=0, output=tmp_path / "out")
    assert names(tmp_path) == []


def fail(_request):
    """Raise an error, like a model that fails."""
    raise ZeroDivisionError


def test_failed(plain_driver, tmp_path):
    """If the model fails, its error is raised, and nothing is written."""
    with Emulator(model=fail) as emulator, pytest.raises(InferenceFailedError):
        infer(plain_driver, emulator, tmp_path / "out")
    assert names(tmp_path) == []


def test_max_size(plain_driver, emulator, tmp_path):
    """If the output exceeds max_size, it is not written, and the error contains the job's handle."""
    with pytest.raises(ResponseTooLargeError) as caught:
        infer(plain_driver, emulator, tmp_path / "out", max_size=10)
    assert names(tmp_path) == []
    assert caught.value.invocation is not None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (None, "ä".encode()),
        ("text/csv", "ä".encode()),
        ("text/csv; charset=ISO-8859-1", "ä".encode("latin-1")),
        ('text/csv; header=present; Charset="utf-16"', "ä".encode("utf-16")),
        ("text/csv; charset=no-such-charset", "ä".encode()),
        ("text/csv; charset=zlib", "ä".encode()),
        ("text/csv; charset=", "ä".encode()),
    ],
)
def test_charset(content_type, body):
    """`text` uses the charset of the content type; if the charset is unknown, it uses UTF-8."""
    assert Output(body, content_type).text == "ä"
