"""A plain function as a provider for an async client."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import cast

from sigv4 import Credentials

from .._io.run import async_backend
from .._io.system import System

PlainFunction = Callable[[], Credentials | Awaitable[Credentials]]


class FunctionInThread:
    """
    A plain function that returns credentials, called in a thread, for it may block.

    It is called once at a time in each event loop, as if it were called there: it need not be made for
    threads.  The hop takes some 0.1 ms, which an async function does not cost.
    """

    def __init__(self, function: PlainFunction) -> None:
        self._function = function
        self._lock = System(async_backend).lock()

    def get(self) -> Credentials:
        """Return what the function returns."""
        return cast("Credentials", self._function())

    async def aget(self) -> Credentials:
        """Return what the function returns, once those before have theirs."""
        await self._lock.acquire()
        try:
            (credentials,) = await async_backend().in_thread(self._call)
        finally:
            self._lock.release()
        return await credentials if isawaitable(credentials) else credentials

    def _call(self) -> tuple[Credentials | Awaitable[Credentials]]:
        return (self._function(),)  # bare, trio would refuse what is to be awaited
