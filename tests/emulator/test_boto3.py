"""Test the emulator with boto3 as an independent client."""

from contextlib import closing
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, FlexibleChecksumError

from sagemaker_runtime_client import SageMakerRuntimeClient
from sagemaker_runtime_client.emulator import Emulator, ModelResponse, StoredObject
from sagemaker_runtime_client.emulator._environment import CONFLICTING_VARIABLES
from sigv4 import Credentials


def test_inline_loop(boto):
    """An inline payload is processed, and the output appears at the location in the 202 response."""
    with Emulator(lambda request: request.body.upper()) as emulator:
        runtime, s3 = boto("sagemaker-runtime", emulator), boto("s3", emulator)
        accepted = runtime.invoke_endpoint_async(EndpointName="e", Body=b"abc", InferenceId="mine")
        bucket, _, key = accepted["OutputLocation"].removeprefix("s3://").partition("/")
        emulator.wait_idle()
        found = s3.get_object(Bucket=bucket, Key=key)
        assert found["Body"].read() == b"ABC"
    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert accepted["InferenceId"] == "mine"
    assert found["ContentType"] == "application/octet-stream"


def test_loop_through_s3(emulator, boto):
    """An input that boto3 has written to S3 is read when the invocation is processed."""
    runtime, s3 = boto("sagemaker-runtime", emulator), boto("s3", emulator)
    s3.create_bucket(Bucket="inputs")
    s3.put_object(Bucket="inputs", Key="a b/in.json", Body=b"{}")
    accepted = runtime.invoke_endpoint_async(
        EndpointName="e",
        InputLocation="s3://inputs/a b/in.json",
        ContentType="application/json",
        Filename="answer.json",
        S3OutputPathExtension="day/1/",
    )
    stored = emulator.objects.wait_for(accepted["OutputLocation"])
    assert (stored.body, stored.content_type) == (b"{}", "application/json")
    path = "s3://sagemaker-emulator/async-endpoint-outputs/day/1/answer.json"
    assert accepted["OutputLocation"] == path


def test_objects(emulator, boto):
    """Objects can be written, described, read completely or in part, listed and deleted."""
    s3 = boto("s3", emulator)
    put = s3.put_object(
        Bucket="b", Key="k", Body=b"0123456789", ContentType="text/plain", Metadata={"a": "1"}
    )
    head = s3.head_object(Bucket="b", Key="k")
    part = s3.get_object(Bucket="b", Key="k", Range="bytes=2-4")
    assert part["Body"].read() == b"234"
    assert part["ContentRange"] == "bytes 2-4/10"
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (
        10,
        "text/plain",
        {"a": "1"},
    )
    assert put["ETag"] == head["ETag"] == part["ETag"]
    whole = s3.get_object(Bucket="b", Key="k", ChecksumMode="ENABLED")
    assert whole["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert whole["Body"].read() == b"0123456789"
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="b")["Contents"]] == ["k"]
    s3.delete_object(Bucket="b", Key="k")
    empty = s3.list_objects_v2(Bucket="b")
    assert (empty["KeyCount"], empty["Prefix"]) == (0, "")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="b", Key="k")


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums(emulator, boto, algorithm):
    """boto3's checksums are accepted on upload and returned on download; a wrong one is rejected."""
    s3 = boto("s3", emulator, config=None)
    put = s3.put_object(Bucket="b", Key="k", Body=b"body", ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket="b", Key="k")
    assert got["Body"].read() == b"body"
    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert got["ChecksumType"] == "FULL_OBJECT"
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="b", Key="k", Body=b"body", ChecksumCRC32="AAAAAA==")
    assert caught.value.response["Error"]["Code"] == "BadDigest"


def test_damaged_object(emulator, boto):
    """boto3 detects that a damaged object does not match its checksum."""
    checksums = {"x-amz-checksum-crc32": "AAAAAA=="}
    emulator.objects.write("b", "k", StoredObject(b"body", checksums=checksums))
    body = boto("s3", emulator).get_object(Bucket="b", Key="k")["Body"]
    with closing(body), pytest.raises(FlexibleChecksumError):
        body.read()


@pytest.mark.parametrize(
    ("service", "ask", "code"),
    [
        (
            "sagemaker-runtime",
            lambda client: client.invoke_endpoint_async(EndpointName="e", Body=b"x"),
            "InvalidSignatureException",
        ),
        ("s3", lambda client: client.get_object(Bucket="b", Key="k"), "SignatureDoesNotMatch"),
    ],
    ids=["sagemaker", "s3"],
)
def test_wrong_secret(emulator, boto, service, ask, code):
    """A boto3 request that is signed with a wrong secret key is rejected."""
    client = boto(service, emulator, aws_secret_access_key="wrong")
    with pytest.raises(ClientError) as caught:
        ask(client)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert emulator.jobs == ()


def test_presigned_url(emulator, boto):
    """With a URL that boto3 has presigned, an object can be read without credentials."""
    s3 = boto("s3", emulator, config=Config(signature_version="s3v4"))
    emulator.objects.put("s3://b/a b+c", b"found")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "a b+c"})
    with urlopen(url, timeout=10) as response:
        assert response.read() == b"found"
    assert "X-Amz-Signature=***" in emulator.requests[0].target
    assert "X-Amz-Security-Token" not in emulator.requests[0].target


def test_strict_buckets(boto):
    """With *strict_buckets*, a bucket must be created before objects can be written to it."""
    with Emulator(strict_buckets=True) as emulator:
        s3 = boto("s3", emulator)
        with pytest.raises(ClientError, match="NoSuchBucket"):
            s3.put_object(Bucket="b", Key="k", Body=b"")
        s3.create_bucket(Bucket="b")
        s3.put_object(Bucket="b", Key="k", Body=b"")
    assert emulator.objects.list() == ["s3://b/k"]


def test_bucket_elsewhere(emulator, boto):
    """boto3 follows the redirect to a bucket's region, and signs the second request for that
    region.
    """
    emulator.objects.put("s3://b/k", b"found")
    emulator.faults.bucket_regions["b"] = "eu-west-1"
    s3 = boto("s3", emulator)
    assert s3.get_object(Bucket="b", Key="k")["Body"].read() == b"found"
    assert [one.outcome for one in emulator.requests] == ["PermanentRedirect", "ok"]
    assert s3.head_bucket(Bucket="b")["BucketRegion"] == "eu-west-1"


def test_session_token(boto):
    """Temporary credentials are accepted with their session token, and rejected with another token."""
    with Emulator(credentials=Credentials("ASIA", "canary-secret", "token")) as emulator:
        assert emulator.environ["AWS_SESSION_TOKEN"] == "token"
        boto("s3", emulator).create_bucket(Bucket="b")
        with pytest.raises(ClientError, match="InvalidToken"):
            boto("s3", emulator, aws_session_token="other").create_bucket(Bucket="b")
    assert emulator.requests[0].header("x-amz-security-token") == "***"


ROUTERS = "sagemaker-inference-router-runtime"


def test_invoke_endpoint(boto):
    """boto3 gets the output, its content type, the variant, the custom attributes and the session
    ID.
    """

    def model(request):
        return ModelResponse(request.body.upper(), "text/plain", "c=d")

    with Emulator(model) as emulator:
        found = boto("sagemaker-runtime", emulator).invoke_endpoint(
            EndpointName="e", Body=b"abc", SessionId="NEW_SESSION", TargetVariant="blue"
        )
        with closing(found["Body"]) as body:
            assert body.read() == b"ABC"
    assert (found["ContentType"], found["CustomAttributes"]) == ("text/plain", "c=d")
    assert found["InvokedProductionVariant"] == "blue"
    assert "; Expires=" in found["NewSessionId"]


@pytest.mark.parametrize(
    ("service", "invoke"),
    [
        ("sagemaker-runtime", lambda client: client.invoke_endpoint(EndpointName="e", Body=b"")),
        (
            ROUTERS,
            lambda client: client.invoke_inference_router(
                InferenceRouterName="r", RoutingTargetName="t", Body=b""
            ),
        ),
    ],
    ids=["endpoint", "router"],
)
def test_model_error(boto, service, invoke):
    """If a model fails, boto3 raises the ModelError of its service model, with all attributes."""
    with Emulator(lambda _request: 1 / 0) as emulator:
        client = boto(service, emulator)
        with pytest.raises(client.exceptions.ModelError) as caught:
            invoke(client)
    assert caught.value.response["OriginalStatusCode"] == 500
    assert caught.value.response["OriginalMessage"] == "ZeroDivisionError: division by zero"
    assert caught.value.response["LogStreamArn"].startswith("arn:aws:logs:")


def test_invoke_inference_router(emulator, boto):
    """boto3 gets the output of an inference router, its content type, and where the request was
    routed.
    """
    found = boto(ROUTERS, emulator).invoke_inference_router(
        InferenceRouterName="r", RoutingTargetName="t", Body=b"abc", ContentType="text/csv"
    )
    with closing(found["Body"]) as body:
        assert body.read() == b"abc"
    assert found["ContentType"] == "text/csv"
    assert found["InvokedRoutedResourceArn"].endswith(":endpoint/t")
    assert found["RoutingReason"] == "local-preferred"


def test_invoke_inference_router_async(emulator, boto):
    """boto3 queues a job through an inference router, and the output appears in S3."""
    emulator.objects.put("s3://inputs/in", b"abc")
    accepted = boto(ROUTERS, emulator).invoke_inference_router_async(
        InferenceRouterName="r",
        RoutingTargetName="t",
        InputLocation="s3://inputs/in",
        InferenceId="mine",
        Filename="f" * 64,
    )
    assert accepted["InferenceId"] == "mine"
    assert emulator.objects.wait_for(accepted["OutputLocation"]).body == b"abc"


def test_environ(emulator, monkeypatch):
    """The variables in `environ` make boto3 and this package's client send requests to the
    emulator.
    """
    for name in CONFLICTING_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in emulator.environ.items():
        monkeypatch.setenv(name, value)
    arguments = {"InferenceRouterName": "r", "RoutingTargetName": "t", "Body": b"abc"}
    session = boto3.Session()
    with (
        closing(session.client(ROUTERS)) as routers,
        closing(session.client("sagemaker-runtime")) as runtime,
        SageMakerRuntimeClient() as client,
    ):
        bodies = [
            routers.invoke_inference_router(**arguments)["Body"],
            runtime.invoke_endpoint(EndpointName="e", Body=b"abc")["Body"],
        ]
        for body in bodies:
            with closing(body):
                assert body.read() == b"abc"
        assert client.invoke_inference_router("r", "t", b"abc").body == b"abc"
        assert client.invoke_endpoint("e", b"abc").body == b"abc"
    assert len(emulator.requests) == 4
