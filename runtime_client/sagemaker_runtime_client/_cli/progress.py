"""Shows the progress of a transfer on stderr: a bar on a terminal, and lines elsewhere."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from .._io.stderr_log import printable
from .terminal import say

OnProgress = Callable[[int, int | None], None]
# The least number of bytes between two lines.
_STEP = 64 << 20


@contextmanager
def progress(text: str) -> Generator[OnProgress]:
    """Show the progress of a transfer during the `with` block.

    On a terminal, it is a bar if rich is installed.  Otherwise, it is a line for each tenth of the
    transfer, but not for less than 64 MiB.

    Args:
        text: What is transferred, for example ``uploading data.csv``.

    Yields:
        The function to call with the number of transferred bytes, and the number in all, or None.
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
    """Prints the progress in lines."""

    def __init__(self, text: str) -> None:
        self._text, self._next = text, _STEP

    def show(self, done: int, total: int | None) -> None:
        """Print a line if enough bytes were transferred since the last one."""
        if done < self._next:
            return
        self._next = done + max(_STEP, (total or done) // 10)
        share = "" if total is None else f" of {total:,} ({done * 100 // (total or 1)} %)"
        say(f"{self._text}: {done:,}{share} bytes")
