"""Side effects that need no settings: environment, files, programs, clocks and pauses.

The module `transport` contains the side effects that need settings.  The settings are loaded at the
first call, by means of the class `Once`.
"""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from sigv4 import Credentials, CredentialsProvider

    from .concurrency import Backend, Lock
    from .processes import Finished

T = TypeVar("T")

# In an async client, a function that processes at least this many bytes runs in a thread.  Hashing
# or copying this many bytes takes up to about 4 ms, which is longer than the switch to a thread
# takes.
_WORTH_A_THREAD = 1 << 20


class System:
    """Environment, files, programs, clocks and pauses.

    Args:
        backend: Returns the concurrency backend for threads or for the running event loop.

    Attributes:
        backend: The function that was passed as *backend*.
        environ: The environment variables.
    """

    def __init__(self, backend: Callable[[], Backend]) -> None:
        self.backend = backend
        self.environ: Mapping[str, str] = os.environ

    # The generation of the process, a number that changes after a fork or the restore of a
    # snapshot.
    generation = staticmethod(generation)
    # The monotonic clock, in seconds.
    monotonic = staticmethod(time.monotonic)
    # The current time in UTC.
    now = staticmethod(partial(datetime.now, UTC))

    @staticmethod
    def home(user: str = "") -> str:
        """Return the home directory of *user*, or of the current user; ``~user`` if it is unknown."""
        return os.path.expanduser("~" + user)

    @staticmethod
    def random() -> float:
        """Return a random number that is at least 0 and less than 1."""
        # The numbers come from the operating system, so that processes that were forked from one
        # process, or restored from one snapshot, do not repeat each other's numbers.
        return int.from_bytes(os.urandom(7)) / (1 << 56)

    @staticmethod
    def uuid() -> str:
        """Return a new random UUID (version 4)."""
        # The format is that of RFC 9562, section 5.4.  Importing the module uuid would cost the
        # first call 2 ms.
        bits = int.from_bytes(os.urandom(16)) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
        digits = f"{bits:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        await self.backend().sleep(seconds)

    def lock(self) -> Lock:
        """Return a new lock.

        Tasks wait only for tasks of the same event loop.
        """
        return _LoopLock(self.backend)

    async def compute(self, size: int, function: Callable[..., T], *arguments: object) -> T:
        """Call *function*, which processes *size* bytes, and return its result.

        If *size* is at least `_WORTH_A_THREAD`, an async client runs the function in a thread.
        """
        if size < _WORTH_A_THREAD:
            return function(*arguments)
        return await self.backend().in_thread(function, *arguments)

    async def credentials(
        self, provider: CredentialsProvider, deadline: float | None
    ) -> Credentials:
        """Return the credentials of a provider, or raise TransportError at the *deadline*.

        The provider itself is not cancelled at the deadline: other calls may wait for it too, and
        it may already have used up a refresh token.  In a blocking client, the deadline is ignored.
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
        """Return the credentials that *function* returns; raise TransportError at the *deadline*."""
        if deadline is None:
            return await function(*arguments)
        seconds = deadline - time.monotonic()
        try:
            return await self.backend().finish_by(seconds, function, *arguments)
        except StillRunningError:
            raise TransportError("the timeout elapsed before credentials were available") from None

    async def read_file(self, path: str, max_bytes: int) -> bytes | None:
        """Return the content of a file, or None if it does not exist.

        Raises:
            OSError: The file cannot be read, or it has more than *max_bytes* bytes.
            TransportError: No file descriptor is free.
        """
        return await self.backend().in_new_thread(files.read, path, max_bytes)

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace a file atomically with a new file that only its owner can read.

        Create its directory if necessary.
        """
        await self.backend().in_thread(files.write, path, data)

    async def run_process(self, arguments: Sequence[str], max_bytes: int) -> Finished:
        """Run a program without a shell and without input, and return its status and output.

        Raises:
            OSError: The program could not be started, or it wrote more than *max_bytes* bytes to
                stdout or stderr and was killed.
        """
        with importing():
            from .processes import run_process

        return await run_process(self.backend(), arguments, max_bytes)


async def _ask(provider: CredentialsProvider) -> Credentials:
    return await provider.aget()


class _LoopLock:
    """A lock with a separate state for each event loop."""

    def __init__(self, backend: Callable[[], Backend]) -> None:
        self._lock: PerLoop[Lock] = PerLoop(backend, _new_lock)

    def acquire_nowait(self) -> bool:
        return self._lock().acquire_nowait()

    async def acquire(self) -> None:
        await self._lock().acquire()

    def release(self) -> None:
        self._lock().release()


def _new_lock(backend: Backend) -> Lock:
    return backend.lock()


class Once(Generic[T]):
    """A value that is created at the first call, and then kept.

    If several tasks or threads call at the same time, one of them creates the value for all.  If
    several event loops create a value, the first value is kept.  If the creation fails, the next
    caller tries again.

    Args:
        system: Provides the lock.
        make: Creates the value.
        kept: An async function that is called with the value as soon as the value is stored; None
            for no function.

    Attributes:
        value: The value; None before it is created.
    """

    def __init__(
        self,
        system: System,
        make: Callable[[], Awaitable[T]],
        kept: Callable[[T], Awaitable[None]] | None = None,
    ) -> None:
        self._system, self._make, self._kept = system, make, kept
        self._values: dict[None, T] = {}
        self.value: T | None = None
        self._reset()

    def _reset(self) -> None:
        """Create a free lock.

        In a new generation the old lock may still be held, for example by a thread of the parent
        process.
        """
        self._generation = self._system.generation()
        self._lock = self._system.lock()

    async def __call__(self) -> T:
        """Return the value, which is created at the first call."""
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
