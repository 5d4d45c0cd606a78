"""Test that boto3 and this client can use the same emulator, and continue each other's jobs."""

from contextlib import closing
from datetime import datetime

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, FlexibleChecksumError

from sagemaker_runtime_client import (
    ChecksumError,
    Invocation,
    ModelError,
    RequestValidationError,
)
from sagemaker_runtime_client.emulator import Emulator, StoredObject
from tests.runtime_client.clients import often, settings

# All tests share one session, so that the service models are read only once.
SESSION = boto3.Session(aws_access_key_id="unused", aws_secret_access_key="unused")


@pytest.fixture
def emulator(bare_environment):  # noqa: ARG001 (the environment is emptied before)
    """An emulator with one endpoint, whose model returns the payload in upper case."""
    with Emulator(lambda request: request.body.upper(), endpoints=["known"]) as emulator:
        yield emulator


@pytest.fixture
def client(plain_driver, emulator):
    """A client of each kind."""
    return plain_driver.client(**settings(emulator))


@pytest.fixture
def boto(emulator, request):
    """A function that makes boto3 clients for the emulator."""

    def make(service, emulator=emulator):
        made = SESSION.client(
            service,
            endpoint_url=emulator.url,
            region_name=emulator.region,
            aws_access_key_id=emulator.credentials.access_key_id,
            aws_secret_access_key=emulator.credentials.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}),
        )
        request.addfinalizer(made.close)
        return made

    return make


def test_boto_begins(client, boto):
    """This client waits for a job that boto3 has submitted, with input that boto3 has uploaded."""
    boto("s3").put_object(Bucket="inputs", Key="a b/ü", Body=b"hello", Metadata={"owner": "boto"})
    answer = boto("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="known", InputLocation="s3://inputs/a b/ü", InferenceId="theirs"
    )
    invocation = Invocation(
        answer["InferenceId"], answer["OutputLocation"], answer["FailureLocation"]
    )
    output = client.wait(invocation, timeout=10, schedule=often)
    assert (output.body, invocation.inference_id) == (b"HELLO", "theirs")
    found = client.get_object("s3://inputs/a b/ü")
    assert (found.body, found.metadata) == (b"hello", {"owner": "boto"})


def test_we_begin(client, boto):
    """boto3 waits for the output of a job that this client has submitted, and reads it."""
    put = client.put_object("s3://inputs/in", b"hello", content_type="text/x", metadata={"a": "b"})
    invocation = client.invoke_endpoint_async("known", input_location="s3://inputs/in")
    bucket, _, key = invocation.output_location.removeprefix("s3://").partition("/")
    s3 = boto("s3")
    waiter = s3.get_waiter("object_exists")
    waiter.config.delay = 0.01
    waiter.wait(Bucket=bucket, Key=key)
    with closing(s3.get_object(Bucket=bucket, Key=key)["Body"]) as body:
        assert body.read() == b"HELLO"
    head, ours = s3.head_object(Bucket="inputs", Key="in"), client.head_object("s3://inputs/in")
    assert (ours.size, ours.content_type, dict(ours.metadata), ours.etag, ours.last_modified) == (
        head["ContentLength"],
        head["ContentType"],
        head["Metadata"],
        head["ETag"],
        head["LastModified"],
    )
    assert put.etag == head["ETag"]


def test_same_checksums(client, boto, emulator):
    """Both clients send the same checksum, and each verifies objects that the other has uploaded."""
    s3 = boto("s3")
    s3.put_object(Bucket="b", Key="theirs", Body=b"hello")
    client.put_object("s3://b/ours", b"hello")
    theirs, ours = (emulator.objects.get(f"s3://b/{key}") for key in ("theirs", "ours"))
    assert ours.checksums == theirs.checksums
    assert list(ours.checksums) == ["x-amz-checksum-crc32"]
    with closing(s3.get_object(Bucket="b", Key="ours")["Body"]) as body:
        assert body.read() == b"hello"
    assert client.get_object("s3://b/theirs").body == b"hello"


def test_damaged_object(client, boto, emulator, shortest_pauses):  # noqa: ARG001 (no long pauses)
    """Both clients reject an object that does not match its checksum.

    This client makes three attempts.
    """
    checksums = {"x-amz-checksum-crc32": "AAAAAA=="}
    emulator.objects.write("b", "k", StoredObject(b"body", checksums=checksums))
    body = boto("s3").get_object(Bucket="b", Key="k")["Body"]
    with closing(body), pytest.raises(FlexibleChecksumError):
        body.read()
    with pytest.raises(ChecksumError) as caught:
        client.get_object("s3://b/k")
    assert caught.value.attempts == 3


def test_same_refusal(client, boto):
    """Both clients report the same code, message and status for a missing endpoint."""
    with pytest.raises(ClientError) as theirs:
        boto("sagemaker-runtime").invoke_endpoint_async(
            EndpointName="unknown", InputLocation="s3://inputs/in"
        )
    with pytest.raises(RequestValidationError) as ours:
        client.invoke_endpoint_async("unknown", input_location="s3://inputs/in")
    error = theirs.value.response
    assert (ours.value.code, ours.value.message, ours.value.status_code) == (
        error["Error"]["Code"],
        error["Error"]["Message"],
        error["ResponseMetadata"]["HTTPStatusCode"],
    )


def test_same_requests(client, boto, emulator):
    """Both clients send the same method, the same target, and the same headers that the operation
    defines.
    """
    arguments = {
        "InputLocation": "s3://inputs/in",
        "ContentType": "text/csv",
        "Accept": "text/plain",
        "CustomAttributes": "a=b",
        "InferenceId": "mine",
        "RequestTTLSeconds": 60,
        "InvocationTimeoutSeconds": 1,
        "S3OutputPathExtension": "today",
        "Filename": "a.txt",
    }
    boto("sagemaker-runtime").invoke_endpoint_async(EndpointName="known", **arguments)
    client.invoke_endpoint_async(
        "known",
        input_location="s3://inputs/in",
        content_type="text/csv",
        accept="text/plain",
        custom_attributes="a=b",
        inference_id="mine",
        request_ttl_seconds=60,
        invocation_timeout_seconds=1,
        s3_output_path_extension="today",
        filename="a.txt",
    )
    theirs, ours = emulator.requests[:2]
    assert (theirs.method, theirs.target) == (ours.method, ours.target)
    named = [
        {pair for pair in one.headers if pair[0].startswith("x-amzn-sagemaker-")}
        for one in (theirs, ours)
    ]
    assert named[0] == named[1]
    assert len(named[0]) == 9


ROUTERS = "sagemaker-inference-router-runtime"
# The arguments that both synchronous operations have.
ARGUMENTS = {
    "content_type": "text/csv",
    "accept": "text/plain",
    "custom_attributes": "a=b",
    "inference_id": "mine",
    "prefix_aware_id": "prefix",
}
NAMED = {
    "ContentType": "text/csv",
    "Accept": "text/plain",
    "CustomAttributes": "a=b",
    "InferenceId": "mine",
    "PrefixAwareId": "prefix",
}
ROUTED = {"InferenceRouterName": "r", "RoutingTargetName": "t"}


def sent_members(request):
    """Return a request's method, its target, and those of its headers that the service defines."""
    names = {"content-type", "accept"}
    headers = {
        pair
        for pair in request.headers
        if pair[0] in names or pair[0].startswith("x-amzn-sagemaker-")
    }
    return request.method, request.target, headers


def test_same_calls_of_an_endpoint(client, boto, emulator):
    """Both clients send the same request to an endpoint, and return the same output."""
    theirs = boto("sagemaker-runtime").invoke_endpoint(
        EndpointName="known",
        Body=b"hello",
        TargetModel="model.tar.gz",
        TargetVariant="blue",
        TargetContainerHostname="host",
        EnableExplanations="`true`",
        InferenceComponentName="component",
        **NAMED,
    )
    ours = client.invoke_endpoint(
        "known",
        b"hello",
        target_model="model.tar.gz",
        target_variant="blue",
        target_container_hostname="host",
        enable_explanations="`true`",
        inference_component_name="component",
        **ARGUMENTS,
    )
    with closing(theirs["Body"]) as body:
        assert ours.body == body.read() == b"HELLO"
    assert ours.content_type == theirs["ContentType"]
    assert ours.production_variant == theirs["InvokedProductionVariant"] == "blue"
    first, second = map(sent_members, emulator.requests)
    assert first == second
    assert len(first[2]) == 10


def test_same_calls_of_a_router(client, boto, emulator):
    """Both clients send the same request to an inference router, and return the same output."""
    theirs = boto(ROUTERS).invoke_inference_router(**ROUTED, Body=b"hello", **NAMED)
    ours = client.invoke_inference_router("r", "t", b"hello", **ARGUMENTS)
    with closing(theirs["Body"]) as body:
        assert ours.body == body.read() == b"HELLO"
    assert ours.routed_resource_arn == theirs["InvokedRoutedResourceArn"]
    assert ours.routing_reason == theirs["RoutingReason"]
    first, second = map(sent_members, emulator.requests)
    assert first == second
    assert len(first[2]) == 6


def test_sessions(client, boto):
    """This client can use a session that boto3 has opened, and can open a session of its own.

    The ID of an unknown session causes an error.
    """
    runtime = boto("sagemaker-runtime")
    opened = runtime.invoke_endpoint(EndpointName="known", Body=b"", SessionId="NEW_SESSION")
    opened["Body"].close()
    session, _, expires = opened["NewSessionId"].partition("; Expires=")
    assert client.invoke_endpoint("known", b"a", session_id=session).new_session_id is None
    ours = client.invoke_endpoint("known", b"a", session_id="NEW_SESSION")
    assert ours.new_session_id != session
    assert ours.session_expires >= datetime.fromisoformat(expires)
    with pytest.raises(RequestValidationError, match="not found or expired"):
        client.invoke_endpoint("known", b"a", session_id="unknown")


def test_same_model_error(plain_driver, boto):
    """If the model fails, both clients report the same code, message, status and log stream."""
    with Emulator(lambda _request: 1 / 0) as emulator:
        with pytest.raises(ClientError) as theirs:
            boto("sagemaker-runtime", emulator).invoke_endpoint(EndpointName="e", Body=b"")
        with pytest.raises(ModelError) as ours:
            plain_driver.client(**settings(emulator)).invoke_endpoint("e", b"")
    error = theirs.value.response
    assert (ours.value.code, ours.value.message) == (
        error["Error"]["Code"],
        error["Error"]["Message"],
    )
    assert ours.value.original_status_code == error["OriginalStatusCode"]
    assert ours.value.original_message == error["OriginalMessage"]
    assert ours.value.log_stream_arn == error["LogStreamArn"]


def test_same_jobs_of_a_router(client, boto, emulator):
    """Both clients queue the same job at an inference router, and this client waits for both jobs."""
    emulator.objects.put("s3://inputs/in", b"hello")
    theirs = boto(ROUTERS).invoke_inference_router_async(
        **ROUTED,
        InputLocation="s3://inputs/in",
        ContentType="text/csv",
        Accept="text/plain",
        CustomAttributes="a=b",
        InferenceId="mine",
        RequestTTLSeconds=60,
        InvocationTimeoutSeconds=1,
        S3OutputPathExtension="today",
        Filename="f" * 64,
    )
    ours = client.invoke_inference_router_async(
        "r",
        "t",
        input_location="s3://inputs/in",
        content_type="text/csv",
        accept="text/plain",
        custom_attributes="a=b",
        inference_id="mine",
        request_ttl_seconds=60,
        invocation_timeout_seconds=1,
        s3_output_path_extension="today",
        filename="f" * 64,
    )
    method, target, headers = sent_members(emulator.requests[0])
    assert sent_members(emulator.requests[1])[:2] == (method, target)
    assert {pair for pair in headers if pair[0].startswith("x-amzn")} == {
        pair for pair in sent_members(emulator.requests[1])[2] if pair[0].startswith("x-amzn")
    }
    assert ours.output_location == theirs["OutputLocation"]
    handle = Invocation("mine", theirs["OutputLocation"], theirs["FailureLocation"])
    for invocation in (ours, handle):
        assert client.wait(invocation, timeout=10, schedule=often).body == b"HELLO"


def test_infer_through_a_router(client, emulator):
    """`infer` uploads the payload, queues the job at the router, and returns the job's output."""
    output = client.infer(
        router="r",
        routing_target="t",
        payload=b"hello",
        input_prefix="s3://inputs/",
        timeout=10,
        schedule=often,
    )
    assert output.body == b"HELLO"
    operations = [request.operation for request in emulator.requests]
    assert operations[:2] == ["PutObject", "InvokeInferenceRouterAsync"]
