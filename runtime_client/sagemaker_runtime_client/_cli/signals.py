"""
Signals that end the command.

A shell that runs a command in a loop goes on after an exit code, whatever the code, and ends when
the command was ended by Ctrl-C.  So the command cleans up, and then lets the signal end it.
"""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

# Ctrl-C is Python's own.  Windows has no SIGHUP.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Ended(KeyboardInterrupt):
    """
    A signal asks the process to end.  Like Ctrl-C, it interrupts whatever is done.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def ending_signals_raised() -> Generator[None]:
    """Raise `Ended` in the main thread for each signal that would end the process at once."""
    before = {
        number: signal.signal(number, _raise)
        for number in _ENDING
        if signal.getsignal(number) is signal.SIG_DFL  # nohup has SIGHUP ignored
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int, _: FrameType | None) -> NoReturn:
    raise Ended(number)


def end_by(interrupt: KeyboardInterrupt) -> int:
    """End this process by the signal that interrupted it; where that is blocked, return its exit code."""
    number = interrupt.number if isinstance(interrupt, Ended) else signal.SIGINT
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    return 128 + number
