"""Objects of S3: write, read, describe."""

from collections.abc import Mapping

from .. import _core
from .._inference.arguments import check_max_size
from .._limits import object_limit
from .base import BaseOperations, parse_location


class ObjectOperations(BaseOperations):
    """Operations on one object."""

    async def put_object(
        self,
        location: str,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> "_core.S3Object":
        """
        Write an object in one request: at most 5 GiB.

        Args:
            location: ``s3://bucket/key``, the key not encoded.
            body: Its bytes.
            content_type: Its MIME type; S3 takes ``binary/octet-stream`` without one.
            metadata: Names and values in printable ASCII, stored as ``x-amz-meta-*``.
            timeout: Seconds that the call may take in all, from its start; None takes the client's.

        Returns:
            What S3 says of the object, its etag among it; the body is left out.

        Raises:
            ParamValidationError: The location or the metadata is malformed; nothing was sent.
            ServiceError: S3 refused; `code` says why.
            TransportError: No answer, or not in time.
        """
        start = self._start(timeout)
        where = parse_location(location)
        body = await self._bytes(body, "body")
        session = await self._session()
        return await session.s3.put(
            where,
            body,
            content_type=content_type,
            metadata=metadata,
            deadline=session.deadline(start, timeout),
        )

    async def get_object(
        self, location: str, *, max_size: int | None = None, timeout: float | None = None
    ) -> "_core.S3Object":
        """
        Read an object.

        Args:
            location: ``s3://bucket/key``, the key not encoded.
            max_size: How many bytes it may have; None for any number.  It is held in memory as a
                whole.
            timeout: Seconds that the call may take in all, from its start; None takes the client's.

        Raises:
            ObjectNotFoundError: There is no such key or bucket.
            AccessDeniedError: ``s3:GetObject`` is missing, or ``kms:Decrypt`` for the object's KMS
                key; or there is no such key, and no ``s3:ListBucket`` to be told so.
            ResponseTooLargeError: It is larger than *max_size*.
            ParamValidationError: An argument is malformed; nothing was sent.
            ServiceError: S3 refused; `code` says why.
            TransportError: No answer, or not all of it, or not in time.
        """
        start = self._start(timeout)
        where = parse_location(location)
        check_max_size(max_size)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        return await session.s3.get(where, limit=object_limit(max_size), deadline=deadline)

    async def head_object(self, location: str, *, timeout: float | None = None) -> "_core.S3Object":
        """
        Read all of an object but its body.

        Args:
            location: ``s3://bucket/key``, the key not encoded.
            timeout: Seconds that the call may take in all, from its start; None takes the client's.

        Raises:
            ObjectNotFoundError: There is no such key or bucket.  S3 names no code, so that `code` is
                the status, ``404``.
            AccessDeniedError: As for `get_object`; `code` is ``403``.
            ParamValidationError: The location is malformed; nothing was sent.
            ServiceError: S3 refused; `code` is the status.
            TransportError: No answer, or not in time.
        """
        start = self._start(timeout)
        where = parse_location(location)
        session = await self._session()
        return await session.s3.head(where, deadline=session.deadline(start, timeout))
