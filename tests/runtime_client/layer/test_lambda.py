"""Tests of Lambda functions that use each layer, under AWS's runtime client."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from sigv4 import Credentials
from tests.runtime_client.layer.conftest import ALL_PYTHONS, SPECS, Service
from tests.runtime_client.layer.runtime_api import runtime_folder


def test_invocations(function, service):
    """Cold and warm invocations share one process and one connection, and their signatures are valid."""
    results = [function.invoke(job="queue", body=f"{number}") for number in range(3)]
    assert [result["invocations"] for result in results] == [1, 2, 3]
    ids = [request.header("x-amzn-sagemaker-inference-id") for request in service.server.requests]
    assert [result["result"] for result in results] == ids
    assert [request.body for request in service.server.requests] == [b"0", b"1", b"2"]
    assert service.server.connections == 1


def test_trace(function, service):
    """The trace ID of a Lambda invocation is sent with the client's request."""
    function.invoke(job="queue", body="1")
    trace = service.server.requests[0].header("x-amzn-trace-id")
    assert trace.startswith("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")


def test_whole_job(function):
    """A function can wait for a job and download its output."""
    assert function.invoke(job="infer", body="1")["result"] == "ANSWER"


def test_event_loops(function, service):
    """An async client works in the new event loop of each invocation."""
    for number in range(3):
        bodies = [f"{number}-{one}" for one in range(4)]
        result = function.invoke(job="queue_async", bodies=bodies)
        assert len(set(result["result"])) == 4
    assert len(service.server.requests) == 12


def test_batch(function, service):
    """The response to an SQS batch lists only the failed messages."""
    bodies = ["good", "refuse", "fine"]
    records = [
        {"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs"}
        for number, body in enumerate(bodies)
    ]
    result = function.invoke(Records=records)["result"]
    assert result == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [one.body for one in service.server.requests] == [body.encode() for body in bodies]


@pytest.mark.parametrize("job", ["queue", "queue_async"])
def test_frozen(function, service, job):
    """A connection that was closed while the function was frozen is replaced, and no request is
    sent twice.
    """
    event = {"job": job, "body": "1", "bodies": ["1"]}
    function.invoke(**event)
    function.freeze()
    service.close_idle()
    function.thaw()
    assert function.invoke(**event)["invocations"] == 2
    assert len(service.server.requests) == service.server.connections == 2


@pytest.mark.skipif(not ALL_PYTHONS, reason="takes a minute: run make layer-test")
def test_frozen_for_a_minute(unpacked, sandbox):
    """After a function was frozen for a minute with its connections open, its clients still work."""
    with ExitStack() as stack:
        running = []
        for layer in map(unpacked, SPECS.values()):
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
    """If the credentials in the environment change, the next request is signed with the new ones."""
    function.invoke(job="queue", body="1")
    service.known.append(Credentials("AKIDROTATED", "another-secret", "another-token"))
    function.invoke(job="queue", body="2", environ=service.environ)
    signed_by = [one.header("authorization").split("/")[0] for one in service.server.requests]
    assert [text.rpartition("=")[2] for text in signed_by] == ["AKIDEXAMPLE", "AKIDROTATED"]


def test_bounds(function, layer, task):
    """A warm function uses less than 128 MB, and loads the client's modules from the read-only
    layer.
    """
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
    """A function that imports `runtime_client` gets Lambda's own module of that name."""
    native = Path(function.invoke(job="facts")["result"]["native"])
    assert (native.parent, native.suffix) == (runtime_folder(layer.spec), ".so")
