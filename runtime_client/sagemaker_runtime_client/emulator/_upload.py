"""What a PutObject carries: an object with its headers, and checksums to be checked."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from hashlib import md5, sha1, sha256
from zlib import crc32

from ._objects import DEFAULT_CONTENT_TYPE, StoredObject
from ._reply import refused

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

    Args:
        headers: Those of the request, and the trailers of its body.
        body: The bytes, out of whatever framing they came in.

    Raises:
        RefusedError: A checksum is not that of the body.
    """
    _check_digests(headers, body)
    encodings = [part.strip() for part in headers.get("content-encoding", "").split(",")]
    encoding = ",".join(part for part in encodings if part not in {"", "aws-chunked"})
    said = {**headers, "content-encoding": encoding}
    return StoredObject(
        body,
        said.get("content-type", DEFAULT_CONTENT_TYPE),
        {
            name.removeprefix(_METADATA): value
            for name, value in said.items()
            if name.startswith(_METADATA)
        },
        headers={name: value for name, value in said.items() if name in _KEPT and value},
        checksums={
            name: value
            for name, value in said.items()
            if name.startswith(_CHECKSUM) and name != "x-amz-checksum-algorithm"
        },
    )


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
