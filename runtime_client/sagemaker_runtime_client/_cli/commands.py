"""The command line: `sagemaker-runtime`, or `python -m sagemaker_runtime_client`."""

import argparse
import json
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
from ..credentials._default import default_chain
from .credentials import credentials
from .emulate import emulate
from .options import INVOKE_OPTIONS, STDIO, in_shell_words, parser
from .prompts import mfa_token
from .signals import end_by, ending_signals_raised
from .terminal import leave, say, stand_in_for_closed_streams, status

# The first that fits an error.
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

# What a document about an error says of it, if it is known.
_FACTS = (
    *("code", "status_code", "request_id", "attempts", "retryable"),
    *("possibly_accepted", "inference_id"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command, in the main thread of a process.

    Ctrl-C, SIGTERM and SIGHUP end the process, once the job's handle is said and all is closed.

    Args:
        arguments: The command line, without the program's name; None takes the process's own.

    Returns:
        The exit code.
    """
    with ending_signals_raised():
        try:
            return _exit_code(arguments)
        except KeyboardInterrupt as interrupt:
            return end_by(interrupt)


def _exit_code(arguments: Sequence[str] | None) -> int:
    stand_in_for_closed_streams()
    options = parser(
        invoke=_invoke,
        wait=_wait,
        credentials=credentials,
        emulate=emulate,
        layer=_layer,
    ).parse_args(arguments)
    if options.debug:
        log_to_stderr("debug")
    job = options.job = _Job()
    try:
        options.run(options)
        with writing("stdout"):
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        job.say_handle(interrupt)
        raise
    except BrokenPipeError as error:
        leave(sys.stdout)
        job.say_handle(error)
        return 141
    except UnsupportedOperation:  # of the stand-in
        say("sagemaker-runtime: stdout is closed")
        return 2
    except tuple(kind for kind, _ in EXIT_CODES) as error:
        try:
            _report(error, job, as_json=options.json)
            sys.stdout.flush()
        except OSError:  # that may be what the error is about
            leave(sys.stdout)
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    return 0


class _Job:
    """
    The job that a command is about.

    Attributes:
        invocation: Its handle, once it is known.
    """

    def __init__(self) -> None:
        self.invocation: Invocation | None = None
        self._is_said = False

    def queued(self, invocation: Invocation) -> None:
        """Say the handle of a job that was queued, before anything can go wrong."""
        self.invocation, self._is_said = invocation, True
        say(f"queued; to wait again: {invocation.to_json()}")

    def say_handle(self, error: BaseException) -> None:
        """Say how to get the answer after *error*, unless that was said before."""
        self.invocation = self.invocation or getattr(error, "invocation", None)
        if self.invocation is None:
            for note in getattr(error, "__notes__", ()):  # the job may be queued
                say(note)
        elif not self._is_said:
            say(f"to wait again: {self.invocation.to_json()}")


def _invoke(options: argparse.Namespace) -> None:
    """Send a payload and, unless told otherwise, wait for the answer."""
    _check_stdout(options)
    if options.input_prefix is not None and options.input is None:
        raise ParamValidationError(
            "--input-prefix is for --input: --input-location is in S3 already"
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
            _answer(client, invocation, options)


def _check_stdout(options: argparse.Namespace) -> None:
    """Refuse to begin where the answer could not be printed."""
    needed = options.json or options.output == STDIO
    if needed and not sys.stdout.writable():
        raise ConfigError("stdout is closed: name a file with --output")


def _wait(options: argparse.Namespace) -> None:
    """Wait for a job that was queued before."""
    _check_stdout(options)
    try:
        invocation = options.job.invocation = Invocation.from_json(_read(options.handle))
    except ParamValidationError:
        where = "stdin" if options.handle == STDIO else options.handle
        raise ParamValidationError(f"{where} holds no handle, as invoke prints it") from None
    with _client(options) as client:
        _answer(client, invocation, options)


def _answer(
    client: SageMakerRuntimeClient, invocation: Invocation, options: argparse.Namespace
) -> None:
    """Wait, and hand over the answer."""
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
    """Build layers for AWS Lambda."""
    from ..layer._command import build_layers

    build_layers(options)


@contextmanager
def _client(options: argparse.Namespace) -> Generator[SageMakerRuntimeClient]:
    """Open a client whose credentials may want a code that somebody reads off a device."""
    who = {"profile": options.profile, "region": options.region, "ca_bundle": options.ca_bundle}
    with (
        default_chain(**who, mfa_token=mfa_token) as chain,
        SageMakerRuntimeClient(
            **who,
            credentials=chain,
            endpoint_url=options.endpoint_url,
            s3_endpoint_url=options.s3_endpoint_url,
        ) as client,
    ):
        yield client


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == STDIO else Path(name).read_bytes()


def _document(output: Output) -> dict[str, Any]:
    """Return an output as a JSON document; a body that is no text is in base64."""
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
    """Say what went wrong: on stderr, and as JSON on stdout where that is wanted."""
    argument = getattr(error, "argument", "")
    # A program that failed here says several lines; what a service says is one.
    text = in_shell_words(str(error), argument)
    first, *more = text.splitlines() if isinstance(error, ConfigError) else [text]
    say(f"sagemaker-runtime: {first}")
    for line in more:
        say(line)
    job.say_handle(error)
    if as_json:
        document = {name: getattr(error, name, None) for name in _FACTS}
        message = in_shell_words(getattr(error, "message", str(error)), argument)
        document |= {"type": type(error).__name__, "message": message}
        if (reason := getattr(error, "reason", None)) is not None:
            document["reason"] = reason
        if job.invocation is not None:
            document["invocation"] = json.loads(job.invocation.to_json())
        print(json.dumps({"error": document}))
