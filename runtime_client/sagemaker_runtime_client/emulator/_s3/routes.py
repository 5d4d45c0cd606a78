"""The S3 operations that the emulator supports.

Source:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from attrs import evolve, frozen

from .._faults import Faults
from .._reply import RejectedRequestError, Reply, rejection
from .._s3_operations import UNKNOWN
from .._settings import ACCOUNT, Settings
from .._target import Target
from .conditions import check_conditions, check_write_conditions, no_such_key
from .deletion import delete_objects
from .listing import list_objects
from .objects import ObjectStore
from .options import describe_upload, encryption_headers, is_kms
from .reading import checksum_headers, read_object
from .receiving import receive_content
from .request import ObjectRequest
from .upload_routes import UploadRoutes

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

    async def handle(self, request: ObjectRequest) -> Reply:
        """Execute a request whose signature has been verified, and return the response.

        Everything that can be checked without the body is checked before the body is read.

        Raises:
            RejectedRequestError: S3 would reject the request, or the emulator does not support it.
        """
        target = request.target
        if target.operation == UNKNOWN:
            raise rejection(501, "NotImplemented", "The emulator does not support this operation.")
        if not _is_bucket_name(target.bucket):
            raise rejection(400, "InvalidBucketName", "The specified bucket is not valid.")
        if len(target.key.encode()) > _LONGEST_KEY:
            raise rejection(400, "KeyTooLongError", "Your key is too long")
        _check_owner(request.headers)
        if target.operation != "CreateBucket":
            self._check_bucket(target)
        if target.operation == "ListMultipartUploads" and self.faults.no_list_bucket:
            raise _access_denied()
        if target.operation in _UPLOAD_OPERATIONS:
            routes = UploadRoutes(self.settings, self.store, self.now)
            return await _UPLOAD_OPERATIONS[target.operation](routes, request)
        return await _OPERATIONS[target.operation](self, request)

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

    async def create_bucket(self, request: ObjectRequest) -> Reply:
        """Create a bucket.  As in us-east-1, there is no error if the bucket exists already."""
        await request.body.read()
        self.store.create_bucket(request.target.bucket)
        return Reply(200, {"location": f"/{request.target.bucket}"})

    async def head_bucket(self, request: ObjectRequest) -> Reply:
        """Return a response with the region of a bucket."""
        await request.body.read()
        region = self.faults.bucket_regions.get(request.target.bucket, self.settings.region)
        return Reply(200, {"x-amz-bucket-region": region})

    async def list_objects(self, request: ObjectRequest) -> Reply:
        """Return one page of a bucket's objects, or reject the request if `no_list_bucket` is set."""
        if self.faults.no_list_bucket:
            raise _access_denied()
        await request.body.read()
        return list_objects(self.store.keys(request.target.bucket), request.target)

    async def put_object(self, request: ObjectRequest) -> Reply:
        """Store an object.

        The request is rejected if a checksum does not match or a condition does not hold.
        """
        if "x-amz-copy-source" in request.headers:
            raise rejection(501, "NotImplemented", "The emulator does not copy objects.")
        bucket, key = request.target.bucket, request.target.key
        described = describe_upload(request.headers, self.settings)
        self._check_write(request)
        received = await receive_content(request, self.store.new_writer())
        try:
            # The object may have changed while the body arrived.
            self._check_write(request)
        except RejectedRequestError:
            received.content.discard()
            raise
        stored = evolve(
            described,
            body=received.content,
            etag=received.etag(is_md5=not is_kms(described)),
            checksums=received.checksums,
            last_modified=self.now(),
        )
        self.store.write(bucket, key, stored)
        headers = {**encryption_headers(stored), **checksum_headers(stored)}
        return Reply(200, {"etag": stored.etag, **headers})

    def _check_write(self, request: ObjectRequest) -> None:
        """Reject the request if its conditions do not allow it to write the object."""
        bucket, key = request.target.bucket, request.target.key
        check_write_conditions(request.headers, self.store.read(bucket, key), key)

    async def get_object(self, request: ObjectRequest) -> Reply:
        """Return an object or the requested range of it.  HeadObject uses this method as well."""
        target = request.target
        await request.body.read()
        stored = self.store.read(target.bucket, target.key)
        if stored is None:
            raise _access_denied() if self.faults.no_list_bucket else no_such_key(target.key)
        return read_object(target, request.headers, stored, request.faults)

    async def delete_object(self, request: ObjectRequest) -> Reply:
        """Remove an object unless a condition does not hold.

        There is no error if the object is missing.
        """
        target = request.target
        await request.body.read()
        if (stored := self.store.read(target.bucket, target.key)) is not None:
            check_conditions(request.headers, stored)
        self.store.remove(target.bucket, target.key)
        return Reply(204)

    async def delete_objects(self, request: ObjectRequest) -> Reply:
        """Remove several objects, and return a response that lists them."""
        body = await request.body.read()
        headers = {**request.headers, **request.body.trailers}
        return delete_objects(self.store, request.target.bucket, headers, body)


_OPERATIONS: dict[str, Callable[[ObjectRoutes, ObjectRequest], Awaitable[Reply]]] = {
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
_UPLOAD_OPERATIONS: dict[str, Callable[[UploadRoutes, ObjectRequest], Awaitable[Reply]]] = {
    "AbortMultipartUpload": UploadRoutes.abort,
    "CompleteMultipartUpload": UploadRoutes.complete,
    "CreateMultipartUpload": UploadRoutes.create,
    "ListMultipartUploads": UploadRoutes.list_uploads,
    "ListParts": UploadRoutes.list_parts,
    "UploadPart": UploadRoutes.upload_part,
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
