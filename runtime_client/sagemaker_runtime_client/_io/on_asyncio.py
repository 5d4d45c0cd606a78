"""The backend of asyncio, with its own means: anyio takes 20 ms to import."""

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
# What ends at once, as a question for credentials that are there, then needs no turn of the loop.
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class Event:
    """An event for one waiter: a fifth of the memory of anyio's, and thousands may wait."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future = asyncio.get_running_loop().create_future()

    def set(self) -> None:
        """Let the one that waits go on."""
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, timeout: float | None) -> None:
        """Return when it is set, or after *timeout* seconds."""
        if timeout is None:
            await self._future
            return
        timer = self._future.get_loop().call_later(timeout, self.set)
        try:
            await self._future
        finally:
            timer.cancel()


class Semaphore(asyncio.Semaphore):
    """A lock that several tasks hold; asyncio's own lock does not tell of those to whom it is promised."""

    def acquire_nowait(self) -> bool:
        """Acquire it if it is free, and tell whether it was."""
        if self.locked():
            return False
        with suppress(StopIteration):  # it does not suspend
            self.acquire().send(None)
        return True


class TaskGroup:
    """Tasks that work side by side."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._is_cancelled = False
        self._tasks: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for all of them, and raise the first error."""
        try:
            await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # A body that waited was cancelled for the error of a task.
            if error is None or isinstance(error, asyncio.CancelledError):
                raise first_error(group) from None

    def start(
        self, function: Callable[..., Coroutine[object, object, object]], *arguments: object
    ) -> None:
        """Run ``function(*arguments)`` in a task."""
        coroutine = function(*arguments)
        try:
            task = self._group.create_task(coroutine)
        except RuntimeError:  # the group ends with an error
            coroutine.close()
            raise
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._is_cancelled:
            task.cancel()

    def cancel(self) -> None:
        """Have all of them end where they wait next."""
        self._is_cancelled = True
        for task in tuple(self._tasks):
            task.cancel()


class AsyncioBackend:
    """How tasks of asyncio wait, connect and work side by side."""

    is_blocking = False
    event = staticmethod(Event)
    loop = staticmethod(asyncio.get_running_loop)
    sleep = staticmethod(asyncio.sleep)

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what *function* returns, in a thread."""
        return await asyncio.to_thread(function, *arguments)

    def load(self) -> None:
        """Import what `connect` needs."""
        import_module(".asyncio_stream", __package__)

    def task_group(self) -> TaskGroup:
        """Return a new task group."""
        return TaskGroup()

    def lock(self) -> Semaphore:
        """Return a new lock."""
        return Semaphore()

    def task_lock(self, limit: int = 1) -> Semaphore:
        """Return a lock that as many tasks hold at once as *limit* says."""
        return Semaphore(limit)

    async def in_new_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """
        Return what *function* returns, in a thread of its own.

        For what is done once or so in a process: asyncio's pool of threads takes 1 ms of a first call to
        import, and is not needed where a name is not looked up either.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        results: list[T] = []
        errors: list[BaseException] = []

        def wake() -> None:
            if not ended.done():  # nobody waits any more for what was cancelled
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
        """Give up what takes longer, and go on; a TimeoutError from within is not ours."""
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
        """Return what *function* returns; after *seconds* raise StillRunningError, and let it go on."""
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
            del task  # it has the error whose traceback has this frame

    async def connect(
        self, host: str, port: int, tls: "TLS | None" = None, timeout: float | None = None
    ) -> "Stream":
        """Connect to *host*, with TLS from the first byte if there are settings for it."""
        from .asyncio_stream import connect

        return await connect(self, host, port, tls, timeout)


def _forget(task: "asyncio.Task[object]") -> None:
    """Take note of an outcome that nobody may wait for any more."""
    if not task.cancelled():
        task.exception()
