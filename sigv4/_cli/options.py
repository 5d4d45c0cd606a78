"""The command-line options of ``python -m sigv4``."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

STDIN = "-"

# The end of the help text.  It is not a docstring, because `python -OO` removes docstrings.
EPILOG = """\
Credentials come from --profile, or else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN.  The region comes from --region, or else from AWS_REGION or AWS_DEFAULT_REGION.
Treat the output as a secret: it can contain a session token or a presigned URL.  Exit codes:

    0    success; for verify, the signature is valid
    1    verify: the request is rejected; explain: the response does not contain the cause
    2    the command line, the environment, a file or the request is invalid
    141  stdout was closed (broken pipe)
"""

_Command = Callable[[argparse.Namespace], str]


def parser(
    *, sign: _Command, presign: _Command, verify: _Command, explain: _Command
) -> argparse.ArgumentParser:
    """Return the argument parser, which stores the function of the selected command as ``run``.

    Args:
        sign: The function that runs the command ``sign``.
        presign: The function that runs the command ``presign``.
        verify: The function that runs the command ``verify``.
        explain: The function that runs the command ``explain``.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sigv4",
        description="Sign, presign and verify requests to AWS, and explain rejected signatures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, add, name, summary in (
        (sign, _add_sign, "sign", "print the headers to add to a request"),
        (presign, _add_presign, "presign", "print a URL with the signature in its query"),
        (verify, _add_verify, "verify", "check the signature of a raw HTTP request"),
        (explain, _add_explain, "explain", "explain why AWS rejected a signature"),
    ):
        command = commands.add_parser(name, help=summary)
        command.set_defaults(run=run)
        add(command)
    return parser


def _add_sign(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(show="headers")
    _add_request(parser)
    parser.add_argument("--unsigned-payload", action="store_true", help="do not sign the body")
    shown = parser.add_mutually_exclusive_group()
    for name, text in (
        ("curl", "print a curl command line that sends the request"),
        ("canonical-request", "print the canonical request, for explain"),
        ("string-to-sign", "print the string to sign, for explain"),
    ):
        shown.add_argument(f"--{name}", action="store_const", dest="show", const=name, help=text)


def _add_presign(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(show="url", unsigned_payload=False)
    _add_request(parser)
    parser.add_argument(
        "--expires", type=int, default=3600, help="seconds until the URL expires (default: 3600)"
    )
    parser.add_argument(
        "--curl",
        action="store_const",
        dest="show",
        const="curl",
        help="print a curl command line that sends the request",
    )


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", default=STDIN, help="file that contains the request (default: stdin)"
    )
    parser.add_argument(
        "--scheme",
        choices=("http", "https"),
        default="https",
        help="scheme of the URL (default: https)",
    )
    _add_scope(parser, time="time of the check")


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "answer",
        metavar="response",
        help="file that contains the response body from AWS, or a log with it; - for stdin",
    )
    parser.add_argument(
        "canonical_request", help="file that contains the output of sign --canonical-request"
    )
    parser.add_argument(
        "string_to_sign", nargs="?", help="file that contains the output of sign --string-to-sign"
    )


def _add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="absolute, percent-encoded URL")
    parser.add_argument("-X", "--method", help="HTTP method (default: GET, or POST with --data)")
    parser.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="NAME:VALUE",
        help="header to send; @FILE or @- reads one header per line, which keeps secrets off the "
        "command line",
    )
    parser.add_argument(
        "-d",
        "--data",
        metavar="TEXT",
        help="request body; @FILE or @- reads it from a file or stdin",
    )
    parser.add_argument(
        "--v4a", action="store_true", help="sign with SigV4A; --region is the region set"
    )
    _add_scope(parser)


def _add_scope(parser: argparse.ArgumentParser, *, time: str = "signing time") -> None:
    parser.add_argument("--service", required=True, help="signing name of the service, such as s3")
    parser.add_argument("--region", help="AWS region, such as eu-west-1")
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="profile that supplies the credentials, as in boto3 and the AWS CLI",
    )
    parser.add_argument(
        "--date", type=_timestamp, metavar="YYYYMMDDTHHMMSSZ", help=f"{time} (default: now)"
    )


def _timestamp(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("must have the form 20150830T123600Z") from None
