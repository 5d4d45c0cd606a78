"""Tests of jobs that are queued through an inference router."""

import json

import pytest

from sagemaker_runtime_client import (
    InferenceFailedError,
    Invocation,
    ParamValidationError,
    Response,
)
from tests.runtime_client.scripted_io import (
    REGION,
    FakeS3,
    ScriptedIO,
    accepted,
    core,
    dropped,
    run,
)

HOST = f"https://inferencerouter-runtime.sagemaker.{REGION}.amazonaws.com"
ID = "00000000-0000-4000-8000-00000000000"
OUT, FAILURE = "s3://bucket/out/1.out", "s3://bucket/err/1-error.out"
ROUTED = {"router": "r", "routing_target": "t", "payload": b"x"}


class Cloud:
    """A fake inference router and S3 that `ScriptedIO` calls for each request."""

    def __init__(self):
        self.s3 = FakeS3()

    def __call__(self, io, sent):
        if ".s3." not in sent.origin:
            return accepted()
        return Response(200, {}) if sent.request.method == "PUT" else self.s3(io, sent)


def test_invoke_inference_router_async():
    """invoke_inference_router_async sends each argument under its name in the API, and returns an
    invocation that contains the router and the routing target.
    """
    io = ScriptedIO([accepted()])
    invocation = run(
        core(io).invoke_inference_router_async(
            "router",
            "target",
            input_location="s3://bucket/in",
            content_type="text/csv",
            accept="application/json",
            custom_attributes="a=b",
            inference_id="mine",
            s3_output_path_extension="a/b",
            filename="f" * 64,
            request_ttl_seconds=60,
            invocation_timeout_seconds=3600,
        )
    )
    (sent,) = io.sent
    assert sent.url == f"{HOST}/inference-routers/router/async-invocations"
    assert (sent.request.method, sent.request.body) == ("POST", b"")
    expected = {
        "X-Amzn-SageMaker-Routing-Target-Name": "target",
        "X-Amzn-SageMaker-InputLocation": "s3://bucket/in",
        "X-Amzn-SageMaker-Content-Type": "text/csv",
        "X-Amzn-SageMaker-Accept": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": "a=b",
        "X-Amzn-SageMaker-Inference-Id": "mine",
        "X-Amzn-SageMaker-S3OutputPathExtension": "a/b",
        "X-Amzn-SageMaker-Filename": "f" * 64,
        "X-Amzn-SageMaker-RequestTTLSeconds": "60",
        "X-Amzn-SageMaker-InvocationTimeoutSeconds": "3600",
    }
    assert {name: value for name, value in sent.request.headers if name in expected} == expected
    assert {name.lower() for name in expected} <= set(sent.verify().signed_headers)
    assert invocation == Invocation(
        "theirs",
        OUT,
        FAILURE,
        "R1",
        attempts=1,
        inference_router_name="router",
        routing_target="target",
    )


def test_handle():
    """An invocation of a router can be converted to JSON and back.

    JSON that an earlier version wrote, without the fields for routers, can still be read.
    """
    invocation = Invocation("id", OUT, inference_router_name="r", routing_target="t")
    assert Invocation.from_json(invocation.to_json()) == invocation
    old = json.loads(Invocation("id", OUT, endpoint_name="e").to_json())
    for name in ("inference_router_name", "routing_target"):
        assert old.pop(name) is None
    assert Invocation.from_json(json.dumps(old)) == Invocation("id", OUT, endpoint_name="e")


@pytest.mark.parametrize("generates", [True, False])
def test_inference_id(generates):
    """A new UUID is sent as the inference ID unless generate_inference_id is false."""
    io = ScriptedIO([accepted(b"")])
    run(
        core(io).invoke_inference_router_async(
            "r", "t", input_location="s3://b/k", generate_inference_id=generates
        )
    )
    sent = io.sent[0].header("X-Amzn-SageMaker-Inference-Id")
    assert sent == (f"{ID}1" if generates else None)


def test_retries():
    """If the response to a job request is lost, the request is repeated, and the invocation is
    marked as possibly duplicated.
    """
    io = ScriptedIO([dropped(), accepted()])
    invocation = run(
        core(io).invoke_inference_router_async("r", "t", input_location="s3://b/k", timeout=60)
    )
    assert (invocation.attempts, invocation.possibly_duplicated) == (2, True)
    assert {sent.deadline for sent in io.sent} == {1060}


def test_unknown_argument():
    """An unknown argument raises a TypeError before anything is sent."""
    io = ScriptedIO()
    with pytest.raises(TypeError, match="do not accept body"):
        run(core(io).invoke_inference_router_async("r", "t", input_location="s3://b/k", body=b"x"))
    assert io.sent == []


@pytest.mark.parametrize("payload", [b"", b"x", b"x" * 128_001], ids=len)
@pytest.mark.parametrize("inline", [None, False])
def test_submit(payload, inline):
    """For a router, `submit` uploads a payload of any size, and sends the location of the upload."""
    io = ScriptedIO(Cloud())
    invocation = run(
        core(io).submit(
            router="r",
            routing_target="t",
            payload=payload,
            input_prefix="s3://bucket/in/",
            inline=inline,
            content_type="text/csv",
        )
    )
    put, post = io.sent
    location = post.header("X-Amzn-SageMaker-InputLocation")
    assert put.url.endswith(location.removeprefix("s3://bucket"))
    assert (put.request.method, put.request.body) == ("PUT", payload)
    assert post.url == f"{HOST}/inference-routers/r/async-invocations"
    assert post.request.body == b""
    assert (invocation.endpoint_name, invocation.inference_router_name) == (None, "r")
    assert invocation.routing_target == "t"


def test_infer():
    """`infer` waits for the output of a job that a router has accepted, and returns the output."""
    cloud = Cloud()
    cloud.s3.put(OUT, b"output", at=3)
    output = run(core(ScriptedIO(cloud)).infer(**ROUTED, input_prefix="s3://b/", timeout=60))
    assert (output.body, output.invocation.inference_router_name) == (b"output", "r")


def test_failure_object_of_the_router():
    """If a job expires and the router writes a failure object, the wait ends with an error."""
    cloud = Cloud()
    cloud.s3.put(FAILURE, b"request expired", at=3)
    with pytest.raises(InferenceFailedError, match="request expired") as caught:
        run(core(ScriptedIO(cloud)).infer(**ROUTED, input_prefix="s3://b/", timeout=60))
    assert caught.value.invocation.routing_target == "t"


INVALID = [
    ({}, "endpoint_name"),
    ({"endpoint_name": "e", "router": "r", "routing_target": "t"}, "endpoint_name"),
    ({"endpoint_name": "e", "routing_target": "t"}, "endpoint_name"),
    ({"router": "r"}, "routing_target"),
    ({"routing_target": "t"}, "router"),
    ({"router": "r_", "routing_target": "t"}, "router"),
    ({"router": "r", "routing_target": "t_"}, "routing_target"),
    ({"router": "r", "routing_target": "t", "inline": True}, "inline"),
    ({"router": "r", "routing_target": "t", "input_prefix": None}, "input_prefix"),
    ({"router": "r", "routing_target": "t", "payload": None}, "payload"),
    ({"router": "r", "routing_target": "t", "filename": "f" * 65}, "filename"),
]


@pytest.mark.parametrize(("arguments", "argument"), INVALID, ids=str)
def test_invalid_arguments(arguments, argument):
    """Arguments that do not specify exactly one valid destination and an upload location are
    rejected before anything is sent.
    """
    io = ScriptedIO()
    given = {"payload": b"x", "input_prefix": "s3://b/", **arguments}
    for call in (core(io).submit(**given), core(io).infer(**given, timeout=60)):
        with pytest.raises(ParamValidationError) as caught:
            run(call)
        assert caught.value.argument == argument
        assert str(caught.value).startswith(argument)
    assert io.sent == []


def test_custom_endpoint():
    """Inference routers can have a custom endpoint, which is independent of SageMaker Runtime's."""
    io = ScriptedIO([accepted(), accepted(), Response(200, {}, b"")])
    client = core(io, endpoint_url="http://localhost:1", router_endpoint_url="http://localhost:2")
    run(client.invoke_endpoint_async("e", body=b"x"))
    run(client.invoke_inference_router_async("r", "t", input_location="s3://b/k"))
    run(client.invoke_inference_router("r", "t", b"x"))
    assert [sent.origin[-1] for sent in io.sent] == ["1", "2", "2"]


def test_own_quota():
    """Requests to inference routers have their own retry quota, as in botocore."""
    routed = "inference-routers"
    io = ScriptedIO(lambda _io, sent: Response(503, {}) if routed in sent.url else accepted())
    client = core(io, max_attempts=200)
    with pytest.raises(Exception, match="503"):
        run(client.invoke_inference_router("r", "t", b"x"))
    io.sent.clear()
    answers = iter([Response(503, {}), accepted()])
    io._answers = lambda *_: next(answers)
    assert run(client.invoke_endpoint_async("e", body=b"x")).attempts == 2
