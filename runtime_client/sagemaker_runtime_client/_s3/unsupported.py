"""Kinds of storage with bucket-like names that need another protocol, and their alternatives.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html, and botocore 1.44,
endpoint-rule-set-1.json of S3.
"""

import re

_ARN = r"^arn:[\w-]+:"
# Patterns that match the beginning of an ARN or the end of a bucket's name, and their messages.
_KINDS = {
    rf"{_ARN}s3-outposts:|--op-s3$": (
        "is S3 on Outposts, which this client does not support: copy the object to a bucket in an "
        "AWS region"
    ),
    rf"{_ARN}s3-object-lambda:|--ol-s3$": (
        "is an S3 Object Lambda access point, which this client does not support: use the bucket "
        "that it reads from"
    ),
    rf"{_ARN}s3express:|--xa?-s3$": (
        "is a directory bucket of S3 Express One Zone, which this client does not support: use a "
        "general purpose bucket"
    ),
    rf"{_ARN}s3tables:|--table-s3$": (
        "is a table bucket of S3 Tables, which this client does not support: use a general purpose "
        "bucket"
    ),
    rf"{_ARN}s3::[^:]+:accesspoint": (
        "is a multi-region access point, which this client does not support: use one of its buckets"
    ),
    rf"{_ARN}s3:[^:]*:[^:]*:accesspoint": (
        "is the ARN of an access point: use its alias, which ends with -s3alias, as the name of "
        "the bucket"
    ),
    rf"{_ARN}s3:::": ("is the ARN of a bucket or an object: use s3://bucket/key instead"),
}


def unsupported(name: str) -> str | None:
    """Return why *name*, a bucket or an ARN, is not supported; None if it may be supported."""
    return next((text for pattern, text in _KINDS.items() if re.search(pattern, name)), None)
