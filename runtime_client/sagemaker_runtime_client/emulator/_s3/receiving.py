"""Receives the content of an object or a part, and verifies its digests."""

from collections.abc import Mapping
from secrets import token_hex

from attrs import frozen

from .._reply import rejection
from .content import Content, ContentWriter
from .digests import BodyDigests
from .request import ObjectRequest

# The maximum size of an object that is uploaded in one request, and of a part, in bytes.
_LARGEST_BODY = 5 * 1024**3


@frozen
class Received:
    """Content that was received and verified.

    Attributes:
        content: The content.
        digests: The digests of the content.
        checksums: The ``x-amz-checksum-*`` header or trailer of the request, if any.
    """

    content: Content
    digests: BodyDigests
    checksums: Mapping[str, str]

    def etag(self, *, is_md5: bool) -> str:
        """Return the quoted ETag, which is random if the object is encrypted with KMS."""
        return self.digests.etag if is_md5 else f'"{token_hex(16)}"'


async def receive_content(
    request: ObjectRequest, writer: ContentWriter, algorithm: str | None = None
) -> Received:
    """Receive the content in the body of a request, and verify its digests.

    Args:
        request: The request.
        writer: Stores the content.
        algorithm: A checksum algorithm to compute in addition to that of the request.

    Raises:
        RejectedRequestError: The body is too large or invalid, or a digest does not match.
    """
    _check_length(request.headers)
    digests = BodyDigests(request.headers, [algorithm] if algorithm else [])
    try:
        async for piece in request.body.pieces():
            digests.update(piece)
            writer.write(piece)
        checksums = digests.check(request.body.trailers)
    except BaseException:
        writer.abandon()
        raise
    return Received(writer.finish(), digests, checksums)


def _check_length(headers: Mapping[str, str]) -> None:
    """Reject a body whose length is unknown, or more than 5 GiB."""
    length = headers.get("x-amz-decoded-content-length", headers.get("content-length"))
    if length is None:
        raise rejection(
            411, "MissingContentLength", "You must provide the Content-Length HTTP header."
        )
    if length.isascii() and length.isdigit() and int(length) > _LARGEST_BODY:
        raise rejection(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            ProposedSize=length,
            MaxSizeAllowed=_LARGEST_BODY,
        )
