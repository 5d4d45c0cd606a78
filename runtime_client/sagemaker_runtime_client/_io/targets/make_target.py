"""Creates the target of a download from the argument that a caller has passed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..._errors import ParamValidationError
from ..._value import shown, type_name
from .file_object_target import file_target
from .folder import Folder
from .memory_target import MemoryTarget
from .path_target import PathTarget, ResumableTarget

if TYPE_CHECKING:
    from typing import Any

    from ..concurrency import Backend
    from .target import Target


def make_target(backend: Backend, value: Any, argument: str, *, resume: bool = False) -> Target:
    """Create the target for *value*, which was passed as *argument*, without opening it.

    Args:
        backend: Runs the blocking calls outside the event loop.
        value: A path, an open binary file, a bytearray or a memoryview.
        argument: The name of the argument, for error messages.
        resume: Whether to keep the data after a failure, so that a later download can continue.
            This requires a path.

    Raises:
        ParamValidationError: *value* is not a valid target.
    """
    if isinstance(value, str | os.PathLike):
        path = _without_nul(value, argument)
        kind = ResumableTarget if resume else PathTarget
        return kind(backend, path, f"{argument} {shown(path)}")
    if resume:
        raise _wrong(argument, f"must be a path with resume=True, not {type_name(value)}")
    if isinstance(value, bytearray | memoryview):
        return _memory_target(value, argument)
    if not hasattr(value, "write"):
        raise _wrong(
            argument,
            f"must be a path, an open binary file, a bytearray or a memoryview, not {type_name(value)}",
        )
    return file_target(backend, value, argument)


def make_folder(value: Any, argument: str) -> Folder:
    """Create the folder *value* if it is missing, and return it.

    Raises:
        ParamValidationError: *value* is not a valid path.
        TargetError: The folder cannot be created.
    """
    if not isinstance(value, str | os.PathLike):
        raise _wrong(argument, f"must be a path, not {type_name(value)}")
    path = _without_nul(value, argument)
    return Folder(path, f"{argument} {shown(path)}")


def _without_nul(value: Any, argument: str) -> str:
    path = os.fsdecode(value)
    if "\0" in path:
        raise _wrong(argument, "must be a path without NUL characters")
    return path


def _memory_target(value: Any, argument: str) -> MemoryTarget:
    with memoryview(value) as memory:
        if memory.readonly or not memory.c_contiguous:
            raise _wrong(argument, "must be a memoryview that is writable and contiguous")
    return MemoryTarget(value)


def _wrong(argument: str, fault: str) -> ParamValidationError:
    return ParamValidationError(f"{argument} {fault}", argument=argument)
