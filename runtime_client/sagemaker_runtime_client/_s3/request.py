"""A request for an object or a bucket, as a value."""

from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]


class S3Request(NamedTuple):
    """A request for an object or a bucket, without its address.

    Attributes:
        method: The HTTP method.
        query: The query, percent-encoded and without ``?``.
        headers: The headers, in addition to those of all requests.
        body: The body.
    """

    method: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
