"""Smithy's cases for the trace header in Lambda."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client._aws.user_agent import trace_headers

SUITE = json.loads((Path(os.environ["SUITES"]) / "recursion-detection.json").read_text("utf-8"))
# Callers of this package cannot set the header, so cases in which it is set already are left out.
CASES = [
    pytest.param(case, id=str(number))
    for number, case in enumerate(SUITE)
    if not case["requestHeadersBefore"]
]


def test_the_suite_is_whole():
    """All cases are run except the one whose request has the header already."""
    assert len(CASES) == 4 == len(SUITE) - 1


@pytest.mark.parametrize("case", CASES)
def test_trace_header(case):
    """The environment gives the header of the case, or no header."""
    headers = [f"{name}: {value}" for name, value in trace_headers(case["env"])]
    assert [line.lower() for line in headers] == [
        line.lower() for line in case["requestHeadersAfter"]
    ]
