"""Converts the keys of objects to the names of files below a folder, and refuses dangerous keys.

A key may contain any character, and S3 does not interpret it.  In a path, however, ``..`` leads out
of the folder, a name like ``C:`` or a leading slash replaces it, and Windows separates names by a
backslash as well.  Two keys may also need the same file, for example on a file system that ignores
the case of names.
"""

import re
from collections.abc import Callable
from unicodedata import normalize

from ..._value import Value, shown

_MAX_NAME_SIZE = 255  # in bytes, of most file systems


class SkippedObject(Value):
    """An object that `download_all` did not download, because of its key.

    Attributes:
        location: The location of the object, as ``s3://bucket/key``.
        reason: Why no file can have the name of the object.
    """

    __slots__ = __match_args__ = ("location", "reason")

    location: str
    reason: str

    def __init__(self, location: str, reason: str) -> None:
        self.location = location
        self.reason = reason


def _has(test: Callable[[str], object]) -> Callable[[str], bool]:
    """Return a function that returns whether a name in a path passes *test*."""
    return lambda path: any(map(test, path.split("/")))


# The rules for the part of a key below the prefix: whether it breaks one, and the reason then.
_RULES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda path: not path or path.endswith("/"), "it is a directory marker, not a file"),
    (lambda path: path.startswith("/"), "its name would be an absolute path"),
    (lambda path: "\0" in path, "its name contains a NUL character"),
    (lambda path: "\\" in path, "its name contains a backslash"),
    (_has(lambda name: name in {"", ".", ".."}), 'its name contains "..", "." or "//"'),
    (_has(lambda name: re.match("[A-Za-z]:", name)), "its name contains a drive letter"),
    (
        _has(lambda name: len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME_SIZE),
        f"its name, or that of a folder, has more than {_MAX_NAME_SIZE} bytes",
    ),
)


class FileNames:
    """The names of files that were assigned to keys.

    Args:
        prefix: The prefix of all keys.  The names are what follows its last slash.
    """

    def __init__(self, prefix: str) -> None:
        self._start = prefix.rfind("/") + 1
        # Without regard to the case, the names of all files, and of the folders that they need.
        self._files: dict[str, str] = {}
        self._folders: set[str] = set()

    def assign(self, key: str) -> tuple[str, ...] | str:
        """Return the names of the folders and of the file for *key*; or the reason if it has none."""
        path = key[self._start :]
        for is_broken, reason in _RULES:
            if is_broken(path):
                return reason
        folded = _fold(path)
        folders = {folded[: match.start()] for match in re.finditer("/", folded)}
        if folded in self._files:
            return f"its name differs from {shown(self._files[folded])} by case alone"
        if folded in self._folders:
            return "its name is also that of a folder"
        if blocking := folders & self._files.keys():
            return f"{shown(self._files[min(blocking)])} is a file, and not also a folder"
        self._files[folded] = path
        self._folders |= folders
        return tuple(path.split("/"))


def _fold(path: str) -> str:
    """Return *path* as file systems compare names that ignore the case and the form of letters."""
    return normalize("NFC", path.casefold())
