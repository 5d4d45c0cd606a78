"""A request for an object or a bucket, as a value."""

from typing import NamedTuple

from sigv4 import Payload

from .._io.message import BodySource

Headers = tuple[tuple[str, str], ...]


class S3Request(NamedTuple):
    """A request for an object or a bucket, without its address.

    Attributes:
        method: The HTTP method.
        query: The query, percent-encoded and without ``?``.
        headers: The headers, in addition to those of all requests.
        body: The body.
        payload: The body, in the form in which it is signed; None for the hash of the body.
    """

    method: str
    query: str = ""
    headers: Headers = ()
    body: bytes | BodySource = b""
    payload: Payload | None = None
