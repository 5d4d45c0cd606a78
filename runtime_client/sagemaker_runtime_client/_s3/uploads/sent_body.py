"""The forms in which a body is sent to S3, with or without a checksum for S3 to verify.

Over https, a body with a checksum is followed by its CRC32 in a trailer, so the body is read only
once.  Over http, the body is signed.  It is read twice, because its hashes are computed before it
is
sent.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from collections.abc import AsyncIterator, Callable
from enum import Enum
from hashlib import sha256
from typing import Self
from zlib import crc32

from sigv4 import AwsChunked, Payload

from ..._errors import ServiceError
from ..._io.message import BodySource
from ..._io.sources.body import READ_SIZE
from ..checksums import Crc, checksum_header, encode
from ..request import Headers, S3Request

# The error codes with which S3-compatible stores reject features that they do not support.
_UNKNOWN = frozenset(
    {"InvalidArgument", "InvalidRequest", "NotImplemented", "XAmzContentSHA256Mismatch"}
)
_ENCODING = "content-encoding"

Meter = Callable[[BodySource], BodySource]


class Form(Enum):
    """Whether a body is signed, and where its checksum is sent, if at all."""

    TRAILER = "not signed, and followed by its CRC32"
    HASHED = "signed"
    HASHED_WITH_CRC32 = "signed, and with its CRC32 in a header"
    UNSIGNED = "not signed"


def choose_form(origin: str, *, checksum: bool) -> Form:
    """Return the form of the bodies for *origin*; *checksum* says whether to send a CRC32."""
    if not origin.startswith("https://"):
        return Form.HASHED_WITH_CRC32 if checksum else Form.HASHED
    return Form.TRAILER if checksum else Form.UNSIGNED


def lacks_feature(error: ServiceError) -> bool:
    """Return whether *error* may mean that the store does not support a feature of S3."""
    return error.status_code == 501 or (error.status_code == 400 and error.code in _UNKNOWN)


async def add_body(
    request: S3Request, source: BodySource, form: Form, checksum: Crc, meter: Meter
) -> S3Request:
    """Return *request* with the body that *source* contains.

    Args:
        request: The request without a body.
        source: The body.
        form: The form in which the body is sent.
        checksum: Receives the CRC32 of the body.  With `Form.TRAILER`, this happens when the body
            has been sent.  With `Form.UNSIGNED`, it does not happen.
        meter: Wraps the body that is sent, and counts the bytes that have been sent.
    """
    if form is Form.TRAILER:
        body = _ChunkedBody(meter(source), checksum)
        headers = (*_chunked_encoding(request.headers), *body.headers)
        return request._replace(body=body, payload=body.payload, headers=headers)
    payload, headers = Payload.UNSIGNED, request.headers
    if form is not Form.UNSIGNED:
        payload = await _hash(source, checksum)
    if form is Form.HASHED_WITH_CRC32:
        headers += ((checksum_header("CRC32"), encode(checksum.digest())),)
    return request._replace(body=meter(source), payload=payload, headers=headers)


async def _hash(source: BodySource, checksum: Crc) -> Payload:
    """Read the body, set *checksum* to its CRC32, and return its SHA-256."""
    digest, crc = sha256(), new_crc32()
    async for piece in source.chunks():
        digest.update(piece)
        crc.update(piece)
    checksum.value = crc.value
    return Payload.hashed(digest.hexdigest())


def new_crc32() -> Crc:
    """Return a CRC32 to which data can be added."""
    return Crc(crc32, 4)


def _chunked_encoding(headers: Headers) -> Headers:
    """Return *headers* with ``aws-chunked`` before the content coding of the object, if any."""
    encodings = [value for name, value in headers if name == _ENCODING]
    others = [header for header in headers if header[0] != _ENCODING]
    return (*others, (_ENCODING, ",".join(["aws-chunked", *encodings])))


class _ChunkedBody:
    """A body in the ``aws-chunked`` format, with its CRC32 in a trailer."""

    def __init__(self, source: BodySource, checksum: Crc) -> None:
        self._source, self._checksum = source, checksum
        form = AwsChunked(None, source.size, checksum="CRC32", chunk_size=READ_SIZE)
        self.size, self.payload = form.encoded_length, form.payload
        added = {_ENCODING, "content-length", "x-amz-content-sha256"}
        self.headers = tuple(item for item in form.headers.items() if item[0] not in added)

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the encoded pieces of the body, from its beginning."""
        return _Encoded(self._source, self._checksum)


class _Encoded:
    """The encoded pieces of a body.

    This is not a generator, for the reason that `_Pieces` in `sources.body` states.
    """

    def __init__(self, source: BodySource, checksum: Crc) -> None:
        # If the hasher were a method of this object, it would create a reference cycle, which would
        # keep the source in memory until the garbage collector runs.
        crc = self._crc = new_crc32()
        form = AwsChunked(
            None, source.size, checksum="CRC32", hasher=lambda: crc, chunk_size=READ_SIZE
        )
        self._pieces, self._checksum, self._encoder = source.chunks(), checksum, form.encoder()
        self._is_at_end = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_at_end:
            raise StopAsyncIteration
        piece = await anext(self._pieces, None)
        if piece is not None:
            return self._encoder.feed(piece)
        end = self._encoder.finish()
        self._is_at_end, self._checksum.value = True, self._crc.value
        return end
