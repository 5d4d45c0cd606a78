"""
Where an object of S3 is, and what it is.  Pure.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, and for names of buckets
botocore 1.44, handlers.py, VALID_BUCKET.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from .._errors import ParamValidationError
from .._value import Value

_is_bucket = re.compile(r"[a-zA-Z0-9.\-_]{1,255}").fullmatch
_has_surrogate = re.compile(r"[\ud800-\udfff]").search  # which UTF-8 cannot encode
_has_bare_percent = re.compile(r"%(?![0-9A-Fa-f]{2})").search
# https://BUCKET.s3.REGION.SUFFIX/KEY and https://s3.REGION.SUFFIX/BUCKET/KEY, as the console shows them.
_https_address = re.compile(
    r"https://(?:(?P<virtual>[a-z0-9.\-]+)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-][a-z0-9-]+)?"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
    r"/(?P<path>[^?#]+)",
    re.DOTALL,
).fullmatch


class S3Location(Value):
    """
    Where an object is.

    Attributes:
        bucket: The bucket's name.
        key: The object's key, not encoded.
    """

    __slots__ = __match_args__ = ("bucket", "key")

    bucket: str
    key: str

    def __init__(self, bucket: str, key: str) -> None:
        self.bucket = bucket
        self.key = key

    @classmethod
    def parse(cls, text: str, *, argument: str = "location") -> "S3Location":
        """
        Return the location that *text* names: ``s3://bucket/key``, or an object's https address.

        Raises:
            ParamValidationError: It does not name an object.  Addresses of hosts other than S3's are
                refused, so that nobody who writes a location receives a signed request.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParamValidationError(
                f"{argument} must be a str, not {type(text).__name__}", argument=argument
            )
        bucket, _, key = text.removeprefix("s3://").partition("/")
        if match := _https_address(text):
            bucket, key = match["virtual"], _decoded(match["path"], argument)
            if bucket is None:
                bucket, _, key = key.partition("/")
        elif not text.startswith("s3://"):
            raise ParamValidationError(
                f"{argument} must be s3://bucket/key or an https address of S3", argument=argument
            )
        if not _is_bucket(bucket) or not key or _has_surrogate(key):
            raise ParamValidationError(
                f"{argument} must name a bucket and a key: s3://bucket/key", argument=argument
            )
        return cls(bucket, key)

    def __str__(self) -> str:
        """Return the location as ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def _decoded(path: str, argument: str) -> str:
    """Return the key that a path of S3 names: a plus is a blank there."""
    from urllib.parse import unquote_plus

    try:
        if _has_bare_percent(path):
            raise ValueError  # noqa: TRY301 (all that is wrong ends in one place)
        return unquote_plus(path, errors="strict")
    except ValueError:
        raise ParamValidationError(
            f"{argument} must be percent-encoded UTF-8 where it is an https address",
            argument=argument,
        ) from None


class S3Object(Value):
    """
    An object, or of a HEAD all but its body.

    Attributes:
        location: Where it is, as ``s3://bucket/key``.
        body: Its bytes, as they are stored.  Kept out of ``repr``.
        size: How many bytes the object has.
        content_type: Its MIME type; None if S3 names none.
        metadata: What was stored with it under ``x-amz-meta-``, by name without that prefix.
        etag: S3's mark of this version, with its quotes.
        last_modified: When it was written, to the second.
    """

    __slots__ = __match_args__ = (
        "location",
        "body",
        "size",
        "content_type",
        "metadata",
        "etag",
        "last_modified",
    )
    _hidden = frozenset({"body"})

    location: str
    body: bytes
    size: int
    content_type: str | None
    metadata: Mapping[str, str]
    etag: str | None
    last_modified: datetime | None

    def __init__(
        self,
        location: str,
        body: bytes,
        size: int,
        content_type: str | None,
        metadata: Mapping[str, str],
        etag: str | None,
        last_modified: datetime | None,
    ) -> None:
        self.location = location
        self.body = body
        self.size = size
        self.content_type = content_type
        self.metadata = metadata
        self.etag = etag
        self.last_modified = last_modified

    def __hash__(self) -> int:
        """Return a hash of what can be hashed: all but the metadata."""
        return hash((self.location, self.body, self.etag, self.last_modified))
