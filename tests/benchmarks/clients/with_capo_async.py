from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from arguments import SNAKE
from capo_sagemaker_runtime import AsyncSageMakerRuntimeClient
from zapros import AsyncStdNetworkHandler


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Yield a function that makes one call.

    The pool has 64 connections, as in this package, instead of the default 10.
    """
    handler = AsyncStdNetworkHandler(http1={"max_connections_per_host": 64})
    async with AsyncSageMakerRuntimeClient(handler, endpoint=url) as client:

        async def call() -> object:
            return (await client.invoke_endpoint_async(**SNAKE))["inference_id"]

        yield call
