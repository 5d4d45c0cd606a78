"""The backend of trio."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib import import_module
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import trio
from outcome import Outcome, acapture

from .cancellation import StillRunningError, first_error

if TYPE_CHECKING:
    from .concurrency import TLS, Stream

T = TypeVar("T")


class Event:
    """An event."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        """Let the one that waits go on."""
        self._event.set()

    async def wait(self, timeout: float | None) -> None:
        """Return when it is set, or after *timeout* seconds."""
        with trio.move_on_after(inf if timeout is None else timeout):
            await self._event.wait()


class Lock:
    """A lock that as many tasks hold at once as *limit* says; one task may release it for another."""

    def __init__(self, limit: int = 1) -> None:
        self._semaphore = trio.Semaphore(limit)

    def acquire_nowait(self) -> bool:
        """Acquire it if it is free, and tell whether it was."""
        try:
            self._semaphore.acquire_nowait()
        except trio.WouldBlock:
            return False
        return True

    async def acquire(self) -> None:
        """Acquire it once it is free."""
        await self._semaphore.acquire()

    def release(self) -> None:
        """Release it."""
        self._semaphore.release()


class TaskGroup:
    """Tasks that work side by side."""

    def __init__(self) -> None:
        self._manager = trio.open_nursery(strict_exception_groups=True)
        self._nursery: Any = None  # before it is entered

    async def __aenter__(self) -> Self:
        """Begin."""
        self._nursery = await self._manager.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Wait for all of them, and raise the first error."""
        try:
            return bool(await self._manager.__aexit__(kind, error, traceback))
        except BaseExceptionGroup as group:
            # A body that waited was cancelled for the error of a task.
            errors = group.split(trio.Cancelled)[1]
            if errors is not None and (error is None or isinstance(error, trio.Cancelled)):
                raise first_error(errors) from None
            if error is None:
                raise
            return False

    def start(
        self, function: Callable[..., Coroutine[object, object, object]], *arguments: object
    ) -> None:
        """Run ``function(*arguments)`` in a task."""
        self._nursery.start_soon(function, *arguments)

    def cancel(self) -> None:
        """Have all of them end where they wait next."""
        self._nursery.cancel_scope.cancel()


class TrioBackend:
    """How tasks of trio wait, connect and work side by side."""

    is_blocking = False
    event = staticmethod(Event)
    loop = staticmethod(trio.lowlevel.current_trio_token)
    lock = task_lock = staticmethod(Lock)
    sleep = staticmethod(trio.sleep)

    def load(self) -> None:
        """Import what `connect` needs."""
        import_module(".trio_stream", __package__)

    def task_group(self) -> TaskGroup:
        """Return a new task group."""
        return TaskGroup()

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what *function* returns, in a thread."""
        return await trio.to_thread.run_sync(function, *arguments)

    async def in_new_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Do the same; a cancelled task does not wait for the thread."""
        return await trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)

    @asynccontextmanager
    async def move_on_after(self, seconds: float) -> AsyncGenerator[None]:
        """Give up what takes longer, and go on."""
        with trio.move_on_after(seconds):
            yield

    async def finish_by(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Return what *function* returns; after *seconds* raise StillRunningError, and let it go on."""
        outcomes: list[Outcome[T]] = []
        scope, ended = trio.CancelScope(), trio.Event()

        async def work() -> None:
            with scope:
                outcomes.append(await acapture(function, *arguments))
            ended.set()

        trio.lowlevel.spawn_system_task(work)
        try:
            with trio.move_on_after(seconds):
                await ended.wait()
        except trio.Cancelled:
            scope.cancel()
            raise
        if not outcomes:
            raise StillRunningError
        return outcomes.pop().unwrap()

    async def connect(
        self, host: str, port: int, tls: "TLS | None" = None, timeout: float | None = None
    ) -> "Stream":
        """Connect to *host*, with TLS from the first byte if there are settings for it."""
        from .trio_stream import connect

        return await connect(host, port, tls, timeout)
