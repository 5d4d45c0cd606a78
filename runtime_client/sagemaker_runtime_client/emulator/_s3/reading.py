"""GetObject and HeadObject, which return an object, a range of it, or its description."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from email.utils import format_datetime

from attrs import evolve, frozen

from .._fault_types import BrokenBody, Fault, SlowBody
from .._reply import Reply, rejection
from .._target import Target
from .conditions import check_conditions, is_not_modified
from .content import PIECE_SIZE, Content
from .options import HIDDEN_HEADERS
from .stored import StoredObject

_single_range = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII).fullmatch
# The parameters of a request that replace headers of its response.
_OVERRIDES = {
    f"response-{name}": name
    for name in (
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "expires",
    )
}


def read_object(
    target: Target,
    headers: Mapping[str, str],
    stored: StoredObject,
    faults: tuple[Fault, ...] = (),
) -> Reply:
    """Return a response with an object or the requested range of it.

    If the conditions show that the caller has the object already, the status is 304.

    Raises:
        RejectedRequestError: A condition does not hold, or the range is outside the object.
    """
    check_conditions(headers, stored)
    found = _object_headers(stored)
    if is_not_modified(headers, stored):
        return Reply(304, {name: found[name] for name in ("etag", "last-modified")})
    byte_range = _parse_range(headers.get("range", ""), stored.size)
    start, stop = byte_range or (0, stored.size)
    if byte_range is not None:
        found["content-range"] = f"bytes {start}-{stop - 1}/{stored.size}"
    elif headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        found |= checksum_headers(stored)
    found |= {_OVERRIDES[name]: value for name, value in target.parameters if name in _OVERRIDES}
    found["content-length"] = str(stop - start)
    reply = Reply(200 if byte_range is None else 206, found)
    if target.operation == "HeadObject":
        return reply
    stream = _ObjectStream(stored.content, start, stop, faults)
    if stop - start > PIECE_SIZE or stream.is_damaged:
        return evolve(reply, stream=stream)
    return evolve(reply, body=b"".join(stored.content.pieces(start, stop)))


def checksum_headers(stored: StoredObject) -> dict[str, str]:
    """Return the response headers for an object's checksum, or no headers if none is stored."""
    if not stored.checksums:
        return {}
    return {**stored.checksums, "x-amz-checksum-type": stored.checksum_type}


@frozen
class _ObjectStream:
    """A response body: an object's bytes from *start* to before *stop*, damaged by *faults*."""

    content: Content
    start: int
    stop: int
    faults: tuple[Fault, ...]

    @property
    def is_damaged(self) -> bool:
        """Whether a fault applies to the body."""
        return any(isinstance(fault, BrokenBody | SlowBody) for fault in self.faults)

    @property
    def is_reset(self) -> bool:
        """Whether the connection is to be reset after the last piece."""
        return any(fault.what == "reset" for fault in self._breaks())

    async def frames(self) -> AsyncGenerator[bytes]:
        """Yield the pieces."""
        slow = next((fault for fault in self.faults if isinstance(fault, SlowBody)), None)
        for piece in self._damaged():
            if slow is None:
                yield piece
                continue
            for first in range(0, len(piece), slow.size):
                await asyncio.sleep(slow.pause)
                yield piece[first : first + slow.size]

    async def aclose(self) -> None:
        """Do nothing: a file is open only while it is read."""

    def _breaks(self) -> list[BrokenBody]:
        return [fault for fault in self.faults if isinstance(fault, BrokenBody)]

    def _damaged(self) -> Iterator[bytes]:
        """Yield the pieces with one bit flipped, or only the bytes before the reset."""
        stop, flipped = self.stop, -1
        for fault in self._breaks():
            position = min(self.start + fault.after, self.stop - 1)
            if fault.what == "reset":
                stop = position
            else:
                flipped = position
        position = self.start
        for piece in self.content.pieces(self.start, stop):
            if position <= flipped < position + len(piece):
                damaged = bytearray(piece)
                damaged[flipped - position] ^= 1
                yield bytes(damaged)
            else:
                yield piece
            position += len(piece)


def _object_headers(stored: StoredObject) -> dict[str, str]:
    """Return the response headers that describe an object."""
    return {
        "content-type": stored.content_type,
        "etag": stored.etag,
        "last-modified": format_datetime(stored.last_modified, usegmt=True),
        "accept-ranges": "bytes",
        **{name: text for name, text in stored.headers.items() if name not in HIDDEN_HEADERS},
        **({"x-amz-tagging-count": str(len(stored.tags))} if stored.tags else {}),
        **{f"x-amz-meta-{name}": value for name, value in stored.metadata.items()},
    }


def _parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first position to send and the position after the last one; None for everything.

    A Range header that does not specify exactly one valid byte range is ignored (RFC 9110, section
    14.2).

    Raises:
        RejectedRequestError: The object has no byte in the range.
    """
    match = _single_range(header)
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        first, last = int(match[1]), min(int(match[2] or size), size - 1)
        if match[2] and int(match[2]) < first:
            return None
    else:
        first, last = max(size - int(match[2]), 0), size - 1
    if first >= size:
        raise rejection(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
            {"content-range": f"bytes */{size}"},
            RangeRequested=header,
            ActualObjectSize=str(size),
        )
    return first, last + 1
