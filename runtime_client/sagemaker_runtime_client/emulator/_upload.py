"""What a PutObject carries: an object with its headers, and checksums to be checked."""

from collections.abc import Mapping

from sigv4 import checksum, checksum_algorithm, decode_checksum

from ._objects import DEFAULT_CONTENT_TYPE, StoredObject
from ._reply import refused

_METADATA = "x-amz-meta-"
_KEPT = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "expires",
    }
)


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
    if decode_checksum(stated, "MD5") is None:
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
    algorithms = {name: algorithm for name in said if (algorithm := checksum_algorithm(name))}
    if len(algorithms) > 1:
        raise refused(
            400,
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for name, algorithm in algorithms.items():
        value = said[name]
        if decode_checksum(value, algorithm) is None:
            raise refused(400, "InvalidRequest", f"Value for {name} header is invalid.")
        if said.get("x-amz-sdk-checksum-algorithm", algorithm).upper() != algorithm:
            raise refused(
                400,
                "InvalidRequest",
                "Value for x-amz-sdk-checksum-algorithm header is invalid.",
            )
        if not _is_checksum(value, algorithm, body):
            raise refused(
                400,
                "BadDigest",
                f"The {algorithm} you specified did not match the calculated checksum.",
            )
    return {name: said[name] for name in algorithms}


def _is_checksum(value: str, algorithm: str, body: bytes) -> bool:
    """Tell whether a checksum is that of the body; one that cannot be made here is believed."""
    try:
        return value == checksum(algorithm, body)
    except ValueError:
        return True
