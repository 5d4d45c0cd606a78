"""Test how responses are parsed against botocore's test cases for the rest-json protocol."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client import Invocation, ServiceError

SUITE = json.loads((Path(os.environ["SUITES"]) / "rest-json-output.json").read_text("utf-8"))
ERRORS = [
    pytest.param(case, id=case["id"])
    for suite in SUITE
    for case in suite["cases"]
    if "errorCode" in case
]
# The other cases contain shapes that InvokeEndpointAsync does not use: payloads, lists, numbers and
# timestamps in headers, and header name prefixes.
SUCCESSES = [
    pytest.param(case, id=case["id"])
    for suite in SUITE
    for case in suite["cases"]
    if "errorCode" not in case
]


def parsed(case):
    """Parse the response in a case."""
    response = case["response"]
    body = response.get("body", "").encode()
    return Invocation.from_http(response["status_code"], response.get("headers", {}), body)


def test_the_suite_is_whole():
    """The suite has 12 error responses, and all of them are tested."""
    assert len(ERRORS) == 12


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    """The error for a response has the code, the message and the status of the case."""
    with pytest.raises(ServiceError) as caught:
        parsed(case)
    assert caught.value.code == case["errorCode"]
    assert caught.value.status_code == case["response"]["status_code"]
    if "errorMessage" in case:
        assert caught.value.message == case["errorMessage"]


@pytest.mark.parametrize("case", SUCCESSES)
def test_success(case):
    """The success responses of other operations raise no error and set no field of `Invocation`."""
    assert parsed(case) == Invocation()
