"""Locks files against other processes, and against other threads of this process."""

from importlib import import_module
from typing import Any

# On Windows, bytes beyond the end of the file are locked, which does not prevent access to the data.
_FAR_AWAY = 1 << 43


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed, and return False if it is locked already."""
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
