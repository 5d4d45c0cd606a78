"""The command `emulate`, which runs the emulator of SageMaker and S3."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from shlex import quote
from typing import Any

from .._errors import ConfigError
from .shell_words import in_shell_words
from .terminal import say

# The options that are passed to `serve` unless they are missing.
_SETTINGS = (
    *("host", "port", "region", "endpoints", "part_size"),
    *("strict_buckets", "require_kms", "data", "notify_by"),
)
_TOPICS = ("success_topic", "error_topic")


def emulate(options: argparse.Namespace) -> None:
    """Run the emulator until Ctrl-C is pressed."""
    from ..emulator import Emulator, Notifications, echo, serve
    from ..emulator._environment import CONFLICTING_VARIABLES
    from ..emulator._models.importing import import_model
    from ..emulator._notifications.functions import import_handler

    def ready(emulator: Emulator) -> None:
        print("unset", *CONFLICTING_VARIABLES)
        for name, value in emulator.environ.items():
            print(f"export {name}={quote(value)}")
        sys.stdout.flush()
        say(f"emulator of SageMaker and S3 running at {emulator.url}; press Ctrl-C to stop it")

    given: Any = {name: getattr(options, name) for name in _SETTINGS}
    topics = {name: getattr(options, name) for name in _TOPICS}
    try:
        with _current_folder_first():
            model = import_model(options.model or echo)
            notify = None if options.notify is None else import_handler(options.notify)
        serve(
            model,
            **{name: value for name, value in given.items() if value is not None},
            destinations=_grouped(options.destinations),
            notifications=Notifications(**topics) if any(topics.values()) else None,
            notify=notify,
            ready=ready,
        )
    except (AttributeError, ValueError) as error:  # a function does not exist or is malformed
        raise ConfigError(in_shell_words(str(error), "notify")) from error


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the endpoints of each routing target, in the order in which they were passed."""
    destinations = defaultdict[str, list[str]](list)
    for target, endpoint in pairs:
        destinations[target].append(endpoint)
    return destinations


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
