"""A common protocol for concurrency, with backends for threads, asyncio and trio.

The backends are `on_threads`, `on_asyncio` and `on_trio`.  Code that uses a `Backend` is written
once, as coroutines.  With the thread backend, these coroutines block and never suspend.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from socket import socket
    from ssl import SSLContext
    from types import TracebackType

T = TypeVar("T")

# A TLS context and a server name.  Host and server names are passed to the standard library as
# bytes, because it would encode a `str` with a codec that takes 2 ms to import.
TLS = tuple["SSLContext", bytes]

# The elements of the list that `socket.getaddrinfo` returns: family, kind, protocol, canonical name
# and address.
SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
AddressInfo = tuple[int, int, int, str, SocketAddress]


class Event(Protocol):
    """An event for one waiting thread or task."""

    def set(self) -> object:
        """Wake the waiter.  Setting an event twice has no further effect."""
        ...

    async def wait(self, timeout: float | None) -> object:
        """Wait until the event is set, but at most *timeout* seconds; None for no limit."""
        ...


class Lock(Protocol):
    """A lock for threads or for the tasks of one event loop."""

    def acquire_nowait(self) -> bool:
        """Acquire the lock if it is free, and return whether it was acquired."""
        ...

    async def acquire(self) -> object:
        """Wait until the lock is free, and acquire it."""
        ...

    def release(self) -> object:
        """Release the lock."""
        ...


class Stream(Protocol):
    """A connection.  Its methods raise httpx's exceptions."""

    async def is_readable(self) -> bool:
        """Return whether a read would not block: there are data, or the connection has ended."""
        ...

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Wait for data, and return up to *max_bytes* bytes, or empty bytes at the end."""
        ...

    async def read_ready(self) -> bytes:
        """Return data that follow those of the last `read` and have arrived; possibly none."""
        ...

    async def read_into(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Wait for data, copy them into *buffer*, and return their size in bytes; 0 at the end."""
        ...

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*."""
        ...

    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Send a part of *buffer*, and return the number of bytes that were sent.

        If a read would not block, send nothing and return 0.  If the connection accepts no more
        data, wait until it is writable or readable.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...

    def discard(self) -> None:
        """Close the connection.  Any thread may call this method."""
        ...


class Attempts(Protocol):
    """Attempts to connect, several of which may be in progress."""

    def start(self, family: int, kind: int, protocol: int, address: SocketAddress) -> None:
        """Start connecting to an address.  An OSError may be raised here or by `outcome`."""
        ...

    async def outcome(self, timeout: float | None) -> "socket | None":
        """Wait until one attempt ends, and return its socket or raise its OSError.

        Return None if no attempt has ended after *timeout* seconds.
        """
        ...

    def close(self) -> None:
        """Abort the attempts in progress, and close their sockets."""
        ...


class TaskGroup(Protocol):
    """An async context in which coroutines run concurrently; leaving it waits for all of them.

    The first error, in a coroutine or in the body of the ``async with``, cancels the other
    coroutines and is raised.
    """

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: "TracebackType | None",
        /,
    ) -> bool | None: ...

    def start(
        self, function: Callable[..., Coroutine[object, object, object]], *arguments: object
    ) -> None:
        """Run ``function(*arguments)`` concurrently with the other coroutines of the group."""
        ...

    def cancel(self) -> None:
        """Cancel all coroutines of the group at the next point where they wait."""
        ...


class Backend(Protocol):
    """The operations that differ between threads and the event loops.

    Attributes:
        is_blocking: Whether the coroutines of the backend block and never suspend.
    """

    is_blocking: bool

    def loop(self) -> object:
        """Return the running event loop; for threads, an object in its place."""
        ...

    def event(self) -> Event:
        """Return a new event."""
        ...

    def lock(self) -> Lock:
        """Return a new lock."""
        ...

    def task_lock(self, limit: int = 1) -> Lock:
        """Return a lock that *limit* tasks can hold at the same time.

        For threads, the lock never blocks, because a real lock could stay held after an interrupt.
        Use the lock only for work that two threads may do at the same time.
        """
        ...

    async def sleep(self, seconds: float, /) -> object:
        """Wait for *seconds*."""
        ...

    def move_on_after(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that cancels its body after *seconds*.

        For threads, the context does nothing.
        """
        ...

    async def finish_by(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function*, and return its result.

        If *function* has not returned after *seconds*, raise `StillRunningError` and let it
        continue.  The thread backend ignores the limit and waits until the function returns.
        """
        ...

    async def uninterrupted(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function*, and return its result, even if the caller is being cancelled.

        If a cancellation or Ctrl-C arrives, let *function* continue for up to *seconds* before the
        exception is raised.
        """
        ...

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a blocking function, and return its result.

        In an event loop, the function runs in a worker thread.  The thread backend calls it in the
        current thread.
        """
        ...

    async def in_new_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a blocking function, and return its result; for work that is rarely done.

        On asyncio, the function runs in a new thread, and on trio in a worker thread.  A task that
        is cancelled does not wait for that thread.  The thread backend calls the function in the
        current thread.
        """
        ...

    def load(self) -> None:
        """Import what `connect` needs, so that the import does not use up the time limit of a call."""
        ...

    def task_group(self) -> TaskGroup:
        """Return a new task group."""
        ...

    async def connect(
        self, host: str, port: int, tls: TLS | None = None, timeout: float | None = None
    ) -> Stream:
        """Connect to *host*.  If *tls* is given, also perform the TLS handshake."""
        ...
