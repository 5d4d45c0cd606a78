"""A folder below which files are placed."""

import os

from .target import TargetError, target_errors


class Folder:
    """A folder, and the folders in it that are created when they are needed.

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
        """Return the path of a file, after its folders were created.

        Raises:
            TargetError: A folder of the path is a symbolic link, which may lead to another place,
                or it is a file; or the file is a folder.
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
