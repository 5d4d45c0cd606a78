"""Presigned URLs, with which anyone can read or write one object without credentials.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Never, cast

from sigv4 import percent_encode

from .._aws.auth import CredentialsAuth
from .._value import Value
from .arguments import check_number
from .client import S3
from .objects import S3Location
from .request import Headers, S3Request
from .upload_headers import upload_headers

_MAX_EXPIRES = 604_800  # one week


class PresignedURL(Value):
    """A URL with which anyone can send one kind of request.  The URL is a secret.

    ``str`` returns the URL, and ``repr`` omits it.  It cannot be pickled.

    Attributes:
        url: The URL.
        method: The HTTP method of the request: ``GET`` or ``PUT``.
        headers: The headers that are signed, which the request must contain unchanged.
        expires_at: The time at which the URL expires: at the end of the requested period or, if
            that is earlier, when the credentials expire.
    """

    __slots__ = __match_args__ = ("url", "method", "headers", "expires_at")
    _hidden = frozenset({"url", "headers"})

    url: str
    method: str
    headers: Mapping[str, str]
    expires_at: datetime

    def __init__(
        self, url: str, method: str, headers: Mapping[str, str], expires_at: datetime
    ) -> None:
        self.url = url
        self.method = method
        self.headers = headers
        self.expires_at = expires_at

    def __str__(self) -> str:
        """Return the URL."""
        return self.url

    def __hash__(self) -> int:
        """Return the hash of the URL, whose signature depends on the other fields."""
        return hash(self.url)

    def __reduce__(self) -> Never:
        """Raise TypeError, because the URL is a secret."""
        raise TypeError("a presigned URL cannot be pickled or copied: pass on its attribute url")


def get_request(content_type: str | None, content_disposition: str | None) -> S3Request:
    """Return the request that reads an object, and to which S3 responds with the given headers."""
    parameters = {
        "response-content-type": content_type,
        "response-content-disposition": content_disposition,
    }
    given = [f"{name}={percent_encode(text)}" for name, text in parameters.items() if text]
    return S3Request("GET", "&".join(given))


def put_request(
    content_type: str | None,
    metadata: Mapping[str, str],
    if_none_match: str | None,
    options: Headers,
) -> S3Request:
    """Return the request that writes an object, with the headers that it must contain."""
    headers = upload_headers(content_type, metadata, if_none_match, None)
    return S3Request("PUT", headers=headers + options)


def check_expires(expires: object) -> int:
    """Return *expires*, or raise ParamValidationError if it is not a valid number of seconds."""
    return check_number("expires", expires, 1, _MAX_EXPIRES, "seconds")


async def presign(
    s3: S3, location: S3Location, request: S3Request, expires: int, deadline: float | None
) -> PresignedURL:
    """Return a presigned URL for *request*.

    Nothing is sent to S3, so the bucket must be in the configured region, unless an earlier request
    has found its region.
    """
    operation = s3.operation(location, request)
    # This cast is safe, because a client's own authentication always uses credentials.
    auth = cast(CredentialsAuth, await s3.prepare(location, deadline))
    sent = operation.request
    url, end = auth.presign(operation.endpoint, sent, s3.now(), expires)
    return PresignedURL(url, sent.method, dict(sent.headers), end)
