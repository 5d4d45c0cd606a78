"""What people read: stderr, a status line, and streams that the shell has closed."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from .._io.stderr_log import printable


def say(text: str) -> None:
    """Print one line on stderr, if that takes it."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:  # nobody listens, or there is no room
        leave(sys.stderr)


def leave(stream: TextIO) -> None:
    """Write no more to a stream, not even what Python would at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def stand_in_for_closed_streams() -> None:
    """Give what the shell has closed (``>&-``) a stand-in: stdout refuses what is written there."""
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open()
    sys.stdout = sys.stdout or nothing.open()
    sys.stderr = sys.stderr or nothing.open("w")


@contextmanager
def status(text: str) -> Generator[None]:
    """Show on a terminal that something goes on, if rich is installed and the terminal takes it."""
    if not sys.stderr.isatty():
        yield
        return
    try:
        from rich.console import Console
        from rich.markup import escape
    except ImportError:
        yield
        return
    line = Console(stderr=True).status(escape(printable(text)))
    with suppress(OSError):
        line.start()
    try:
        yield
    finally:
        with suppress(OSError):
            line.stop()
