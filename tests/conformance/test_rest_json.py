"""botocore's cases for answers in the rest-json protocol: the errors, and text in headers."""

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
# What is left out is for shapes that InvokeEndpointAsync has not: payloads, lists, numbers and
# timestamps in headers, and prefixes of headers.
SUCCESSES = [
    pytest.param(case, id=case["id"])
    for suite in SUITE
    for case in suite["cases"]
    if "errorCode" not in case
]


def parsed(case):
    """Read a case's answer."""
    answer = case["response"]
    body = answer.get("body", "").encode()
    return Invocation.from_http(answer["status_code"], answer.get("headers", {}), body)


def test_the_suite_is_whole():
    """All 12 errors are run."""
    assert len(ERRORS) == 12


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    """Code and message stand where the case says."""
    with pytest.raises(ServiceError) as caught:
        parsed(case)
    assert caught.value.code == case["errorCode"]
    assert caught.value.status_code == case["response"]["status_code"]
    if "errorMessage" in case:
        assert caught.value.message == case["errorMessage"]


@pytest.mark.parametrize("case", SUCCESSES)
def test_success(case):
    """A success of another operation is no error, and has none of what ours looks for."""
    assert parsed(case) == Invocation()
