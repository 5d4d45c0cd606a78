"""Messages of the operations that write, list, delete and presign objects, and about their options."""

import pickle
from datetime import timedelta

from sagemaker_runtime_client import Response
from sagemaker_runtime_client._s3.objects import S3Location
from sagemaker_runtime_client._s3.part_plan import plan_parts
from tests.runtime_client.scripted_io import ScriptedIO, core, run

COVERED = ()  # `of_s3` covers the folder
LISTING = (
    "<ListBucketResult><IsTruncated>true</IsTruncated>"
    "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>"
)


def put(**options):
    """Write an object with these options."""
    return run(core(ScriptedIO()).put_object("s3://bucket/key", b"body", **options))


def listing(prefix="s3://bucket/in/", answers=(), **arguments):
    """List objects."""
    return list(core(ScriptedIO(answers)).list_objects(prefix, **arguments).blocking())


def presigned(**arguments):
    """Return a presigned URL."""
    return run(core(ScriptedIO()).presign_get("s3://bucket/key", **arguments))


def arn(rest):
    """Parse the ARN of an access point or of a bucket."""
    return S3Location.parse(f"arn:aws:{rest}")


ACCOUNT = "eu-west-1:123456789012"
MESSAGES = [
    # Other kinds of storage.
    (
        lambda: S3Location.parse("s3://logs--euw1-az1--x-s3/key"),
        (
            "location is a directory bucket of S3 Express One Zone, which this client does not support: "
            "use a general purpose bucket"
        ),
    ),
    (
        lambda: arn(f"s3-outposts:{ACCOUNT}:outpost/op-1/accesspoint/mine"),
        (
            "location is S3 on Outposts, which this client does not support: copy the object to a bucket "
            "in an AWS region"
        ),
    ),
    (
        lambda: arn(f"s3-object-lambda:{ACCOUNT}:accesspoint/mine"),
        (
            "location is an S3 Object Lambda access point, which this client does not support: use the "
            "bucket that it reads from"
        ),
    ),
    (
        lambda: arn(f"s3tables:{ACCOUNT}:bucket/mine"),
        (
            "location is a table bucket of S3 Tables, which this client does not support: use a general "
            "purpose bucket"
        ),
    ),
    (
        lambda: arn("s3::123456789012:accesspoint/mine.mrap"),
        (
            "location is a multi-region access point, which this client does not support: use one of its "
            "buckets"
        ),
    ),
    (
        lambda: arn(f"s3:{ACCOUNT}:accesspoint/mine"),
        (
            "location is the ARN of an access point: use its alias, which ends with -s3alias, as the "
            "name of the bucket"
        ),
    ),
    (
        lambda: arn("s3:::bucket/key"),
        "location is the ARN of a bucket or an object: use s3://bucket/key instead",
    ),
    # Options.
    (
        lambda: put(acl="private", StorageClass="STANDARD"),
        "put_object does not accept StorageClass, acl; use storage_class instead of StorageClass",
    ),
    (lambda: put(storage_class=""), "storage_class must not be empty"),
    (lambda: put(bucket_key_enabled=1), "bucket_key_enabled must be True or False, not int"),
    (
        lambda: put(sse_kms_key_id="k"),
        'sse_kms_key_id requires server_side_encryption="aws:kms" or "aws:kms:dsse"',
    ),
    (
        lambda: put(tagging="a=b"),
        "tagging must be a mapping of names to values, which are strings",
    ),
    (
        lambda: put(tagging={"": "a"}),
        (
            "tagging must have at most 10 tags, with names of 1 to 128 and values of at most 256 "
            "characters"
        ),
    ),
    (lambda: put(tagging={"a": "\ud800"}), "tagging must be text that UTF-8 can encode"),
    (
        lambda: put(server_side_encryption="aws:kms", encryption_context={"a": "b" * 7000}),
        (
            "encryption_context is too long: as JSON in base64 it has 9,344 characters, and the limit is "
            "8,192"
        ),
    ),
    # Parts.
    (
        lambda: plan_parts(1, 1000),
        "part_size must be a whole number of bytes, from 5,242,880 to 5,368,709,120",
    ),
    (
        lambda: plan_parts(6 << 40),
        "source has 6,597,069,766,656 bytes; an object in S3 has at most 5,497,558,138,880 (5 TiB)",
    ),
    # Operations.
    (lambda: listing(page_size=0), "page_size must be a whole number of objects, from 1 to 1,000"),
    (
        lambda: listing(start_after="s3://other/key"),
        "start_after must be a location in the bucket that is listed",
    ),
    (lambda: listing(start_after=5), "start_after must be a str, not int"),
    (
        lambda: listing(answers=[Response(200, (), b"<html/>")]),
        "S3 responded with status 200, but without a valid ListBucketResult",
    ),
    (
        lambda: listing(answers=[Response(200, (), LISTING.encode())] * 2),
        "S3 responded with status 200, but without a valid marker of the next page",
    ),
    (
        lambda: run(core(ScriptedIO()).delete_objects("s3://bucket/key")),
        "locations must be a list of locations, not str",
    ),
    (
        lambda: run(core(ScriptedIO()).abort_uploads("s3://bucket", older_than=timedelta(-1))),
        "older_than must be a timedelta of 0 or more",
    ),
    (
        lambda: presigned(expires=0),
        "expires must be a whole number of seconds, from 1 to 604,800",
    ),
    (
        lambda: pickle.dumps(presigned()),
        "a presigned URL cannot be pickled or copied: pass on its attribute url",
    ),
]
