"""A folder in which downloaded files are placed."""

import os

from .target import TargetError, target_errors


class Folder:
    """A folder, in which subfolders are created when files need them.

    Args:
        path: The path of the folder, which is created if it is missing.
        label: The name of the argument and the path, for error messages.
    """

    def __init__(self, path: str, label: str) -> None:
        self._label = label
        with target_errors(label):
            os.makedirs(path, exist_ok=True)
            self._root = os.path.realpath(path)

    def place(self, names: tuple[str, ...]) -> str:
        """Create the folders of a file, and return its path.

        Raises:
            TargetError: A folder on the path is a symbolic link, is a file or cannot be created, or
                the path of the file is a folder.
        """
        parent = os.path.join(self._root, *names[:-1])
        if os.path.realpath(parent) != parent:
            raise TargetError(f"{self._label}: a folder in it is a symbolic link")
        with target_errors(self._label):
            os.makedirs(parent, exist_ok=True)
        path = os.path.join(parent, names[-1])
        if os.path.isdir(path):
            raise TargetError(f"{self._label}: a folder has the name of the file")
        return path
