"""Messages about S3 objects: locations, requests and checksums."""

from sagemaker_runtime_client import Response
from sagemaker_runtime_client._s3.objects import S3Location
from tests.messages.picking import pick_line
from tests.runtime_client.scripted_io import NO_SUCH_KEY, ScriptedIO, core, run

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/_s3",)


def get(*answers, **settings):
    """Read an object with a client that has these settings."""
    return run(core(ScriptedIO(answers), **settings).get_object("s3://bucket/key"))


def put(**arguments):
    """Write an object."""
    return run(core(ScriptedIO()).put_object("s3://bucket/key", b"body", **arguments))


MESSAGES = [
    # Locations.
    (lambda: S3Location.parse(None), "location must be a str, not NoneType"),
    (
        lambda: S3Location.parse("s3://bucket", argument="input_prefix"),
        "input_prefix must name a bucket and a key, such as s3://bucket/key",
    ),
    (
        lambda: S3Location.parse("https://example.com/key"),
        "location must be s3://bucket/key or the https URL of an object in S3, without a query",
    ),
    (
        lambda: S3Location.parse("https://bucket.s3.amazonaws.com/100%"),
        "location must be percent-encoded UTF-8, because it is an https URL",
    ),
    (
        lambda: S3Location.parse("s3://bucket/" + "\xe4" * 513),
        "location has a key of more than 1,024 bytes, which S3 does not allow",
    ),
    (
        lambda: get(allowed_locations=["s3://bucket/prefix/"]),
        "location s3://bucket/key is outside allowed_locations",
    ),
    # Arguments.
    (
        lambda: put(metadata=["a"]),
        "metadata must be a mapping of names to values, not list",
    ),
    (
        lambda: put(metadata={"my name": "a"}),
        "metadata names must be HTTP header names, such as my-name, not 'my name'",
    ),
    (
        lambda: put(metadata={"name": "größe"}),
        "metadata must be printable ASCII text without leading or trailing spaces",
    ),
    (
        lambda: put(content_type="text/csv "),
        "content_type must be printable ASCII text without leading or trailing spaces",
    ),
    (
        lambda: put(if_none_match='"tag"'),
        'if_none_match must be "*", the only value that S3 supports for uploads',
    ),
    (lambda: put(if_match=""), "if_match must be the entity tag of an object, not empty"),
    (
        lambda: put(if_match="tag", if_none_match="*"),
        "if_match cannot be combined with if_none_match: pass one or the other",
    ),
    # Responses.
    (lambda: get(NO_SUCH_KEY), "s3://bucket/key: The specified key does not exist."),
    (
        lambda: get(*[Response(204, ())] * 3),
        "s3://bucket/key: S3 responded with status 204, which carries no object",
    ),
    (
        lambda: get(*[Response(200, {"x-amz-checksum-crc32": "AAAAAA=="}, b"body")] * 3),
        (
            "s3://bucket/key: the object was damaged in transit: its CRC32 differs from the one that "
            "S3 sent"
        ),
    ),
    (
        lambda: pick_line(lambda: get(Response(200, (), b"body")), "s3://"),
        "s3://bucket/key: not verified: S3 sent no checksum that can be computed here",
    ),
]
