"""Test the parser for responses against botocore's test cases for the rest-json protocol."""

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
# The successful responses belong to other operations.  Their shapes, such as payloads, lists,
# numbers and timestamps in headers, and header name prefixes, do not occur in InvokeEndpointAsync.
SUCCESSES = [
    pytest.param(case, id=case["id"])
    for suite in SUITE
    for case in suite["cases"]
    if "errorCode" not in case
]


def parsed(case):
    """Parse the response in *case* as a response to InvokeEndpointAsync."""
    response = case["response"]
    body = response.get("body", "").encode()
    return Invocation.from_http(response["status_code"], response.get("headers", {}), body)


def test_the_suite_is_whole():
    """The suite has 12 error responses, and all of them are tested."""
    assert len(ERRORS) == 12


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    """The error has the code and status of the case, and the message if the case has one."""
    with pytest.raises(ServiceError) as caught:
        parsed(case)
    assert caught.value.code == case["errorCode"]
    assert caught.value.status_code == case["response"]["status_code"]
    if "errorMessage" in case:
        assert caught.value.message == case["errorMessage"]


@pytest.mark.parametrize("case", SUCCESSES)
def test_success(case):
    """For a successful response to another operation, no field of `Invocation` is set."""
    assert parsed(case) == Invocation()
