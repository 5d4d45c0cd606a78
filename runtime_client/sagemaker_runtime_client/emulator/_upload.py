"""
What a PutObject carries: its body out of ``aws-chunked`` framing, and its checksums.

    body    = *chunk "0" CRLF *(trailer CRLF) CRLF
    chunk   = length-in-hexadecimal CRLF data CRLF
    trailer = name ":" value

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from hashlib import md5, sha1, sha256
from zlib import crc32

from ._objects import DEFAULT_CONTENT_TYPE, StoredObject
from ._reply import refused

STREAMING = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_METADATA = "x-amz-meta-"
_CHECKSUM = "x-amz-checksum-"
_KEPT = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "expires",
    }
)
# crc32c and crc64nvme are not in the standard library: they are stored unchecked.
_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "x-amz-checksum-crc32": lambda body: crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda body: sha1(body, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda body: sha256(body).digest(),
    "content-md5": lambda body: md5(body, usedforsecurity=False).digest(),
}


def uploaded_object(headers: Mapping[str, str], body: bytes) -> StoredObject:
    """
    Return the object that a PutObject asks to be stored.

    Raises:
        RefusedError: The framing is broken, or a checksum is not that of the body.
    """
    said = dict(headers)
    if said.get("x-amz-content-sha256") == STREAMING:
        body, trailers = _unframed(body, said.get("x-amz-decoded-content-length"))
        said |= trailers
        encodings = [part.strip() for part in said.pop("content-encoding", "").split(",")]
        if kept := ",".join(part for part in encodings if part not in {"", "aws-chunked"}):
            said["content-encoding"] = kept
    _check_digests(said, body)
    return StoredObject(
        body,
        said.get("content-type", DEFAULT_CONTENT_TYPE),
        {
            name.removeprefix(_METADATA): value
            for name, value in said.items()
            if name.startswith(_METADATA)
        },
        headers={name: value for name, value in said.items() if name in _KEPT},
        checksums={
            name: value
            for name, value in said.items()
            if name.startswith(_CHECKSUM) and name != "x-amz-checksum-algorithm"
        },
    )


def _unframed(framed: bytes, length: str | None) -> tuple[bytes, dict[str, str]]:
    """Return the body and the trailers of an aws-chunked body."""
    if length is None:
        raise refused(411, "MissingContentLength", "x-amz-decoded-content-length is required.")
    try:
        body, rest = _dechunked(framed)
        trailers = [line.partition(":") for line in rest.decode("ascii").split("\r\n") if line]
    except ValueError:
        raise refused(400, "IncompleteBody", "The aws-chunked body is not well formed.") from None
    if length != str(len(body)):
        raise refused(400, "IncompleteBody", "The body is not as long as it was said to be.")
    return body, {name.strip().lower(): value.strip() for name, _, value in trailers}


def _dechunked(framed: bytes) -> tuple[bytes, bytes]:
    """Return the data of all chunks, and what follows the last; ValueError for anything else."""
    chunks: list[bytes] = []
    while True:
        size, _, framed = framed.partition(b"\r\n")
        octets = int(size, 16)
        if not octets:
            return b"".join(chunks), framed
        if framed[octets : octets + 2] != b"\r\n":
            raise ValueError("a chunk is not as long as it says")
        chunks.append(framed[:octets])
        framed = framed[octets + 2 :]


def _check_digests(said: Mapping[str, str], body: bytes) -> None:
    """Refuse a body that has not the checksums that were said of it."""
    for name, digest in _DIGESTS.items():
        if name not in said:
            continue
        try:
            wanted = b64decode(said[name], validate=True)
        except ValueError:
            raise refused(400, "InvalidDigest", f"The value of {name} is not base64.") from None
        if wanted != digest(body):
            raise refused(
                400,
                "BadDigest",
                f"The {name} you specified did not match what we received.",
                CalculatedDigest=b64encode(digest(body)).decode(),
            )
