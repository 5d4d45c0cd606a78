"""The options of the commands that transfer objects: `upload`, `download`, `ls` and `presign`."""

import argparse

from . import values
from .job_options import add_client, add_timeout, option_name

_CLIENT = ("profile", "region", "s3_endpoint_url", "expected_bucket_owner", "ca_bundle")
_LOCATION = "location as s3://BUCKET/KEY"

# The options that describe a stored object, keyed by the client argument.
_OBJECT_OPTIONS = {
    "server_side_encryption": ("--sse", "KIND", "encryption: AES256, aws:kms or aws:kms:dsse"),
    "sse_kms_key_id": (
        "--kms-key-id",
        "KEY",
        "id, ARN or alias of the KMS key, with --sse aws:kms or aws:kms:dsse",
    ),
    "storage_class": ("--storage-class", "CLASS", "storage class, such as STANDARD_IA"),
    "cache_control": ("--cache-control", "TEXT", "Cache-Control header with which S3 responds"),
    "content_encoding": ("--content-encoding", "NAME", "content coding of the data, such as gzip"),
}
# The command-line words for the client arguments, for messages.
SHELL_WORDS = {
    **{name: option for name, (option, _, _) in _OBJECT_OPTIONS.items()},
    "source": "FILE",
    "target": "FILE",
    "location": "LOCATION",
    "prefix": "PREFIX",
    **{
        name: option_name(name)
        for name in ("metadata", "tagging", "if_none_match", "expires", "start_after", "resume")
    },
    "max_objects": "--max-objects",
}
# The client arguments that `upload` and `presign --put` have in common.
OBJECT_ARGUMENTS = ("content_type", "metadata", "if_none_match", *_OBJECT_OPTIONS)


def add_upload(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `upload`."""
    parser.add_argument("source", metavar="FILE", help="file to upload; - for stdin")
    parser.add_argument("location", metavar="LOCATION", help=_LOCATION)
    _add_object_options(parser)
    parser.add_argument(
        "--part-size",
        metavar="BYTES",
        type=int,
        help="size of a part, which a stream of more than 78 GiB needs (default: 8 MiB)",
    )
    _add_common(parser, "maximum time of the upload (default: none)")


def add_download(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `download`."""
    parser.add_argument("location", metavar="LOCATION", help=_LOCATION)
    parser.add_argument(
        "output", metavar="FILE", type=values.output, help="file for the object; - for stdout"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep an incomplete download, and continue it when the command is repeated",
    )
    _add_common(parser, "maximum time of the download (default: none)")


def add_ls(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `ls`."""
    parser.add_argument(
        "prefix", metavar="PREFIX", help="beginning of the locations, as s3://BUCKET/PREFIX"
    )
    parser.add_argument("--start-after", metavar="KEY", help="key after which the listing starts")
    parser.add_argument(
        "--max-objects", metavar="NUMBER", type=int, help="maximum number of objects (default: all)"
    )
    _add_common(
        parser,
        "maximum time for each 1,000 objects (default: none)",
        "print each object as JSON on one line, and an error as JSON",
    )


def add_presign(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command `presign`."""
    parser.description = (
        "Print a URL with which anyone can read an object, or write it with --put, until the URL "
        "expires.  The URL is a secret."
    )
    parser.add_argument("location", metavar="LOCATION", help=_LOCATION)
    parser.add_argument(
        "--put", action="store_true", help="print a URL with which an object can be written"
    )
    parser.add_argument(
        "--expires",
        metavar="SECONDS",
        type=int,
        default=3600,
        help="how long the URL is valid, at most 604800, and no longer than the credentials "
        "(default: 3600)",
    )
    _add_object_options(parser.add_argument_group("options with --put"))
    _add_common(parser, "maximum time for getting credentials (default: none)")


def _add_object_options(parser: argparse._ActionsContainer) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the options that describe the object to be written."""
    parser.add_argument(
        "--content-type", metavar="TYPE", help="media type of the object, such as text/csv"
    )
    parser.add_argument(
        "--metadata",
        metavar="NAME=VALUE",
        type=values.pair,
        action="append",
        help="metadata of the object; repeat for more",
    )
    parser.add_argument(
        "--if-none-match",
        action="store_const",
        const="*",
        help="write the object only if there is none at the location",
    )
    for name, (option, metavar, summary) in _OBJECT_OPTIONS.items():
        parser.add_argument(option, dest=name, metavar=metavar, help=summary)


def _add_common(
    parser: argparse.ArgumentParser,
    time_limit: str,
    as_json: str = "print the result or the error as JSON",
) -> None:
    add_timeout(parser, time_limit, default=None)
    parser.add_argument("--json", action="store_true", help=as_json)
    add_client(parser, _CLIENT)
