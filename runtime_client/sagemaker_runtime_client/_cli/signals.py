"""Signals that end the program.

A shell loop continues after a command that exits with an exit code, but stops after a command that
a signal has ended.  Therefore this program cleans up and then lets the signal end the process.
"""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

# SIGINT is not listed, because Python already handles Ctrl-C.  Windows has no SIGHUP.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class EndingSignal(KeyboardInterrupt):
    """The exception that interrupts the program when SIGTERM or SIGHUP arrives.

    Attributes:
        number: The number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def raise_ending_signals() -> Generator[None]:
    """Make SIGTERM and SIGHUP raise `EndingSignal` in the main thread during the `with` block.

    A signal that the process ignores or already handles keeps its handler.
    """
    before = {
        number: signal.signal(number, _raise)
        for number in _ENDING
        if signal.getsignal(number) is signal.SIG_DFL  # nohup makes the process ignore SIGHUP
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int, _: FrameType | None) -> NoReturn:
    raise EndingSignal(number)


def terminate_by(interrupt: KeyboardInterrupt) -> int:
    """End this process with the signal that interrupted it.

    If that signal is blocked, return the exit code that a shell reports for it.
    """
    number = interrupt.number if isinstance(interrupt, EndingSignal) else signal.SIGINT
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    return 128 + number
