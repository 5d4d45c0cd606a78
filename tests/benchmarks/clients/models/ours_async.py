from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from models.reading import ENDPOINT, aread
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Callable[[str, str], Awaitable[object]]]:
    """Yield a function that makes one call."""
    async with AsyncSageMakerRuntimeClient(endpoint_url=url) as client:

        async def call(operation: str, text: str) -> object:
            body = text.encode()
            if operation == "invoke":
                return len((await client.invoke_endpoint(ENDPOINT, body)).body)
            async with client.stream_endpoint(ENDPOINT, body) as stream:
                return await aread(stream.bytes(), body)

        yield call
