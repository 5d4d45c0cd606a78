"""Messages and help texts of ``python -m sigv4``."""

import io
import re
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from unittest.mock import patch

from sigv4._cli.commands import main

COVERED = ("sigv4/_cli",)

URL = "https://bucket.example/key"
SCOPE = ("--service", "s3", "--region", "us-east-1")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


def _run(*arguments, stdin=b"", environ=KEYS):
    """Run ``python -m sigv4`` with these arguments, and return its output."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    source = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    with (
        patch.dict("os.environ", {**environ, "COLUMNS": "80"}, clear=True),
        patch.object(sys, "stdin", source),
        redirect_stdout(out),
        redirect_stderr(out),
        suppress(SystemExit),
    ):
        main(arguments)
    out.seek(0)
    return out.read()


def _page(*command):
    """Return a command's help in the format of Python 3.13, which shows each metavar only once."""
    return re.sub(r"(-[XHd]) [A-Z:]+, --", r"\1, --", _run(*command, "-h"))


def _verify(stdin):
    return _run("verify", *SCOPE, stdin=stdin)


def _head(*lines):
    return "\r\n".join(["GET / HTTP/1.1", *lines, "", "body"]).encode()


def _without_client():
    with patch.dict(sys.modules, {"sagemaker_runtime_client": None}):
        return _run("sign", URL, *SCOPE, "--profile", "work")


MESSAGES = [
    (
        _page,
        """\
usage: python -m sigv4 [-h] COMMAND ...

Sign, presign and verify requests to AWS, and explain rejected signatures.

positional arguments:
  COMMAND
    sign      print the headers to add to a request
    presign   print a URL with the signature in its query
    verify    check the signature of a raw HTTP request
    explain   explain why AWS rejected a signature

options:
  -h, --help  show this help message and exit

Credentials come from --profile, or else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN.  The region comes from --region, or else from AWS_REGION or AWS_DEFAULT_REGION.
Treat the output as a secret: it can contain a session token or a presigned URL.  Exit codes:

    0    success; for verify, the signature is valid
    1    verify: the request is rejected; explain: the response does not contain the cause
    2    the command line, the environment, a file or the request is invalid
    141  stdout was closed (broken pipe)""",
    ),
    (
        lambda: _page("sign"),
        """\
usage: python -m sigv4 sign [-h] [-X METHOD] [-H NAME:VALUE] [-d TEXT] [--v4a]
                            --service SERVICE [--region REGION]
                            [--profile NAME] [--date YYYYMMDDTHHMMSSZ]
                            [--unsigned-payload]
                            [--curl | --canonical-request | --string-to-sign]
                            url

positional arguments:
  url                   absolute, percent-encoded URL

options:
  -h, --help            show this help message and exit
  -X, --method METHOD
                        HTTP method (default: GET, or POST with --data)
  -H, --header NAME:VALUE
                        header to send; @FILE or @- reads one header per line,
                        which keeps secrets off the command line
  -d, --data TEXT  request body; @FILE or @- reads it from a file or
                        stdin
  --v4a                 sign with SigV4A; --region is the region set
  --service SERVICE     signing name of the service, such as s3
  --region REGION       AWS region, such as eu-west-1
  --profile NAME        profile that supplies the credentials, as in boto3 and
                        the AWS CLI
  --date YYYYMMDDTHHMMSSZ
                        signing time (default: now)
  --unsigned-payload    do not sign the body
  --curl                print a curl command line that sends the request
  --canonical-request   print the canonical request, for explain
  --string-to-sign      print the string to sign, for explain""",
    ),
    (
        lambda: _page("presign"),
        """\
usage: python -m sigv4 presign [-h] [-X METHOD] [-H NAME:VALUE] [-d TEXT]
                               [--v4a] --service SERVICE [--region REGION]
                               [--profile NAME] [--date YYYYMMDDTHHMMSSZ]
                               [--expires EXPIRES] [--curl]
                               url

positional arguments:
  url                   absolute, percent-encoded URL

options:
  -h, --help            show this help message and exit
  -X, --method METHOD
                        HTTP method (default: GET, or POST with --data)
  -H, --header NAME:VALUE
                        header to send; @FILE or @- reads one header per line,
                        which keeps secrets off the command line
  -d, --data TEXT  request body; @FILE or @- reads it from a file or
                        stdin
  --v4a                 sign with SigV4A; --region is the region set
  --service SERVICE     signing name of the service, such as s3
  --region REGION       AWS region, such as eu-west-1
  --profile NAME        profile that supplies the credentials, as in boto3 and
                        the AWS CLI
  --date YYYYMMDDTHHMMSSZ
                        signing time (default: now)
  --expires EXPIRES     seconds until the URL expires (default: 3600)
  --curl                print a curl command line that sends the request""",
    ),
    (
        lambda: _page("verify"),
        """\
usage: python -m sigv4 verify [-h] [--scheme {http,https}] --service SERVICE
                              [--region REGION] [--profile NAME]
                              [--date YYYYMMDDTHHMMSSZ]
                              [file]

positional arguments:
  file                  file that contains the request (default: stdin)

options:
  -h, --help            show this help message and exit
  --scheme {http,https}
                        scheme of the URL (default: https)
  --service SERVICE     signing name of the service, such as s3
  --region REGION       AWS region, such as eu-west-1
  --profile NAME        profile that supplies the credentials, as in boto3 and
                        the AWS CLI
  --date YYYYMMDDTHHMMSSZ
                        time of the check (default: now)""",
    ),
    (
        lambda: _page("explain"),
        """\
usage: python -m sigv4 explain [-h]
                               response canonical_request [string_to_sign]

positional arguments:
  response           file that contains the response body from AWS, or a log
                     with it; - for stdin
  canonical_request  file that contains the output of sign --canonical-request
  string_to_sign     file that contains the output of sign --string-to-sign

options:
  -h, --help         show this help message and exit""",
    ),
    (
        lambda: _run("sign", URL, *SCOPE, environ={}),
        "sigv4: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --profile",
    ),
    (
        lambda: _run("sign", URL, "--service", "s3"),
        "sigv4: no region: use --region, or set AWS_REGION",
    ),
    (
        lambda: _run("sign", URL, *SCOPE, "-H", "A"),
        "sigv4: --header: each header must have the form NAME:VALUE",
    ),
    (
        lambda: _run("sign", URL, *SCOPE, "-d", "@-", "--curl"),
        (
            "sigv4: --curl cannot be used with --data @-, because curl reads its options from stdin: use "
            "--data @FILE"
        ),
    ),
    (
        lambda: _run("sign", URL, *SCOPE, "-H", "@-", "-d", "@-"),
        "sigv4: only one argument can read stdin (-)",
    ),
    (
        lambda: _run("sign", URL, *SCOPE, "--date", "noon").splitlines()[-1],
        "python -m sigv4 sign: error: argument --date: must have the form 20150830T123600Z",
    ),
    (
        _without_client,
        """
        sigv4: --profile requires the package sagemaker_runtime_client: pip install
        sagemaker-runtime-client (the import failed: import of sagemaker_runtime_client halted; None
        in sys.modules)
    """,
    ),
    # Errors of the library, which mention the option instead of the argument.
    (
        lambda: _run("sign", URL, "--service", "a/b", "--region", "us-east-1"),
        (
            "sigv4: --service must be 1 to 255 printable ASCII characters, without spaces, slashes or "
            "commas"
        ),
    ),
    (
        lambda: _run("presign", URL, *SCOPE, "--expires", "0"),
        "sigv4: --expires must be an integer, from 1 to 604800 seconds",
    ),
    (
        lambda: _run("sign", URL, *SCOPE, "--v4a", "--region", "?"),
        "sigv4: --region must be region names or patterns, such as us-east-1, eu-* or *",
    ),
    (
        lambda: _run("sign", URL, *SCOPE, environ={**KEYS, "AWS_SESSION_TOKEN": "a b"}),
        "sigv4: AWS_SESSION_TOKEN must be printable ASCII without spaces",
    ),
    # Input files.
    (
        lambda: _run("explain", "/no/file", "-"),
        "sigv4: [Errno 2] No such file or directory: '/no/file'",
    ),
    (lambda: _verify(b" " * 67_108_865), "sigv4: stdin is longer than 67108864 bytes"),
    # Raw requests.
    (
        lambda: _verify(b"GET"),
        "sigv4: the first line of the request must be METHOD TARGET HTTP/1.1",
    ),
    (
        lambda: _verify(_head("a: " + "b" * 65_536)),
        "sigv4: the head of the request is longer than 65536 bytes",
    ),
    (
        lambda: _verify(_head()),
        "sigv4: the request must have exactly one Host header",
    ),
    (
        lambda: _verify(_head("Host")),
        "sigv4: each header must be on its own line, in the form NAME: VALUE",
    ),
    (
        lambda: _verify(_head("Host: h", "Transfer-Encoding: chunked")),
        "sigv4: Transfer-Encoding is not supported: join the chunks of the body and remove the header",
    ),
    (
        lambda: _verify(_head("Host: h", "Content-Length: 9")),
        "sigv4: Content-Length must be a number, at most 4, the length of the body",
    ),
    (
        lambda: _verify(_head("Host: h")),
        "MissingAuthenticationToken: the request is not signed",
    ),
]
