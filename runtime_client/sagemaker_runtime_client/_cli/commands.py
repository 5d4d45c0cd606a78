"""The program `sagemaker-runtime`, also available as `python -m sagemaker_runtime_client`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from io import UnsupportedOperation

from .._errors import (
    ConfigError,
    CredentialsError,
    InferenceFailedError,
    ParamValidationError,
    RuntimeClientError,
    ServiceError,
    TransportError,
    WaitTimeoutError,
)
from .._inference.model_errors import ModelError, ModelStreamError
from .._io.files import NotWrittenError, writing
from .._io.sources.body import SourceError
from .._io.stderr_log import log_to_stderr
from .._io.targets.target import TargetError
from .._settings.context import configure_log
from .credentials import credentials
from .emulate import emulate
from .jobs import Job, invoke, wait
from .options import parser
from .shell_words import in_shell_words
from .signals import raise_ending_signals, terminate_by
from .stream import stream
from .terminal import replace_closed_streams, say, silence
from .transfers import download, ls, presign, upload

# The first matching class determines the exit code.
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigError, 2),
    (ParamValidationError, 2),
    (OSError, 2),
    (ImportError, 2),
    (SourceError, 2),
    (NotWrittenError, 8),
    (TargetError, 8),
    (CredentialsError, 3),
    (ModelError, 5),
    (ModelStreamError, 5),
    (ServiceError, 4),
    (InferenceFailedError, 5),
    (WaitTimeoutError, 6),
    (TransportError, 7),
    (RuntimeClientError, 4),
)

# Attributes of an error that `--json` prints.
_FACTS = (
    *("code", "status_code", "request_id", "attempts", "retryable"),
    *("possibly_accepted", "inference_id"),
)
_CONTAINER_FACTS = ("original_status_code", "original_message", "log_stream_arn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command in the main thread of the process.

    After Ctrl-C, SIGTERM or SIGHUP, the handle of a queued job is printed, and all resources are
    closed before the process ends.

    Args:
        arguments: The command-line arguments without the program name.  None means `sys.argv`.

    Returns:
        The exit code.
    """
    with raise_ending_signals():
        try:
            return _exit_code(arguments)
        except KeyboardInterrupt as interrupt:
            return terminate_by(interrupt)


def _exit_code(arguments: Sequence[str] | None) -> int:
    replace_closed_streams()
    options = parser(
        invoke=invoke,
        stream=stream,
        wait=wait,
        upload=upload,
        download=download,
        ls=ls,
        presign=presign,
        credentials=credentials,
        emulate=emulate,
        layer=_layer,
    ).parse_args(arguments)
    configure_log(os.environ)
    if options.debug:
        log_to_stderr("debug")
    job = options.job = Job()
    try:
        options.run(options)
        with writing("stdout"):
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        job.print_handle(interrupt)
        raise
    except BrokenPipeError as error:
        silence(sys.stdout)
        job.print_handle(error)
        return 141
    except UnsupportedOperation:  # raised by the stream that replaces a closed stdout
        say("sagemaker-runtime: the output cannot be printed: stdout is closed")
        return 2
    except tuple(kind for kind, _ in EXIT_CODES) as error:
        try:
            _report(error, job, as_json=options.json)
            sys.stdout.flush()
        except OSError:  # stdout may be the cause of the error
            silence(sys.stdout)
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    return 0


def _layer(options: argparse.Namespace) -> None:
    from ..layer._command import build_layers

    build_layers(options)


def _report(error: Exception, job: Job, *, as_json: bool) -> None:
    """Print an error on stderr and, if requested, as JSON on stdout."""
    argument = getattr(error, "argument", "")
    # A ConfigError may contain several lines of output from a local program.  Any other message
    # stays on one line, because a service may have sent it.
    text = in_shell_words(str(error), argument)
    first, *more = text.splitlines() if isinstance(error, ConfigError) else [text]
    say(f"sagemaker-runtime: {first}")
    for line in more:
        say(line)
    job.print_handle(error)
    if as_json:
        document = {name: getattr(error, name, None) for name in _FACTS}
        message = in_shell_words(getattr(error, "message", str(error)), argument)
        document |= {"type": type(error).__name__, "message": message}
        if (reason := getattr(error, "reason", None)) is not None:
            document["reason"] = reason
        if isinstance(error, ModelError):
            document |= {name: getattr(error, name) for name in _CONTAINER_FACTS}
        if job.invocation is not None:
            document["invocation"] = json.loads(job.invocation.to_json())
        print(json.dumps({"error": document}))
