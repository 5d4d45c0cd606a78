from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from arguments import CAMEL


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Yield a function that makes one call.

    The pool has 64 connections, as in this package, instead of the default 10.
    """
    config = AioConfig(max_pool_connections=64)
    session = get_session()
    async with session.create_client(
        "sagemaker-runtime", endpoint_url=url, config=config
    ) as client:

        async def call() -> object:
            return (await client.invoke_endpoint_async(**CAMEL))["InferenceId"]

        yield call
