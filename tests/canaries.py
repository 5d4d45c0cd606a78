"""
Secrets that must not show, and the look-out for them that each test is under.

A secret of a test has the word ``canary`` in it.  What is held by credentials, or given as custom
attributes, is looked for as well (but for what Hypothesis makes up, which may be any word); so are
signatures, private keys and `MFA_CODE`.  They are looked for in what is logged at DEBUG by us and
by those that we send through, in every error of ours that is raised and in what is chained to it,
in the ``repr`` of each object of ours, and in the files that we write.
"""

import builtins
import io
import logging
import os
import pickle
import pkgutil
import re
import stat
import sys
import traceback
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from inspect import isclass
from pathlib import Path

from hypothesis import currently_in_test_context

import sagemaker_runtime_client
import sigv4
from sagemaker_runtime_client import InvokeEndpointAsyncRequest, RuntimeClientError
from sigv4 import Credentials, SigV4Error

PACKAGES = (sigv4, sagemaker_runtime_client)
LOGGERS = (
    "sagemaker_runtime_client",
    "sigv4",
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "anyio",
    "uvicorn",
)
ERRORS = (RuntimeClientError, SigV4Error)

MFA_CODE = "05301592"
_MARK = re.compile(rf"(?i:canary)|{MFA_CODE}|Signature=[0-9a-f]{{64}}|BEGIN [A-Z ]*PRIVATE KEY")
_SECRETS = {
    Credentials: ("secret_access_key", "session_token"),
    InvokeEndpointAsyncRequest: ("custom_attributes",),
}
_query = re.compile(r"\?\S*")
_SHORTEST = 8  # anything shorter is a word that stands elsewhere, too
_ROOTS = tuple(str(Path(package.__file__).parent) + os.sep for package in PACKAGES)
_TESTS = str(Path(__file__).parent)
# Named after a session by SHA-1 (`aws sso login`) or SHA-256 (`aws login`); made to hold tokens.
_is_token_cache = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\.json").fullmatch


class Watch:
    """
    What is seen during one test.

    Attributes:
        leaks: Where a secret showed, and as what.
    """

    def __init__(self):
        self.leaks = []
        self.errors = []
        self.written = set()
        self._secrets = set()

    def take(self, made):
        """Look at what was made, and learn what must not show."""
        for kind, names in _SECRETS.items():
            if isinstance(made, kind) and not currently_in_test_context():
                held = [getattr(made, name) for name in names]
                self._secrets |= {secret for secret in held if len(secret or "") >= _SHORTEST}
        if isinstance(made, ERRORS):
            self.errors.append(made)  # which may be mended yet
        elif type(made).__repr__ is not object.__repr__:
            self.look("repr", repr(made))

    def look(self, where, text):
        """Look for secrets in a text."""
        found = _MARK.search(text)
        if found or any(secret in text for secret in tuple(self._secrets)):  # threads add to it
            self.leaks.append(f"{where}: {text}")

    def finish(self):
        """Look at what is only now as it will stay: errors that were raised, and files."""
        tracebacks = {}
        for error in [error for error in self.errors if error.__traceback__ is not None]:
            tracebacks[tuple(_origins(error))] = error
            for where, text in _shown(error):
                self.look(f"{type(error).__name__}, {where}", text)
        for error in tracebacks.values():  # which take long to write; many are alike
            self.look(f"{type(error).__name__}, traceback", _traceback(error))
        for path in tuple(self.written):
            if path.is_file() and not _may_hold_tokens(path):
                self.look(str(path), path.read_bytes().decode("latin-1"))


class _Listener(logging.Handler):
    """Looks at what is logged."""

    def emit(self, record):
        trouble = record.exc_info and record.exc_info[1]
        shown = f"{record.getMessage()}{_traceback(trouble) if trouble else ''}"
        if record.name.startswith("httpx"):  # the log of whoever fetches presigned URLs with it
            shown = _query.sub("", shown)
        for seen in _watches[-1:]:
            seen.look(f"log of {record.name}", shown)


_watches = []
_listener = _Listener()


@contextmanager
def watch():
    """Look out for secrets, and tell of them to this one alone."""
    seen = Watch()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    _watches.append(seen)
    for logger in loggers:
        logger.addHandler(_listener)
        logger.setLevel(logging.DEBUG)
    try:
        yield seen
        seen.finish()
    finally:
        _watches.pop()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
            if not _watches:
                logger.removeHandler(_listener)


def install():
    """Have every object of ours looked at once it is made, and every file that we open to write."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for kind in vars(import_module(module.name)).values():
                if not isclass(kind) or kind.__module__ != module.name:
                    continue
                if hasattr(kind, "_fields"):  # a NamedTuple
                    kind.__new__ = staticmethod(_looked_at_when_new(kind.__new__))
                elif "__init__" in vars(kind):
                    kind.__init__ = _looked_at(kind.__init__)
    SigV4Error.__init__ = _looked_at(_next_init)  # which has none of its own
    _watch_files()


def _next_init(self, *args, **kwargs):
    """Do what a `SigV4Error` without an ``__init__`` does."""
    super(SigV4Error, self).__init__(*args, **kwargs)


def _looked_at(init):
    """Return an ``__init__`` that shows what it made to the watch."""

    @wraps(init)
    def make(self, *args, **kwargs):
        init(self, *args, **kwargs)
        if type(self).__init__ is make:  # not for a subclass, which goes on
            for seen in _watches[-1:]:
                seen.take(self)

    return make


def _looked_at_when_new(new):
    """Return a ``__new__`` of a tuple that does the same."""

    @wraps(new)
    def make(kind, *args, **kwargs):
        made = new(kind, *args, **kwargs)
        for seen in _watches[-1:]:
            seen.take(made)
        return made

    return make


def _watch_files():
    """
    Have all that opens or renames files watched.

    An audit hook would see more.  But CPython 3.11 calls it where a thread begins to be traced, and
    refuses to run a second thread that begins while the hook, being Python, is held up: under coverage
    tests hung.
    """
    builtins.open = io.open = _watched(io.open, _opened)
    os.open = _watched(os.open, _opened_by_flags)
    os.rename = _watched(os.rename, _renamed)
    os.replace = _watched(os.replace, _renamed)


def _opened(path, mode="r", *_, **__):
    """Return the path of a file that is opened to write, and None of another."""
    return None if {*"wax+"}.isdisjoint(mode) else path


def _opened_by_flags(path, flags, *_, **__):
    return path if flags & (os.O_WRONLY | os.O_RDWR) else None


def _renamed(_, path, **__):
    return path


def _watched(function, get_path):
    """Return a function that notes which file ours writes with it."""

    @wraps(function)
    def call(*arguments, **options):
        path = get_path(*arguments, **options)
        if isinstance(path, str | bytes | os.PathLike) and _is_by_us():
            for seen in _watches[-1:]:
                seen.written.add(Path(os.fsdecode(path)))
        return function(*arguments, **options)

    return call


def _is_by_us():
    """Tell whether this is done by a module of ours rather than by a test."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(_ROOTS):
            return True
        if frame.f_code.co_filename.startswith(_TESTS):
            return False
        frame = frame.f_back
    return False


def _may_hold_tokens(path):
    """Tell whether a file is a cache of tokens that nobody but its owner can read."""
    return _is_token_cache(path.name) and not stat.S_IMODE(path.stat().st_mode) & 0o077


def _shown(error):
    """Return each way in which an error is shown or carried elsewhere."""
    yield "as text", str(error)
    yield "repr", repr(error)
    yield "arguments", repr(error.args)
    yield "pickle", pickle.dumps(error).decode("latin-1")


def _origins(error):
    """Yield all that a traceback says: of each error in the chain what, and from which lines."""
    while error is not None:
        lines = tuple(
            (frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)
        )
        notes, parts = (tuple(getattr(error, name, ())) for name in ("__notes__", "exceptions"))
        yield type(error), str(error), notes, parts, lines
        error = error.__cause__ or error.__context__


def _traceback(error):
    """Return a traceback without the lines of tests, in which secrets are made."""
    parts = traceback.format_exception(error)
    return "".join(part for part in parts if not part.startswith(f'  File "{_TESTS}'))
