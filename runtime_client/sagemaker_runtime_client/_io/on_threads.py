"""The backend for blocking clients, whose coroutines block and never suspend."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Self, TypeVar

from .cancellation import Cancelled, CancelScope, Latch
from .run import run

if TYPE_CHECKING:
    from .concurrency import TLS, Backend, Stream

T = TypeVar("T")


class ThreadLock:
    """A lock for threads.  A coroutine that acquires it blocks its thread."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire_nowait(self) -> bool:
        """Acquire the lock if it is free, and return whether it was acquired."""
        return self._lock.acquire(blocking=False)

    async def acquire(self) -> None:
        """Wait until the lock is free, and acquire it."""
        self._lock.acquire()

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()


class _NoLock:
    """A lock that never blocks."""

    def acquire_nowait(self) -> bool:
        return True

    async def acquire(self) -> None:
        pass

    def release(self) -> None:
        pass


class ThreadGroup:
    """A group of concurrent threads.

    A cancelled thread ends where it sleeps, waits for an event, or reads from or writes to a
    connection.
    """

    def __init__(self) -> None:
        self._scope = CancelScope()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    async def __aenter__(self) -> Self:
        """Enter the group."""
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Wait for all threads, and raise the first error."""
        try:
            if error is not None:
                self.cancel()
            self._join()
        except BaseException:  # for example Ctrl-C
            self.cancel()
            self._join()
            raise
        finally:
            self._scope.detach()
        errors, self._errors = self._errors[:1], []
        if error is None:
            self._scope.check_outer()
            for first in errors:
                raise first

    def _join(self) -> None:
        for thread in self._threads:  # the list grows while threads start other threads
            if thread.ident is not None:
                thread.join()

    def start(
        self, function: Callable[..., Coroutine[object, object, object]], *arguments: object
    ) -> None:
        """Run ``function(*arguments)`` in a thread."""
        thread = threading.Thread(target=self._work, args=(function, arguments), daemon=True)
        self._threads.append(thread)
        thread.start()

    def cancel(self) -> None:
        """Cancel all threads of the group at the next point where they wait."""
        self._scope.cancel()

    def _work(
        self,
        function: Callable[..., Coroutine[object, object, object]],
        arguments: tuple[object, ...],
    ) -> None:
        try:
            self._scope.check()
            self._scope.enter()
            run(function(*arguments))
        except Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 (raised where the group is left)
            self._errors.append(error)
            self.cancel()


class SyncBackend:
    """The concurrency backend for threads."""

    is_blocking = True

    def loop(self) -> object:
        """Return an object in place of an event loop."""
        return self

    def event(self) -> Latch:
        """Return a new event."""
        return Latch()

    def lock(self) -> ThreadLock:
        """Return a new lock."""
        return ThreadLock()

    def task_lock(self, limit: int = 1) -> _NoLock:
        """Return a lock that never blocks."""
        return _NoLock()

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        pause = time.sleep
        if hasattr(CancelScope.local, "scope"):
            await Latch().wait(seconds)
        else:
            pause(seconds)

    def move_on_after(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that does nothing, because a thread cannot be stopped from outside."""
        return nullcontext()

    async def finish_by(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function*, and return its result, however long that takes."""
        return await function(*arguments)

    async def uninterrupted(
        self,
        seconds: float,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Call *function* in a new thread, which neither Ctrl-C nor a cancelled group reaches.

        If either arrives, let *function* continue for up to *seconds* before the exception is
        raised.
        """
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                results.append(run(function(*arguments)))
            except BaseException as error:  # noqa: BLE001 (raised where it is waited for)
                errors.append(error)
            finally:
                finished.set()

        finished = threading.Event()
        _run_despite_interrupts(threading.Thread(target=work, daemon=True), finished, seconds)
        if scope := getattr(CancelScope.local, "scope", None):
            scope.check()
        if errors:
            raise errors.pop()
        return results.pop()

    async def in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a blocking function in the current thread, and return its result."""
        return function(*arguments)

    async def in_new_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a blocking function in the current thread, and return its result."""
        return function(*arguments)

    def load(self) -> None:
        """Import what `connect` needs."""
        import_module(".streams.thread_stream", __package__)

    def task_group(self) -> ThreadGroup:
        """Return a new task group."""
        return ThreadGroup()

    async def connect(
        self, host: str, port: int, tls: TLS | None = None, timeout: float | None = None
    ) -> Stream:
        """Connect to *host*.  If *tls* is given, also perform the TLS handshake."""
        from .streams.thread_stream import connect

        return await connect(host, port, tls, timeout)


def _run_despite_interrupts(
    thread: threading.Thread, finished: threading.Event, seconds: float
) -> None:
    """Start *thread*, and wait for it; after an exception, wait up to *seconds* longer, and raise it.

    The exception may arrive while the thread is starting.  `is_alive` is then not reliable, but the
    event that the thread sets at its end is.
    """
    try:
        thread.start()
        thread.join()
    except BaseException:
        ends = time.monotonic() + seconds
        while not finished.is_set() and (left := ends - time.monotonic()) > 0:
            with suppress(KeyboardInterrupt):
                finished.wait(left)
        raise


_BACKEND = SyncBackend()


def sync_backend() -> Backend:
    """Return the thread backend."""
    return _BACKEND
