"""What drives an async client: one call, and many at once."""

import asyncio


async def once(module: object, url: str) -> None:
    """Make a client and one call."""
    async with module.connected(url) as call:
        assert await call()


def run_once(module: object, url: str) -> None:
    """Make an event loop as well."""
    asyncio.run(once(module, url))
