"""The progress of a transfer: how many bytes all its requests have sent so far."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Self

from ..._io.message import BodySource

OnProgress = Callable[[int, int | None], object]


def unmetered(source: BodySource) -> BodySource:
    """Return *source* itself, because the progress is not reported."""
    return source


class TransferProgress:
    """Counts the bytes that a transfer has sent, and reports the count to a function.

    If a request is repeated, its bytes are counted from 0 again, but the reported count never
    decreases.

    Args:
        on_progress: Called with the number of bytes that have been sent, and the total number of
            bytes, which is None while it is unknown.
        total: The total number of bytes; None while it is unknown.

    Attributes:
        total: The total number of bytes; None while it is unknown.
        noted: Called whenever a request has sent more bytes, possibly in another thread.
    """

    def __init__(self, on_progress: OnProgress, total: int | None) -> None:
        self._on_progress, self.total = on_progress, total
        self.noted: Callable[[], object] = self.report
        self._ended = 0  # how many bytes the finished requests have sent
        self._current: dict[int, int] = {}  # how many bytes each running request has sent
        self._reported: tuple[int, int | None] = (-1, None)

    def start(self, number: int) -> Callable[[BodySource], BodySource]:
        """Start counting the bytes of request *number*, and return a function that wraps its body."""
        self._current[number] = 0
        return partial(_Metered, partial(self._note, number))

    def _note(self, number: int, sent: int) -> None:
        self._current[number] = sent
        self.noted()

    def end(self, number: int, size: int) -> None:
        """Record that request *number* has finished and has sent *size* bytes."""
        del self._current[number]
        self._ended += size

    def report(self) -> None:
        """Call `on_progress` if the count or the total has changed since the last call."""
        before, _ = self._reported
        now = max(before, self._ended + sum(self._current.values())), self.total
        if now != self._reported:
            self._reported = now
            self._on_progress(*now)


class _Metered:
    """A request body that reports how many of its bytes have been sent."""

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
        """Report that all previous pieces have been sent, and return the next piece."""
        self._note(self._sent)
        piece = await anext(self._pieces)
        self._sent += len(piece)
        return piece
