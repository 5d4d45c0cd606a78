"""The state of a download that can be continued: the object version and the complete ranges.

The state is stored in a file next to the target.  Another program may have damaged or forged this
file, so every field is checked.  If the state is invalid, it is ignored, and the download starts
from the beginning.
"""

import json
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import NamedTuple, Protocol, cast

from ..objects import S3Location
from .ranges import Version

MAX_STATE_SIZE = 1 << 20
_MAX_RANGES = 20_000
_MAX_ETAG_LENGTH = 1024
# The state is stored after every this many ranges.
_INTERVAL = 8

Ranges = tuple[tuple[int, int], ...]


class State(NamedTuple):
    """Which version of an object a download has read, and which of its ranges are complete.

    Attributes:
        version: The version.
        ranges: The complete ranges.  They are sorted, not empty and not adjacent.
    """

    version: Version
    ranges: Ranges


class StateFile(Protocol):
    """Stores the state of a download in a file next to its data."""

    async def load_state(self, max_bytes: int) -> tuple[bytes, int]:
        """Return the stored state, which may be empty, and the size of the stored data in bytes.

        If the stored state has more than *max_bytes* bytes, return an empty one.
        """
        ...

    async def save_state(self, state: bytes) -> None:
        """Wait until the data are on the disk, and then store the state."""
        ...

    def save_state_now(self, state: bytes) -> None:
        """Store the state without using the event loop; ignore errors of the file system."""
        ...


class Progress:
    """Records which ranges of the current download are complete.

    Args:
        location: The location of the object.
        file: Stores the state; None if the download cannot be continued later.
    """

    def __init__(self, location: S3Location, file: StateFile | None) -> None:
        self._location, self._file = location, file
        self._state: State | None = None
        self._unsaved = 0
        self._lock = Lock()

    async def load(self) -> State | None:
        """Return the state of an earlier download of the object, or None if there is no valid one."""
        if self._file is None:
            return None
        data, size = await self._file.load_state(MAX_STATE_SIZE)
        self._state = decode(data, self._location, size)
        return self._state

    def begin(self, version: Version | None) -> None:
        """Record that a new download of *version* begins; if it is None, stop recording."""
        self._state, self._unsaved = version and State(version, ()), 0

    async def finished(self, start: int, end: int) -> None:
        """Record that the range from *start* up to, but not including, *end* is complete."""
        if self._state is None or self._file is None:
            return
        with self._lock:
            ranges = merged([*self._state.ranges, (start, end)])
            self._state = state = self._state._replace(ranges=ranges)
            self._unsaved += 1
            is_due = self._unsaved >= _INTERVAL
            if is_due:
                self._unsaved = 0
        if is_due:
            await self._file.save_state(encode(self._location, state))

    def save_now(self) -> None:
        """Store the state after a failure, if it has changed since it was stored last."""
        if self._file is not None and self._state is not None and self._unsaved:
            self._file.save_state_now(encode(self._location, self._state))


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return *ranges* in order, with adjacent ranges joined."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and found[-1][1] == start:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return tuple(found)


def gaps(ranges: Ranges, size: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of an object of *size* bytes that *ranges* does not contain."""
    position = 0
    for start, end in ranges:
        if position < start:
            yield position, start
        position = end
    if position < size:
        yield position, size


def encode(location: S3Location, state: State) -> bytes:
    """Return the content of the file that stores *state*."""
    document = {
        "location": str(location),
        "etag": state.version.etag,
        "size": state.version.size,
        "ranges": state.ranges,
    }
    return json.dumps(document).encode()


def decode(data: bytes, location: S3Location, size: int) -> State | None:
    """Return the state in the file, or None if it is not a valid state for this object.

    Args:
        data: The content of the file, which may be empty.
        location: The location of the object.
        size: The number of bytes of the object data that are stored.
    """
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    fields = cast("dict[str, object]", document)
    etag, whole, ranges = fields.get("etag"), fields.get("size"), _ranges(fields.get("ranges"))
    if fields.get("location") != str(location) or not _is_etag(etag) or type(whole) is not int:
        return None
    if ranges is None or (ranges and ranges[-1][1] > min(whole, size)):
        return None
    return State(Version(cast("str", etag), whole), ranges)


def _is_etag(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _MAX_ETAG_LENGTH
        and value.isascii()
        and value.isprintable()
    )


def _ranges(value: object) -> Ranges | None:
    """Return the ranges in *value*.

    Return None if *value* is not a list, has too many ranges, or contains a range that is
    malformed, empty, or not sorted after a gap that separates it from the previous range.
    """
    if not isinstance(value, list) or len(cast("list[object]", value)) > _MAX_RANGES:
        return None
    ranges: list[tuple[int, int]] = []
    position = -1
    for pair in cast("list[object]", value):
        match pair:
            case [int(start), int(end)] if position < start < end:
                ranges.append((start, end))
                position = end
            case _:
                return None
    return tuple(ranges)
