"""The trio backend."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
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
    """An event for which one task can wait."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        """Wake the waiter."""
        self._event.set()

    async def wait(self, timeout: float | None) -> None:
        """Wait until the event is set, but at most *timeout* seconds; None for no limit."""
        with trio.move_on_after(inf if timeout is None else timeout):
            await self._event.wait()


class Lock:
    """A lock that *limit* tasks can hold at the same time.  Any task may release it."""

    def __init__(self, limit: int = 1) -> None:
        self._semaphore = trio.Semaphore(limit)

    def acquire_nowait(self) -> bool:
        """Acquire the lock if it is free, and return whether it was acquired."""
        try:
            self._semaphore.acquire_nowait()
        except trio.WouldBlock:
            return False
        return True

    async def acquire(self) -> None:
        """Wait until the lock is free, and acquire it."""
        await self._semaphore.acquire()

    def release(self) -> None:
        """Release the lock."""
        self._semaphore.release()


class TaskGroup:
    """A group of concurrent tasks."""

    def __init__(self) -> None:
        self._manager = trio.open_nursery(strict_exception_groups=True)
        self._nursery: Any = None  # None until the group is entered

    async def __aenter__(self) -> Self:
        """Enter the group."""
        self._nursery = await self._manager.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Wait for all tasks, and raise the first error."""
        try:
            return bool(await self._manager.__aexit__(kind, error, traceback))
        except BaseExceptionGroup as group:
            # If a task fails, the body of the context is cancelled, and the error of the task is
            # raised.
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
        """Cancel all tasks of the group at the next point where they wait."""
        self._nursery.cancel_scope.cancel()


class TrioBackend:
    """The concurrency backend for trio."""

    is_blocking = False
    event = staticmethod(Event)
    loop = staticmethod(trio.lowlevel.current_trio_token)
    lock = task_lock = staticmethod(Lock)
    sleep = staticmethod(trio.sleep)

    def load(self) -> None:
        """Import what `connect` needs."""
        import_module(".streams.trio_stream", __package__)

    def task_group(self) -> TaskGroup:
        """Return a new task group."""
        return TaskGroup()

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call *function* in a worker thread, and return its result."""
        return await trio.to_thread.run_sync(function, *arguments)

    async def in_new_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call *function* in a worker thread, and return its result.

        A cancelled task does not wait for the thread.
        """
        return await trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)

    @asynccontextmanager
    async def move_on_after(self, seconds: float) -> AsyncGenerator[None]:
        """Cancel the body after *seconds*, without an error."""
        with trio.move_on_after(seconds):
            yield

    async def finish_by(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function*, and return its result.

        If *function* has not returned after *seconds*, raise StillRunningError and let it continue.
        """
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

    async def uninterrupted(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function* in a scope that no cancellation of the caller reaches.

        If a cancellation arrives, let *function* continue for up to *seconds* before the
        cancellation is raised.
        """
        outcomes: list[Outcome[T]] = []
        scope = trio.CancelScope(shield=True)

        async def limit() -> None:
            with suppress(trio.Cancelled):  # it is raised below, but not in an exception group
                await trio.sleep_forever()
            # The caller is cancelled, or the function has ended.
            scope.deadline = trio.current_time() + seconds

        async with trio.open_nursery() as nursery:
            nursery.start_soon(limit)
            with scope:
                outcomes.append(await acapture(function, *arguments))
            nursery.cancel_scope.cancel()
        await trio.lowlevel.checkpoint_if_cancelled()
        return outcomes.pop().unwrap()

    async def connect(
        self, host: str, port: int, tls: "TLS | None" = None, timeout: float | None = None
    ) -> "Stream":
        """Connect to *host*.  If *tls* is given, also perform the TLS handshake."""
        from .streams.trio_stream import connect

        return await connect(host, port, tls, timeout)
