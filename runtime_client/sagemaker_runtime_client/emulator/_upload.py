"""What a PutObject carries: an object with its headers, and checksums to be checked."""

from base64 import b64decode
from collections.abc import Mapping

from sigv4 import checksum

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
# How many bytes each checksum has.  What the standard library does not make is stored unchecked.
_MD5_SIZE = 16
_MADE = frozenset({"CRC32", "MD5", "SHA1", "SHA256", "SHA512"})
_SIZES = {
    "crc32": 4,
    "crc32c": 4,
    "crc64nvme": 8,
    "md5": _MD5_SIZE,
    "sha1": 20,
    "sha256": 32,
    "sha512": 64,
    "xxhash128": 16,
    "xxhash3": 8,
    "xxhash64": 8,
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
    _check_md5(headers, body)
    checksums = _checked(headers, body)
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
        checksums=checksums,
    )


def _check_md5(said: Mapping[str, str], body: bytes) -> None:
    """Refuse a body that has another MD5 than was said of it."""
    stated = said.get("content-md5")
    if stated is None:
        return
    if _size(stated) != _MD5_SIZE:
        raise refused(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    if stated != (actual := checksum("MD5", body)):
        raise refused(
            400,
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
            ExpectedDigest=stated,
            CalculatedDigest=actual,
        )


def _checked(said: Mapping[str, str], body: bytes) -> dict[str, str]:
    """
    Return the checksum that was said of a body, by its header, if it is right.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html;
    the words are those that S3 answers with.
    """
    stated = {
        name: value
        for name, value in said.items()
        if name.startswith(_CHECKSUM) and name.removeprefix(_CHECKSUM) in _SIZES
    }
    if len(stated) > 1:
        raise refused(
            400,
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for name, value in stated.items():
        algorithm = name.removeprefix(_CHECKSUM)
        if _size(value) != _SIZES[algorithm]:
            raise refused(400, "InvalidRequest", f"Value for {name} header is invalid.")
        algorithm = algorithm.upper()
        if said.get("x-amz-sdk-checksum-algorithm", algorithm).upper() != algorithm:
            raise refused(
                400,
                "InvalidRequest",
                "Value for x-amz-sdk-checksum-algorithm header is invalid.",
            )
        if algorithm in _MADE and value != checksum(algorithm, body):
            raise refused(
                400,
                "BadDigest",
                f"The {algorithm} you specified did not match the calculated checksum.",
            )
    return stated


def _size(text: str) -> int | None:
    """Return how many bytes *text* holds in base64; None if it is none."""
    try:
        return len(b64decode(text, validate=True))
    except ValueError:
        return None
