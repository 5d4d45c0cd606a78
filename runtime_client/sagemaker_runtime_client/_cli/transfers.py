"""Implements the commands `upload`, `download`, `ls` and `presign`."""

import argparse
import json
import sys
from datetime import datetime
from io import UnsupportedOperation
from typing import TYPE_CHECKING, Any

from .._errors import ParamValidationError
from .._io.files import writing
from .._io.stderr_log import printable
from .calls import is_special, open_client, source, source_name
from .job_options import STDIO, option_name
from .progress import OnProgress, progress
from .stream import open_output
from .terminal import say
from .transfer_options import OBJECT_ARGUMENTS, SHELL_WORDS

if TYPE_CHECKING:
    from .._clients import SageMakerRuntimeClient
    from .._s3.objects import S3Object

_LISTED = ("location", "size", "etag", "last_modified")
_UPLOADED = ("location", "size", "etag")
_DOWNLOADED = (*_LISTED, "content_type", "metadata")
_PRESIGNED = ("url", "method", "headers", "expires_at")


def upload(options: argparse.Namespace) -> None:
    """Upload a file, or stdin, of any size."""
    _check_stdout(needed=options.json)
    name = source_name(options.source)
    with open_client(options) as client, progress(f"uploading {name}") as on_progress:
        stored = client.upload(
            options.location,
            source(options.source),
            part_size=options.part_size,
            on_progress=on_progress,
            timeout=options.timeout,
            **_object_arguments(options),
        )
    say(f"uploaded {name} to {stored.location}: {stored.size:,} bytes")
    if options.json:
        _print_json(_facts(stored, _UPLOADED))


def download(options: argparse.Namespace) -> None:
    """Download an object of any size to a file, to a device or pipe, or to stdout."""
    to_stdout = options.output == STDIO
    _check_stdout(needed=options.json or to_stdout)
    is_stream = to_stdout or is_special(options.output)
    if options.json and to_stdout:
        raise ParamValidationError("--json requires a file, not stdout")
    if options.resume and is_stream:
        raise ParamValidationError("--resume requires a regular file")
    read = _read_stream if is_stream else _read_file
    with (
        open_client(options) as client,
        progress(f"downloading {options.location}") as on_progress,
    ):
        found, verified = read(client, options, on_progress)
    check = "not verified" if verified is None else f"verified by {verified}"
    say(f"downloaded {found.location}: {found.size:,} bytes, {check}")
    if options.json:
        _print_json({**_facts(found, _DOWNLOADED), "verified": verified})


def _read_file(
    client: "SageMakerRuntimeClient", options: argparse.Namespace, on_progress: OnProgress
) -> "tuple[S3Object, str | None]":
    """Download an object, and replace the output file when the object is complete."""
    found = client.download(
        options.location,
        options.output,
        resume=options.resume,
        on_progress=on_progress,
        timeout=options.timeout,
    )
    return found, found.verified


def _read_stream(
    client: "SageMakerRuntimeClient", options: argparse.Namespace, on_progress: OnProgress
) -> "tuple[S3Object, str | None]":
    """Write an object to stdout, a device or a pipe while it arrives."""
    done = 0
    with (
        client.open(options.location, timeout=options.timeout) as body,
        open_output(options.output) as write,
    ):
        for piece in body:
            write(piece)
            done += len(piece)
            on_progress(done, body.description.size)
        return body.description, body.verified


def ls(options: argparse.Namespace) -> None:
    """Print the objects whose locations start with a prefix, one per line."""
    _check_stdout()
    show = _json_line if options.json else _line
    with open_client(options) as client:
        for found in client.list_objects(
            options.prefix,
            start_after=options.start_after,
            max_objects=options.max_objects,
            timeout=options.timeout,
        ):
            with writing("stdout"):
                print(show(found))


def _line(found: "S3Object") -> str:
    return printable(f"{_text(found.last_modified) or '-':20} {found.size:>15} {found.location}")


def _json_line(found: "S3Object") -> str:
    return json.dumps(_facts(found, _LISTED))


def presign(options: argparse.Namespace) -> None:
    """Print a URL with which anyone can read or write an object."""
    _check_stdout()
    arguments: Any = {name: getattr(options, name) for name in ("expires", "timeout")}
    written = {name: value for name, value in _object_arguments(options).items() if value}
    for name in written:
        if not options.put:
            raise ParamValidationError(f"{SHELL_WORDS.get(name, option_name(name))} requires --put")
    with open_client(options) as client:
        function = client.presign_put if options.put else client.presign_get
        presigned = function(options.location, **arguments, **written)
    if presigned.headers and not options.json:
        names = ", ".join(presigned.headers)
        say(f"the request must have the headers {names}; --json prints their values")
    say(f"the URL is a secret, and expires at {_text(presigned.expires_at)}")
    if options.json:
        _print_json(_facts(presigned, _PRESIGNED))
    else:
        _print(presigned.url)


def _check_stdout(*, needed: bool = True) -> None:
    """If stdout is needed but closed, raise UnsupportedOperation before anything is sent."""
    if needed and not sys.stdout.writable():
        raise UnsupportedOperation


def _object_arguments(options: argparse.Namespace) -> Any:
    """Return the client arguments that describe the object to be written."""
    arguments: dict[str, Any] = {name: getattr(options, name) for name in OBJECT_ARGUMENTS}
    arguments["metadata"] = dict(options.metadata or ())
    return arguments


def _facts(found: object, names: tuple[str, ...]) -> dict[str, object]:
    """Return the named attributes of *found* as a dictionary for JSON."""
    facts = {name: getattr(found, name) for name in names}
    return {
        name: _text(value) if isinstance(value, datetime) else value
        for name, value in facts.items()
    }


def _text(when: datetime | None) -> str | None:
    return None if when is None else f"{when:%Y-%m-%dT%H:%M:%SZ}"


def _print_json(document: dict[str, object]) -> None:
    _print(json.dumps(document, default=dict))


def _print(text: str) -> None:
    with writing("stdout"):
        print(text, flush=True)
