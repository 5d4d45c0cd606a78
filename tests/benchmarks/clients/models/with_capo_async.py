from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from capo_sagemaker_runtime import AsyncSageMakerRuntimeClient
from zapros import AsyncStdNetworkHandler

from models.reading import ENDPOINT, aread


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Callable[[str, str], Awaitable[object]]]:
    """Yield a function that makes one call."""
    async with AsyncSageMakerRuntimeClient(AsyncStdNetworkHandler(), endpoint=url) as client:

        async def call(operation: str, text: str) -> object:
            body = text.encode()
            if operation == "invoke":
                return len((await client.invoke_endpoint(ENDPOINT, body=body))["body"])
            async with client.invoke_endpoint_with_response_stream(ENDPOINT, body=body) as stream:
                events = stream["body"]
                return await aread((event["PayloadPart"]["bytes"] async for event in events), body)

        yield call
