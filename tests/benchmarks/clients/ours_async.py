from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from arguments import SNAKE

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Yield a function that makes one call."""
    async with AsyncSageMakerRuntimeClient(endpoint_url=url) as client:

        async def call() -> object:
            return (await client.invoke_endpoint_async(**SNAKE)).inference_id

        yield call
