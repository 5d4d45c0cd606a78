"""The options of ``python -m sigv4``, and what each may be."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

STDIN = "-"

# The end of the help; no docstring, which `python -OO` would leave out.
EPILOG = """\
Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from the
profile that --profile names; the region comes from AWS_REGION or AWS_DEFAULT_REGION where no option
names it.  What is printed holds the session
token, or grants what a presigned URL grants: treat it as a secret.  Exit codes:

    0  done; verify: the signature is right
    1  verify: the request is refused; explain: the answer does not say why
    2  the command line, the environment, a file or the request is wrong
    141  nobody reads stdout any more
"""

_Command = Callable[[argparse.Namespace], str]


def parser(
    *, sign: _Command, presign: _Command, verify: _Command, explain: _Command
) -> argparse.ArgumentParser:
    """
    Return what reads the command line, and leaves the command that it names in ``run``.

    Args:
        sign: A command.
        presign: A command.
        verify: A command.
        explain: A command.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sigv4",
        description="Sign, presign and verify requests to AWS, and explain refused signatures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, add, name, summary in (
        (sign, _add_sign, "sign", "print the headers to add to a request"),
        (presign, _add_presign, "presign", "print a URL with the signature in its query"),
        (verify, _add_verify, "verify", "check the signature of a raw HTTP request"),
        (explain, _add_explain, "explain", "say why AWS refused a signature"),
    ):
        command = commands.add_parser(name, help=summary)
        command.set_defaults(run=run)
        add(command)
    return parser


def _add_sign(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(show="headers")
    _add_request(parser)
    parser.add_argument(
        "--unsigned-payload", action="store_true", help="leave the body out of the signature"
    )
    shown = parser.add_mutually_exclusive_group()
    for name, text in (
        ("curl", "print a curl command line that sends the request"),
        ("canonical-request", "print what is signed, for explain"),
        ("string-to-sign", "print its digest and scope, for explain"),
    ):
        shown.add_argument(f"--{name}", action="store_const", dest="show", const=name, help=text)


def _add_presign(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(show="url", unsigned_payload=False)
    _add_request(parser)
    parser.add_argument(
        "--expires", type=int, default=3600, help="seconds until it ends (default: 3600)"
    )
    parser.add_argument(
        "--curl", action="store_const", dest="show", const="curl", help="print a curl command line"
    )


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default=STDIN, help="the request (default: stdin)")
    parser.add_argument(
        "--scheme", choices=("http", "https"), default="https", help="(default: https)"
    )
    _add_scope(parser)


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "answer", help="the file with the body of AWS's answer, or a log with it; - for stdin"
    )
    parser.add_argument(
        "canonical_request", help="the file with what sign --canonical-request printed"
    )
    parser.add_argument(
        "string_to_sign", nargs="?", help="the file with what sign --string-to-sign printed"
    )


def _add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="absolute, percent-encoded")
    parser.add_argument("-X", "--method", help="(default: GET, or POST with --data)")
    parser.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="NAME:VALUE",
        help="@FILE or @- reads headers, a line each: for those that are secret",
    )
    parser.add_argument("-d", "--data", metavar="TEXT", help="the body; @FILE or @- reads it")
    parser.add_argument("--v4a", action="store_true", help="SigV4A, for the region set --region")
    _add_scope(parser)


def _add_scope(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--service", required=True, help="the signing name, such as s3")
    parser.add_argument("--region", help="such as eu-west-1")
    parser.add_argument(
        "--profile", metavar="NAME", help="whose credentials, as boto3 and the AWS CLI find them"
    )
    parser.add_argument(
        "--date", type=_instant, metavar="YYYYMMDDTHHMMSSZ", help="when (default: now)"
    )


def _instant(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("must be like 20150830T123600Z") from None
