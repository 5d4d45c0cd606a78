"""The progress of a transfer: how many of its bytes were sent, over all requests in progress."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Self

from ..._io.message import BodySource

OnProgress = Callable[[int, int | None], object]


def unmetered(source: BodySource) -> BodySource:
    """Return *source* itself, because nobody wants to know the progress."""
    return source


class TransferProgress:
    """Counts the bytes of a transfer, and reports them.

    A request that is repeated counts again from its start, but the reported number never decreases.

    Args:
        on_progress: Called with the number of bytes that were sent, and the number in all, or None
            if that is not known yet.
        total: The number of bytes in all, or None.

    Attributes:
        total: The number of bytes in all, or None.
        noted: Called after each change, perhaps in another thread.
    """

    def __init__(self, on_progress: OnProgress, total: int | None) -> None:
        self._on_progress, self.total = on_progress, total
        self.noted: Callable[[], object] = self.report
        self._ended = 0  # the bytes of the requests that have ended
        self._current: dict[int, int] = {}  # those of each request in progress
        self._reported: tuple[int, int | None] = (-1, None)

    def start(self, number: int) -> Callable[[BodySource], BodySource]:
        """Start to count the bytes of the request *number*; return a function for its body."""
        self._current[number] = 0
        return partial(_Metered, partial(self._note, number))

    def _note(self, number: int, sent: int) -> None:
        self._current[number] = sent
        self.noted()

    def end(self, number: int, size: int) -> None:
        """Count a request as sent."""
        del self._current[number]
        self._ended += size

    def report(self) -> None:
        """Call the function of the user if there is news since the last call."""
        before, _ = self._reported
        now = max(before, self._ended + sum(self._current.values())), self.total
        if now != self._reported:
            self._reported = now
            self._on_progress(*now)


class _Metered:
    """A body that notes how many of its bytes were sent."""

    def __init__(self, note: Callable[[int], None], source: BodySource) -> None:
        self._source, self._note, self.size = source, note, source.size

    def chunks(self) -> AsyncIterator[bytes]:
        return _MeteredPieces(self._source.chunks(), self._note)


class _MeteredPieces:
    def __init__(self, pieces: AsyncIterator[bytes], note: Callable[[int], None]) -> None:
        self._pieces, self._note, self._sent = pieces, note, 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece; all before it were sent."""
        self._note(self._sent)
        piece = await anext(self._pieces)
        self._sent += len(piece)
        return piece
