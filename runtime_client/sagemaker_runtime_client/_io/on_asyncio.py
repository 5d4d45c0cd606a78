"""How tasks wait on asyncio: with its own means, since anyio's take 20 ms to import."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeVar

from .run import EndsLaterError, run

T = TypeVar("T")
# What ends at once, as a look at credentials that are there, then needs no turn of the loop.
_EAGERLY: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}

sleep = asyncio.sleep
in_thread = asyncio.to_thread
Semaphore = asyncio.Semaphore


async def in_new_thread(function: Callable[..., T], *arguments: object) -> T:
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
async def move_on_after(seconds: float) -> AsyncGenerator[None]:
    """Give up what takes longer, and go on; a TimeoutError of its own is not ours."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise


async def finish_by(
    seconds: float, function: Callable[..., Coroutine[Any, Any, T]], *arguments: object
) -> T:
    """Return what *function* returns; after *seconds* raise EndsLaterError, and let it go on."""
    begin: Any = asyncio.Task
    task: asyncio.Task[T] = begin(function(*arguments), loop=asyncio.get_running_loop(), **_EAGERLY)
    try:
        if not task.done():  # pragma: no branch (it may be, from Python 3.12 on)
            await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise EndsLaterError
    except asyncio.CancelledError:
        task.cancel()
        raise
    finally:
        task.add_done_callback(_forget)
        del task  # it has the error whose traceback has this frame


def _forget(task: "asyncio.Task[Any]") -> None:
    """Take note of an outcome that nobody may wait for any more."""
    if not task.cancelled():
        task.exception()


class Lock(asyncio.Semaphore):
    """A lock; asyncio's own does not tell of those to whom it is promised."""

    def acquire_nowait(self) -> bool:
        """Take it if it is free, and tell whether it was."""
        return not self.locked() and run(self.acquire())  # which then does not suspend
