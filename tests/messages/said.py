"""Find the message that a call shows to a user: an error, a log line, a warning or a string."""

import logging
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType


def said(make: Callable[[], object]) -> str:
    """Return the message that a call of *make* shows.

    Args:
        make: A function without arguments.  If it raises an error, the message is the text of the
            error, without the facts that `str` adds to a `RuntimeClientError`.  Otherwise, the
            message is the last one of the most severe log lines; if there are none, the last
            warning; and if there are no warnings, the returned string.
    """
    lines = _Lines()
    loggers = [logging.getLogger(name) for name in ("sigv4", "sagemaker_runtime_client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(lines)
        logger.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            text = make()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (any error has a message)
        return str(getattr(error, "message", None) or error)
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(lines)
            logger.setLevel(level)
    found = lines.most_severe() or [str(warning.message) for warning in warned] or [text]
    return str(found[-1])


class _Lines(logging.Handler):
    """Collects log records."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append((record.levelno, record.getMessage()))

    def most_severe(self) -> list[str]:
        """Return the lines of the highest log level that occurs."""
        highest = max((level for level, _ in self._lines), default=0)
        return [text for level, text in self._lines if level == highest]


def tables() -> list[ModuleType]:
    """Return the modules in this folder whose names begin with ``of_``; each contains a table."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("of_*.py"))
    return [import_module(f"tests.messages.{name}") for name in names]


def plain(text: str) -> str:
    """Return *text* with each run of whitespace replaced by one space."""
    return " ".join(text.split())
