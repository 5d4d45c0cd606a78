"""
Cores that are fed: bytes in, bytes out, with no idea of where either comes from.

A core that writes has `feed` and `finish`.  One that reads is a generator over an `Inbox`, which
holds what has been fed until the parser has use for it; so the parser reads like the grammar.
"""

from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from functools import partial
from typing import Protocol, runtime_checkable

from attrs import field, frozen

Bytes = bytes | bytearray | memoryview
Waiting = Generator[None]  # a parser, which yields whenever it has too little


@runtime_checkable
class Readable(Protocol):
    """A file, as far as it is needed here."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, *size* at most; none at the end."""
        ...


class Core(Protocol):
    """What turns a stream into another."""

    def feed(self, data: Bytes) -> bytes:
        """Take *data*, and return what is ready."""
        ...

    def finish(self) -> bytes:
        """Return the rest, now that all has been fed."""
        ...


def drive(core: Core, source: Bytes | Readable | Iterable[bytes], size: int) -> Iterator[bytes]:
    """Feed *core* with *source*, *size* bytes at a time at most, and yield what it gives."""
    if isinstance(source, Readable):
        source = iter(partial(source.read, size), b"")
    elif isinstance(source, Bytes):
        source = [bytes(source)]
    for data in source:
        yield from filter(None, map(core.feed, _pieces(data, size)))
    if rest := core.finish():
        yield rest


async def adrive(core: Core, source: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """Do the same with what must be awaited."""
    async for data in source:
        for fed in filter(None, map(core.feed, _pieces(data, size))):
            yield fed
    if rest := core.finish():
        yield rest


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yield *data* in pieces of *size*."""
    return (data[start : start + size] for start in range(0, len(data), size))


@frozen(eq=False)
class Inbox:
    """What has been fed and not yet been read."""

    _held: bytearray = field(init=False, factory=bytearray, repr=False)

    def __len__(self) -> int:
        return len(self._held)

    def put(self, data: Bytes) -> None:
        """Append *data*."""
        self._held.extend(data)

    def exactly(self, count: int) -> Generator[None, None, bytes]:
        """Wait for *count* bytes, and return them."""
        while len(self._held) < count:
            yield
        return self._take(count)

    def some(self, most: int) -> Generator[None, None, bytes]:
        """Wait for any bytes, and return *most* of them at most."""
        while not self._held:
            yield
        return self._take(most)

    def line(self, longest: int) -> Generator[None, None, bytes | None]:
        """Wait for a line, and return it without its CRLF; None if it has more than *longest*."""
        while (end := self._held.find(b"\r\n", 0, longest + 2)) < 0:
            if len(self._held) >= longest + 2:
                return None
            yield
        return self._take(end + 2)[:-2]

    def _take(self, count: int) -> bytes:
        """Remove the first *count* bytes, and return them."""
        with memoryview(self._held) as view:
            taken = bytes(view[:count])
        del self._held[:count]
        return taken
