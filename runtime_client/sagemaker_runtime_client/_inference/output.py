"""The answer to an invocation.  Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .._s3.objects import S3Object
from .invocation import Invocation


class Output(S3Object):
    """
    The model's answer: an object of S3, and the job that it answers.

    Attributes:
        body: What the model's container answered, byte for byte.  Kept out of ``repr``.
        content_type: Its MIME type, as the container named it; None if it is not known.
        metadata: The object's metadata.
        location: Where it is, as ``s3://bucket/key``.
        last_modified: When it was written, to the second.
        invocation: What was waited for.
        size: How many bytes the object has.
        etag: S3's mark of this version, with its quotes; None if it is not known.

    Equality and ``repr`` leave out *size* and *etag*.
    """

    __slots__ = ("invocation",)
    __match_args__ = (
        "body",
        "content_type",
        "metadata",
        "location",
        "last_modified",
        "invocation",
        "size",
        "etag",
    )
    _hidden = frozenset({"body", "size", "etag"})

    invocation: Invocation

    def __init__(
        self,
        body: bytes,
        content_type: str | None,
        metadata: Mapping[str, str],
        location: str,
        last_modified: datetime | None,
        invocation: Invocation,
        size: int | None = None,
        etag: str | None = None,
    ) -> None:
        size = len(body) if size is None else size
        super().__init__(location, body, size, content_type, metadata, etag, last_modified)
        self.invocation = invocation

    def _key(self) -> tuple[object, ...]:
        return super()._key()[:-2]  # neither size nor etag

    def __hash__(self) -> int:
        """Return a hash of what can be hashed: all but the metadata."""
        return hash((self.body, self.location, self.last_modified, self.invocation))

    @property
    def text(self) -> str:
        """The body as text, in UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body's JSON document."""
        return json.loads(self.body)
