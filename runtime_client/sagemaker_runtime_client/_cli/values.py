"""Checks and parses option values.

The checks run before a job is queued, so that its output is not lost because of an invalid path.
"""

import argparse
import os
from math import inf
from pathlib import Path

from .._inference.arguments import LONGEST_WAIT
from .._inference.invoke_endpoint import is_name

STDIO = "-"  # stands for stdin or stdout


def output(text: str) -> str:
    """Return *text*, after checking that it is the path of a file that can be written, or stdout."""
    if text == STDIO:
        return text
    path = Path(text)
    needed = [path] if path.exists() else []
    if not needed or path.is_file():
        needed.append(path.resolve().parent)  # a new file is created in this folder
    if path.is_dir() or not all(os.access(one, os.W_OK) for one in needed):
        raise argparse.ArgumentTypeError("must be a writable file in a writable folder")
    return text


def folder(text: str) -> str:
    """Return *text*, after checking that it is the path of a folder that exists or may be created."""
    path = Path(text).absolute()
    if not next(one for one in (path, *path.parents) if one.exists()).is_dir():
        raise argparse.ArgumentTypeError("must be a folder")
    return text


def seconds(text: str) -> float:
    """Parse a time limit in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = inf
    if not 0 <= number <= LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 0 to {LONGEST_WAIT:,}")
    return number


def destination(text: str) -> tuple[str, str]:
    """Parse a routing target and the name of an endpoint."""
    target, _, endpoint = text.partition("=")
    if not (is_name(target) and is_name(endpoint)):
        raise argparse.ArgumentTypeError(
            "must be like TARGET=ENDPOINT, with names that contain only letters, digits and inner "
            "hyphens"
        )
    return target, endpoint


def pair(text: str) -> tuple[str, str]:
    """Parse a name and a value."""
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError("must be like NAME=VALUE")
    return name, value


def port(text: str) -> int:
    """Parse a port number."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError("must be a port number from 0 to 65535")
    return int(text)
