"""Lets a plain function serve as the credentials provider of an async client."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import cast

from sigv4 import Credentials

from .._io.run import async_backend
from .._io.system import System

PlainFunction = Callable[[], Credentials | Awaitable[Credentials]]


class FunctionInThread:
    """Obtains credentials from a plain function, called in a worker thread because it may block.

    In each event loop only one call runs at a time, so the function need not be thread-safe if
    there is only one event loop.  Switching to the thread takes about 0.1 ms; an async function
    that is passed to the client is called without a thread.
    """

    def __init__(self, function: PlainFunction) -> None:
        self._function = function
        self._lock = System(async_backend).lock()

    def get(self) -> Credentials:
        """Call the function in the current thread, and return its result."""
        return cast("Credentials", self._function())

    async def aget(self) -> Credentials:
        """Wait for earlier calls to finish, call the function in a thread, and return its result."""
        await self._lock.acquire()
        try:
            (credentials,) = await async_backend().in_thread(self._call)
        finally:
            self._lock.release()
        return await credentials if isawaitable(credentials) else credentials

    def _call(self) -> tuple[Credentials | Awaitable[Credentials]]:
        return (self._function(),)  # in a tuple, because trio rejects a thread's awaitable result
