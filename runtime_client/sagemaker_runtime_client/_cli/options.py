"""The command-line options."""

import argparse
from collections.abc import Callable
from pathlib import Path

from .._version import __version__
from ..layer._recipe import ARCHITECTURES, PYTHONS, VARIANTS
from . import values
from .exports import FORMATS
from .job_options import add_invoke, add_stream, add_wait
from .transfer_options import add_download, add_ls, add_presign, add_upload

# The text at the end of the help.  It is not a docstring, because `python -OO` removes docstrings.
EPILOG = """\
Output goes to stdout, everything else to stderr.  SAGEMAKER_RUNTIME_LOG=debug (or info or warning)
logs to stderr, like --debug.

Exit codes:

    0    success
    2    invalid command line, setting, argument or file
    3    no usable credentials
    4    the service returned an error
    5    the inference failed
    6    no output in time; wait again with the handle on stderr
    7    network error
    8    the output could not be written; if stderr shows a handle, wait again with it
    129  ended by SIGHUP
    130  ended by Ctrl-C
    141  stdout was closed (broken pipe)
    143  ended by SIGTERM
"""

_Command = Callable[[argparse.Namespace], None]


def parser(
    *,
    invoke: _Command,
    stream: _Command,
    wait: _Command,
    upload: _Command,
    download: _Command,
    ls: _Command,
    presign: _Command,
    credentials: _Command,
    emulate: _Command,
    layer: _Command,
) -> argparse.ArgumentParser:
    """Return the command-line parser.

    The parsed options contain the function of the selected command as ``run``.

    Args:
        invoke: The function that runs the command `invoke`.
        stream: The function that runs the command `stream`.
        wait: The function that runs the command `wait`.
        upload: The function that runs the command `upload`.
        download: The function that runs the command `download`.
        ls: The function that runs the command `ls`.
        presign: The function that runs the command `presign`.
        credentials: The function that runs the command `credentials`.
        emulate: The function that runs the command `emulate`.
        layer: The function that runs the command `layer`.
    """
    parser = argparse.ArgumentParser(
        prog="sagemaker-runtime",
        description="Amazon SageMaker asynchronous inference without the AWS SDK.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=__version__, help="print the version and exit"
    )
    _add_debug(parser, default=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, add, name, summary in (
        (invoke, add_invoke, "invoke", "send a payload, wait and print the output"),
        (stream, add_stream, "stream", "send a payload and print the response while it arrives"),
        (wait, add_wait, "wait", "wait for a queued job and print its output"),
        (upload, add_upload, "upload", "upload a file or stdin to S3"),
        (download, add_download, "download", "download an object from S3, and verify it"),
        (ls, add_ls, "ls", "list the objects below a prefix in S3"),
        (
            presign,
            add_presign,
            "presign",
            "print a secret URL for reading or writing an object",
        ),
        (
            credentials,
            _add_credentials,
            "credentials",
            "show the source of the credentials, or export them",
        ),
        (emulate, _add_emulate, "emulate", "run an emulator of SageMaker and S3"),
        (layer, _add_layer, "layer", "build layers for AWS Lambda"),
    ):
        command = commands.add_parser(name, help=summary)
        command.set_defaults(run=run)
        add(command)
        _add_debug(
            command, default=argparse.SUPPRESS
        )  # so that --debug before the command stays in effect
    return parser


def _add_debug(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--debug",
        action="store_true",
        default=default,
        help="log each request and its outcome to stderr",
    )


def _add_credentials(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="profile in the shared files (default: AWS_PROFILE, then default)",
    )
    parser.add_argument(
        "--region", metavar="NAME", help="region for sources that send requests to AWS"
    )
    parser.add_argument(
        "--verify", action="store_true", help="ask STS for the identity of the credentials"
    )
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument(
        "--json", action="store_true", help="print the result or the error as JSON"
    )
    printed.add_argument(
        "--export",
        choices=FORMATS,
        help="print the credentials, including secrets, like `aws configure export-credentials`; "
        "process is the format for credential_process",
    )


def _add_emulate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(json=False)
    parser.add_argument(
        "--model", help="model as module:function, or URL of a model container (default: echo)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=values.port, default=0, help="port to listen on (default: a free one)"
    )
    parser.add_argument(
        "--region", default="us-east-1", help="region of the emulated services (default: us-east-1)"
    )
    parser.add_argument(
        "--endpoint",
        metavar="NAME",
        dest="endpoints",
        action="append",
        help="name of an existing endpoint; repeat for more (default: every name exists)",
    )
    parser.add_argument(
        "--destination",
        metavar="TARGET=ENDPOINT",
        dest="destinations",
        action="append",
        default=[],
        type=values.destination,
        help="endpoint that inference routers try for a routing target; repeat for more, which are "
        "tried in this order (default: the endpoint with the name of the target)",
    )
    parser.add_argument(
        "--part-size",
        metavar="BYTES",
        type=int,
        help="maximum size of a part of a response stream; larger parts are split (default: 24 MiB)",
    )
    parser.add_argument(
        "--strict-buckets",
        action="store_true",
        help="reject buckets that were not created (default: every bucket exists)",
    )
    parser.add_argument(
        "--require-kms",
        action="store_true",
        help="reject uploads that do not request encryption with KMS",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="folder for the S3 objects, which a later emulator finds again (default: in memory)",
    )
    for status, result in (("success", "completed"), ("error", "failed")):
        parser.add_argument(
            f"--{status}-topic",
            metavar="NAME",
            help=f"topic of SNS that announces {result} jobs (default: none without --notify)",
        )
    parser.add_argument(
        "--notify",
        metavar="MODULE:FUNCTION",
        help="function to call when a job has ended, as AWS Lambda would call it",
    )
    parser.add_argument(
        "--notify-by",
        choices=("s3", "sns", "sqs"),
        help="service whose events the function gets (default: sns)",
    )


def _add_layer(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(json=False)
    for option, known, summary in (
        ("--python", PYTHONS, "Python version to build for"),
        ("--architecture", tuple(ARCHITECTURES), "architecture to build for"),
        ("--variant", tuple(VARIANTS), "variant to build; lean omits cryptography"),
    ):
        parser.add_argument(
            option,
            action="append",
            choices=known,
            help=f"{summary}; repeat for more (default: all)",
        )
    parser.add_argument(
        "--sourceless",
        action="store_true",
        help="include bytecode instead of source code; tracebacks show no source lines",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=values.folder,
        default="dist",
        help="folder for the layers (default: dist)",
    )
    parser.add_argument(
        "--pins",
        metavar="FILE",
        type=Path,
        help="file with pinned wheels and their hashes (default: the pins of this package)",
    )
    parser.add_argument(
        "--renew", action="store_true", help="first update the file of --pins to the newest wheels"
    )
    parser.add_argument(
        "--compare",
        metavar="PINS",
        type=Path,
        action="append",
        default=[],
        help="also build a layer from other pinned wheels with the same recipe, and compare sizes",
    )
