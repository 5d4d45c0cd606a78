"""Reads the ranges of an object concurrently, and writes them to the target."""

from collections import deque
from collections.abc import Sequence
from threading import Lock
from typing import TypeVar

from ..._io.targets.target import Target
from .object_reader import ObjectReader, ObjectSource
from .ranges import Version
from .result import DownloadOptions
from .resume import Progress, Ranges, gaps
from .verification import Verification, read_stored

T = TypeVar("T")

# The maximum number of ranges.  For a larger object, the size of a range is increased to the next
# multiple of `_STEP` bytes that suffices.
_MAX_RANGES = 10_000
_STEP = 1 << 20
# A range is read from the connection and written to the target in pieces of this size, in bytes.
_BUFFER_SIZE = 512 << 10


def split(stored: Ranges, first_end: int, size: int, part_size: int) -> list[tuple[int, int]]:
    """Return the missing ranges of an object, in order.

    Args:
        stored: The ranges that an earlier download has stored.
        first_end: The end of the first range, which has already been requested; 0 if it has not.
        size: The size of the object in bytes.
        part_size: The maximum size of the other ranges in bytes.
    """
    if size > part_size * _MAX_RANGES:
        part_size = -(-size // _MAX_RANGES // _STEP) * _STEP
    missing = [(0, first_end)] if first_end else []
    for start, end in gaps((*missing, *stored), size):
        missing += [(at, min(at + part_size, end)) for at in range(start, end, part_size)]
    return missing


class RangeReading:
    """Reads the ranges of one version of an object.

    Args:
        source: Sends the requests.
        target: Where the data are written.
        version: The version of the object.
        verification: Computes the checksums of the ranges.
        progress: Records which ranges are complete.
        options: The number of ranges that are read at the same time, and the caller's progress
            function.
    """

    def __init__(
        self,
        source: ObjectSource,
        target: Target,
        version: Version,
        verification: Verification,
        progress: Progress,
        options: DownloadOptions,
    ) -> None:
        self._source, self._target = source, target
        self._version, self._verification = version, verification
        self._progress, self._options = progress, options
        self._done = 0
        self._lock = Lock()

    async def run(
        self, stored: Ranges, missing: Sequence[tuple[int, int]], first: ObjectReader | None
    ) -> None:
        """Read the missing ranges, and add the stored ranges to the checksums.

        Args:
            stored: The ranges that an earlier download has stored.
            missing: The other ranges, in order.
            first: The reader that has already requested the first range, or None.
        """
        self._note(sum([end - start for start, end in stored]))
        readers = {} if first is None else {0: first}
        kept = dict(stored)
        jobs = deque(sorted([*stored, *missing]))
        buffer_size = max([end - start for start, end in missing], default=0)
        if not (self._target.is_ordered and len(missing) > 1):
            buffer_size = min(buffer_size, _BUFFER_SIZE)

        async def work() -> None:
            buffer = memoryview(bytearray(buffer_size))
            while (job := take(jobs)) is not None:
                start, end = job
                if start in kept:
                    await self._add_stored(start, end)
                else:
                    reader = readers.pop(start, None)
                    reader = reader or ObjectReader(self._source, start, end, self._version)
                    await self._read(reader, start, end, buffer)

        workers = min(self._options.concurrency, len(jobs))
        if workers <= 1:
            await work()
            return
        async with self._source.system.backend().task_group() as group:
            for _ in range(workers):
                group.start(work)

    async def _add_stored(self, start: int, end: int) -> None:
        hasher = self._verification.hasher(start)
        if hasher is not None:
            await read_stored(self._source.system, self._target, hasher, start, end)

    async def _read(self, reader: ObjectReader, start: int, end: int, buffer: memoryview) -> None:
        hasher, target, position = self._verification.hasher(start), self._target, start
        try:
            while position < end:
                most = min(len(buffer), end - position)
                data = target.view(position, most) or buffer[:most]
                await self._fill(data, reader)
                if hasher is not None:
                    hasher.update(data)
                await target.write(position, data)
                position += len(data)
                self._note(len(data))
        finally:
            await reader.aclose()
        await self._progress.finished(start, end)

    @staticmethod
    async def _fill(data: memoryview, reader: ObjectReader) -> None:
        size = 0
        while size < len(data):
            size += await reader.read_into(data[size:])

    def _note(self, size: int) -> None:
        """Report that *size* more bytes have been read; call `on_progress` in one thread at a time."""
        with self._lock:
            self._done += size
            if self._options.on_progress is not None:
                self._options.on_progress(self._done, self._version.size)


def take(jobs: deque[T]) -> T | None:
    """Remove and return the first item of *jobs*, or return None if *jobs* is empty."""
    try:
        return jobs.popleft()
    except IndexError:
        return None
