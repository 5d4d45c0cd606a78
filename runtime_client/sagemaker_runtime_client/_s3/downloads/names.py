"""Converts object keys to file names below a folder, and rejects dangerous keys.

A key may contain any character, and S3 does not interpret it.  In a path, however, ``..`` leads out
of the folder, and a name such as ``C:`` or a leading slash makes the path absolute.  On Windows, a
backslash also separates names.  Two keys may even need the same file, for example on a file system
that ignores the case of names.
"""

import re
from collections.abc import Callable
from unicodedata import normalize

from ..._value import Value, shown

_MAX_NAME_SIZE = 255  # the limit of most file systems, in bytes


class SkippedObject(Value):
    """An object that `download_all` did not download, because its key cannot become a file name.

    Attributes:
        location: The location of the object, as ``s3://bucket/key``.
        reason: Why the key cannot become the name of a file in the folder.
    """

    __slots__ = __match_args__ = ("location", "reason")

    location: str
    reason: str

    def __init__(self, location: str, reason: str) -> None:
        self.location = location
        self.reason = reason


def _has(test: Callable[[str], object]) -> Callable[[str], bool]:
    """Return a function that reports whether any name in a path passes *test*."""
    return lambda path: any(map(test, path.split("/")))


# Each rule has a function that reports whether a path breaks the rule, and the reason to show then.
# The path is the part of a key that becomes the path of a file.
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
    """Assigns file names to keys.

    Args:
        prefix: The prefix of all keys.  The part of it up to its last slash is removed from each
            key.
    """

    def __init__(self, prefix: str) -> None:
        self._start = prefix.rfind("/") + 1
        # The paths of all files so far, keyed by their folded form, and the folded paths of their
        # folders.
        self._files: dict[str, str] = {}
        self._folders: set[str] = set()

    def assign(self, key: str) -> tuple[str, ...] | str:
        """Return the names of the folders and of the file for *key*, or the reason why it has none."""
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
    """Return *path* in the form that file systems compare if they ignore case and Unicode form."""
    return normalize("NFC", path.casefold())
