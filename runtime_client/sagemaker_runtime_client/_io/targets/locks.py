"""Locks files, so that other processes, and other threads of this process, cannot lock them."""

from importlib import import_module
from typing import Any

# On Windows, a byte far beyond the end of the file is locked, so that the data stay accessible.
_FAR_AWAY = 1 << 43


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed, or return False if it is already locked."""
    try:
        fcntl: Any = import_module("fcntl")
    except ImportError:
        return _try_lock_on_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_lock_on_windows(descriptor: int) -> bool:
    import os

    msvcrt: Any = import_module("msvcrt")
    os.lseek(descriptor, _FAR_AWAY, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
