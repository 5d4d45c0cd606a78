"""Shows the progress of a transfer on stderr, as a bar or as lines."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from .._io.stderr_log import printable
from .terminal import say

OnProgress = Callable[[int, int | None], None]
# The minimum number of bytes between two lines.
_STEP = 64 << 20


@contextmanager
def progress(text: str) -> Generator[OnProgress]:
    """Show the progress of a transfer during the `with` block.

    If stderr is a terminal and rich is installed, show a bar.  Otherwise, print a line after each
    tenth of the transfer, but at most one line per 64 MiB.

    Args:
        text: What is transferred, for example ``uploading data.csv``.

    Yields:
        The function to call with the number of transferred bytes and the total number of bytes,
        which is None if it is unknown.
    """
    if not sys.stderr.isatty():
        yield _Lines(text).show
        return
    try:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
    except ImportError:
        yield _Lines(text).show
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(escape(printable(text)), total=None)
    with suppress(OSError):
        bar.start()
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total)
    finally:
        with suppress(OSError):
            bar.stop()


class _Lines:
    """Prints lines that report the progress."""

    def __init__(self, text: str) -> None:
        self._text, self._next = text, _STEP

    def show(self, done: int, total: int | None) -> None:
        """Print a line if enough bytes have been transferred since the previous line."""
        if done < self._next:
            return
        self._next = done + max(_STEP, (total or done) // 10)
        share = "" if total is None else f" of {total:,} ({done * 100 // (total or 1)} %)"
        say(f"{self._text}: {done:,}{share} bytes")
