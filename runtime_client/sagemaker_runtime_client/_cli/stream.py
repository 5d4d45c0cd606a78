"""The command `stream`, which prints the response of a model while it arrives."""

import argparse
import json
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._io.files import growing, write_all, writing
from .calls import check_stdout, open_client, read_small_payload
from .job_options import STDIO, STREAM_OPTIONS

if TYPE_CHECKING:
    from .._core.model_stream import ModelStream


def stream(options: argparse.Namespace) -> None:
    """Send a payload, and write each item of the response as soon as it has arrived."""
    check_stdout(options)
    remedy = "use an asynchronous endpoint, with invoke"
    payload = read_small_payload(options.input, "stream", remedy)
    arguments: Any = {
        name: getattr(options, name) for name in (*STREAM_OPTIONS, "retry_model", "timeout")
    }
    arguments["wait_until_ready"] = options.wait_until_ready or 0
    to_items = next((_FORMS[name] for name in _FORMS if getattr(options, name)), _parts)
    with (
        open_client(options) as client,
        client.stream_endpoint(options.endpoint_name, payload, **arguments) as response,
        open_output(options.output) as write,
    ):
        for item in to_items(response):
            write(item)


@contextmanager
def open_output(name: str) -> Generator[Callable[[bytes], None]]:
    """Yield a function that writes immediately to a file or to stdout."""
    if name == STDIO:
        yield _print
    else:
        with growing(Path(name)) as file:
            yield partial(write_all, file)


def _print(data: bytes) -> None:
    with writing("stdout"):
        write_all(sys.stdout.buffer, data)


def _parts(response: "ModelStream") -> Iterable[bytes]:
    return response.bytes()


def _lines(response: "ModelStream") -> Iterable[bytes]:
    return (f"{line}\n".encode() for line in response.lines())


def _events(response: "ModelStream") -> Iterable[bytes]:
    return (_json_line(event._asdict()) for event in response.events())


def _documents(response: "ModelStream") -> Iterable[bytes]:
    return map(_json_line, response.json())


def _json_line(document: Any) -> bytes:
    return f"{json.dumps(document)}\n".encode()


# Functions that return the text to write, keyed by the option that selects them.
_FORMS = {"lines": _lines, "events": _events, "json": _documents}
