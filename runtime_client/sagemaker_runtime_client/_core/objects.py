"""Operations on objects in S3: write, read and describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Unpack

from .. import _core
from .._inference.arguments import as_content, check_max_size, spellings
from .._io.generation import importing
from .._limits import object_limit
from .base import BaseOperations, parse_location

# A body of at most this size is held in memory, in bytes.
_MAX_IN_MEMORY = 8 << 20
# The maximum size of the body of a PUT request to S3, in bytes.
_MAX_SINGLE = 5 << 30


class ObjectOperations(BaseOperations):
    """Operations on one object in S3."""

    async def put_object(
        self,
        location: str,
        body: _core.Source | str | None = None,
        *,
        json: object = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        if_none_match: str | None = None,
        if_match: str | None = None,
        timeout: float | None = None,
        **options: Unpack[_core.ObjectOptions],
    ) -> _core.S3Object:
        """Write an object to S3, in one request if its size is known and at most 5 GiB.

        A larger object, and a stream of unknown size that has more than 8 MiB, is written in parts;
        see `upload`.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            body: What to write: bytes, a str (written as UTF-8), a `pathlib.Path`, an open binary
                file, or an iterable of bytes; an async client also accepts an async iterable.
            json: A value that is written as a JSON document, instead of *body*.  *content_type* is
                then ``application/json`` if it is missing.
            content_type: The media type, in printable ASCII; with None, S3 stores
                ``binary/octet-stream``.
            metadata: Names and values in printable ASCII, which S3 stores as ``x-amz-meta-*``
                headers.
            if_none_match: ``"*"`` writes the object only if there is no object at the location.
                This needs an S3-compatible store that supports it; AWS does.
            if_match: An entity tag, such as ``S3Object.etag``.  The object is written only if the
                existing object has this entity tag.  This also needs ``s3:GetObject``.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.
            options: How S3 stores the object.  *server_side_encryption* is ``AES256``, ``aws:kms``
                or ``aws:kms:dsse``.  With the last two, *sse_kms_key_id* is the id, ARN or alias of
                a KMS key, *bucket_key_enabled* saves requests to KMS, and *encryption_context* is a
                mapping that KMS logs and binds to the data.  *content_encoding*, *cache_control*
                and *content_disposition* are headers with which S3 responds.  *tagging* is a
                mapping of at most 10 tags.  *storage_class* is a class such as ``STANDARD_IA``.

        Returns:
            The description of the object, including its entity tag; `body` is empty.

        Raises:
            ParamValidationError: An argument is invalid, or both conditions are passed; nothing was
                sent.
            PreconditionFailedError: The condition does not hold, so nothing was written.  If an
                earlier attempt may have written the object, the client reads the object, and raises
                this error only if the content is not *body*.  Therefore the content should be
                unique, for example by containing a UUID.
            ObjectNotFoundError: There is no object for *if_match*, or the bucket does not exist.
            AccessDeniedError: The credentials do not allow ``s3:PutObject``, or the use of the
                bucket's KMS key.
            ServiceError: S3 rejected the request for another reason; see `code`.
            TransportError: No attempt received a complete response before the timeout.  The object may
                have been written.  Without a condition, it is safe to write the object again; with
                a condition, read the object first.
        """
        start = self._start(timeout)
        target = parse_location(location)
        headers = option_headers("put_object", options)
        content = as_content(body, "body", json)
        if json is not None and content_type is None:
            content_type = "application/json"
        async with self._small_or_open(content, "body", _MAX_IN_MEMORY) as source:
            session = await self._session()
            deadline = session.deadline(start, timeout)
            if not isinstance(source, bytes):
                with importing():
                    from .uploads import UploadArguments
                conditions = if_none_match, if_match
                arguments = UploadArguments(target, content_type, metadata, conditions, headers)
                arguments = arguments._replace(max_single=_MAX_SINGLE)
                return await arguments.upload(self._system, session.s3, source, deadline)
            return await session.s3.put(
                target,
                source,
                content_type=content_type,
                metadata=metadata,
                if_none_match=if_none_match,
                if_match=if_match,
                headers=headers,
                deadline=deadline,
            )

    async def upload(
        self,
        location: str,
        source: _core.Source,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        part_size: int | None = None,
        concurrency: int = 8,
        if_none_match: str | None = None,
        on_progress: Callable[[int, int | None], object] | None = None,
        timeout: float | None = None,
        **options: Unpack[_core.ObjectOptions],
    ) -> _core.S3Object:
        """Write an object of any size, up to 5 TiB, to S3.

        An object of at most 8 MiB is sent in one request, and a larger one in parts, several at the
        same time.  A part that fails is sent again.  S3 verifies each part, and the whole object,
        by its CRC32.  If the upload fails or is interrupted, the client deletes the parts that it
        has sent.  If the process was killed, call `abort_uploads` to delete them.

        The parts of a file or of bytes are read while they are sent.  For any other source,
        *concurrency* parts are held in memory.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            source: What to upload: bytes, a path (a `pathlib.Path`), an open binary file, which is
                read from its current position, or an iterable of bytes.  An async client also
                accepts an async iterable.
            content_type: The media type, in printable ASCII; with None, S3 stores
                ``binary/octet-stream``.
            metadata: As for `put_object`.
            part_size: The size of a part in bytes, 5 MiB to 5 GiB; None for 8 MiB, or more if a
                file would have more than 10,000 parts.
            concurrency: How many parts are sent at the same time, 1 to 64.
            if_none_match: ``"*"`` writes the object only if there is no object at the location.
            on_progress: A plain (not async) function that is called with the number of bytes that
                were sent, and the total number, which is None if it is not known yet.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.
            options: As for `put_object`.

        Returns:
            The description of the object, including its entity tag; `body` is empty.

        Raises:
            ParamValidationError: An argument is invalid, or the file cannot be opened; nothing was
                sent.
            SourceError: The source could not be read, or changed while it was read.
            PreconditionFailedError: An object already exists at the location.
            AccessDeniedError: The credentials do not allow ``s3:PutObject``, or the use of the
                bucket's KMS key.
            ServiceError: S3 rejected a request for another reason; see `code`.
            TransportError: No attempt received a complete response before the timeout.  If
                `possibly_accepted` is true, the object may have been written.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
        """
        start = self._start(timeout)
        with importing():
            from .uploads import UploadArguments
        arguments = UploadArguments(
            location=parse_location(location),
            content_type=content_type,
            metadata=metadata,
            conditions=(if_none_match, None),
            options=option_headers("upload", options),
            part_size=part_size,
            concurrency=concurrency,
            on_progress=on_progress,
        )
        async with arguments.open(self._system, source, "source") as opened:
            session = await self._session()
            deadline = session.deadline(start, timeout)
            return await arguments.upload(self._system, session.s3, opened, deadline)

    async def get_object(
        self, location: str, *, max_size: int | None = None, timeout: float | None = None
    ) -> _core.S3Object:
        """Read an object from S3.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            max_size: The maximum size of the object in bytes; None for no limit.  The whole object
                is held in memory.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The object: its body, size, content type, metadata, entity tag and date.

        Raises:
            ObjectNotFoundError: The key or the bucket does not exist.
            AccessDeniedError: The credentials do not allow ``s3:GetObject``, or ``kms:Decrypt`` for
                the KMS key of the object.  If they do not allow ``s3:ListBucket``, S3 also sends
                this error for a missing key.
            ResponseTooLargeError: The object is larger than *max_size*.
            ChecksumError: The object was damaged in transit, in every attempt.
            ParamValidationError: An argument is invalid; nothing was sent.
            ServiceError: S3 rejected the request for another reason; see `code`.
            TransportError: No attempt received a complete response before the timeout.  Try again.
        """
        start = self._start(timeout)
        target = parse_location(location)
        check_max_size(max_size)
        session = await self._session()
        deadline = session.deadline(start, timeout)
        return await session.s3.get(target, limit=object_limit(max_size), deadline=deadline)

    async def head_object(self, location: str, *, timeout: float | None = None) -> _core.S3Object:
        """Describe an object in S3 without reading its body.

        Args:
            location: The location as ``s3://bucket/key``, where the key is not percent-encoded.
            timeout: The time limit of the whole call, in seconds; None uses the client's default.

        Returns:
            The description of the object: its size, content type, metadata, entity tag and date;
            `body` is empty.

        Raises:
            ObjectNotFoundError: The key or the bucket does not exist.  The response to HEAD has no
                error code, so `code` is the status, ``404``.
            AccessDeniedError: The credentials do not allow ``s3:GetObject``, or the key does not
                exist and they do not allow ``s3:ListBucket``; `code` is ``403``.
            ParamValidationError: The location is invalid; nothing was sent.
            ServiceError: S3 rejected the request for another reason; `code` is the status.
            TransportError: No attempt received a complete response before the timeout.  Try again.
        """
        start = self._start(timeout)
        target = parse_location(location)
        session = await self._session()
        return await session.s3.head(target, deadline=session.deadline(start, timeout))


def option_headers(method: str, options: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return the headers for the options of an object that *method* stores.

    Raises:
        TypeError: The name of an option is unknown.
        ParamValidationError: An option is invalid; `argument` is its name.
    """
    if not options:
        return ()
    with importing():
        from .._s3.options import ObjectOptions, to_headers
    if unknown := sorted(options.keys() - ObjectOptions.__optional_keys__):
        raise TypeError(
            "; ".join([f"{method} does not accept {', '.join(unknown)}", *spellings(unknown)])
        )
    return to_headers(options)
