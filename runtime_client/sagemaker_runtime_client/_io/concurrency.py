"""
How threads and tasks wait, connect and work side by side: one protocol, in three forms.

`on_threads`, `on_asyncio` and `on_trio` are the forms.  What is built on a `Backend` is written once, as
coroutines.  Over threads these coroutines block and never suspend.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from ssl import SSLContext
    from types import TracebackType

T = TypeVar("T")

# Settings of TLS and the server's name.  The name is in bytes, and so is a host: text would go through a
# codec that takes 2 ms to import.
TLS = tuple["SSLContext", bytes]


class Event(Protocol):
    """What one thread or one task waits for."""

    def set(self) -> object:
        """Let the one that waits go on.  To set it twice does no harm."""
        ...

    async def wait(self, timeout: float | None) -> object:
        """Return when it is set, or after *timeout* seconds."""
        ...


class Lock(Protocol):
    """A lock for threads or for the tasks of one event loop."""

    def acquire_nowait(self) -> bool:
        """Acquire it if it is free, and tell whether it was."""
        ...

    async def acquire(self) -> object:
        """Acquire it once it is free."""
        ...

    def release(self) -> object:
        """Release it."""
        ...


class Stream(Protocol):
    """A connection.  Its errors are httpx's."""

    async def is_readable(self) -> bool:
        """Tell whether a read would return at once, with data or at the end."""
        ...

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived, once something has; nothing at the end."""
        ...

    async def read_into(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Fill *buffer* from its start with what has arrived; return the number of bytes, 0 at the end."""
        ...

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*."""
        ...

    async def write_part(self, buffer: memoryview, timeout: float | None = None) -> int:
        """Send a part of *buffer*, and return its length; or 0 once there may be something to read."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...

    def discard(self) -> None:
        """Close the connection, from any thread."""
        ...


class TaskGroup(Protocol):
    """
    Coroutines that run side by side: `async with` it, `start` some, and leave it once all have ended.

    The first error cancels the others and is raised.  So does an error in the body of the `async with`.
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
        """Run ``function(*arguments)`` beside the others."""
        ...

    def cancel(self) -> None:
        """Have all of them end where they wait next."""
        ...


class Backend(Protocol):
    """
    How threads, or the tasks of an event loop, do what differs between them.

    Attributes:
        is_blocking: Whether its coroutines block and never suspend.
    """

    is_blocking: bool

    def loop(self) -> object:
        """Return the event loop; for threads, an object that stands for it."""
        ...

    def event(self) -> Event:
        """Return a new event."""
        ...

    def lock(self) -> Lock:
        """Return a new lock."""
        ...

    def task_lock(self, limit: int = 1) -> Lock:
        """
        Return a lock that as many tasks hold at once as *limit* says.

        For threads it holds up nobody.  It is for what two of them may do at the same time, where an
        interrupt must leave nothing held.
        """
        ...

    async def sleep(self, seconds: float, /) -> object:
        """Return after *seconds*."""
        ...

    def move_on_after(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that is left after *seconds* where it waits; a thread stays in it."""
        ...

    async def finish_by(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """
        Return what *function* returns.

        After *seconds* raise `StillRunningError` and let the function go on.  A thread waits to the end.
        """
        ...

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what a function returns that blocks; an event loop runs it in a thread."""
        ...

    async def in_new_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """
        Do the same without a pool of threads, for what is done once or so in a process.

        A task that is cancelled does not wait for the thread.
        """
        ...

    def load(self) -> None:
        """Import what `connect` needs, so that this does not count as a server's time."""
        ...

    def task_group(self) -> TaskGroup:
        """Return a new task group."""
        ...

    async def connect(
        self, host: str, port: int, tls: TLS | None = None, timeout: float | None = None
    ) -> Stream:
        """Connect to *host*, with TLS from the first byte if there are settings for it."""
        ...
