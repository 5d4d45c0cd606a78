"""The S3 operations that the emulator supports.

Source:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime

from attrs import evolve, frozen

from ..._io.message import parse_http_date
from .._faults import Faults
from .._reply import RejectedRequestError, Reply, rejection
from .._settings import ACCOUNT, Settings
from .._target import Target
from .deletion import delete_objects
from .listing import list_objects
from .objects import ObjectStore, StoredObject
from .upload import uploaded_object

_single_range = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII).fullmatch
_LONGEST_KEY = 1024  # in bytes of the key's UTF-8 encoding
_is_account_id = re.compile(r"[0-9]{12}", re.ASCII).fullmatch
_is_bucket_name = re.compile(r"[a-zA-Z0-9.\-_]{1,255}", re.ASCII).fullmatch


@frozen
class ObjectRoutes:
    """Handles requests to S3.

    Attributes:
        settings: The settings, which determine whether a bucket must be created before it is used,
            and the region of the buckets.
        store: The S3 objects.
        faults: The faults, which determine whether the caller may list buckets, and which buckets
            are in other regions.
        now: Returns the time of the server's clock.
    """

    settings: Settings
    store: ObjectStore
    faults: Faults
    now: Callable[[], datetime]

    def handle(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Execute a request whose signature has been verified, and return the response.

        Raises:
            RejectedRequestError: S3 would reject the request, or the emulator does not support it.
        """
        if target.operation not in _OPERATIONS:
            raise rejection(501, "NotImplemented", "The emulator does not support this operation.")
        if not _is_bucket_name(target.bucket):
            raise rejection(400, "InvalidBucketName", "The specified bucket is not valid.")
        if len(target.key.encode()) > _LONGEST_KEY:
            raise rejection(400, "KeyTooLongError", "Your key is too long")
        _check_owner(headers)
        if target.operation != "CreateBucket":
            self._check_bucket(target)
        return _OPERATIONS[target.operation](self, target, headers, body)

    def _check_bucket(self, target: Target) -> None:
        """If the bucket is missing, create it, or reject the request if `strict_buckets` is set."""
        if not self.settings.strict_buckets:
            self.store.create_bucket(target.bucket)
        elif not self.store.has_bucket(target.bucket):
            raise rejection(
                404,
                "NoSuchBucket",
                "The specified bucket does not exist",
                BucketName=target.bucket,
            )

    def create_bucket(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Create a bucket.  As in us-east-1, there is no error if the bucket exists already."""
        self.store.create_bucket(target.bucket)
        return Reply(200, {"location": f"/{target.bucket}"})

    def head_bucket(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return a response with the region of a bucket."""
        region = self.faults.bucket_regions.get(target.bucket, self.settings.region)
        return Reply(200, {"x-amz-bucket-region": region})

    def list_objects(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return one page of a bucket's objects, or reject the request if `no_list_bucket` is set."""
        if self.faults.no_list_bucket:
            raise _access_denied()
        return list_objects(self.store.keys(target.bucket), target)

    def put_object(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Store an object.

        The request is rejected if a checksum does not match or a precondition fails.
        """
        if "x-amz-copy-source" in headers:
            raise rejection(501, "NotImplemented", "The emulator does not copy objects.")
        existing = self.store.read(target.bucket, target.key)
        if "if-match" in headers and existing is None:
            raise _no_such_key(target)
        if existing is not None:
            _check_preconditions(headers, existing)
        tags = headers.get("if-none-match", "*")
        if tags != "*":
            raise rejection(501, "NotImplemented", "If-None-Match must be * for PutObject.")
        if "if-none-match" in headers and existing is not None:
            raise _precondition_failed("If-None-Match")
        stored = evolve(uploaded_object(headers, body), last_modified=self.now())
        self.store.write(target.bucket, target.key, stored)
        return Reply(200, {"etag": stored.etag, **_checksums(stored)})

    def get_object(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return an object or the requested range of it.  HeadObject uses this method as well.

        If the preconditions show that the caller has the object already, the status is 304.
        """
        stored = self.store.read(target.bucket, target.key)
        if stored is None:
            raise _access_denied() if self.faults.no_list_bucket else _no_such_key(target)
        _check_preconditions(headers, stored)
        object_headers = _object_headers(stored)
        if _is_not_modified(headers, stored):
            return Reply(304, {name: object_headers[name] for name in ("etag", "last-modified")})
        byte_range = _parse_range(headers.get("range", ""), len(stored.body))
        if byte_range is None:
            if headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
                object_headers.update(_checksums(stored))
            return Reply(200, object_headers, stored.body)
        first, last = byte_range
        object_headers["content-range"] = f"bytes {first}-{last}/{len(stored.body)}"
        return Reply(206, object_headers, stored.body[first : last + 1])

    def delete_object(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Remove an object unless a precondition fails.

        There is no error if the object is missing.
        """
        if (stored := self.store.read(target.bucket, target.key)) is not None:
            _check_preconditions(headers, stored)
        self.store.remove(target.bucket, target.key)
        return Reply(204)

    def delete_objects(self, target: Target, headers: Mapping[str, str], body: bytes) -> Reply:
        """Remove several objects, and return a response that lists them."""
        return delete_objects(self.store, target.bucket, headers, body)


_OPERATIONS: dict[str, Callable[[ObjectRoutes, Target, Mapping[str, str], bytes], Reply]] = {
    "CreateBucket": ObjectRoutes.create_bucket,
    "HeadBucket": ObjectRoutes.head_bucket,
    "ListObjects": ObjectRoutes.list_objects,
    "ListObjectsV2": ObjectRoutes.list_objects,
    "PutObject": ObjectRoutes.put_object,
    "GetObject": ObjectRoutes.get_object,
    "HeadObject": ObjectRoutes.get_object,
    "DeleteObject": ObjectRoutes.delete_object,
    "DeleteObjects": ObjectRoutes.delete_objects,
}


def _check_owner(headers: Mapping[str, str]) -> None:
    """Reject the request if it expects that the bucket belongs to another account."""
    owner = headers.get("x-amz-expected-bucket-owner", ACCOUNT)
    if not _is_account_id(owner):
        raise rejection(
            400,
            "InvalidBucketOwnerAWSAccountID",
            "The value of the expected bucket owner parameter must be an AWS account ID",
        )
    if owner != ACCOUNT:
        raise _access_denied()


def _access_denied() -> RejectedRequestError:
    """Return S3's error for callers that lack s3:ListBucket, and for a bucket of another account."""
    return rejection(403, "AccessDenied", "Access Denied")


def _no_such_key(target: Target) -> RejectedRequestError:
    """Return S3's error for a missing key."""
    return rejection(404, "NoSuchKey", "The specified key does not exist.", Key=target.key)


def _object_headers(stored: StoredObject) -> dict[str, str]:
    """Return the response headers that describe an object."""
    return {
        "content-type": stored.content_type,
        "etag": stored.etag,
        "last-modified": format_datetime(stored.last_modified, usegmt=True),
        "accept-ranges": "bytes",
        **stored.headers,
        **{f"x-amz-meta-{name}": value for name, value in stored.metadata.items()},
    }


def _precondition_failed(condition: str) -> RejectedRequestError:
    return rejection(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        Condition=condition,
    )


def _check_preconditions(headers: Mapping[str, str], stored: StoredObject) -> None:
    """Reject the request if its If-Match or If-Unmodified-Since does not hold (RFC 9110, 13.2.2)."""
    if (tags := headers.get("if-match")) is not None:
        if not _etag_matches(tags, stored):
            raise _precondition_failed("If-Match")
        return
    since = parse_http_date(headers.get("if-unmodified-since"))
    if since is not None and stored.last_modified.replace(microsecond=0) > since:
        raise _precondition_failed("If-Unmodified-Since")


def _is_not_modified(headers: Mapping[str, str], stored: StoredObject) -> bool:
    """Return whether the caller already has the current object (RFC 9110, section 13.2.2).

    If-None-Match decides or, if it is missing, If-Modified-Since.
    """
    if (tags := headers.get("if-none-match")) is not None:
        # If-None-Match uses weak comparison, which ignores the prefix W/ of weak tags.
        return _etag_matches(tags.replace("W/", ""), stored)
    since = parse_http_date(headers.get("if-modified-since"))
    return since is not None and stored.last_modified.replace(microsecond=0) <= since


def _etag_matches(tags: str, stored: StoredObject) -> bool:
    """Return whether *tags* contains * or the stored object's entity tag, with or without quotes."""
    tags_without_quotes = {tag.strip().strip('"') for tag in tags.split(",")}
    return not {"*", stored.etag.strip('"')}.isdisjoint(tags_without_quotes)


def _checksums(stored: StoredObject) -> dict[str, str]:
    """Return the response headers for an object's checksum, or no headers if none is stored."""
    return {**stored.checksums, "x-amz-checksum-type": "FULL_OBJECT"} if stored.checksums else {}


def _parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the positions of the first and the last byte to send; None for the entire object.

    A Range header that does not specify exactly one valid byte range is ignored (RFC 9110, section
    14.2).

    Raises:
        RejectedRequestError: The object has no byte in the range.
    """
    match = _single_range(header)
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        first, last = int(match[1]), min(int(match[2] or size), size - 1)
        if match[2] and int(match[2]) < first:
            return None
    else:
        first, last = max(size - int(match[2]), 0), size - 1
    if first >= size:
        raise rejection(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
            {"content-range": f"bytes */{size}"},
            RangeRequested=header,
            ActualObjectSize=str(size),
        )
    return first, last
