"""The output of an inference.  Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .._s3.objects import S3Object
from .invocation import Invocation


class Output(S3Object):
    """
    The output of an inference: an object in S3, and the job that wrote it.

    In a test, ``Output(b"1,2,3", "text/csv")`` is enough.

    Attributes:
        body: The bytes that the model's container returned.
        content_type: Their MIME type, as the container named it; None if it is unknown.
        metadata: The object's metadata.
        location: The object's location, as ``s3://bucket/key``.
        last_modified: When the object was written, to the second; None if that is unknown.
        invocation: The handle that was waited for.
        size: The size of the object in bytes.
        etag: S3's entity tag of the object, with its quotes; None if it is unknown.

    Equality ignores *size* and *etag*.  The ``repr`` shows *content_type*, *location* and *size* only.
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
    _hidden = frozenset({"body", "metadata", "last_modified", "invocation", "etag"})

    invocation: Invocation

    def __init__(
        self,
        body: bytes,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        location: str = "",
        last_modified: datetime | None = None,
        invocation: Invocation | None = None,
        size: int | None = None,
        etag: str | None = None,
    ) -> None:
        size = len(body) if size is None else size
        super().__init__(location, body, size, content_type, metadata or {}, etag, last_modified)
        self.invocation = invocation or Invocation()

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
