"""Helpers that make one call with an async client."""

import asyncio


async def once(module: object, url: str) -> None:
    """Connect a client and make one call."""
    async with module.connected(url) as call:
        assert await call()


def run_once(module: object, url: str) -> None:
    """Create an event loop, connect a client and make one call."""
    asyncio.run(once(module, url))
