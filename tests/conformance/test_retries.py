"""Test the outcomes, pauses and quotas of the standard retry mode, against Smithy's test cases."""

import json
import os
from pathlib import Path

import pytest

from sagemaker_runtime_client import Request, Response, ServiceError
from sagemaker_runtime_client._aws.auth import SigV4Auth
from sagemaker_runtime_client._aws.call import ServiceClient
from sagemaker_runtime_client._aws.endpoint import Endpoint
from sagemaker_runtime_client._aws.error_response import json_error
from sagemaker_runtime_client._aws.operation import Operation
from sagemaker_runtime_client._aws.retry import RetryPolicy
from sigv4 import as_provider
from tests.runtime_client.scripted_io import CREDENTIALS, ScriptedIO, run

SUITE = json.loads((Path(os.environ["SUITES"]) / "retries.json").read_text("utf-8"))["standard"]
SHARED = SUITE["Shared multi-threaded scenarios"]
# One case sets the maximum pause.  In this package, the maximum pause is a constant, so the test
# replaces the constant.
CASES = [pytest.param(case, id=name) for name, case in SUITE.items() if "responses" in case]
CALL = Operation(
    Endpoint("https://example.com", "sagemaker", "us-east-1"), Request("POST", "/"), json_error
)


def make_response(given):
    """Convert a response in the suite's form to a `Response`."""
    code = {"x-amzn-errortype": given["error_code"]} if "error_code" in given else {}
    return Response(given["status_code"], {**code, **given.get("headers", {})})


class ScriptedClient(ScriptedIO):
    """Returns scripted responses, and records the available retry quota after each of them."""

    def __init__(self, given, steps):
        super().__init__(
            [make_response(step["response"]) for step in steps], random=given["exponential_base"]
        )
        policy = RetryPolicy(max_attempts=given.get("max_attempts", 3))
        self.caller = ServiceClient(self, self, SigV4Auth(as_provider(CREDENTIALS)), policy)
        quota = self.caller._state.quota
        for _ in range(quota.available - given.get("initial_retry_tokens", quota.available)):
            quota._tokens.pop()
        self.quotas = []

    async def sleep(self, seconds):
        self.quotas.append(self.caller._state.quota.available)
        await super().sleep(seconds)

    def call(self):
        """Make one call, with retries, and return the suite's name for its outcome."""
        try:
            run(self.caller.send(CALL))
        except ServiceError as error:
            outcome = (
                "retry_quota_exceeded" if hasattr(error, "__notes__") else "max_attempts_exceeded"
            )
        else:
            outcome = "success"
        self.quotas.append(self.caller._state.quota.available)
        return outcome


def test_the_suite_is_whole():
    """The suite has 14 cases, one of them with two threads, and all of them are tested."""
    assert len(CASES) + 1 == len(SUITE) == 14


@pytest.mark.parametrize("case", CASES)
def test_standard_mode(case, monkeypatch):
    """The outcomes and pauses, and the quota after each response, are those of the case."""
    given, steps = case["given"], case["responses"]
    if "max_backoff_time" in given:
        monkeypatch.setattr(
            "sagemaker_runtime_client._aws.retry.LONGEST_BACKOFF", given["max_backoff_time"]
        )
    expected = [step["expected"] for step in steps]
    client = ScriptedClient(given, steps)
    outcomes = [step["outcome"] for step in expected if step["outcome"] != "retry_request"]
    assert [client.call() for _ in outcomes] == outcomes
    assert client.quotas == [step["retry_quota"] for step in expected]
    pauses = [step["delay"] for step in expected if "delay" in step]
    assert client.slept == [pytest.approx(pause) for pause in pauses]
    assert client.left == 0


def test_shared_quota():
    """Two overlapping calls use one quota, which has the expected value after each response."""
    first, second = SHARED["threads"]
    # The responses are in the order in which they change the quota: the second call is made during
    # the second pause of the first call.
    expected = [step["expected"]["retry_quota"] for step in (*first[:2], *second, first[2])]
    client = ScriptedClient(SHARED["given"], [*first[:2], *second, first[2]])
    pause = ScriptedClient.sleep

    async def sleep(seconds):
        await pause(client, seconds)
        if len(client.slept) == 2:
            assert client.call() == "success"

    client.sleep = sleep
    assert client.call() == "success"
    assert client.quotas == expected
    assert client.quotas[-1] == SHARED["expected_final_quota"]
