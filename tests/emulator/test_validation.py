"""Test the checks that the emulator makes before it accepts an invocation."""

import json
import re

import pytest

from sagemaker_runtime_client.emulator import Emulator
from tests.emulator.wire import INPUT, INVOCATION, call

LONG = "a" * 1025


def header(name, value):
    """Return the headers of an invocation with a valid input location and one further header."""
    return {**INPUT, f"x-amzn-sagemaker-{name}": value}


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        (header("content-type", LONG), b"", "'contentType' failed.*or equal to 1024"),
        (header("content-type", "caf\xe9"), b"", "'contentType' failed.*pattern"),
        (header("accept", LONG), b"", "'accept' failed.*or equal to 1024"),
        (header("accept", "\xff"), b"", "'accept' failed.*pattern"),
        (header("custom-attributes", LONG), b"", "^1 .*: Value at 'customAttributes'.*1024"),
        (header("custom-attributes", "\xff"), b"", "Value at 'customAttributes'.*pattern"),
        (header("inference-id", ""), b"", "^2 .*'inferenceId'.*greater than or equal to 1;"),
        (header("inference-id", "a" * 65), b"", "'inferenceId'.*less than or equal to 64"),
        (header("inference-id", "a\tb"), b"", "'inferenceId'.*pattern"),
        ({"x-amzn-sagemaker-inputlocation": ""}, b"", "'inputLocation'.*equal to 1;"),
        ({"x-amzn-sagemaker-inputlocation": "ftp://b/k"}, b"", "'inputLocation'.*pattern"),
        (
            {"x-amzn-sagemaker-inputlocation": "s3://b/" + LONG},
            b"",
            "'inputLocation'.*or equal to 1024",
        ),
        (header("s3outputpathextension", ""), b"", "'s3OutputPathExtension'.*equal to 1;"),
        (header("s3outputpathextension", "a" * 513), b"", "'s3OutputPathExtension'.*512"),
        (header("s3outputpathextension", "s3:x"), b"", "'s3OutputPathExtension'.*pattern"),
        (header("s3outputpathextension", "a b"), b"", "'s3OutputPathExtension'.*pattern"),
        (header("filename", ""), b"", "'filename'.*equal to 1;"),
        (header("filename", "a" * 33), b"", "'filename'.*equal to 32"),
        (header("filename", "a.b.c"), b"", "'filename'.*pattern"),
        (header("filename", ".hidden"), b"", "'filename'.*pattern"),
        (header("requestttlseconds", "59"), b"", "'requestTTLSeconds'.*or equal to 60"),
        (header("requestttlseconds", "21601"), b"", "'requestTTLSeconds'.*or equal to 21600"),
        (header("requestttlseconds", "soon"), b"", "'requestTTLSeconds'.*integer"),
        (header("invocationtimeoutseconds", "0"), b"", "'invocationTimeoutSeconds'.*equal to 1"),
        (header("invocationtimeoutseconds", "3601"), b"", "'invocationTimeout.*or equal to 3600"),
        (header("invocationtimeoutseconds", "1.5"), b"", "'invocationTimeoutSeconds'.*integer"),
        (INPUT, b"body", "^Body and InputLocation are mutually exclusive"),
        ({}, b"", "^Body and InputLocation are mutually exclusive"),
        ({}, b"x" * 128_001, "^Body must have length less than or equal to 128000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_invalid_argument(emulator, headers, body, message):
    """An invocation with an invalid value, with two inputs or without input is not queued."""
    response = call(emulator, "POST", INVOCATION, headers, body)
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationError")
    error = json.loads(response.body)
    assert list(error) == ["Message"]
    assert re.search(message, error["Message"]), error["Message"]
    assert emulator.jobs == ()


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "a_b", "a%2Fb", "a" * 64], ids=lambda name: name[:8] or "empty"
)
def test_invalid_endpoint_name(emulator, name):
    """An invalid endpoint name is rejected."""
    response = call(emulator, "POST", f"/endpoints/{name}/async-invocations", INPUT)
    assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert "'endpointName'" in json.loads(response.body)["Message"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"x" * 128_000),
        (header("inference-id", "a" * 64), b""),
        (header("filename", "a-b_c.json"), b""),
        (header("requestttlseconds", "60"), b""),
        (header("requestttlseconds", "21600"), b""),
        (header("invocationtimeoutseconds", "1"), b""),
        (header("invocationtimeoutseconds", "3600"), b""),
        ({"x-amzn-sagemaker-inputlocation": "https://s3.us-east-1.amazonaws.com/b/k"}, b""),
    ],
    ids=["body", "id", "filename", "ttl 60", "ttl 21600", "timeout 1", "timeout 3600", "https"],
)
def test_accepted_at_the_limit(emulator, headers, body):
    """Valid values are accepted, even if they are exactly at their limits."""
    assert call(emulator, "POST", INVOCATION, headers, body).status == 202


def test_unknown_endpoint():
    """If endpoints are configured, an invocation of any other endpoint is rejected."""
    with Emulator(endpoints=["my-endpoint"]) as emulator:
        assert call(emulator, "POST", INVOCATION, INPUT).status == 202
        response = call(emulator, "POST", "/endpoints/other/async-invocations", INPUT)
    assert response.status == 400
    expected = "Endpoint other of account 000000000000 not found."
    assert json.loads(response.body)["Message"] == expected


def test_unknown_operation(emulator):
    """A SageMaker operation that the emulator does not support is rejected with the status 404."""
    response = call(
        emulator, "POST", "/endpoints/my-endpoint/invocations-bidirectional-stream", (), b"x"
    )
    assert (response.status, response.headers["x-amzn-errortype"]) == (
        404,
        "UnknownOperationException",
    )


def test_sensitive_value_is_not_repeated(emulator):
    """Neither the error nor the record contains the value of CustomAttributes."""
    response = call(emulator, "POST", INVOCATION, header("custom-attributes", "canary\xff"))
    assert b"canary" not in response.body
    assert emulator.requests[0].header("x-amzn-sagemaker-custom-attributes") == "***"
    assert "canary" not in repr(emulator.requests)
