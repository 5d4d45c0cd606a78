"""The options of the commands that run inferences: `invoke`, `stream` and `wait`."""

import argparse
from collections.abc import Callable, Iterable

from .._inference.invoke_endpoint import INVOKE_ENDPOINT
from .._inference.invoke_endpoint_async import INVOKE_ENDPOINT_ASYNC, InvokeOptions
from .._inference.members import Member
from .._inference.router import INVOKE_INFERENCE_ROUTER, INVOKE_INFERENCE_ROUTER_ASYNC
from .._inference.stream_endpoint import INVOKE_ENDPOINT_WITH_RESPONSE_STREAM
from . import values

STDIO = values.STDIO
_INPUT = "file with the payload; - for stdin"

INVOKE_OPTIONS = tuple(InvokeOptions.__annotations__)
# Members that do not become `--sync` options, because they select the model or are the payload.
_POSITIONAL = {"endpoint_name", "inference_router_name", "routing_target", "body"}
SYNC_OPTIONS = tuple(name for name in INVOKE_ENDPOINT.members if name not in _POSITIONAL)
ROUTER_SYNC_OPTIONS = tuple(
    name for name in INVOKE_INFERENCE_ROUTER.members if name not in _POSITIONAL
)
STREAM_OPTIONS = tuple(
    name for name in INVOKE_ENDPOINT_WITH_RESPONSE_STREAM.members if name not in _POSITIONAL
)
CLIENT_OPTIONS = {
    "profile": ("NAME", "profile in the shared files (default: AWS_PROFILE, then default)"),
    "region": ("NAME", "AWS region, such as eu-west-1 (default: AWS_REGION, then the profile)"),
    "endpoint_url": ("URL", "endpoint of SageMaker Runtime (default: the endpoint of the region)"),
    "router_endpoint_url": (
        "URL",
        "endpoint of SageMaker Inference Router Runtime (default: the endpoint of the region)",
    ),
    "s3_endpoint_url": ("URL", "endpoint of S3 (default: the endpoint of the region)"),
    "expected_bucket_owner": (
        "ACCOUNT",
        "id of the AWS account that owns the buckets (default: not checked)",
    ),
    "ca_bundle": ("FILE", "PEM file with trusted certificates (default: AWS_CA_BUNDLE)"),
}


_FORMS = (
    ("--lines", "print only complete lines"),
    ("--events", "print each server-sent event as JSON on one line"),
    ("--json", "print each JSON document of the response on one line, and an error as JSON"),
)


def option_name(name: str) -> str:
    """Return the command-line option for an argument of a client or of a method."""
    return "--" + name.replace("_", "-")


def add_invoke(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `invoke`."""
    members = INVOKE_ENDPOINT_ASYNC.members
    endpoint = members["endpoint_name"]
    parser.add_argument(
        "endpoint_name", nargs="?", metavar=endpoint.metavar, help=endpoint.description
    )
    routers = INVOKE_INFERENCE_ROUTER_ASYNC.members
    parser.add_argument(
        "--router",
        metavar="NAME",
        help=f"{routers['inference_router_name'].description}, instead of {endpoint.metavar}",
    )
    parser.add_argument(
        "--routing-target", metavar="NAME", help=routers["routing_target"].description
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", metavar="FILE", help=_INPUT)
    _add_member(source.add_argument, members["input_location"])
    parser.add_argument(
        "--input-prefix",
        metavar="S3URI",
        help="S3 URI under which a payload over 128,000 bytes is uploaded, or any with --router",
    )
    parser.add_argument(
        "--sync",
        action="store_true",
        help="call a real-time or serverless endpoint, and print its response",
    )
    answer = parser.add_mutually_exclusive_group()
    answer.add_argument(
        "--no-wait", action="store_true", help="print the handle of the job and do not wait"
    )
    for name in INVOKE_OPTIONS:
        _add_member(parser.add_argument, members[name])
    only = parser.add_argument_group("options with --sync")
    for name in SYNC_OPTIONS:
        if name not in INVOKE_OPTIONS:
            _add_member(only.add_argument, INVOKE_ENDPOINT.members[name])
    _add_repeating(only.add_argument)
    _add_output(answer.add_argument)
    _add_waiting(parser)


def add_stream(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `stream`."""
    members = INVOKE_ENDPOINT_WITH_RESPONSE_STREAM.members
    endpoint = members["endpoint_name"]
    parser.add_argument("endpoint_name", metavar=endpoint.metavar, help=endpoint.description)
    parser.add_argument("--input", metavar="FILE", required=True, help=_INPUT)
    for name in STREAM_OPTIONS:
        _add_member(parser.add_argument, members[name])
    _add_repeating(parser.add_argument)
    form = parser.add_mutually_exclusive_group()
    for option, summary in _FORMS:
        form.add_argument(option, action="store_true", help=summary)
    _add_output(parser.add_argument)
    add_timeout(parser, "maximum time until the response is complete (default: 900)")
    add_client(parser, ("profile", "region", "endpoint_url", "ca_bundle"))


def _add_repeating(add_argument: Callable[..., argparse.Action]) -> None:
    """Add the options that determine when a synchronous call is repeated."""
    add_argument(
        "--wait-until-ready",
        metavar="SECONDS",
        type=values.seconds,
        help="maximum time to repeat the request while the model is not ready (default: 0)",
    )
    add_argument(
        "--retry-model",
        action="store_true",
        help="retry also after failures in which the model may have run",
    )


def _add_member(add_argument: Callable[..., argparse.Action], member: Member) -> None:
    """Add an option for an argument of an operation."""
    add_argument(
        option_name(member.argument),
        type=member.kind,
        metavar=member.metavar,
        help=member.description,
    )


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `wait`."""
    parser.add_argument(
        "handle", metavar="FILE", help="file with the handle that invoke printed; - for stdin"
    )
    _add_output(parser.add_argument)
    _add_waiting(parser)


def _add_output(add_argument: Callable[..., argparse.Action]) -> None:
    add_argument(
        "--output",
        metavar="FILE",
        type=values.output,
        default=STDIO,
        help="file for the output (default: stdout)",
    )


def _add_waiting(parser: argparse.ArgumentParser) -> None:
    """Add the options that `invoke` and `wait` share."""
    add_timeout(parser, "maximum time to wait for the output (default: 900)")
    parser.add_argument("--json", action="store_true", help="print the result or the error as JSON")
    add_client(parser, CLIENT_OPTIONS)
    parser.add_argument(
        "--allowed-location",
        metavar="S3URI",
        action="append",
        help="bucket or prefix/ from which objects may be read; repeat for more (default: all)",
    )


def add_timeout(
    parser: argparse.ArgumentParser, summary: str, default: float | None = 900.0
) -> None:
    """Add the option for a time limit."""
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=values.seconds, default=default, help=summary
    )


def add_client(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Add the options with these names that become settings of the client."""
    for name in names:
        metavar, summary = CLIENT_OPTIONS[name]
        parser.add_argument(option_name(name), metavar=metavar, help=summary)
