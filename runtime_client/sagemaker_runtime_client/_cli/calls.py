"""Opens the client and reads the payload, for the commands that call SageMaker."""

import argparse
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .._clients import SageMakerRuntimeClient
from .._errors import ConfigError, ParamValidationError
from .._inference.invoke_endpoint import INVOKE_ENDPOINT
from ..credentials._default import default_chain
from .job_options import CLIENT_OPTIONS, STDIO
from .prompts import mfa_token

# Settings that the credential providers also use.
_SHARED = ("profile", "region", "ca_bundle")


@contextmanager
def open_client(options: argparse.Namespace) -> Generator[SageMakerRuntimeClient]:
    """Open a client that prompts for the code of an MFA device if the credentials require it."""
    settings = {name: getattr(options, name, None) for name in CLIENT_OPTIONS}
    shared = {name: settings[name] for name in _SHARED}
    with (
        default_chain(**shared, mfa_token=mfa_token) as chain,
        SageMakerRuntimeClient(
            **settings,
            allowed_locations=getattr(options, "allowed_location", None),
            credentials=chain,
        ) as client,
    ):
        yield client


def check_stdout(options: argparse.Namespace) -> None:
    """Raise ConfigError, before anything is sent, if stdout is needed but closed."""
    needed = options.json or options.output == STDIO
    if needed and not sys.stdout.writable():
        raise ConfigError("stdout is closed: use --output to write to a file, without --json")


def source_name(name: str) -> str:
    """Return the name of an input file or of stdin for messages."""
    return "stdin" if name == STDIO else name


def source(name: str) -> Path | BinaryIO:
    """Return a file or stdin in a form that the client reads while it sends the data."""
    return sys.stdin.buffer if name == STDIO else Path(name)


def is_special(name: str) -> bool:
    """Return whether a path exists but is not a regular file, as with a device or a pipe."""
    path = Path(name)
    return path.exists() and not path.is_file()


def read(name: str, size: int = -1) -> bytes:
    """Return at most *size* bytes of a file or of stdin, or all of them if *size* is negative."""
    if name == STDIO:
        return sys.stdin.buffer.read(size)
    with Path(name).open("rb") as file:
        return file.read(size)


def read_small_payload(name: str, command: str, remedy: str) -> bytes:
    """Return the payload of a synchronous call.

    Args:
        name: The name of the file; ``-`` for stdin.
        command: The command or the option, for the error message.
        remedy: What to do if the payload is too large, for the error message.

    Raises:
        ParamValidationError: The payload is too large.
    """
    largest = INVOKE_ENDPOINT.limit.size
    payload = read(name, largest + 1)
    if len(payload) > largest:
        raise ParamValidationError(
            f"{source_name(name)} has more than {largest:,} bytes, the maximum for {command}: "
            f"{remedy}"
        )
    return payload
