"""botocore's cases for responses in the rest-json protocol: errors, and text in headers."""

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
# The remaining cases have shapes that InvokeEndpointAsync does not use: payloads, lists, numbers
# and timestamps in headers, and prefixes of headers.
SUCCESSES = [
    pytest.param(case, id=case["id"])
    for suite in SUITE
    for case in suite["cases"]
    if "errorCode" not in case
]


def parsed(case):
    """Parse the response of a case."""
    response = case["response"]
    body = response.get("body", "").encode()
    return Invocation.from_http(response["status_code"], response.get("headers", {}), body)


def test_the_suite_is_whole():
    """All 12 errors are run."""
    assert len(ERRORS) == 12


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    """Code and message are found where the case has them."""
    with pytest.raises(ServiceError) as caught:
        parsed(case)
    assert caught.value.code == case["errorCode"]
    assert caught.value.status_code == case["response"]["status_code"]
    if "errorMessage" in case:
        assert caught.value.message == case["errorMessage"]


@pytest.mark.parametrize("case", SUCCESSES)
def test_success(case):
    """A successful response of another operation is not an error, and all members are empty."""
    assert parsed(case) == Invocation()
