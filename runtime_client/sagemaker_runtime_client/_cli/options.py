"""The options of the command line, and what each may be."""

import argparse
import os
import re
from collections.abc import Callable
from math import inf
from pathlib import Path

from .._inference.arguments import LONGEST_WAIT
from .._inference.invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC, InvokeOptions
from .._inference.members import Member
from .._version import __version__
from ..layer._recipe import ARCHITECTURES, PYTHONS, VARIANTS
from .exports import FORMATS

STDIO = "-"

# The end of the help; no docstring, which `python -OO` would leave out.
EPILOG = """\
Answers go to stdout, everything else to stderr.  Exit codes:

    0    done
    2    the command line, a setting, an argument or a file is wrong
    3    no credentials, or none that serve
    4    the service refused
    5    the inference failed
    6    no answer in time; wait again with the handle on stderr
    7    the network failed
    8    the answer could not be written; wait again with the handle on stderr
    129  ended by SIGHUP
    130  ended by Ctrl-C
    141  stdout was closed (broken pipe)
    143  ended by SIGTERM
"""

_Command = Callable[[argparse.Namespace], None]

INVOKE_OPTIONS = tuple(InvokeOptions.__annotations__)
_CLIENT_OPTIONS = {
    "profile": ("NAME", "profile of the shared files (default: AWS_PROFILE, then default)"),
    "region": ("NAME", "such as eu-west-1 (default: AWS_REGION, then the profile's)"),
    "endpoint_url": ("URL", "where SageMaker Runtime is (default: by the region)"),
    "s3_endpoint_url": ("URL", "where S3 is (default: by the region)"),
    "ca_bundle": ("FILE", "certificates to trust, in PEM (default: AWS_CA_BUNDLE)"),
}


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


_OPTIONS = {
    name: _option(name)
    for name in (*INVOKE_OPTIONS, *_CLIENT_OPTIONS, "input_location", "input_prefix", "timeout")
}
_WORDS = {**_OPTIONS, "endpoint_name": "ENDPOINT"}
_argument = re.compile(r"\b(\w+)(=(?!\w))?( to the client)?")


def in_shell_words(message: str, argument: str = "") -> str:
    """
    Return an error's message with the options of the command line in place of Python's arguments.

    Args:
        message: The message.
        argument: The argument that is wrong; empty if none is.

    >>> in_shell_words("no region: pass region= to the client, or set AWS_REGION")
    'no region: pass --region, or set AWS_REGION'
    >>> in_shell_words("filename must be shorter", "filename")
    '--filename must be shorter'
    """

    def word(match: re.Match[str]) -> str:
        name, is_keyword, _ = match.groups()
        if name in _WORDS and (is_keyword or name == argument or (argument and "_" in name)):
            return _WORDS[name] + ("" if is_keyword else match[3] or "")
        return match[0]

    return _argument.sub(word, message.replace(", or pass credentials= to the client", ""))


def parser(
    *,
    invoke: _Command,
    wait: _Command,
    credentials: _Command,
    emulate: _Command,
    layer: _Command,
) -> argparse.ArgumentParser:
    """
    Return what reads the command line, and leaves the command that it names in ``run``.

    Args:
        invoke: A command.
        wait: A command.
        credentials: A command.
        emulate: A command.
        layer: A command.
    """
    parser = argparse.ArgumentParser(
        prog="sagemaker-runtime",
        description="Amazon SageMaker asynchronous inference, without the AWS SDK.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=__version__, help="print the version, and end"
    )
    _add_debug(parser, default=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, add, name, summary in (
        (invoke, _add_invoke, "invoke", "send a payload, wait, and print the answer"),
        (wait, _add_wait, "wait", "wait for a job that was queued before"),
        (credentials, _add_credentials, "credentials", "say where credentials come from"),
        (emulate, _add_emulate, "emulate", "run SageMaker and S3 on this machine"),
        (layer, _add_layer, "layer", "build layers for AWS Lambda"),
    ):
        command = commands.add_parser(name, help=summary)
        command.set_defaults(run=run)
        add(command)
        _add_debug(command, default=argparse.SUPPRESS)  # which keeps a --debug before the command
    return parser


def _add_debug(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--debug",
        action="store_true",
        default=default,
        help="log each request and its outcome to stderr",
    )


def _add_invoke(parser: argparse.ArgumentParser) -> None:
    members = INVOKE_ENDPOINT_ASYNC.members
    _add_member(parser.add_argument, members["endpoint_name"], "endpoint_name")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", metavar="FILE", help="the payload; - for stdin")
    _add_member(source.add_argument, members["input_location"])
    parser.add_argument(
        "--input-prefix", metavar="S3URI", help="where a payload over 128,000 bytes goes"
    )
    answer = parser.add_mutually_exclusive_group()
    answer.add_argument("--no-wait", action="store_true", help="print the handle, and do not wait")
    for name in INVOKE_OPTIONS:
        _add_member(parser.add_argument, members[name])
    _add_output(answer.add_argument)
    _add_waiting(parser)


def _add_member(
    add_argument: Callable[..., argparse.Action], member: Member, name: str | None = None
) -> None:
    """Add an argument of the operation, as an option unless it is given another name."""
    add_argument(
        name or _option(member.argument),
        type=member.kind,
        metavar=member.metavar,
        help=member.description,
    )


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "handle", metavar="FILE", help="the handle, as invoke prints it; - for stdin"
    )
    _add_output(parser.add_argument)
    _add_waiting(parser)


def _add_output(add_argument: Callable[..., argparse.Action]) -> None:
    add_argument(
        "--output",
        metavar="FILE",
        type=_output,
        default=STDIO,
        help="where the answer goes (default: stdout)",
    )


def _add_waiting(parser: argparse.ArgumentParser) -> None:
    """Add what invoke and wait have in common."""
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=900.0,
        help="how long to wait (default: 900)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document, errors too")
    for name, (metavar, summary) in _CLIENT_OPTIONS.items():
        parser.add_argument(_option(name), metavar=metavar, help=summary)


def _add_credentials(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile", metavar="NAME", help="the profile (default: AWS_PROFILE, then default)"
    )
    parser.add_argument("--region", metavar="NAME", help="the region, for those that ask AWS")
    parser.add_argument("--verify", action="store_true", help="ask STS whose they are")
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="print a JSON document, errors too")
    printed.add_argument(
        "--export",
        choices=FORMATS,
        help="print the credentials themselves, secrets and all, as `aws configure "
        "export-credentials` does: process is for credential_process, the others for a shell",
    )


def _add_emulate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(json=False)
    parser.add_argument(
        "--model", help="module:function, or the address of a model container (default: echo)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=_port, default=0, help="port to listen on (default: a free one)"
    )
    parser.add_argument(
        "--region", default="us-east-1", help="region of signatures (default: us-east-1)"
    )
    parser.add_argument(
        "--endpoint",
        metavar="NAME",
        action="append",
        help="an endpoint that exists; again for more (default: every name does)",
    )
    parser.add_argument(
        "--strict-buckets",
        action="store_true",
        help="take only buckets that were created (default: every name is one)",
    )


def _add_layer(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(json=False)
    for option, known, summary in (
        ("--python", PYTHONS, "a Python to build for"),
        ("--architecture", tuple(ARCHITECTURES), "an architecture to build for"),
        ("--variant", tuple(VARIANTS), "lean is without cryptography"),
    ):
        parser.add_argument(
            option, action="append", choices=known, help=f"{summary}; again for more; all"
        )
    parser.add_argument(
        "--sourceless",
        action="store_true",
        help="bytecode in place of sources; tracebacks show no lines of them",
    )
    parser.add_argument(
        "--output", metavar="FOLDER", type=_folder, default="dist", help="where they go; dist"
    )
    parser.add_argument(
        "--pins", metavar="FILE", type=Path, help="wheels and their hashes; those of this package"
    )
    parser.add_argument(
        "--renew", action="store_true", help="pin the newest wheels first, in the file of --pins"
    )
    parser.add_argument(
        "--compare",
        metavar="PINS",
        type=Path,
        action="append",
        default=[],
        help="build a layer of other wheels too, by the same recipe, and compare sizes",
    )


# What is wrong is refused before anything is queued that nobody would wait for, or could keep.


def _output(text: str) -> str:
    """Take the name of a file that can be written."""
    path = Path(text)
    needed = [path] if path.exists() else []
    if not needed or path.is_file():
        needed.append(path.resolve().parent)  # where the new file is made
    if path.is_dir() or not all(os.access(one, os.W_OK) for one in needed):
        raise argparse.ArgumentTypeError("must be a file that can be written, in such a folder")
    return text


def _folder(text: str) -> str:
    """Take the name of a folder that is there, or can be made."""
    path = Path(text).absolute()
    if not next(one for one in (path, *path.parents) if one.exists()).is_dir():
        raise argparse.ArgumentTypeError("must be a folder")
    return text


def _seconds(text: str) -> float:
    """Read a time limit."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = inf
    if not 0 <= seconds <= LONGEST_WAIT:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, 0 to {LONGEST_WAIT:,}")
    return seconds


def _port(text: str) -> int:
    """Read the number of a port."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError("must be a number, 0 to 65535")
    return int(text)
