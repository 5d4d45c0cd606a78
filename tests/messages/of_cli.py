"""Messages and help pages of the command-line tool."""

import os
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from types import SimpleNamespace
from unittest.mock import patch

from sagemaker_runtime_client import Invocation, WaitTimeoutError
from sagemaker_runtime_client._cli import calls, commands, jobs, shell_words
from sagemaker_runtime_client._cli.credentials import _check_recursion
from sagemaker_runtime_client._cli.emulate import emulate
from sagemaker_runtime_client._cli.exports import exported
from sagemaker_runtime_client._cli.prompts import mfa_token
from sagemaker_runtime_client._cli.report import _identity
from sagemaker_runtime_client.credentials import open_context
from sigv4 import Credentials
from tests.runtime_client.scripted_io import Response, ScriptedIO, run

# The files and folders in the code whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/_cli",)


def command(*arguments):
    """Run the command-line tool, and return what it prints."""
    shown = StringIO()
    with (
        patch.dict(os.environ, {"COLUMNS": "1000"}),
        patch.object(sys, "stdin", StringIO()),
        redirect_stdout(shown),
        redirect_stderr(shown),
        suppress(SystemExit),
    ):
        commands.main(arguments)
    return shown.getvalue()


def get_help(*names):
    """Return the help page of a command, or of the whole tool, without the usage line."""
    return command(*names, "--help").split("\n\n", 1)[1]


def extract_part(text, start, end):
    """Return the part of a text that begins with *start* and ends before the next *end*."""
    return start + text.partition(start)[2].partition(end)[0]


def without_stdout(*arguments):
    """Run the command-line tool with a closed stdout, and return what it prints to stderr."""
    shown = StringIO()
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    with (
        patch.dict(os.environ, keys),
        patch.object(sys, "stdout", None),
        redirect_stderr(shown),
    ):
        commands.main(arguments)
        sys.stdout.close()
    return shown.getvalue()


def get_stderr(function, *arguments):
    """Return what a function prints to stderr."""
    shown = StringIO()
    with redirect_stderr(shown):
        function(*arguments)
    return shown.getvalue()


def prompt_without_terminal():
    """Prompt for the code of an MFA device in a process without a terminal."""
    with patch("sagemaker_runtime_client._cli.prompts._has_terminal", bool):
        mfa_token("arn:aws:iam::123456789012:mfa/me")


def export_in_a_circle():
    """Check for recursion as if a profile's credential_process exported the same profile."""
    with patch.dict(os.environ, {"_SAGEMAKER_RUNTIME_EXPORTING": "dev"}):
        _check_recursion("dev")


def ask_sts():
    """Request the caller's identity from STS, which returns an empty response."""
    io = ScriptedIO([Response(200, {}, b"<R/>")])
    context = run(open_context(io, lambda _config: io, {"region": "eu-west-1"}))
    run(_identity(context, Credentials("AKIDEXAMPLE", "secret")))


def send_too_much():
    """Call a model synchronously with a payload that is too large."""
    with patch.object(calls, "read", lambda _name, size: bytes(size)):
        return command("invoke", "e", "--input", "-", "--sync", "--region", "eu-west-1")


def stream_too_much():
    """Request a streamed response for a payload that is too large."""
    with patch.object(calls, "read", lambda _name, size: bytes(size)):
        return command("stream", "e", "--input", "-")


def run_emulator():
    """Run `emulate` with a stand-in for the server, and return what the command prints."""
    running = SimpleNamespace(environ={}, url="http://127.0.0.1:8080")
    started = SimpleNamespace(
        **dict.fromkeys(("model", "host", "port", "region", "endpoints", "part_size")),
        **dict.fromkeys(("success_topic", "error_topic", "notify", "notify_by")),
        destinations=[],
        strict_buckets=False,
        require_kms=False,
        data=None,
    )
    with (
        patch("sagemaker_runtime_client.emulator.serve", lambda *_, ready, **__: ready(running)),
        redirect_stdout(StringIO()),
    ):
        return get_stderr(emulate, started)


def report(error):
    """Report an error about a job, as the command-line tool does."""
    error.invocation = JOB
    commands._report(error, jobs.Job(), as_json=False)


JOB = Invocation("1", "s3://bucket/output")

MESSAGES = [
    # Help pages.
    (
        get_help,
        """
        Amazon SageMaker asynchronous inference without the AWS SDK.

        positional arguments:
          COMMAND
            invoke      send a payload, wait and print the output
            stream      send a payload and print the response while it arrives
            wait        wait for a queued job and print its output
            upload      upload a file or stdin to S3
            download    download an object from S3, and verify it
            ls          list the objects below a prefix in S3
            presign     print a secret URL for reading or writing an object
            credentials show the source of the credentials, or export them
            emulate     run an emulator of SageMaker and S3
            layer       build layers for AWS Lambda

        options:
          -h, --help    show this help message and exit
          --version     print the version and exit
          --debug       log each request and its outcome to stderr

        Output goes to stdout, everything else to stderr.  SAGEMAKER_RUNTIME_LOG=debug (or info
        or warning) logs to stderr, like --debug.

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
        """,
    ),
    (
        lambda: extract_part(get_help("invoke"), "--input FILE", "--input-location"),
        "--input FILE file with the payload; - for stdin",
    ),
    (
        lambda: extract_part(get_help("invoke"), "--input-prefix", "--content-type"),
        """
          --input-prefix S3URI  S3 URI under which a payload over 128,000 bytes is uploaded, or any
                                with --router
          --sync                call a real-time or serverless endpoint, and print its response
          --no-wait             print the handle of the job and do not wait
        """,
    ),
    (
        lambda: extract_part(get_help("invoke"), "--router NAME", "--input FILE"),
        """
          --router NAME         name of the inference router, instead of ENDPOINT
          --routing-target NAME name of the routing target
        """,
    ),
    (
        lambda: extract_part(get_help("invoke"), "options with --sync", "NOTHING"),
        """
        options with --sync:
          --target-model MODEL  file name of a model of a multi-model endpoint
          --target-variant VARIANT
                                name of a production variant
          --target-container-hostname HOSTNAME
                                host name of a container of a multi-container endpoint
          --enable-explanations EXPLANATIONS
                                JMESPath expression that selects the records to explain
          --inference-component-name NAME
                                name of an inference component
          --session-id ID       id of a session, or NEW_SESSION to open one
          --prefix-aware-id ID  id by which a prefix-aware endpoint routes related requests
          --wait-until-ready SECONDS
                                maximum time to repeat the request while the model is not ready
                                (default: 0)
          --retry-model         retry also after failures in which the model may have run
        """,
    ),
    (
        lambda: get_help("stream"),
        """
        positional arguments:
          ENDPOINT              name of the endpoint

        options:
          -h, --help            show this help message and exit
          --input FILE          file with the payload; - for stdin
          --content-type TYPE   media type of the payload, such as text/csv
          --accept TYPE         media type that the output should have
          --custom-attributes TEXT
                                text passed to the model, at most 1024 characters
          --target-variant VARIANT
                                name of a production variant
          --target-container-hostname HOSTNAME
                                host name of a container of a multi-container endpoint
          --inference-id ID     id for captured data
          --inference-component-name NAME
                                name of an inference component
          --session-id ID       id of an open session
          --prefix-aware-id ID  id by which a prefix-aware endpoint routes related requests
          --wait-until-ready SECONDS
                                maximum time to repeat the request while the model is not ready
                                (default: 0)
          --retry-model         retry also after failures in which the model may have run
          --lines               print only complete lines
          --events              print each server-sent event as JSON on one line
          --json                print each JSON document of the response on one line, and an error
                                as JSON
          --output FILE         file for the output (default: stdout)
          --timeout SECONDS     maximum time until the response is complete (default: 900)
          --profile NAME        profile in the shared files (default: AWS_PROFILE, then default)
          --region NAME         AWS region, such as eu-west-1 (default: AWS_REGION, then the profile)
          --endpoint-url URL    endpoint of SageMaker Runtime (default: the endpoint of the region)
          --ca-bundle FILE      PEM file with trusted certificates (default: AWS_CA_BUNDLE)
          --debug               log each request and its outcome to stderr
        """,
    ),
    (
        lambda: get_help("wait"),
        """
        positional arguments:
          FILE               file with the handle that invoke printed; - for stdin

        options:
          -h, --help         show this help message and exit
          --output FILE      file for the output (default: stdout)
          --timeout SECONDS  maximum time to wait for the output (default: 900)
          --json             print the result or the error as JSON
          --profile NAME     profile in the shared files (default: AWS_PROFILE, then default)
          --region NAME      AWS region, such as eu-west-1 (default: AWS_REGION, then the profile)
          --endpoint-url URL endpoint of SageMaker Runtime (default: the endpoint of the region)
          --router-endpoint-url URL
                             endpoint of SageMaker Inference Router Runtime (default: the endpoint
                             of the region)
          --s3-endpoint-url URL endpoint of S3 (default: the endpoint of the region)
          --expected-bucket-owner ACCOUNT
                             id of the AWS account that owns the buckets (default: not checked)
          --ca-bundle FILE   PEM file with trusted certificates (default: AWS_CA_BUNDLE)
          --allowed-location S3URI
                             bucket or prefix/ from which objects may be read; repeat for more
                             (default: all)
          --debug            log each request and its outcome to stderr
        """,
    ),
    (
        lambda: get_help("credentials"),
        """
        options:
          -h, --help      show this help message and exit
          --profile NAME  profile in the shared files (default: AWS_PROFILE, then default)
          --region NAME   region for sources that send requests to AWS
          --verify        ask STS for the identity of the credentials
          --json          print the result or the error as JSON
          --export {process,json,env,env-no-export,powershell,windows-cmd,fish}
                          print the credentials, including secrets, like
                          `aws configure export-credentials`; process is the format for
                          credential_process
          --debug         log each request and its outcome to stderr
        """,
    ),
    (
        lambda: get_help("emulate"),
        """
        options:
          -h, --help        show this help message and exit
          --model MODEL     model as module:function, or URL of a model container (default: echo)
          --host HOST       address to listen on (default: 127.0.0.1)
          --port PORT       port to listen on (default: a free one)
          --region REGION   region of the emulated services (default: us-east-1)
          --endpoint NAME   name of an existing endpoint; repeat for more (default: every name
                            exists)
          --destination TARGET=ENDPOINT
                            endpoint that inference routers try for a routing target; repeat for
                            more, which are tried in this order (default: the endpoint with the
                            name of the target)
          --part-size BYTES maximum size of a part of a response stream; larger parts are split
                            (default: 24 MiB)
          --strict-buckets  reject buckets that were not created (default: every bucket exists)
          --require-kms     reject uploads that do not request encryption with KMS
          --data DIR        folder for the S3 objects, which a later emulator finds again (default:
                            in memory)
          --success-topic NAME
                            topic of SNS that announces completed jobs (default: none without
                            --notify)
          --error-topic NAME
                            topic of SNS that announces failed jobs (default: none without --notify)
          --notify MODULE:FUNCTION
                            function to call when a job has ended, as AWS Lambda would call it
          --notify-by {s3,sns,sqs}
                            service whose events the function gets (default: sns)
          --debug           log each request and its outcome to stderr
        """,
    ),
    (
        lambda: get_help("layer"),
        """
        options:
          -h, --help      show this help message and exit
          --python {3.11,3.12,3.13,3.14}
                          Python version to build for; repeat for more (default: all)
          --architecture {x86_64,arm64}
                          architecture to build for; repeat for more (default: all)
          --variant {lean,full}
                          variant to build; lean omits cryptography; repeat for more (default: all)
          --sourceless    include bytecode instead of source code; tracebacks show no source lines
          --output FOLDER folder for the layers (default: dist)
          --pins FILE     file with pinned wheels and their hashes (default: the pins of this package)
          --renew         first update the file of --pins to the newest wheels
          --compare PINS  also build a layer from other pinned wheels with the same recipe, and
                          compare sizes
          --debug         log each request and its outcome to stderr
        """,
    ),
    # Command lines.
    (
        lambda: command("emulate", "--port", "x").partition("error: ")[2],
        "argument --port: must be a port number from 0 to 65535",
    ),
    (
        lambda: command("emulate", "--destination", "t").partition("error: ")[2],
        """
        argument --destination: must be like TARGET=ENDPOINT, with names that contain only letters,
        digits and inner hyphens
        """,
    ),
    (
        lambda: command("wait", "-", "--timeout", "-1").partition("error: ")[2],
        "argument --timeout: must be a number of seconds from 0 to 1,000,000,000",
    ),
    (
        lambda: command("wait", "-", "--output", "/").partition("error: ")[2],
        "argument --output: must be a writable file in a writable folder",
    ),
    (
        lambda: command("layer", "--output", __file__).partition("error: ")[2],
        "argument --output: must be a folder",
    ),
    (
        lambda: command("invoke", "e", "--input-location", "s3://b/k", "--input-prefix", "s3://b"),
        "sagemaker-runtime: --input-prefix requires --input; --input-location is already in S3",
    ),
    (
        lambda: command("invoke", "--input", "-"),
        "sagemaker-runtime: either ENDPOINT or --router is required",
    ),
    (
        lambda: command("invoke", "e", "--input", "-", "--routing-target", "t"),
        "sagemaker-runtime: --router and --routing-target require each other",
    ),
    (
        lambda: command("invoke", "e", "--input", "-", "--session-id", "s"),
        "sagemaker-runtime: --session-id requires --sync",
    ),
    (
        lambda: command("invoke", "e", "--input", "-", "--sync", "--filename", "f"),
        "sagemaker-runtime: --filename cannot be combined with --sync",
    ),
    (
        lambda: command(
            *("invoke", "--input", "-", "--sync", "--router", "r", "--routing-target", "t"),
            *("--session-id", "s"),
        ),
        "sagemaker-runtime: --session-id cannot be combined with --sync and --router",
    ),
    (
        send_too_much,
        """
        sagemaker-runtime: stdin has more than 6,291,456 bytes, the maximum for --sync: use an
        asynchronous endpoint without --sync
        """,
    ),
    (
        stream_too_much,
        """
        sagemaker-runtime: stdin has more than 6,291,456 bytes, the maximum for stream: use an
        asynchronous endpoint, with invoke
        """,
    ),
    (
        lambda: command("wait", os.devnull),
        "sagemaker-runtime: /dev/null is not a handle printed by `sagemaker-runtime invoke`",
    ),
    (
        lambda: without_stdout("wait", "-"),
        "sagemaker-runtime: stdout is closed: use --output to write to a file, without --json",
    ),
    (
        lambda: without_stdout("credentials"),
        "sagemaker-runtime: the output cannot be printed: stdout is closed",
    ),
    (
        lambda: shell_words.in_shell_words(
            "no region is configured: pass region= to the client, set AWS_REGION, or set region in "
            "profile 'dev'"
        ),
        "no region is configured: pass --region, set AWS_REGION, or set region in profile 'dev'",
    ),
    # Jobs.
    (
        lambda: get_stderr(jobs.Job().queued, JOB),
        f"job queued; handle for `sagemaker-runtime wait`: {JOB.to_json()}",
    ),
    (
        lambda: get_stderr(report, WaitTimeoutError("no output within 60 seconds")),
        (
            "sagemaker-runtime: no output within 60 seconds "
            f"handle for `sagemaker-runtime wait`: {JOB.to_json()}"
        ),
    ),
    # Credentials.
    (
        export_in_a_circle,
        (
            "credential_process of profile 'dev' exports the same profile: name another profile in "
            "its --profile option"
        ),
    ),
    (
        lambda: exported(Credentials("AKIDEXAMPLE", "100%"), "windows-cmd"),
        "the credentials contain a character that cannot be quoted for cmd: use --export powershell",
    ),
    (
        prompt_without_terminal,
        (
            "the code of MFA device arn:aws:iam::123456789012:mfa/me is required, but there is no "
            "terminal to enter it: run `sagemaker-runtime credentials --profile NAME --export env` "
            "in a terminal, set the variables that it prints, and omit --profile here"
        ),
    ),
    (ask_sts, "the response to GetCallerIdentity lacks Arn or Account"),
    # The emulator.
    (
        run_emulator,
        "emulator of SageMaker and S3 running at http://127.0.0.1:8080; press Ctrl-C to stop it",
    ),
]
