"""The command line: `sagemaker-runtime`, or `python -m sagemaker_runtime_client`."""

import argparse
import json
import os
import sys
from base64 import b64encode
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from pathlib import Path
from shlex import quote
from typing import Any

from ._cli.credentials import credentials
from ._cli.prompts import mfa_token
from ._client import SageMakerRuntimeClient
from ._errors import (
    ConfigError,
    CredentialsError,
    InferenceFailedError,
    ParamValidationError,
    RuntimeClientError,
    ServiceError,
    TransportError,
    WaitTimeoutError,
)
from ._invocation import Invocation
from ._options import INVOKE_OPTIONS, STDIO, parser
from ._output import Output
from .credentials._default import default_chain

# The first that fits an error.
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigError, 2),
    (ParamValidationError, 2),
    (OSError, 2),
    (ImportError, 2),
    (CredentialsError, 3),
    (ServiceError, 4),
    (InferenceFailedError, 5),
    (WaitTimeoutError, 6),
    (TransportError, 7),
    (RuntimeClientError, 4),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Args:
        arguments: The command line, without the program's name; None takes the process's own.

    Returns:
        The exit code.
    """
    _stand_in_for_closed_streams()
    options = parser(
        invoke=_invoke,
        wait=_wait,
        credentials=credentials,
        emulate=_emulate,
        layer=_layer,
    ).parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _leave_stdout()
        return 141
    except UnsupportedOperation:  # of the stand-in
        _say("sagemaker-runtime: stdout is closed")
        return 2
    except tuple(kind for kind, _ in EXIT_CODES) as error:
        try:
            _report(error, as_json=options.json)
            sys.stdout.flush()
        except OSError:  # that may be what the error is about
            _leave_stdout()
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    return 0


def _stand_in_for_closed_streams() -> None:
    """Give what the shell has closed (``>&-``) a stand-in: stdout refuses what is written there."""
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open()
    sys.stdout = sys.stdout or nothing.open()
    sys.stderr = sys.stderr or nothing.open("w")


def _leave_stdout() -> None:
    """Write no more to stdout, not even what Python would at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(options: argparse.Namespace) -> None:
    """Send a payload and, unless told otherwise, wait for the answer."""
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
            _hand_over(invocation)
        else:
            _say(f"queued; to wait again: {invocation.to_json()}")
            _answer(client, invocation, options)


def _hand_over(invocation: Invocation) -> None:
    """Print the handle of a job, on stderr if stdout takes nothing: it is queued all the same."""
    try:
        print(invocation.to_json(), flush=True)
    except OSError:
        _say(f"queued; to wait for it: {invocation.to_json()}")
        raise


def _wait(options: argparse.Namespace) -> None:
    """Wait for a job that was queued before."""
    try:
        invocation = Invocation.from_json(_read(options.handle))
    except ParamValidationError:
        where = "stdin" if options.handle == STDIO else options.handle
        raise ParamValidationError(f"{where} holds no handle, as invoke prints it") from None
    with _client(options) as client:
        _answer(client, invocation, options)


def _answer(
    client: SageMakerRuntimeClient, invocation: Invocation, options: argparse.Namespace
) -> None:
    """Wait, and hand over the answer."""
    with _status(f"waiting for inference {invocation.inference_id}"):
        output = client.wait(invocation, timeout=options.timeout)
    if options.output != STDIO:
        Path(options.output).write_bytes(output.body)
    if options.json:
        print(json.dumps(_document(output)))
    elif options.output == STDIO:
        sys.stdout.buffer.write(output.body)
        sys.stdout.buffer.flush()


def _emulate(options: argparse.Namespace) -> None:
    """Run the emulator until Ctrl-C."""
    from .emulator import Emulator, echo, serve
    from .emulator._environment import IN_THE_WAY
    from .emulator._models import imported

    def ready(emulator: Emulator) -> None:
        print("unset", *IN_THE_WAY)
        for name, value in emulator.environ.items():
            print(f"export {name}={quote(value)}")
        sys.stdout.flush()
        _say(f"SageMaker and S3 at {emulator.url}, until Ctrl-C")

    try:
        with _current_folder_first():
            model = imported(options.model or echo)
        serve(
            model,
            host=options.host,
            port=options.port,
            region=options.region,
            endpoints=options.endpoint,
            strict_buckets=options.strict_buckets,
            ready=ready,
        )
    except (AttributeError, ValueError) as error:  # there is no such model
        raise ConfigError(str(error)) from error


@contextmanager
def _current_folder_first() -> Generator[None]:
    """
    Let modules of the current folder be imported.

    The folder is on the path for that import alone: what the emulator imports later would
    otherwise be taken from there too.
    """
    sys.path.insert(0, "")
    try:
        yield
    finally:
        with suppress(ValueError):  # the module took it out itself
            sys.path.remove("")


def _layer(options: argparse.Namespace) -> None:
    """Build layers for AWS Lambda."""
    from .layer._command import build_layers

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


def _report(error: Exception, *, as_json: bool) -> None:
    """Say what went wrong: on stderr, and as JSON on stdout where that is wanted."""
    _say(f"sagemaker-runtime: {error}")
    if as_json:
        facts = ("code", "status_code", "request_id", "attempts", "retryable")
        document = {name: getattr(error, name, None) for name in facts}
        document |= {"type": type(error).__name__, "message": getattr(error, "message", str(error))}
        if (reason := getattr(error, "reason", None)) is not None:
            document["reason"] = reason
        if (invocation := getattr(error, "invocation", None)) is not None:
            document["invocation"] = json.loads(invocation.to_json())
        print(json.dumps({"error": document}))


def _say(text: str) -> None:
    with suppress(OSError):  # nobody listens
        print(text, file=sys.stderr, flush=True)


@contextmanager
def _status(text: str) -> Generator[None]:
    """Show that something goes on: with rich, if it is installed and somebody looks."""
    try:
        from rich.console import Console
        from rich.markup import escape
    except ImportError:
        yield
        return
    with Console(stderr=True).status(escape(text)):
        yield


if __name__ == "__main__":
    sys.exit(main())
