from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from arguments import PATH
from hand_signed import signer


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Yield a function that makes one call."""
    sign = signer(url.partition("://")[2])
    async with httpx.AsyncClient() as client:

        async def call() -> object:
            return (await client.post(url + PATH, headers=sign())).json()["InferenceId"]

        yield call
