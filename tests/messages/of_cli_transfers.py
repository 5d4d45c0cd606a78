"""Messages and help pages of the commands `upload`, `download`, `ls` and `presign`."""

import logging
from unittest.mock import patch

from sagemaker_runtime_client._cli.progress import progress
from sagemaker_runtime_client.emulator import Emulator
from tests.messages.of_cli import command, get_help, get_stderr, without_stdout

# The files and folders in the code whose messages must all be in a table.
COVERED = (
    "runtime_client/sagemaker_runtime_client/_cli/progress.py",
    "runtime_client/sagemaker_runtime_client/_cli/transfer_options.py",
    "runtime_client/sagemaker_runtime_client/_cli/transfers.py",
)


def with_object(*arguments):
    """Run a command with an emulator that has an object."""
    log = logging.getLogger("sagemaker_runtime_client")
    with (
        Emulator() as emulator,
        patch.dict("os.environ", emulator.environ),
        patch.object(log, "disabled", True),
    ):
        emulator.objects.put("s3://b/k", b"1,2")
        return command(*arguments)


def lines(done, total):
    """Show the progress of a transfer."""
    with progress("uploading data.csv") as show:
        show(done, total)


MESSAGES = [
    # Help pages.
    (
        lambda: get_help("upload"),
        """
        positional arguments:
          FILE                  file to upload; - for stdin
          LOCATION              location as s3://BUCKET/KEY

        options:
          -h, --help            show this help message and exit
          --content-type TYPE   media type of the object, such as text/csv
          --metadata NAME=VALUE
                                metadata of the object; repeat for more
          --if-none-match       write the object only if there is none at the location
          --sse KIND            encryption: AES256, aws:kms or aws:kms:dsse
          --kms-key-id KEY      id, ARN or alias of the KMS key, with --sse aws:kms or
                                aws:kms:dsse
          --storage-class CLASS
                                storage class, such as STANDARD_IA
          --cache-control TEXT  Cache-Control header with which S3 responds
          --content-encoding NAME
                                content coding of the data, such as gzip
          --part-size BYTES     size of a part, which a stream of more than 78 GiB needs (default:
                                8 MiB)
          --timeout SECONDS     maximum time of the upload (default: none)
          --json                print the result or the error as JSON
          --profile NAME        profile in the shared files (default: AWS_PROFILE, then default)
          --region NAME         AWS region, such as eu-west-1 (default: AWS_REGION, then the
                                profile)
          --s3-endpoint-url URL
                                endpoint of S3 (default: the endpoint of the region)
          --expected-bucket-owner ACCOUNT
                                id of the AWS account that owns the buckets (default: not checked)
          --ca-bundle FILE      PEM file with trusted certificates (default: AWS_CA_BUNDLE)
          --debug               log each request and its outcome to stderr
        """,
    ),
    (
        lambda: get_help("download"),
        """
        positional arguments:
          LOCATION              location as s3://BUCKET/KEY
          FILE                  file for the object; - for stdout

        options:
          -h, --help            show this help message and exit
          --resume              keep an incomplete download, and continue it when the command is
                                repeated
          --timeout SECONDS     maximum time of the download (default: none)
          --json                print the result or the error as JSON
          --profile NAME        profile in the shared files (default: AWS_PROFILE, then default)
          --region NAME         AWS region, such as eu-west-1 (default: AWS_REGION, then the
                                profile)
          --s3-endpoint-url URL
                                endpoint of S3 (default: the endpoint of the region)
          --expected-bucket-owner ACCOUNT
                                id of the AWS account that owns the buckets (default: not checked)
          --ca-bundle FILE      PEM file with trusted certificates (default: AWS_CA_BUNDLE)
          --debug               log each request and its outcome to stderr
        """,
    ),
    (
        lambda: get_help("ls"),
        """
        positional arguments:
          PREFIX                beginning of the locations, as s3://BUCKET/PREFIX

        options:
          -h, --help            show this help message and exit
          --start-after KEY     key after which the listing starts
          --max-objects NUMBER  maximum number of objects (default: all)
          --timeout SECONDS     maximum time for each 1,000 objects (default: none)
          --json                print each object as JSON on one line, and an error as JSON
          --profile NAME        profile in the shared files (default: AWS_PROFILE, then default)
          --region NAME         AWS region, such as eu-west-1 (default: AWS_REGION, then the
                                profile)
          --s3-endpoint-url URL
                                endpoint of S3 (default: the endpoint of the region)
          --expected-bucket-owner ACCOUNT
                                id of the AWS account that owns the buckets (default: not checked)
          --ca-bundle FILE      PEM file with trusted certificates (default: AWS_CA_BUNDLE)
          --debug               log each request and its outcome to stderr
        """,
    ),
    (
        lambda: get_help("presign"),
        """
        Print a URL with which anyone can read an object, or write it with --put, until the URL
        expires. The URL is a secret.

        positional arguments:
          LOCATION              location as s3://BUCKET/KEY

        options:
          -h, --help            show this help message and exit
          --put                 print a URL with which an object can be written
          --expires SECONDS     how long the URL is valid, at most 604800, and no longer than the
                                credentials (default: 3600)
          --timeout SECONDS     maximum time for getting credentials (default: none)
          --json                print the result or the error as JSON
          --profile NAME        profile in the shared files (default: AWS_PROFILE, then default)
          --region NAME         AWS region, such as eu-west-1 (default: AWS_REGION, then the
                                profile)
          --s3-endpoint-url URL
                                endpoint of S3 (default: the endpoint of the region)
          --expected-bucket-owner ACCOUNT
                                id of the AWS account that owns the buckets (default: not checked)
          --ca-bundle FILE      PEM file with trusted certificates (default: AWS_CA_BUNDLE)
          --debug               log each request and its outcome to stderr

        options with --put:
          --content-type TYPE   media type of the object, such as text/csv
          --metadata NAME=VALUE
                                metadata of the object; repeat for more
          --if-none-match       write the object only if there is none at the location
          --sse KIND            encryption: AES256, aws:kms or aws:kms:dsse
          --kms-key-id KEY      id, ARN or alias of the KMS key, with --sse aws:kms or
                                aws:kms:dsse
          --storage-class CLASS
                                storage class, such as STANDARD_IA
          --cache-control TEXT  Cache-Control header with which S3 responds
          --content-encoding NAME
                                content coding of the data, such as gzip
        """,
    ),
    # Command lines.
    (
        lambda: command("upload", "-", "s3://b/k", "--metadata", "a").partition("error: ")[2],
        "argument --metadata: must be like NAME=VALUE",
    ),
    (
        lambda: command("upload", "/no/such/file", "s3://b/k", "--region", "eu-west-1"),
        "sagemaker-runtime: FILE cannot be opened: No such file or directory",
    ),
    (
        lambda: command("download", "s3://b/k", "-", "--resume"),
        "sagemaker-runtime: --resume requires a regular file",
    ),
    (
        lambda: command("download", "s3://b/k", "-", "--json").splitlines()[0],
        "sagemaker-runtime: --json requires a file, not stdout",
    ),
    (
        lambda: command("presign", "s3://b/k", "--sse", "AES256"),
        "sagemaker-runtime: --sse requires --put",
    ),
    (
        lambda: command(
            *("upload", "/dev/null", "s3://b/k", "--kms-key-id", "k", "--region", "eu-west-1")
        ),
        'sagemaker-runtime: --kms-key-id requires --sse="aws:kms" or "aws:kms:dsse"',
    ),
    (
        lambda: without_stdout("presign", "s3://b/k"),
        "sagemaker-runtime: the output cannot be printed: stdout is closed",
    ),
    # Results.
    (
        lambda: with_object("upload", "/dev/null", "s3://b/k"),
        "uploaded /dev/null to s3://b/k: 0 bytes",
    ),
    (
        lambda: with_object("download", "s3://b/k", "/dev/null"),
        "downloaded s3://b/k: 3 bytes, not verified",
    ),
    (
        lambda: with_object("presign", "s3://b/k", "--put", "--content-type", "a/b").split(
            "the URL"
        )[0],
        "the request must have the headers content-type; --json prints their values",
    ),
    (
        lambda: with_object("presign", "s3://b/k").partition(" at ")[0],
        "the URL is a secret, and expires",
    ),
    # Progress.
    (
        lambda: get_stderr(lines, 100 << 20, 200 << 20),
        "uploading data.csv: 104,857,600 of 209,715,200 (50 %) bytes",
    ),
    (
        lambda: get_stderr(lines, 100 << 20, None),
        "uploading data.csv: 104,857,600 bytes",
    ),
]
