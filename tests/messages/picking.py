"""Select messages that `said` does not return: a certain log line, or the note of an error."""

import logging
from collections.abc import Callable
from typing import NoReturn

from sagemaker_runtime_client import RuntimeClientError


class PickedError(Exception):
    """An error with the selected message, so that `said` returns it."""


def pick_line(make: Callable[[], object], beginning: str) -> NoReturn:
    """Raise a `PickedError` with the first log line of the call that starts with *beginning*."""
    texts: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("sagemaker_runtime_client")
    logger.addHandler(handler)
    try:
        make()
    except RuntimeClientError:
        pass
    finally:
        logger.removeHandler(handler)
    raise PickedError(next(text for text in texts if text.startswith(beginning)))


def pick_note(make: Callable[[], object]) -> NoReturn:
    """Raise a `PickedError` with the note of the error that *make* raises."""
    try:
        make()
    except (RuntimeClientError, KeyboardInterrupt) as error:
        raise PickedError(*error.__notes__) from None
    raise AssertionError("no error")
