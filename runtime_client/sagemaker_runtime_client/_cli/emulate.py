"""The command `emulate`, which runs the emulator of SageMaker and S3."""

import argparse
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from shlex import quote

from .._errors import ConfigError
from .terminal import say


def emulate(options: argparse.Namespace) -> None:
    """Run the emulator until Ctrl-C is pressed."""
    from ..emulator import Emulator, echo, serve
    from ..emulator._environment import CONFLICTING_VARIABLES
    from ..emulator._models.importing import import_model

    def ready(emulator: Emulator) -> None:
        print("unset", *CONFLICTING_VARIABLES)
        for name, value in emulator.environ.items():
            print(f"export {name}={quote(value)}")
        sys.stdout.flush()
        say(f"emulator of SageMaker and S3 running at {emulator.url}; press Ctrl-C to stop it")

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
    except (AttributeError, ValueError) as error:  # the model does not exist or is malformed
        raise ConfigError(str(error)) from error


@contextmanager
def _current_folder_first() -> Generator[None]:
    """Allow imports from the current directory during the `with` block, which imports the model.

    Afterwards the directory is removed from `sys.path`.  Otherwise, modules that the emulator
    imports later could come from this directory.
    """
    sys.path.insert(0, "")
    try:
        yield
    finally:
        with suppress(ValueError):  # raised if the model's module has removed the entry
            sys.path.remove("")
