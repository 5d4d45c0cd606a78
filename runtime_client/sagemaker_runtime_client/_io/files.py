"""Files that are written whole or not at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from shutil import copymode
from typing import BinaryIO


class NotWrittenError(Exception):
    """A file or stdout did not take what was to be written: the disk is full, for example."""


@contextmanager
def writing(target: str | Path) -> Generator[None]:
    """Turn each failure to write to *target* into a `NotWrittenError`; a broken pipe stays one."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NotWrittenError(f"{target} could not be written: {error.strerror}") from error


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """
    Open a new file that takes the place of *path* when the block ends without an error.

    Until then, and after an error, *path* is as it was.  What is no regular file, such as a device
    or a pipe, is written to directly.
    """
    with writing(path):
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            with _beside(path.resolve()) as file:  # a link stays, and leads to the new file
                yield file


@contextmanager
def _beside(path: Path) -> Generator[BinaryIO]:
    part = path.with_name(f".{token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            copymode(path, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
