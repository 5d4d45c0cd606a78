"""Examples of how the public API is used, for type checkers.  This module is never run."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Unpack, assert_type

import httpx
import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ClientOptions,
    Invocation,
    InvokeEndpointAsyncRequest,
    InvokeOptions,
    ModelOutput,
    MultipartUpload,
    ObjectOptions,
    Output,
    PresignedURL,
    S3Object,
    SageMakerRuntimeClient,
    ServiceError,
    Settings,
    WaitTimeoutError,
    default_chain,
)
from sagemaker_runtime_client.events import Completed, Event, Failed, Ignored, ObjectCreated, parse
from sigv4 import Credentials, Signer, SigV4
from sigv4.asgi import SigV4Middleware
from sigv4.httpx_auth import SigV4Auth


def blocking() -> None:
    """The blocking client's arguments and results."""
    with SageMakerRuntimeClient(region="eu-west-1", http_client=httpx.Client()) as client:
        invocation = client.invoke_endpoint_async("endpoint", body=b"", content_type="text/csv")
        assert_type(invocation, Invocation)
        assert_type(client.wait(invocation, timeout=600), Output)
        assert_type(client.infer("endpoint", b"1,2", timeout=1.5), Output)
        for event in parse(b"{}", source="arn:aws:sqs:us-east-1:123456789012:queue"):
            assert_type(client.fetch(event, invocation=invocation, max_size=1), Output)
        assert_type(client.infer(router="r", routing_target="t", payload=b"", timeout=1.5), Output)
        assert_type(client.invoke_endpoint("endpoint", b"1,2", accept="text/csv"), ModelOutput)
        assert_type(client.invoke_inference_router("r", "t", b"1,2"), ModelOutput)
        assert_type(
            client.invoke_inference_router_async("r", "t", input_location="s3://b/k"), Invocation
        )
        assert_type(client.get_object("s3://bucket/key"), S3Object)
        assert_type(client.list_objects("s3://bucket/in/", max_objects=5), Iterator[S3Object])
        assert_type(client.delete_objects(["s3://bucket/key"]), dict[str, ServiceError])
        assert_type(client.presign_get("s3://bucket/key", expires=60), PresignedURL)
        assert_type(client.abort_uploads("s3://b", older_than=timedelta(1)), list[MultipartUpload])
        encrypted: ObjectOptions = {"server_side_encryption": "aws:kms", "tagging": {"a": "b"}}
        assert_type(client.put_object("s3://bucket/key", b"", **encrypted), S3Object)
        client.put_object("s3://bucket/key", b"", acl="private")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        client.list_objects("s3://bucket", page=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert_type(client.with_options(timeout=5, accept="a/b"), SageMakerRuntimeClient)
        client.with_options(region="eu-west-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        client.invoke_endpoint_async("endpoint", bdy=b"")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        client.invoke_endpoint_async("endpoint", b"")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
        client.invoke_endpoint("endpoint")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        client.wait(invocation)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        try:
            client.wait(Invocation.from_json(invocation.to_json()), timeout=0)
        except WaitTimeoutError as error:
            assert_type(error.invocation.output_location, str | None)
            assert_type(error.invocation.replace(attempts=2).to_json(), str)
            client.wait(error.invocation, timeout=600)
    SageMakerRuntimeClient(http_client=httpx2.Client())
    SageMakerRuntimeClient(retry_mode="adaptive", s3_addressing_style="path")
    SageMakerRuntimeClient(retry_mode="fast")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def awaited() -> None:
    """The async client's arguments and results."""

    async def credentials() -> Credentials:
        return Credentials("AKIDEXAMPLE", "secret")

    async with AsyncSageMakerRuntimeClient(
        credentials=credentials, http_client=httpx.AsyncClient()
    ) as client:
        invocation = await client.invoke_endpoint_async("endpoint", input_location="s3://b/k")
        assert_type(invocation, Invocation)
        assert_type(await client.wait(invocation, timeout=600), Output)
        assert_type(client.list_objects("s3://bucket/in/"), AsyncIterator[S3Object])
        assert_type([found.size async for found in client.list_objects("s3://bucket")], list[int])
        assert_type(await client.presign_put("s3://bucket/key", tagging={}), PresignedURL)
    AsyncSageMakerRuntimeClient(http_client=httpx2.AsyncClient())
    options: ClientOptions = {"max_attempts": 1, "content_type": "text/csv"}
    client = AsyncSageMakerRuntimeClient().with_options(**options)
    assert_type(await client.invoke_endpoint("endpoint", b""), ModelOutput)


def infer_csv(rows: bytes, **options: Unpack[InvokeOptions]) -> bytes:
    """Invocation options and client settings that are passed from variables."""
    settings: Settings = {"region": "eu-west-1", "read_timeout": 5, "ca_bundle": None}
    with SageMakerRuntimeClient(**settings) as client:
        return client.infer("endpoint", rows, timeout=60, **options).body


def pieces() -> None:
    """Requests, signing and credentials, used without a client."""
    request = InvokeEndpointAsyncRequest("endpoint", body=bytearray(b"x")).to_http()
    assert_type(request.headers, tuple[tuple[str, str], ...])
    auth = SigV4Auth(
        Signer(SigV4(service="execute-api", region="eu-west-1")),
        Credentials("AKIDEXAMPLE", "secret"),
    )
    httpx.Client(auth=auth)
    with default_chain(profile="work", mfa_token=lambda _: "123456") as chain:
        assert_type(chain.get(), Credentials)
        SigV4Auth(Signer(SigV4(service="s3", region="eu-west-1"), s3=True), chain)
        SageMakerRuntimeClient(credentials=chain, retry_mode="adaptive")


def server() -> None:
    """The ASGI middleware, used through a framework and directly."""
    keys = {"AKIDEXAMPLE": Credentials("AKIDEXAMPLE", "secret")}

    async def get_key(access_key_id: str) -> Credentials | None:
        return keys.get(access_key_id)

    async def is_replay(signature: str, until: datetime) -> bool:
        return bool(signature) and until.year > 2026

    starlette = Starlette(
        middleware=[
            Middleware(
                SigV4Middleware,
                secrets=get_key,
                service="execute-api",
                region="eu-west-1",
                allowed_hosts={"api.example"},
                allow=["presigned", "sigv4a"],
                is_replay=is_replay,
            )
        ]
    )
    app = SigV4Middleware(
        starlette, keys, service="execute-api", region="eu-west-1", allowed_hosts=["api.example"]
    )
    SigV4Middleware(app, keys.get, service="s3", region="eu-west-1", allowed_hosts=["s3.example"])
    SigV4Middleware(app, keys, service="s3", region="", allowed_hosts=[], allow=["all"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    uvicorn.Config(app)


def notified(message: dict[str, object]) -> Invocation | None:
    """The type of an event tells which values it has."""
    for event in parse(message, trusted_sources={"arn:aws:sqs:us-east-1:123456789012:my-queue"}):
        assert_type(event, Completed | Failed | ObjectCreated | Ignored)
        assert_type(event.idempotency_key, str | None)
        match event:
            case Completed(body=body):
                assert_type(body, bytes | None)
                return event.invocation
            case Failed():
                assert_type(event.reason, str | None)
            case ObjectCreated():
                assert_type(event.locations, tuple[str, ...])
            case Ignored():
                assert_type(event.reason, str)
    return None


def events() -> list[Event]:
    """An event can be created, for example in a test."""
    return [Completed(inference_id="1"), Failed(reason="2", trusted=True), ObjectCreated("b", "k")]
