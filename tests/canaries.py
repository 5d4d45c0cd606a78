"""Detection of leaked secrets, which runs during each test.

Tests mark their secrets with the word ``canary``.  Signatures, private keys and `MFA_CODE` also
count as secrets.  So do secret access keys, session tokens and custom attributes of at least eight
characters, except in Hypothesis's examples, which may be ordinary words.  A secret must not appear
in DEBUG logs of these packages and of the libraries that send requests, in raised errors and the
errors chained to them, in the ``repr`` of these packages' objects, or in files that the packages
write, except in private token caches.
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
_SHORTEST = 8  # a shorter secret may also occur as an ordinary word
_ROOTS = tuple(str(Path(package.__file__).parent) + os.sep for package in PACKAGES)
_TESTS = str(Path(__file__).parent)
# Matches the file name of a token cache, which is a hash that identifies the session: SHA-1 for
# `aws sso login`, SHA-256 for `aws login`.  Token caches are meant to hold tokens.
_is_token_cache = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\.json").fullmatch


class Watch:
    """The secrets and leaks of one test.

    Attributes:
        leaks: For each leak, where the secret appeared and the text that contains it.
    """

    def __init__(self):
        self.leaks = []
        self.errors = []
        self.written = set()
        self._secrets = set()

    def add(self, made):
        """Store the secrets that a new object contains, and check the repr of the object."""
        for kind, names in _SECRETS.items():
            if isinstance(made, kind) and not currently_in_test_context():
                held = [getattr(made, name) for name in names]
                self._secrets |= {secret for secret in held if len(secret or "") >= _SHORTEST}
        if isinstance(made, ERRORS):
            self.errors.append(made)  # checked by `finish`, because the error may still change
        elif type(made).__repr__ is not object.__repr__:
            self.check("repr", repr(made))

    def check(self, where, text):
        """Record a leak if *text* contains a secret."""
        secrets = tuple(self._secrets)  # a copy, because threads add to the set
        if _MARK.search(text) or any(secret in text for secret in secrets):
            self.leaks.append(f"{where}: {text}")

    def finish(self):
        """Check raised errors and written files.

        These are not checked earlier, because they may change until the end of the test.
        """
        tracebacks = {}
        for error in [error for error in self.errors if error.__traceback__ is not None]:
            tracebacks[tuple(_origins(error))] = error
            for where, text in _shown(error):
                self.check(f"{type(error).__name__}, {where}", text)
        # If several errors have equal tracebacks, only one is formatted, because formatting is slow.
        for error in tracebacks.values():
            self.check(f"{type(error).__name__}, traceback", _traceback(error))
        for path in tuple(self.written):
            if path.is_file() and not _may_hold_tokens(path):
                self.check(str(path), path.read_bytes().decode("latin-1"))


class _Listener(logging.Handler):
    """Checks each log record for secrets."""

    def emit(self, record):
        error = record.exc_info and record.exc_info[1]
        shown = f"{record.getMessage()}{_traceback(error) if error else ''}"
        if record.name.startswith("httpx"):  # httpx logs the presigned URLs that it requests
            shown = _query.sub("", shown)
        for seen in _watches[-1:]:
            seen.check(f"log of {record.name}", shown)


_watches = []
_listener = _Listener()


@contextmanager
def watch():
    """Detect leaks until the context ends.

    If contexts are nested, only the innermost one records leaks.
    """
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
    """Wrap constructors and file functions, so that new objects and written files are checked."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for kind in vars(import_module(module.name)).values():
                if not isclass(kind) or kind.__module__ != module.name:
                    continue
                if hasattr(kind, "_fields"):  # only NamedTuples have this attribute
                    kind.__new__ = staticmethod(_checked_new(kind.__new__))
                elif "__init__" in vars(kind):
                    kind.__init__ = _checked_init(kind.__init__)
    SigV4Error.__init__ = _checked_init(_next_init)  # `SigV4Error` has no ``__init__`` of its own
    _watch_files()


def _next_init(self, *args, **kwargs):
    """Call the ``__init__`` that `SigV4Error` inherits."""
    super(SigV4Error, self).__init__(*args, **kwargs)


def _checked_init(init):
    """Return an ``__init__`` that calls *init*, and adds the new object to the innermost watch."""

    @wraps(init)
    def make(self, *args, **kwargs):
        init(self, *args, **kwargs)
        # If the class of *self* is a subclass with its own ``__init__``, that method adds the
        # object after *init* has returned.
        if type(self).__init__ is make:
            for seen in _watches[-1:]:
                seen.add(self)

    return make


def _checked_new(new):
    """Return a NamedTuple's ``__new__`` that adds the new object to the innermost watch."""

    @wraps(new)
    def make(kind, *args, **kwargs):
        made = new(kind, *args, **kwargs)
        for seen in _watches[-1:]:
            seen.add(made)
        return made

    return make


def _watch_files():
    """Wrap the functions that open or rename files.

    An audit hook would detect more, but is not used: CPython 3.11 also calls the hook when it
    starts to trace a thread, and does not let a second thread start while the hook, which is Python
    code, is suspended.  With an audit hook, tests hung when coverage was measured.
    """
    builtins.open = io.open = _watched(io.open, _opened)
    os.open = _watched(os.open, _opened_by_flags)
    os.rename = _watched(os.rename, _renamed)
    os.replace = _watched(os.replace, _renamed)


def _opened(path, mode="r", *_, **__):
    """Return *path* if *mode* allows writing to the file; otherwise, return None."""
    return None if {*"wax+"}.isdisjoint(mode) else path


def _opened_by_flags(path, flags, *_, **__):
    return path if flags & (os.O_WRONLY | os.O_RDWR) else None


def _renamed(_, path, **__):
    return path


def _watched(function, get_path):
    """Return a wrapper of *function* that records the paths of files that these packages write."""

    @wraps(function)
    def call(*arguments, **options):
        path = get_path(*arguments, **options)
        if isinstance(path, str | bytes | os.PathLike) and _is_by_package():
            for seen in _watches[-1:]:
                seen.written.add(Path(os.fsdecode(path)))
        return function(*arguments, **options)

    return call


def _is_by_package():
    """Return whether these packages, rather than a test, call the wrapped function.

    The innermost stack frame that belongs to these packages or to the tests decides.  Frames of
    other code, such as the standard library, are skipped.
    """
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(_ROOTS):
            return True
        if frame.f_code.co_filename.startswith(_TESTS):
            return False
        frame = frame.f_back
    return False


def _may_hold_tokens(path):
    """Return whether a file is a token cache that only its owner can read."""
    return _is_token_cache(path.name) and not stat.S_IMODE(path.stat().st_mode) & 0o077


def _shown(error):
    """Yield a description and the text of each form of an error, except the traceback."""
    yield "as text", str(error)
    yield "repr", repr(error)
    yield "arguments", repr(error.args)
    yield "pickle", pickle.dumps(error).decode("latin-1")


def _origins(error):
    """For each error in the chain, yield the values that determine the text of its traceback."""
    while error is not None:
        lines = tuple(
            (frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)
        )
        notes, parts = (tuple(getattr(error, name, ())) for name in ("__notes__", "exceptions"))
        yield type(error), str(error), notes, parts, lines
        error = error.__cause__ or error.__context__


def _traceback(error):
    """Return a traceback without the frames of test files, whose source lines contain the secrets."""
    parts = traceback.format_exception(error)
    return "".join(part for part in parts if not part.startswith(f'  File "{_TESTS}'))
