"""The interface of sans-I/O codecs, functions that feed them, and a buffer for parsers.

A codec converts the bytes that are fed to it, without performing any I/O.  It has the methods
`feed` and `finish`.  A decoder contains a parser: a generator that reads from a `ByteBuffer`, which
holds the bytes that have not been parsed yet.  Because a parser is a generator, its code can follow
the grammar.
"""

from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from functools import partial
from typing import Protocol, runtime_checkable

from attrs import field, frozen

Bytes = bytes | bytearray | memoryview
Parser = Generator[None]  # a parser yields whenever the buffer has too few bytes


@runtime_checkable
class Readable(Protocol):
    """A file opened in binary mode."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most *size*; at the end of the file, return ``b""``."""
        ...


class Codec(Protocol):
    """Converts one stream of bytes into another."""

    def feed(self, data: Bytes) -> bytes:
        """Add *data*, and return the output that is ready."""
        ...

    def finish(self) -> bytes:
        """Return the rest of the output, after all data has been fed."""
        ...


def drive(codec: Codec, source: Bytes | Readable | Iterable[bytes], size: int) -> Iterator[bytes]:
    """Feed *source* to *codec*, at most *size* bytes at a time, and yield the output."""
    if isinstance(source, Readable):
        source = iter(partial(source.read, size), b"")
    elif isinstance(source, Bytes):
        source = [bytes(source)]
    for data in source:
        yield from filter(None, map(codec.feed, _pieces(data, size)))
    if rest := codec.finish():
        yield rest


async def adrive(codec: Codec, source: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """Like `drive`, for an asynchronous iterable."""
    async for data in source:
        for fed in filter(None, map(codec.feed, _pieces(data, size))):
            yield fed
    if rest := codec.finish():
        yield rest


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@frozen(eq=False)
class ByteBuffer:
    """The bytes that have been fed but that the parser has not yet read."""

    _data: bytearray = field(init=False, factory=bytearray, repr=False)

    def __len__(self) -> int:
        return len(self._data)

    def put(self, data: Bytes) -> None:
        self._data.extend(data)

    def exactly(self, count: int) -> Generator[None, None, bytes]:
        """Wait for *count* bytes, and return them."""
        while len(self._data) < count:
            yield
        return self._read(count)

    def some(self, most: int) -> Generator[None, None, bytes]:
        """Wait for at least one byte, and return the available bytes, but at most *most*."""
        while not self._data:
            yield
        return self._read(most)

    def line(self, longest: int) -> Generator[None, None, bytes | None]:
        """Wait for a line, and return it without CRLF, or None if it exceeds *longest* bytes."""
        while (end := self._data.find(b"\r\n", 0, longest + 2)) < 0:
            if len(self._data) >= longest + 2:
                return None
            yield
        return self._read(end + 2)[:-2]

    def _read(self, count: int) -> bytes:
        """Remove and return the first *count* bytes."""
        with memoryview(self._data) as view:
            data = bytes(view[:count])
        del self._data[:count]
        return data
