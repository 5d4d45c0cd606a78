"""Operations that list, delete and presign objects, and that abort uploads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Unpack

from .. import _core
from .._errors import ServiceError
from .._inference.members import invalid_argument
from .._io.generation import importing
from .._value import type_name
from .base import BaseOperations, parse_location
from .objects import option_headers


class BucketOperations(BaseOperations):
    """Operations on the objects in a bucket.

    The client's `allowed_locations` do not restrict them.
    """

    def list_objects(
        self,
        prefix: str,
        *,
        start_after: str | None = None,
        page_size: int = 1000,
        max_objects: int | None = None,
        timeout: float | None = None,
    ) -> _core.ObjectListing:
        """Return an iterator over descriptions of the objects below a prefix, in order of their keys.

        Each page is requested when the iterator reaches it, so nothing is sent before the first
        object is needed.  If the iterator is used again after ``break`` or after an error, it
        continues where it stopped.  The credentials need ``s3:ListBucket``.

        Args:
            prefix: The location with which the objects' locations begin: ``s3://bucket/inputs/``,
                or ``s3://bucket`` for all objects.
            start_after: A key, or a location such as ``S3Object.location``, after which the listing
                starts.  The object need not exist.
            page_size: The maximum number of objects in a page, from 1 to 1,000.
            max_objects: The maximum number of objects in total; None for no limit.
            timeout: The time limit of the request for each page, in seconds; None uses the client's
                default.

        Returns:
            An iterator or, from an async client, an async iterator.  Each `S3Object` has its
            location, size, entity tag and date.  S3 does not list content types and metadata.

        Raises:
            ParamValidationError: An argument is invalid; nothing was sent.
            ObjectNotFoundError: The bucket does not exist.
            AccessDeniedError: The credentials do not allow ``s3:ListBucket``.
            ServiceError: S3 rejected the request for another reason; see `code`.
            TransportError: A page was not received completely before the timeout.  To request it
                again, continue the iteration.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
        """
        self._start(timeout)
        with importing():
            from .object_listing import ObjectListing
        return ObjectListing(
            self._system, self._session, prefix, start_after, page_size, max_objects, timeout
        )

    async def delete_object(self, location: str, *, timeout: float | None = None) -> None:
        """Delete an object.  It is not an error if the object does not exist.

        If the bucket has versioning, S3 keeps the object's versions and adds a delete marker.  The
        credentials need ``s3:DeleteObject``.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Raises:
            ParamValidationError: The location is invalid; nothing was sent.
            ObjectNotFoundError: The bucket does not exist.
            AccessDeniedError: The credentials do not allow ``s3:DeleteObject``.
            ServiceError: S3 rejected the request for another reason; see `code`.
            TransportError: No attempt received a complete response before the timeout.  Try again.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
        """
        start = self._start(timeout)
        target = parse_location(location)
        session = await self._session()
        with importing():
            from .._s3.buckets import delete_object
        await delete_object(session.s3, target, session.deadline(start, timeout))

    async def delete_objects(
        self, locations: Iterable[str], *, timeout: float | None = None
    ) -> dict[str, ServiceError]:
        """Delete any number of objects, up to 1,000 in a request, and return the failures.

        Objects that do not exist count as deleted.  The credentials need ``s3:DeleteObject``.

        Args:
            locations: The locations as ``s3://bucket/key``, in one or several buckets.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The error of each object that was not deleted, such as an `AccessDeniedError`, keyed by
            location; empty if all were deleted.

        Raises:
            ParamValidationError: A location is invalid; nothing was sent.
            ServiceError: S3 rejected a whole request; see `code`.  Some objects may have been
                deleted.
            TransportError: No attempt received a complete response before the timeout.  Some objects may
                have been deleted.  Try again with the same locations.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
        """
        start = self._start(timeout)
        if isinstance(locations, str | bytes):
            raise invalid_argument(
                "locations", f"must be a list of locations, not {type_name(locations)}"
            )
        targets = [parse_location(location, "locations") for location in locations]
        session = await self._session()
        with importing():
            from .._s3.buckets import delete_objects
        return await delete_objects(session.s3, targets, session.deadline(start, timeout))

    async def presign_get(
        self,
        location: str,
        *,
        expires: int = 3600,
        response_content_type: str | None = None,
        response_content_disposition: str | None = None,
        timeout: float | None = None,
    ) -> _core.PresignedURL:
        """Return a URL with which anyone can read an object without credentials.

        The URL is a secret: anyone who has it can read the object.  This method sends nothing to
        S3, so it does not check whether the object exists, or whether the credentials allow
        ``s3:GetObject``.  The client must be configured for the bucket's region, unless an earlier
        request has found this region.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            expires: How long the URL is valid, in seconds, from 1 to 604,800 (a week).  It expires
                earlier if the credentials do; see `PresignedURL.expires_at`.
            response_content_type: The media type with which S3 responds.
            response_content_disposition: The ``content-disposition`` with which S3 responds, such
                as ``attachment; filename=result.csv``.
            timeout: The time limit for getting credentials, in seconds; None uses the client's
                default.

        Returns:
            The URL, its expiry time, and the headers that a request must contain.  There are no
            such headers unless the client has an `expected_bucket_owner`.

        Raises:
            ParamValidationError: An argument is invalid.
            ConfigError: The region is missing, or a setting is malformed.
            CredentialsError: There are no valid credentials, or their provider failed.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
        """
        start = self._start(timeout)
        target = parse_location(location)
        with importing():
            from .._s3.presign import check_expires, get_request, presign
        seconds = check_expires(expires)
        request = get_request(response_content_type, response_content_disposition)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        return await presign(session.s3, target, request, seconds, deadline)

    async def presign_put(
        self,
        location: str,
        *,
        expires: int = 3600,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        if_none_match: str | None = None,
        timeout: float | None = None,
        **options: Unpack[_core.ObjectOptions],
    ) -> _core.PresignedURL:
        """Return a URL with which anyone can write an object without credentials.

        The URL is a secret: anyone who has it can write the object, with any content and size.
        This method sends nothing to S3, so it does not check whether the credentials allow
        ``s3:PutObject``.  The client must be configured for the bucket's region, unless an earlier
        request has found this region.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            expires: How long the URL is valid, in seconds, from 1 to 604,800 (a week).  It expires
                earlier if the credentials do; see `PresignedURL.expires_at`.
            content_type: The media type of the object, in printable ASCII.
            metadata: Names and values in printable ASCII, which S3 stores with the object.
            if_none_match: ``"*"`` allows the upload only if there is no object at the location.
            timeout: The time limit for getting credentials, in seconds; None uses the client's
                default.
            options: The options of the stored object, which `put_object` describes.

        Returns:
            The URL, its expiry time, and the headers for these arguments.  The headers are signed,
            so the upload must contain them unchanged.

        Raises:
            ParamValidationError: An argument is invalid.
            ConfigError: The region is missing, or a setting is malformed.
            CredentialsError: There are no valid credentials, or their provider failed.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/PresignedUrlUploadObject.html
        """
        start = self._start(timeout)
        target = parse_location(location)
        stored = option_headers("presign_put", options)
        with importing():
            from .._s3.presign import check_expires, presign, put_request
        request = put_request(content_type, metadata or {}, if_none_match, stored)
        seconds = check_expires(expires)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        return await presign(session.s3, target, request, seconds, deadline)

    async def abort_uploads(
        self, prefix: str, *, older_than: timedelta, timeout: float | None = None
    ) -> list[_core.MultipartUpload]:
        """Abort old uploads in parts, so that S3 no longer stores their parts or charges for them.

        If a program is killed during an upload, the parts that it has written remain in S3.  The
        credentials need ``s3:ListBucketMultipartUploads`` and ``s3:AbortMultipartUpload``.

        Args:
            prefix: The location with which the objects' locations begin: ``s3://bucket/inputs/``,
                or ``s3://bucket`` for all uploads.
            older_than: The minimum age of the uploads.  It must exceed the duration of your longest
                upload, because an upload in progress fails if it is aborted.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The uploads that were aborted.

        Raises:
            ParamValidationError: An argument is invalid; nothing was sent.
            ServiceError: S3 rejected a request; see `code`.  Some uploads may have been aborted.
            TransportError: No attempt received a complete response before the timeout.  Call the method
                again.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
        """
        start = self._start(timeout)
        with importing():
            from .._s3.buckets import abort_uploads
            from .._s3.objects import S3Location
        target = S3Location.parse_prefix(prefix)
        _check_age(older_than)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        return await abort_uploads(session.s3, target, older_than, deadline)


def _check_age(older_than: object) -> None:
    if not isinstance(older_than, timedelta) or older_than < timedelta():
        raise invalid_argument("older_than", "must be a timedelta of 0 or more")
