"""Test the trace header that is sent in Lambda functions, against Smithy's test cases."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client._aws.user_agent import trace_headers

SUITE = json.loads((Path(os.environ["SUITES"]) / "recursion-detection.json").read_text("utf-8"))
# The case whose request already has the header is left out, because callers of this package cannot
# set the header.
CASES = [
    pytest.param(case, id=str(number))
    for number, case in enumerate(SUITE)
    if not case["requestHeadersBefore"]
]


def test_the_suite_is_whole():
    """The suite has 5 cases, and all but the one with an existing header are tested."""
    assert len(CASES) == 4 == len(SUITE) - 1


@pytest.mark.parametrize("case", CASES)
def test_trace_header(case):
    """In the environment of a case, `trace_headers` returns exactly the expected headers."""
    headers = [f"{name}: {value}" for name, value in trace_headers(case["env"])]
    assert [line.lower() for line in headers] == [
        line.lower() for line in case["requestHeadersAfter"]
    ]
