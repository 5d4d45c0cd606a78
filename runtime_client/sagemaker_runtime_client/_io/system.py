"""
All that this package asks of the outside world, and nothing else does.

The core is written once, as coroutines over the `IO` protocol.  The async face awaits them, on
asyncio or trio.  The blocking face *steps* them: over `BlockingIO` no coroutine ever suspends, so
`run` gets the result with a single ``send``, with no event loop, in a running one as well.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from sigv4 import Credentials, CredentialsProvider

from .._errors import TransportError, is_shortage, shortage
from .._limits import ANSWER, AnswerLimit, bounded
from .event_loop import OfEachLoop, library
from .generation import generation
from .message import Request, Response
from .run import EndsLaterError
from .transport import AsyncTransport, BlockingTransport

if TYPE_CHECKING:  # a program is seldom run
    from .processes import Finished


T = TypeVar("T")

# From so many bytes on, a thread costs less than an event loop that stands still: they take some 4 ms
# to hash or to copy.
_WORTH_A_THREAD = 1 << 20


class Lock(Protocol):
    """A lock for threads or for tasks."""

    def acquire_nowait(self) -> bool:
        """Take it if it is free, and tell whether it was."""
        ...

    async def acquire(self) -> object:
        """Take it, once it is free."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class IO(Protocol):
    """What the core may ask for."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment's variables."""
        ...

    def home(self, user: str = "") -> str:
        """Return the folder of *user*, or of this process's, as the system knows it; else ``~user``."""
        ...

    def generation(self) -> int:
        """Return a number that is another one after a fork, and after a snapshot is restored."""
        ...

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that is never set."""
        ...

    def random(self) -> float:
        """Return a number from 0 up to 1, a different one in each process and after each restore."""
        ...

    def uuid(self) -> str:
        """Return a new UUID, of the random kind."""
        ...

    async def prepare(self, origin: str, *, direct: bool = False) -> None:
        """Load what sends to *origin*, so that its loading does not count as the server's time."""
        ...

    async def compute(self, size: int, function: Callable[..., T], *arguments: object) -> T:
        """Return what *function* makes of *size* bytes, and hold up no event loop meanwhile."""
        ...

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
        limit: AnswerLimit = ANSWER,
    ) -> Response:
        """
        Send to *origin* what *make* returns, and return the answer, or raise TransportError.

        *make* is called when there is a connection, so that what waits is small and newly signed.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        ...

    async def credentials(
        self, provider: CredentialsProvider, deadline: float | None
    ) -> Credentials:
        """
        Ask *provider* in this face's colour, or raise TransportError at the *deadline*.

        The provider itself is not cut off: others wait for it too, and its old token may be used up by
        then.  So a blocking one is waited for to its end.
        """
        ...

    async def read_file(self, path: str, most: int) -> bytes | None:
        """
        Return what a file holds, or None if there is no such file; other faults are OSErrors.

        One of them is that it holds more than *most* bytes.  For want of descriptors it raises
        TransportError.
        """
        ...

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace a file in one step, readable by its owner alone; its folder is made if need be."""
        ...

    async def run_process(self, arguments: Sequence[str], most: int) -> "Finished":
        """
        Run a program without a shell and without input, and return how it ended.

        One that writes more than *most* bytes to stdout or to stderr is killed, which is an OSError.
        """
        ...

    def lock(self) -> Lock:
        """Return a new lock, in this face's colour."""
        ...

    async def begin(self, deadline: float | None) -> None:
        """
        Return when another call may begin, which then ends with `end`; raise TransportError at the *deadline*.

        There may be as many as connections: of thousands of tasks all others wait here, where they
        have next to nothing yet.
        """
        ...

    def end(self) -> None:
        """Let the next one begin."""
        ...

    async def close(self) -> None:
        """Close what was opened here."""
        ...


class _RealWorld:
    """What both colours have in common."""

    @property
    def environ(self) -> Mapping[str, str]:
        return os.environ

    def home(self, user: str = "") -> str:
        return os.path.expanduser("~" + user)

    def generation(self) -> int:
        return generation()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def random(self) -> float:
        # The system's numbers: a process that was forked or restored does not repeat its twin's.
        return int.from_bytes(os.urandom(7)) / (1 << 56)

    def uuid(self) -> str:
        # Of the random kind (RFC 9562, section 5.4), without the module, which costs the first call 2 ms.
        bits = int.from_bytes(os.urandom(16)) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
        digits = f"{bits:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _read(path: str, most: int) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return bounded(file.read(most + 1), most)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        if os.path.exists(path):
            raise
        return None  # in a folder that is not for this user: a container's HOME may be /root
    except OSError as error:
        if is_shortage(error):
            raise shortage(f"{path} cannot be read") from error
        raise


def _write(path: str, data: bytes) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    from tempfile import mkstemp

    descriptor, name = mkstemp(dir=folder)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


class _ThreadLock:
    """A lock for threads; a coroutine that takes it blocks, and never suspends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire_nowait(self) -> bool:
        return self._lock.acquire(blocking=False)

    async def acquire(self) -> None:
        self._lock.acquire()

    def release(self) -> None:
        self._lock.release()


class TaskLock:
    """A lock for tasks; those of one event loop do not wait for those of another."""

    def __init__(self) -> None:
        self._lock: OfEachLoop[Lock] = OfEachLoop(lambda: library().Lock())

    def acquire_nowait(self) -> bool:
        return self._lock().acquire_nowait()

    async def acquire(self) -> None:
        await self._lock().acquire()

    def release(self) -> None:
        self._lock().release()


class BlockingIO(_RealWorld):
    """The outside world for threads: its coroutines block, and never suspend."""

    def __init__(self, transport: BlockingTransport) -> None:
        self._transport = transport

    async def prepare(self, origin: str, *, direct: bool = False) -> None:
        self._transport.prepare(origin, direct=direct)

    async def compute(self, size: int, function: Callable[..., T], *arguments: object) -> T:
        return function(*arguments)

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
        limit: AnswerLimit = ANSWER,
    ) -> Response:
        return self._transport.send(origin, make, deadline, direct=direct, limit=limit)

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def credentials(
        self, provider: CredentialsProvider, deadline: float | None
    ) -> Credentials:
        return provider.get()

    async def read_file(self, path: str, most: int) -> bytes | None:
        return _read(path, most)

    async def write_file(self, path: str, data: bytes) -> None:
        _write(path, data)

    async def run_process(self, arguments: Sequence[str], most: int) -> "Finished":
        from .processes import run_process

        return run_process(arguments, most)

    def lock(self) -> Lock:
        return _ThreadLock()

    async def begin(self, deadline: float | None) -> None:
        """Begin at once: a thread has its memory already."""

    def end(self) -> None:
        """Nobody waits."""

    async def close(self) -> None:
        self._transport.close()


async def _ask(provider: CredentialsProvider) -> Credentials:
    return await provider.aget()


class AsyncIO(_RealWorld):
    """The outside world for tasks, on asyncio or trio."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._calls: OfEachLoop[Any] = OfEachLoop(
            lambda: library().Semaphore(transport.most_at_once)
        )

    async def prepare(self, origin: str, *, direct: bool = False) -> None:
        await self._transport.prepare(origin, direct=direct)

    async def compute(self, size: int, function: Callable[..., T], *arguments: object) -> T:
        if size < _WORTH_A_THREAD:
            return function(*arguments)
        return cast("T", await library().in_thread(function, *arguments))

    async def send(
        self,
        origin: str,
        make: Callable[[], Request],
        deadline: float | None,
        *,
        direct: bool = False,
        limit: AnswerLimit = ANSWER,
    ) -> Response:
        return await self._transport.send(origin, make, deadline, direct=direct, limit=limit)

    async def sleep(self, seconds: float) -> None:
        await library().sleep(seconds)

    async def credentials(
        self, provider: CredentialsProvider, deadline: float | None
    ) -> Credentials:
        if deadline is None:
            return await provider.aget()
        try:
            found = await library().finish_by(deadline - time.monotonic(), _ask, provider)
        except EndsLaterError:
            raise TransportError("the call's time was over before there were credentials") from None
        return cast("Credentials", found)

    async def read_file(self, path: str, most: int) -> bytes | None:
        return cast("bytes | None", await library().in_new_thread(_read, path, most))

    async def write_file(self, path: str, data: bytes) -> None:
        await library().in_thread(_write, path, data)

    async def run_process(self, arguments: Sequence[str], most: int) -> "Finished":
        from .processes import run_process_async

        return await run_process_async(arguments, most)

    def lock(self) -> Lock:
        return TaskLock()

    async def begin(self, deadline: float | None) -> None:
        calls = self._calls()
        if deadline is None:
            await calls.acquire()
            return
        async with library().move_on_after(deadline - time.monotonic()):
            await calls.acquire()
            return
        raise TransportError("the call's time was over before those ahead of it had ended")

    def end(self) -> None:
        self._calls().release()

    async def close(self) -> None:
        await self._transport.close()
