"""Writes lines and a status line to stderr, and replaces closed standard streams."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from .._io.stderr_log import printable


def say(text: str) -> None:
    """Print one line on stderr, or discard it if it cannot be written."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:  # for example, stderr is a broken pipe, or its disk is full
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Discard all further output to a stream, including the buffer that Python flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def replace_closed_streams() -> None:
    """Replace each standard stream that the shell has closed (``>&-``) with the null device.

    If stdout is replaced, it becomes read-only, so that writing to it raises an error.
    """
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open()
    sys.stdout = sys.stdout or nothing.open()
    sys.stderr = sys.stderr or nothing.open("w")


@contextmanager
def status(text: str) -> Generator[None]:
    """Show a status line during the `with` block, if stderr is a terminal and rich is installed."""
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
