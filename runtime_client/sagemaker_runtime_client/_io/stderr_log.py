"""Writes log messages to stderr, for ``SAGEMAKER_RUNTIME_LOG`` and the option ``--debug``."""

import logging
import sys
from functools import cache

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}

_logger = logging.getLogger("sagemaker_runtime_client")


def printable(text: str) -> str:
    r"""Return *text* with control and formatting characters escaped.

    Text from a service may contain any character.  Unescaped, it could move the cursor, start a new
    line or reverse the reading direction of a terminal.

    >>> print(printable("done\x1b[2K\nnext \u202e"))
    done\x1b[2K\nnext \u202e
    """
    return "".join([one if one.isprintable() else ascii(one)[1:-1] for one in text])


class _StderrHandler(logging.Handler):
    """Writes to the current `sys.stderr`, which a program may replace at any time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record* as one line."""
        try:
            sys.stderr.write(printable(self.format(record)) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 (as in the handlers of the standard library)
            self.handleError(record)


_handler = _StderrHandler()
_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


@cache  # an invalid level causes one warning per process, not one per client
def log_to_stderr(level: str) -> None:
    """Write the package's log messages to stderr; the most verbose level of all calls applies.

    Args:
        level: ``debug``, ``info`` or ``warning``, in upper or lower case.  Any other value is
            ignored with a warning.
    """
    number = _LEVELS.get(level.strip().lower())
    if number is None:
        _logger.warning(
            "SAGEMAKER_RUNTIME_LOG is ignored: it must be one of %s", ", ".join(_LEVELS)
        )
        return
    is_first = _handler not in _logger.handlers
    _handler.setLevel(number if is_first else min(number, _handler.level))
    _logger.addHandler(_handler)
    if _logger.getEffectiveLevel() > number:
        _logger.setLevel(number)
