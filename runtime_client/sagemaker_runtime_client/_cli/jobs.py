"""Implements the commands `invoke` and `wait`."""

import argparse
import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

from .._clients import SageMakerRuntimeClient
from .._errors import ParamValidationError
from .._inference.invocation import Invocation
from .._inference.invoke_endpoint import ModelOutput
from .._inference.output import Output
from .._io.files import NotWrittenError, replacing, writing
from .._io.targets.target import TargetError
from .calls import (
    check_stdout,
    is_special,
    open_client,
    read,
    read_small_payload,
    source,
    source_name,
)
from .job_options import INVOKE_OPTIONS, ROUTER_SYNC_OPTIONS, STDIO, SYNC_OPTIONS, option_name
from .terminal import say, status

_HANDLE = "handle for `sagemaker-runtime wait`"


class Job:
    """The inference job of the running command.

    Attributes:
        invocation: The handle of the job, or None while it is unknown.
    """

    def __init__(self) -> None:
        self.invocation: Invocation | None = None
        self._is_printed = False

    def queued(self, invocation: Invocation) -> None:
        """Print the handle of a new job on stderr, so that the handle cannot get lost."""
        self.invocation, self._is_printed = invocation, True
        say(f"job queued; {_HANDLE}: {invocation.to_json()}")

    def print_handle(self, error: BaseException) -> None:
        """Print the handle of the job after *error*, unless it was printed before.

        If the handle is unknown, print the notes of *error*, which mention the ID of the job.
        """
        self.invocation = self.invocation or getattr(error, "invocation", None)
        if self.invocation is None:
            for note in getattr(error, "__notes__", ()):  # each note mentions the ID of the job
                say(note)
        elif not self._is_printed:
            say(f"{_HANDLE}: {self.invocation.to_json()}")


# The attributes of a `ModelOutput` that `--json` prints in addition to the body.
_MODEL_FACTS = (
    *("content_type", "production_variant", "new_session_id", "session_expires"),
    *("closed_session_id", "request_id", "routed_resource_arn", "routing_reason"),
)


def invoke(options: argparse.Namespace) -> None:
    """Send a payload, wait for the output unless `--no-wait` is given, and print the result."""
    check_stdout(options)
    _check_combinations(options)
    with open_client(options) as client:
        if options.sync:
            _write(_call_model(client, options), options)
            return
        invocation = _submit(client, options)
        if options.no_wait:
            options.job.invocation = invocation
            _print(invocation.to_json())
        else:
            options.job.queued(invocation)
            _write_output(client, invocation, options)


def _check_combinations(options: argparse.Namespace) -> None:
    """Raise ParamValidationError if options contradict each other or a required one is missing."""
    has_router = options.router is not None
    if has_router != (options.endpoint_name is None):
        raise ParamValidationError("either ENDPOINT or --router is required")
    if has_router != (options.routing_target is not None):
        raise ParamValidationError("--router and --routing-target require each other")
    if options.input_prefix is not None and options.input is None:
        raise ParamValidationError(
            "--input-prefix requires --input; --input-location is already in S3"
        )
    _check_sync(options)


def _check_sync(options: argparse.Namespace) -> None:
    """Raise ParamValidationError if an option requires `--sync` or cannot be combined with it."""
    if not options.sync:
        refused, rule = {"wait_until_ready", "retry_model", *SYNC_OPTIONS}, "requires --sync"
        refused -= set(INVOKE_OPTIONS)
    else:
        refused = {"input_location", "input_prefix", "no_wait", *INVOKE_OPTIONS, *SYNC_OPTIONS}
        refused -= set(SYNC_OPTIONS if options.router is None else ROUTER_SYNC_OPTIONS)
        other = "--sync" if options.router is None else "--sync and --router"
        rule = f"cannot be combined with {other}"
    for name in sorted(refused):
        value = getattr(options, name)
        if value is not None and value is not False:  # 0 counts as given
            raise ParamValidationError(f"{option_name(name)} {rule}")


def _submit(client: SageMakerRuntimeClient, options: argparse.Namespace) -> Invocation:
    """Queue a job at an endpoint or at an inference router, and return its handle."""
    arguments: Any = {name: getattr(options, name) for name in INVOKE_OPTIONS}
    if options.input_location is None:
        if options.router is None:
            arguments["endpoint_name"] = options.endpoint_name
        else:
            arguments |= {"router": options.router, "routing_target": options.routing_target}
        return client.submit(
            payload=source(options.input), input_prefix=options.input_prefix, **arguments
        )
    arguments["input_location"] = options.input_location
    if options.router is None:
        return client.invoke_endpoint_async(options.endpoint_name, **arguments)
    return client.invoke_inference_router_async(options.router, options.routing_target, **arguments)


def _call_model(client: SageMakerRuntimeClient, options: argparse.Namespace) -> ModelOutput:
    """Call the model of an endpoint or an inference router synchronously, and return its output."""
    remedy = "use an asynchronous endpoint without --sync"
    payload = read_small_payload(options.input, "--sync", remedy)
    names = SYNC_OPTIONS if options.router is None else ROUTER_SYNC_OPTIONS
    arguments: Any = {name: getattr(options, name) for name in (*names, "retry_model", "timeout")}
    arguments["wait_until_ready"] = options.wait_until_ready or 0
    if options.router is None:
        return client.invoke_endpoint(options.endpoint_name, payload, **arguments)
    return client.invoke_inference_router(
        options.router, options.routing_target, payload, **arguments
    )


def wait(options: argparse.Namespace) -> None:
    check_stdout(options)
    try:
        invocation = options.job.invocation = Invocation.from_json(read(options.handle))
    except ParamValidationError:
        raise ParamValidationError(
            f"{source_name(options.handle)} is not a handle printed by `sagemaker-runtime invoke`"
        ) from None
    with open_client(options) as client:
        _write_output(client, invocation, options)


def _write_output(
    client: SageMakerRuntimeClient, invocation: Invocation, options: argparse.Namespace
) -> None:
    """Wait for the output of a queued job, and write it; to a file, while it arrives."""
    text = f"waiting for inference {invocation.inference_id}"
    if options.json or options.output == STDIO or is_special(options.output):
        with status(text):
            output = client.wait(invocation, timeout=options.timeout)
        _write(output, options)
        return
    with status(text), replacing(Path(options.output)) as file:
        try:
            client.wait(invocation, timeout=options.timeout, output=file)
        except TargetError as error:
            reason = error.message.removeprefix("output: ")
            raise NotWrittenError(f"{options.output} could not be written: {reason}") from error


def _write(output: Output | ModelOutput, options: argparse.Namespace) -> None:
    """Write the output to the `--output` file or to stdout.  With `--json`, print it as JSON."""
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


def _document(output: Output | ModelOutput) -> dict[str, object]:
    """Return an output as a dictionary for JSON.  A body that is not UTF-8 is encoded in base64."""
    try:
        body = {"body": output.text}
    except UnicodeDecodeError:
        body = {"body_base64": b64encode(output.body).decode()}
    if isinstance(output, ModelOutput):
        facts: dict[str, object] = {name: getattr(output, name) for name in _MODEL_FACTS}
        expires = output.session_expires
        return {**facts, "session_expires": expires and expires.isoformat(), **body}
    return {
        "inference_id": output.invocation.inference_id,
        "location": output.location,
        "content_type": output.content_type,
        "attempts": output.invocation.attempts,
        "possibly_duplicated": output.invocation.possibly_duplicated,
        **body,
    }
