"""Functions in each layer, under AWS's own runtime client."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from sigv4 import Credentials
from tests.runtime_client.layer.conftest import PLANS, THOROUGH, Service
from tests.runtime_client.layer.runtime_api import runtime_folder


def test_invocations(function, service):
    """A cold invocation and warm ones share one process and one connection; signatures are right."""
    answers = [function.invoke(job="queue", body=f"{number}") for number in range(3)]
    assert [answer["invocations"] for answer in answers] == [1, 2, 3]
    ids = [request.header("x-amzn-sagemaker-inference-id") for request in service.server.requests]
    assert [answer["result"] for answer in answers] == ids
    assert [request.body for request in service.server.requests] == [b"0", b"1", b"2"]
    assert service.server.connections == 1


def test_trace(function, service):
    """The trace of an invocation goes on in the request."""
    function.invoke(job="queue", body="1")
    trace = service.server.requests[0].header("x-amzn-trace-id")
    assert trace.startswith("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")


def test_whole_job(function):
    """An answer is waited for, and fetched."""
    assert function.invoke(job="infer", body="1")["result"] == "ANSWER"


def test_event_loops(function, service):
    """An async client outlives the event loop of an invocation: the next have their own."""
    for number in range(3):
        bodies = [f"{number}-{one}" for one in range(4)]
        answer = function.invoke(job="queue_async", bodies=bodies)
        assert len(set(answer["result"])) == 4
    assert len(service.server.requests) == 12


def test_batch(function, service):
    """Of an SQS batch only what failed comes back."""
    bodies = ["good", "refuse", "fine"]
    records = [
        {"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs"}
        for number, body in enumerate(bodies)
    ]
    answer = function.invoke(Records=records)["result"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [one.body for one in service.server.requests] == [body.encode() for body in bodies]


@pytest.mark.parametrize("job", ["queue", "queue_async"])
def test_frozen(function, service, job):
    """What the server closed while the sandbox was frozen is noticed: nothing is sent twice."""
    event = {"job": job, "body": "1", "bodies": ["1"]}
    function.invoke(**event)
    function.freeze()
    service.close_idle()
    function.thaw()
    assert function.invoke(**event)["invocations"] == 2
    assert len(service.server.requests) == service.server.connections == 2


@pytest.mark.skipif(not THOROUGH, reason="takes a minute: make layer-test")
def test_frozen_for_a_minute(unpacked, sandbox):
    """A minute is as nothing to a frozen function, even if the server kept its connection."""
    with ExitStack() as stack:
        running = []
        for layer in map(unpacked, PLANS.values()):
            service = Service()
            stack.enter_context(service.server)
            function = stack.enter_context(sandbox(layer, "app.handler", service.environ))
            function.invoke(job="queue", body="1")
            function.invoke(job="queue_async", bodies=["1"])
            function.freeze()
            running.append((function, service))
        time.sleep(60)
        for function, service in running:
            function.thaw()
            function.invoke(job="queue", body="2")
            function.invoke(job="queue_async", bodies=["2"])
            sent = [request.body for request in service.server.requests]
            assert sent == [b"1", b"1", b"2", b"2"]


def test_rotated_credentials(function, service):
    """New keys in the environment sign the next request."""
    function.invoke(job="queue", body="1")
    service.known.append(Credentials("AKIDROTATED", "another-secret", "another-token"))
    function.invoke(job="queue", body="2", environ=service.environ)
    signed_by = [one.header("authorization").split("/")[0] for one in service.server.requests]
    assert [text.rpartition("=")[2] for text in signed_by] == ["AKIDEXAMPLE", "AKIDROTATED"]


def test_bounds(function, layer, task):
    """A warm function stays below 128 MB, writes nowhere, and loads nothing but layer and runtime."""
    function.invoke(job="queue", body="1")
    function.invoke(job="queue_async", bodies=["1", "2"])
    facts = function.invoke(job="facts")["result"]
    assert facts["peak"] < 128 * 2**20
    assert {str(layer.python), str(task)}.isdisjoint(facts["writable"])
    assert [name for name in facts["files"] if "site-packages" in name] == []
    inside = [name for name in facts["files"] if name.startswith(str(layer.python))]
    assert {"httpx", "sigv4", "sagemaker_runtime_client"} <= {
        name[len(str(layer.python)) :].split("/")[1] for name in inside
    }


def test_name(function, layer):
    """Lambda's own `runtime_client` is what a function gets under that name."""
    native = Path(function.invoke(job="facts")["result"]["native"])
    assert (native.parent, native.suffix) == (runtime_folder(layer.plan), ".so")
