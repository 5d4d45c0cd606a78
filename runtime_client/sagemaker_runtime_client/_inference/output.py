"""The answer to an invocation.  Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .._value import Value
from .invocation import Invocation


class Output(Value):
    """
    The model's answer.

    Attributes:
        body: What the model's container answered, byte for byte.  Kept out of ``repr``.
        content_type: Its MIME type, as the container named it; None if it is not known.
        metadata: The object's metadata.
        location: Where it is, as ``s3://bucket/key``.
        last_modified: When it was written, to the second.
        invocation: What was waited for.
    """

    __slots__ = __match_args__ = (
        "body",
        "content_type",
        "metadata",
        "location",
        "last_modified",
        "invocation",
    )
    _hidden = frozenset({"body"})

    body: bytes
    content_type: str | None
    metadata: Mapping[str, str]
    location: str
    last_modified: datetime | None
    invocation: Invocation

    def __init__(
        self,
        body: bytes,
        content_type: str | None,
        metadata: Mapping[str, str],
        location: str,
        last_modified: datetime | None,
        invocation: Invocation,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.metadata = metadata
        self.location = location
        self.last_modified = last_modified
        self.invocation = invocation

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
