"""
All that this package asks of the outside world, and nothing else does.

The core is written once, as coroutines over the `IO` protocol.  The async face awaits them, on
asyncio or trio.  The blocking face *steps* them: over `BlockingIO` no coroutine ever suspends, so
`run` gets the result with a single ``send``, with no event loop, in a running one as well.
"""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from sigv4 import Credentials, CredentialsProvider

from ._http import Request, Response
from ._transport import AsyncTransport, BlockingTransport


class IO(Protocol):
    """What the core may ask for."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment's variables."""
        ...

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that is never set."""
        ...

    def random(self) -> float:
        """Return a number from 0 up to 1, a different one in each process and after each restore."""
        ...

    def uuid(self) -> str:
        """Return a new UUID, of the random kind."""
        ...

    async def send(
        self, origin: str, make: Callable[[], Request], deadline: float | None
    ) -> Response:
        """
        Send to *origin* what *make* returns, and return the answer, or raise TransportError.

        *make* is called when there is a connection, so that what waits is small and newly signed.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        ...

    async def credentials(self, provider: CredentialsProvider) -> Credentials:
        """Ask *provider* in this face's colour."""
        ...

    async def close(self) -> None:
        """Close what was opened here."""
        ...


class _RealWorld:
    """What both colours have in common."""

    @property
    def environ(self) -> Mapping[str, str]:
        return os.environ

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def random(self) -> float:
        # The system's numbers: a process that was forked or restored does not repeat its twin's.
        return int.from_bytes(os.urandom(7)) / (1 << 56)

    def uuid(self) -> str:
        from uuid import uuid4

        return str(uuid4())


class BlockingIO(_RealWorld):
    """The outside world for threads: its coroutines block, and never suspend."""

    def __init__(self, transport: BlockingTransport) -> None:
        self._transport = transport

    async def send(
        self, origin: str, make: Callable[[], Request], deadline: float | None
    ) -> Response:
        return self._transport.send(origin, make, deadline)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def credentials(self, provider: CredentialsProvider) -> Credentials:
        return provider.get()

    async def close(self) -> None:
        self._transport.close()


class AsyncIO(_RealWorld):
    """The outside world for tasks, on asyncio or trio."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def send(
        self, origin: str, make: Callable[[], Request], deadline: float | None
    ) -> Response:
        return await self._transport.send(origin, make, deadline)

    async def sleep(self, seconds: float) -> None:
        import anyio

        await anyio.sleep(seconds)

    async def credentials(self, provider: CredentialsProvider) -> Credentials:
        return await provider.aget()

    async def close(self) -> None:
        await self._transport.close()
