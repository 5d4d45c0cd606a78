"""The options and the result of a download."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from ..objects import S3Object

DEFAULT_PART_SIZE = 8 << 20

OnProgress = Callable[[int, int], object]


class Download(S3Object):
    """The description of an object that was downloaded.

    Attributes:
        location: The location of the object, as ``s3://bucket/key``.
        body: Always empty, because the bytes are in the target.
        size: The size of the object in bytes.
        content_type: The media type; None if S3 does not return one.
        metadata: A mapping of the ``x-amz-meta-`` headers, whose keys are without this prefix.
        etag: The entity tag of the object, in quotes; None if S3 does not return one.
        last_modified: When the object was written, with a precision of one second; None if S3 does
            not return it.
        verified: The algorithm of the checksum that verified the object, such as ``CRC32``; None if
            verification is disabled, or if S3 has stated no checksum of the whole object that can
            be computed here.
    """

    __slots__ = ("verified",)
    __match_args__ = (*S3Object.__match_args__, "verified")

    verified: str | None

    def __init__(
        self,
        location: str,
        body: bytes,
        size: int,
        content_type: str | None,
        metadata: Mapping[str, str],
        etag: str | None,
        last_modified: datetime | None,
        verified: str | None = None,
    ) -> None:
        super().__init__(location, body, size, content_type, metadata, etag, last_modified)
        self.verified = verified

    __hash__ = S3Object.__hash__


class DownloadOptions(NamedTuple):
    """How an object is downloaded.

    Attributes:
        part_size: The size of a range in bytes.
        concurrency: The maximum number of ranges that are read at the same time.
        max_size: The maximum size of the object in bytes; None for no limit.
        on_progress: Called with the number of bytes that have been read and the total number of
            bytes; None if progress is not reported.
    """

    part_size: int = DEFAULT_PART_SIZE
    concurrency: int = 8
    max_size: int | None = None
    on_progress: OnProgress | None = None
