"""
The part of the outside world that needs no settings: environment, files, programs, clocks, pauses.

`transport` is the other part, which is made from the settings; `Once` is how a client finds these out at its
first call.
"""

import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from .._errors import TransportError
from . import files
from .cancellation import StillRunningError
from .generation import generation, importing
from .run import PerLoop

if TYPE_CHECKING:  # a program is seldom run
    from collections.abc import Awaitable

    from sigv4 import Credentials, CredentialsProvider

    from .concurrency import Backend, Lock
    from .processes import Finished

T = TypeVar("T")

# From so many bytes on, a thread costs less than an event loop that stands still: they take some 4 ms
# to hash or to copy.
_WORTH_A_THREAD = 1 << 20


class System:
    """
    Environment, files, programs, clocks and pauses.

    Args:
        backend: Returns how this client waits: by threads, or by the tasks of the running event loop.

    Attributes:
        backend: The same.
        environ: The variables of the environment.
    """

    def __init__(self, backend: Callable[[], "Backend"]) -> None:
        self.backend = backend
        self.environ: Mapping[str, str] = os.environ
        # Every client and every chain of credentials makes a `System` before it can log anything.
        if level := os.environ.get("SAGEMAKER_RUNTIME_LOG"):
            from .stderr_log import log_to_stderr

            log_to_stderr(level)

    # A number that is another one after a fork, and after a snapshot is restored.
    generation = staticmethod(generation)
    # Seconds on a clock that is never set.
    monotonic = staticmethod(time.monotonic)
    # The time, in UTC.
    now = staticmethod(partial(datetime.now, UTC))

    @staticmethod
    def home(user: str = "") -> str:
        """Return the folder of *user*, or of this process's, as the system knows it; else ``~user``."""
        return os.path.expanduser("~" + user)

    @staticmethod
    def random() -> float:
        """Return a number from 0 up to 1, a different one in each process and after each restore."""
        # The system's numbers: a process that was forked or restored does not repeat its twin's.
        return int.from_bytes(os.urandom(7)) / (1 << 56)

    @staticmethod
    def uuid() -> str:
        """Return a new UUID, of the random kind."""
        # RFC 9562, section 5.4, without the module, which costs the first call 2 ms.
        bits = int.from_bytes(os.urandom(16)) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
        digits = f"{bits:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        await self.backend().sleep(seconds)

    def lock(self) -> "Lock":
        """Return a new lock; the tasks of one event loop do not wait for those of another."""
        return _LoopLock(self.backend)

    async def compute(self, size: int, function: Callable[..., T], *arguments: object) -> T:
        """Return what *function* makes of *size* bytes, and hold up no event loop meanwhile."""
        if size < _WORTH_A_THREAD:
            return function(*arguments)
        return await self.backend().in_thread(function, *arguments)

    async def credentials(
        self, provider: "CredentialsProvider", deadline: float | None
    ) -> "Credentials":
        """
        Ask a provider that may be the user's, or raise TransportError at the *deadline*.

        The provider itself is not cut off: others wait for it too, and its old token may be used up by
        then.  So a blocking one is waited for to its end.
        """
        if self.backend().is_blocking:
            return provider.get()
        return await self.finish_by(deadline, _ask, provider)

    async def finish_by(
        self,
        deadline: float | None,
        function: Callable[..., Coroutine[object, object, T]],
        *arguments: object,
    ) -> T:
        """Return what a source of credentials returns, or raise TransportError at the *deadline*."""
        if deadline is None:
            return await function(*arguments)
        seconds = deadline - time.monotonic()
        try:
            return await self.backend().finish_by(seconds, function, *arguments)
        except StillRunningError:
            raise TransportError(
                "the call's deadline passed before credentials were available"
            ) from None

    async def read_file(self, path: str, max_bytes: int) -> bytes | None:
        """
        Return what a file holds, or None if there is no such file; other faults are OSErrors.

        One of them is that it holds more than *max_bytes* bytes.  For want of descriptors it raises
        TransportError.
        """
        return await self.backend().in_new_thread(files.read, path, max_bytes)

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace a file in one step, readable by its owner alone; its folder is made if need be."""
        await self.backend().in_thread(files.write, path, data)

    async def run_process(self, arguments: Sequence[str], max_bytes: int) -> "Finished":
        """
        Run a program without a shell and without input, and return how it ended.

        One that writes more than *max_bytes* bytes to stdout or to stderr is killed, which is an OSError.
        """
        with importing():
            from .processes import run_process

        return await run_process(self.backend(), arguments, max_bytes)


async def _ask(provider: "CredentialsProvider") -> "Credentials":
    return await provider.aget()


class _LoopLock:
    """A lock of which each event loop has its own."""

    def __init__(self, backend: Callable[[], "Backend"]) -> None:
        self._lock: PerLoop[Lock] = PerLoop(backend, _new_lock)

    def acquire_nowait(self) -> bool:
        return self._lock().acquire_nowait()

    async def acquire(self) -> None:
        await self._lock().acquire()

    def release(self) -> None:
        self._lock().release()


def _new_lock(backend: "Backend") -> "Lock":
    return backend.lock()


class Once(Generic[T]):
    """
    A value that is made when it is first asked for, and then kept.

    Of many that ask at the same time one makes it for all, or the first one of each event loop, of which
    the first value is kept.  If that fails, the next one tries again.

    Args:
        system: Where its lock is from.
        make: Makes the value.
        kept: Is awaited with the value once that is kept.

    Attributes:
        value: The value; None before it is made.
    """

    def __init__(
        self,
        system: System,
        make: "Callable[[], Awaitable[T]]",
        kept: "Callable[[T], Awaitable[None]] | None" = None,
    ) -> None:
        self._system, self._make, self._kept = system, make, kept
        self._values: dict[None, T] = {}
        self.value: T | None = None
        self._reset()

    def _reset(self) -> None:
        """Have a free lock: at first, and in a new generation, in which it may have been left held."""
        self._generation = self._system.generation()
        self._lock = self._system.lock()

    async def __call__(self) -> T:
        """Return the value."""
        if self.value is not None:
            return self.value
        if self._generation != self._system.generation():
            self._reset()
        lock = self._lock
        await lock.acquire()
        try:
            if self.value is None:
                made = await self._make()
                self.value = self._values.setdefault(None, made)
                if self._kept is not None:
                    await self._kept(self.value)
            return self.value
        finally:
            lock.release()
