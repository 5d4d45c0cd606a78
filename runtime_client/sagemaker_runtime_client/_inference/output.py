"""The output of an inference."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from .._s3.objects import S3Object
from .invocation import Invocation


class Output(S3Object):
    """The output of a job: the content and description of an S3 object, and the job's handle.

    Equality ignores *size* and *etag*.

    Attributes:
        body: The response of the model container, byte for byte.  ``repr`` omits it.
        content_type: The media type that the container returned; None if it is unknown.
        metadata: The metadata of the object: a mapping from names to values.
        location: The location of the object, as ``s3://bucket/key``.
        last_modified: The time at which the object was written, in whole seconds; None if it is
            unknown.
        invocation: The handle of the job.
        size: The size of the object in bytes.
        etag: The entity tag of the object, in quotes; None if it is unknown.
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
        return super()._key()[:-2]  # all fields except size and etag

    def __hash__(self) -> int:
        """Return a hash of some of the fields, without the metadata, which cannot be hashed."""
        return hash((self.body, self.location, self.last_modified, self.invocation))

    @property
    def text(self) -> str:
        """The body, decoded with the content type's charset, or as UTF-8 if there is none."""
        return decode(self.body, self.content_type)

    def json(self) -> Any:
        """Return the body, parsed as JSON."""
        return json.loads(self.body)


def decode(body: bytes, content_type: str | None) -> str:
    """Return *body* as text.

    If Python does not support the charset in *content_type*, or if there is none, UTF-8 is used.

    Source: RFC 9110, section 8.3.2.
    """
    match = re.search(r';\s*charset="?([\w.:+-]+)', content_type or "", re.IGNORECASE)
    if match is not None:
        with suppress(LookupError):
            return body.decode(match[1])
    return body.decode()
