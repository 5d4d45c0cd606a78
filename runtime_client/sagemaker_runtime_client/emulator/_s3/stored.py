"""An object in the emulated S3."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import md5

from attrs import Factory, field, frozen

from .._settings import utc_now
from .content import Content, as_content

DEFAULT_CONTENT_TYPE = "binary/octet-stream"  # S3's default if the upload has no content type


def _md5(stored: "StoredObject") -> str:
    digest = md5(usedforsecurity=False)
    for piece in stored.content.pieces():
        digest.update(piece)
    return f'"{digest.hexdigest()}"'


@frozen
class StoredObject:
    """An object in the emulated S3.

    Attributes:
        content: The content.  The constructor accepts it as ``body``, which may be bytes, too.
        content_type: The MIME type of the content.
        metadata: The user-defined metadata, keyed by names without the prefix ``x-amz-meta-``.
        last_modified: The modification time, an aware datetime.
        headers: Further headers stored with the object, such as ``cache-control`` and
            ``x-amz-server-side-encryption``.
        checksums: The ``x-amz-checksum-*`` header of the upload; empty if the upload had none.
        checksum_type: ``FULL_OBJECT``, or ``COMPOSITE`` for a checksum of the checksums of parts.
        tags: The tags.
        etag: The quoted entity tag; by default the MD5 of the content, which S3 uses for an object
            uploaded in one part and not encrypted with KMS.
    """

    content: Content = field(alias="body", converter=as_content, eq=Content.read)
    content_type: str = DEFAULT_CONTENT_TYPE
    metadata: Mapping[str, str] = field(factory=dict[str, str])
    last_modified: datetime = field(factory=utc_now)
    headers: Mapping[str, str] = field(factory=dict[str, str])
    checksums: Mapping[str, str] = field(factory=dict[str, str])
    checksum_type: str = "FULL_OBJECT"
    tags: Mapping[str, str] = field(factory=dict[str, str])
    etag: str = field(default=Factory(_md5, takes_self=True))

    @property
    def body(self) -> bytes:
        """The whole content as bytes."""
        return self.content.read()

    @property
    def size(self) -> int:
        """The number of bytes of the content."""
        return self.content.size
