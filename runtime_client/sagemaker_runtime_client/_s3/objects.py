"""Locations and descriptions of objects in S3, and errors that only requests to S3 raise.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TypedDict

from .._aws.endpoint import is_bucket_name
from .._errors import ParamValidationError, ServiceError
from .._io.generation import importing
from .._io.message import Response, parse_http_date, parse_length
from .._value import Value, shown

METADATA_PREFIX = "x-amz-meta-"

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_MAX_KEY_LENGTH = 1024
# These patterns are compiled on demand, because a location in the usual form does not need them.
_SURROGATE = r"[\ud800-\udfff]"  # lone surrogates, which UTF-8 cannot encode
_BARE_PERCENT = r"%(?![0-9A-Fa-f]{2})"
# _HTTPS_ADDRESS matches https://BUCKET.s3.REGION.SUFFIX/KEY and
# https://s3.REGION.SUFFIX/BUCKET/KEY, the forms of the URLs in the AWS console.
_HTTPS_ADDRESS = (
    r"https://(?:(?P<virtual>[a-z0-9.\-]+)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-][a-z0-9-]+)?"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
    r"/(?P<path>[^?#]+)"
)


class LocationNotAllowedError(ParamValidationError):
    """A location is outside the client's `allowed_locations`, so nothing was requested from it.

    Find out who wrote the handle.  If the location is right, add its bucket or prefix to
    `allowed_locations`.  If ``infer`` raises this error, the job is queued, and `invocation` is its
    handle.
    """


class PreconditionFailedError(ServiceError):
    """The condition of a conditional upload does not hold, so nothing was written.

    With ``if_none_match="*"``, the object exists already.  With ``if_match``, the object has a
    different entity tag: read the object, and decide what to write.  If `code` is
    ``ConditionalRequestConflict``, each attempt conflicted with a concurrent request, and the same
    call may succeed later.
    """


class S3Location(Value):
    """The location of an object in S3.

    Attributes:
        bucket: The bucket's name.
        key: The object's key, not percent-encoded.
    """

    __slots__ = __match_args__ = ("bucket", "key")

    bucket: str
    key: str

    def __init__(self, bucket: str, key: str) -> None:
        self.bucket = bucket
        self.key = key

    @classmethod
    def parse(cls, text: str, *, argument: str = "location") -> "S3Location":
        """Return the location that *text* contains.

        Args:
            text: A string such as ``s3://bucket/key``, or the https URL of an object in S3.
            argument: The name of the argument, for error messages.

        Raises:
            ParamValidationError: *text* is not the location of an object in S3.  URLs of other
                hosts are rejected, so that a location from an untrusted source cannot make the
                client send a signed request to another host.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParamValidationError(
                f"{argument} must be a str, not {type(text).__name__}", argument=argument
            )
        name = text.removeprefix("s3://")
        if name.startswith("arn:"):
            _check_supported(name, argument)
        if text.startswith("s3://"):
            bucket, _, key = name.partition("/")
        else:
            bucket, key = _parse_https_address(text, argument)
        if bucket.endswith("-s3") and "--" in bucket:
            _check_supported(bucket, argument)
        is_key = key != "" and (key.isascii() or not re.search(_SURROGATE, key))
        if not (is_bucket_name(bucket) and is_key):
            raise ParamValidationError(
                f"{argument} must name a bucket and a key, such as s3://bucket/key",
                argument=argument,
            )
        if len(key) > _MAX_KEY_LENGTH or len(key.encode()) > _MAX_KEY_LENGTH:
            raise ParamValidationError(
                f"{argument} has a key of more than {_MAX_KEY_LENGTH:,} bytes, which S3 does not allow",
                argument=argument,
            )
        return cls(bucket, key)

    @classmethod
    def parse_prefix(cls, text: str, *, argument: str = "prefix") -> "S3Location":
        """Return the location that *text* contains; it may lack a key.

        Args:
            text: A string such as ``s3://bucket/inputs/`` or ``s3://bucket``.
            argument: The name of the argument, for error messages.

        Raises:
            ParamValidationError: *text* is not a location of this form.
        """
        bucket, _, key = str(text).removeprefix("s3://").partition("/")
        if str(text).startswith("s3://") and not key:
            return cls.parse(f"s3://{bucket}/-", argument=argument).replace(key="")
        return cls.parse(text, argument=argument)

    def __str__(self) -> str:
        """Return the location as ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def printable(location: S3Location) -> str:
    """Return *location* as text for a message.

    Characters that are not printable are escaped, so that a key with a line break cannot forge a
    second message.
    """
    return shown(str(location))


def _check_supported(name: str, argument: str) -> None:
    """Raise ParamValidationError if *name*, an ARN or a bucket, is of an unsupported kind."""
    with importing():
        from .unsupported import unsupported

    if (fault := unsupported(name)) is not None:
        raise ParamValidationError(f"{argument} {fault}", argument=argument)


def _parse_https_address(text: str, argument: str) -> tuple[str, str]:
    """Return the bucket and the key that *text*, the https URL of an object in S3, contains."""
    match = re.fullmatch(_HTTPS_ADDRESS, text, re.DOTALL)
    if match is None:
        raise ParamValidationError(
            f"{argument} must be s3://bucket/key or the https URL of an object in S3, without a query",
            argument=argument,
        )
    path = _decode_path(match["path"], argument)
    if match["virtual"] is not None:
        return match["virtual"], path
    bucket, _, key = path.partition("/")
    return bucket, key


def _decode_path(path: str, argument: str) -> str:
    """Return the decoded path of an https URL.  A plus sign in the path means a space."""
    from urllib.parse import unquote_plus

    with suppress(ValueError):
        if not re.search(_BARE_PERCENT, path):
            return unquote_plus(path, errors="strict")
    raise ParamValidationError(
        f"{argument} must be percent-encoded UTF-8, because it is an https URL", argument=argument
    )


class S3Object(Value):
    """An object in S3, or the description of an object without its body.

    Attributes:
        location: The location of the object, as ``s3://bucket/key``.
        body: The stored bytes; empty if the operation does not read them.  ``repr`` omits them.
        size: The size of the object in bytes.
        content_type: The media type; None if S3 does not return one.
        metadata: The ``x-amz-meta-`` headers: a mapping from names without this prefix to values.
        etag: The entity tag of the object, in quotes; None if S3 does not return one.
        last_modified: The time at which the object was written, in whole seconds; None if S3 does
            not return it.
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
        """Return a hash of some of the fields, without the metadata, which cannot be hashed."""
        return hash((self.location, self.body, self.etag, self.last_modified))


class ObjectFields(TypedDict):
    """The properties of an object in response headers, as keyword arguments of `S3Object`."""

    size: int
    content_type: str | None
    metadata: Mapping[str, str]
    etag: str | None
    last_modified: datetime | None


def object_fields(response: Response) -> ObjectFields:
    """Return the properties of an object that the headers of a response contain."""
    headers = dict(reversed(response.headers))  # if a header is repeated, the first value is used
    size = parse_length(headers.get("content-length"))
    return {
        "size": len(response.body) if size is None else size,
        "content_type": headers.get("content-type") or None,
        "metadata": {
            name.removeprefix(METADATA_PREFIX): value
            for name, value in response.headers
            if name.startswith(METADATA_PREFIX)
        },
        "etag": headers.get("etag") or None,
        "last_modified": parse_http_date(headers.get("last-modified")),
    }
