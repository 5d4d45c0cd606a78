"""The asyncio backend.  It does not use anyio, which takes 20 ms to import."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from importlib import import_module
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .cancellation import StillRunningError, first_error

if TYPE_CHECKING:
    from .concurrency import TLS, Stream

T = TypeVar("T")
# With an eager start, a coroutine that ends without waiting needs no iteration of the event loop.
# An example is a coroutine that returns cached credentials.
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class Event:
    """An event for which one task can wait.

    It takes a fifth of the memory of anyio's event, which matters if thousands of tasks wait.
    """

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future = asyncio.get_running_loop().create_future()

    def set(self) -> None:
        """Wake the waiter."""
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, timeout: float | None) -> None:
        """Wait until the event is set, but at most *timeout* seconds; None for no limit."""
        if timeout is None:
            await self._future
            return
        timer = self._future.get_loop().call_later(timeout, self.set)
        try:
            await self._future
        finally:
            timer.cancel()


class Semaphore(asyncio.Semaphore):
    """A lock that one or more tasks can hold at the same time.

    `asyncio.Lock` is not used, because its `locked` does not report that a released lock is
    reserved for a waiting task.
    """

    def acquire_nowait(self) -> bool:
        """Acquire the lock if it is free, and return whether it was acquired."""
        if self.locked():
            return False
        with suppress(StopIteration):  # acquire does not suspend here
            self.acquire().send(None)
        return True


class TaskGroup:
    """A group of concurrent tasks."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._is_cancelled = False
        self._tasks: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        """Enter the group."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for all tasks, and raise the first error."""
        try:
            await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # If a task fails, the body of the context is cancelled, and the error of the task is
            # raised.
            if error is None or isinstance(error, asyncio.CancelledError):
                raise first_error(group) from None

    def start(
        self, function: Callable[..., Coroutine[object, object, object]], *arguments: object
    ) -> None:
        """Run ``function(*arguments)`` in a task."""
        coroutine = function(*arguments)
        try:
            task = self._group.create_task(coroutine)
        except RuntimeError:  # the group is ending with an error
            coroutine.close()
            raise
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._is_cancelled:
            task.cancel()

    def cancel(self) -> None:
        """Cancel all tasks of the group at the next point where they wait."""
        self._is_cancelled = True
        for task in tuple(self._tasks):
            task.cancel()


class AsyncioBackend:
    """The concurrency backend for asyncio."""

    is_blocking = False
    event = staticmethod(Event)
    loop = staticmethod(asyncio.get_running_loop)
    sleep = staticmethod(asyncio.sleep)

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call *function* in a worker thread, and return its result."""
        return await asyncio.to_thread(function, *arguments)

    def load(self) -> None:
        """Import what `connect` needs."""
        import_module(".streams.asyncio_stream", __package__)

    def task_group(self) -> TaskGroup:
        """Return a new task group."""
        return TaskGroup()

    def lock(self) -> Semaphore:
        """Return a new lock."""
        return Semaphore()

    def task_lock(self, limit: int = 1) -> Semaphore:
        """Return a lock that *limit* tasks can hold at the same time."""
        return Semaphore(limit)

    async def in_new_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call *function* in a new thread, and return its result.

        This method is for rare work.  Importing asyncio's thread pool would add 1 ms to the first
        call, which otherwise needs the pool only to resolve a host name.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        results: list[T] = []
        errors: list[BaseException] = []

        def wake() -> None:
            if not ended.done():  # it is done if the waiting task was cancelled
                ended.set_result(None)

        def work() -> None:
            try:
                results.append(function(*arguments))
            except BaseException as error:  # noqa: BLE001 (raised where it is waited for)
                errors.append(error)
            with suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(wake)

        Thread(target=copy_context().run, args=(work,), daemon=True).start()
        await ended
        if errors:
            raise errors.pop()
        return results.pop()

    @asynccontextmanager
    async def move_on_after(self, seconds: float) -> AsyncGenerator[None]:
        """Cancel the body after *seconds*, without an error.

        A TimeoutError that the body itself raises is not suppressed.
        """
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise

    async def finish_by(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function*, and return its result.

        If *function* has not returned after *seconds*, raise StillRunningError and let it continue.
        """
        make_task: Any = asyncio.Task
        loop = asyncio.get_running_loop()
        task: asyncio.Task[T] = make_task(function(*arguments), loop=loop, **_EAGER)
        try:
            if not task.done():  # pragma: no branch (it may be, from Python 3.12 on)
                await asyncio.wait({task}, timeout=seconds)
            if task.done():
                return task.result()
            raise StillRunningError
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            task.add_done_callback(_forget)
            del task  # the traceback of its error refers to this frame: avoid a reference cycle

    async def uninterrupted(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function* in a task of its own, which no cancellation of the caller reaches.

        If a cancellation arrives, let *function* continue for up to *seconds* before the
        cancellation is raised.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(function(*arguments))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            ends = loop.time() + seconds
            while not task.done() and (left := ends - loop.time()) > 0:
                with suppress(asyncio.CancelledError):  # anyio repeats a cancellation
                    await asyncio.wait({task}, timeout=left)
            task.cancel()
            raise
        finally:
            task.add_done_callback(_forget)
            del task  # the traceback of its error refers to this frame: avoid a reference cycle

    async def connect(
        self, host: str, port: int, tls: TLS | None = None, timeout: float | None = None
    ) -> Stream:
        """Connect to *host*.  If *tls* is given, also perform the TLS handshake."""
        from .streams.asyncio_stream import connect

        return await connect(self, host, port, tls, timeout)


def _forget(task: asyncio.Task[object]) -> None:
    """Retrieve the error of a task that may never be awaited, so that asyncio does not log it."""
    if not task.cancelled():
        task.exception()
