"""The program `sagemaker-runtime`, also available as `python -m sagemaker_runtime_client`."""

import argparse
import json
import os
import sys
from base64 import b64encode
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from io import UnsupportedOperation
from pathlib import Path
from typing import Any

from .._clients import SageMakerRuntimeClient
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
from .._inference.invocation import Invocation
from .._inference.output import Output
from .._io.files import NotWrittenError, replacing, writing
from .._io.stderr_log import log_to_stderr
from .._settings.context import configure_log
from ..credentials._default import default_chain
from .credentials import credentials
from .emulate import emulate
from .options import INVOKE_OPTIONS, STDIO, parser
from .prompts import mfa_token
from .shell_words import in_shell_words
from .signals import raise_ending_signals, terminate_by
from .terminal import replace_closed_streams, say, silence, status

# The first matching class determines the exit code.
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigError, 2),
    (ParamValidationError, 2),
    (OSError, 2),
    (ImportError, 2),
    (NotWrittenError, 8),
    (CredentialsError, 3),
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command in the main thread of the process.

    On Ctrl-C, SIGTERM or SIGHUP, the handle of the job is printed and all resources are closed
    before the process ends.

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
        invoke=_invoke,
        wait=_wait,
        credentials=credentials,
        emulate=emulate,
        layer=_layer,
    ).parse_args(arguments)
    configure_log(os.environ)
    if options.debug:
        log_to_stderr("debug")
    job = options.job = _Job()
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


_HANDLE = "handle for `sagemaker-runtime wait`"


class _Job:
    """The inference job of the running command.

    Attributes:
        invocation: The handle of the job, or None while it is unknown.
    """

    def __init__(self) -> None:
        self.invocation: Invocation | None = None
        self._is_printed = False

    def queued(self, invocation: Invocation) -> None:
        """Print the handle of a new job to stderr before anything else can fail."""
        self.invocation, self._is_printed = invocation, True
        say(f"job queued; {_HANDLE}: {invocation.to_json()}")

    def print_handle(self, error: BaseException) -> None:
        """Print the handle of the job after *error*, unless it was printed before."""
        self.invocation = self.invocation or getattr(error, "invocation", None)
        if self.invocation is None:
            for note in getattr(error, "__notes__", ()):  # mentions the id of the job
                say(note)
        elif not self._is_printed:
            say(f"{_HANDLE}: {self.invocation.to_json()}")


def _invoke(options: argparse.Namespace) -> None:
    """Send a payload, and wait for the output unless `--no-wait` is given."""
    _check_stdout(options)
    if options.input_prefix is not None and options.input is None:
        raise ParamValidationError(
            "--input-prefix requires --input; --input-location is already in S3"
        )
    arguments: Any = {name: getattr(options, name) for name in INVOKE_OPTIONS}
    with _client(options) as client:
        if options.input_location is not None:
            arguments["input_location"] = options.input_location
            invocation = client.invoke_endpoint_async(options.endpoint_name, **arguments)
        else:
            payload, prefix = _read(options.input), options.input_prefix
            invocation = client.submit(
                options.endpoint_name, payload, input_prefix=prefix, **arguments
            )
        if options.no_wait:
            options.job.invocation = invocation
            _print(invocation.to_json())
        else:
            options.job.queued(invocation)
            _write_output(client, invocation, options)


def _check_stdout(options: argparse.Namespace) -> None:
    """Raise an error before anything is sent if the output could not be printed."""
    needed = options.json or options.output == STDIO
    if needed and not sys.stdout.writable():
        raise ConfigError("stdout is closed: use --output to write to a file, without --json")


def _wait(options: argparse.Namespace) -> None:
    _check_stdout(options)
    try:
        invocation = options.job.invocation = Invocation.from_json(_read(options.handle))
    except ParamValidationError:
        source = "stdin" if options.handle == STDIO else options.handle
        raise ParamValidationError(
            f"{source} is not a handle printed by `sagemaker-runtime invoke`"
        ) from None
    with _client(options) as client:
        _write_output(client, invocation, options)


def _write_output(
    client: SageMakerRuntimeClient, invocation: Invocation, options: argparse.Namespace
) -> None:
    """Wait for the output and write it."""
    with status(f"waiting for inference {invocation.inference_id}"):
        output = client.wait(invocation, timeout=options.timeout)
    if options.output != STDIO:
        with replacing(Path(options.output)) as file:
            file.write(output.body)
    if options.json:
        _print(json.dumps(_document(output)))
    elif options.output == STDIO:
        with writing("stdout"):
            sys.stdout.buffer.write(output.body)
            sys.stdout.buffer.flush()


def _print(text: str) -> None:
    with writing("stdout"):
        print(text, flush=True)


def _layer(options: argparse.Namespace) -> None:
    from ..layer._command import build_layers

    build_layers(options)


@contextmanager
def _client(options: argparse.Namespace) -> Generator[SageMakerRuntimeClient]:
    """Open a client that prompts for the code of an MFA device if the credentials require it."""
    arguments = {
        "profile": options.profile,
        "region": options.region,
        "ca_bundle": options.ca_bundle,
    }
    with (
        default_chain(**arguments, mfa_token=mfa_token) as chain,
        SageMakerRuntimeClient(
            **arguments,
            credentials=chain,
            endpoint_url=options.endpoint_url,
            s3_endpoint_url=options.s3_endpoint_url,
        ) as client,
    ):
        yield client


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == STDIO else Path(name).read_bytes()


def _document(output: Output) -> dict[str, Any]:
    """Return an output as a JSON document; a body that is not UTF-8 is encoded in base64."""
    try:
        body = {"body": output.text}
    except UnicodeDecodeError:
        body = {"body_base64": b64encode(output.body).decode()}
    return {
        "inference_id": output.invocation.inference_id,
        "location": output.location,
        "content_type": output.content_type,
        "attempts": output.invocation.attempts,
        "possibly_duplicated": output.invocation.possibly_duplicated,
        **body,
    }


def _report(error: Exception, job: _Job, *, as_json: bool) -> None:
    """Print an error on stderr and, if requested, as JSON on stdout."""
    argument = getattr(error, "argument", "")
    # A ConfigError may contain several lines of output from a local program.  The message of a
    # service must stay on one line.
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
        if job.invocation is not None:
            document["invocation"] = json.loads(job.invocation.to_json())
        print(json.dumps({"error": document}))
