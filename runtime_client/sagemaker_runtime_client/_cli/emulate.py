"""The command `emulate`: SageMaker and S3 on this machine."""

import argparse
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from shlex import quote

from .._errors import ConfigError
from .terminal import say


def emulate(options: argparse.Namespace) -> None:
    """Run the emulator until Ctrl-C."""
    from ..emulator import Emulator, echo, serve
    from ..emulator._environment import CONFLICTING_VARIABLES
    from ..emulator._models import import_model

    def ready(emulator: Emulator) -> None:
        print("unset", *CONFLICTING_VARIABLES)
        for name, value in emulator.environ.items():
            print(f"export {name}={quote(value)}")
        sys.stdout.flush()
        say(f"SageMaker and S3 at {emulator.url}, until Ctrl-C")

    try:
        with _current_folder_first():
            model = import_model(options.model or echo)
        serve(
            model,
            host=options.host,
            port=options.port,
            region=options.region,
            endpoints=options.endpoint,
            strict_buckets=options.strict_buckets,
            ready=ready,
        )
    except (AttributeError, ValueError) as error:  # there is no such model
        raise ConfigError(str(error)) from error


@contextmanager
def _current_folder_first() -> Generator[None]:
    """
    Let modules of the current folder be imported.

    The folder is on the path for that import alone: what the emulator imports later would
    otherwise be taken from there too.
    """
    sys.path.insert(0, "")
    try:
        yield
    finally:
        with suppress(ValueError):  # the module took it out itself
            sys.path.remove("")
