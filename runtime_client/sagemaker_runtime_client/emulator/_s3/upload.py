"""Builds the object that a PutObject request stores, and verifies the request's checksums."""

from collections.abc import Mapping

from sigv4 import checksum, checksum_algorithm, decode_checksum

from .._reply import rejection
from .objects import DEFAULT_CONTENT_TYPE, StoredObject

_METADATA = "x-amz-meta-"
_STORED_HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "expires",
    }
)


def uploaded_object(headers: Mapping[str, str], body: bytes) -> StoredObject:
    """Return the object to store for a PutObject request.

    Args:
        headers: The headers of the request, and the trailers of its body.
        body: The decoded body.

    Raises:
        RejectedRequestError: A checksum is invalid or does not match the body.
    """
    checksums = check_digests(headers, body)
    encodings = [part.strip() for part in headers.get("content-encoding", "").split(",")]
    encoding = ",".join(part for part in encodings if part not in {"", "aws-chunked"})
    headers = {**headers, "content-encoding": encoding}
    return StoredObject(
        body,
        headers.get("content-type", DEFAULT_CONTENT_TYPE),
        {
            name.removeprefix(_METADATA): value
            for name, value in headers.items()
            if name.startswith(_METADATA)
        },
        headers={
            name: value for name, value in headers.items() if name in _STORED_HEADERS and value
        },
        checksums=checksums,
    )


def check_digests(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Verify the body against its Content-MD5 and checksum headers, and return the checksum header.

    Raises:
        RejectedRequestError: A header is invalid or does not match the body.
    """
    _check_md5(headers, body)
    return _check_checksums(headers, body)


def _check_md5(headers: Mapping[str, str], body: bytes) -> None:
    """Reject the request if its Content-MD5 is invalid or does not match the body."""
    expected = headers.get("content-md5")
    if expected is None:
        return
    if decode_checksum(expected, "MD5") is None:
        raise rejection(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    if expected != (actual := checksum("MD5", body)):
        raise rejection(
            400,
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
            ExpectedDigest=expected,
            CalculatedDigest=actual,
        )


def _check_checksums(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Verify the body against the ``x-amz-checksum-*`` header, and return this header, if any.

    The error messages are those of S3.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    algorithms = {name: algorithm for name in headers if (algorithm := checksum_algorithm(name))}
    if len(algorithms) > 1:
        raise rejection(
            400,
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for name, algorithm in algorithms.items():
        value = headers[name]
        if decode_checksum(value, algorithm) is None:
            raise rejection(400, "InvalidRequest", f"Value for {name} header is invalid.")
        if headers.get("x-amz-sdk-checksum-algorithm", algorithm).upper() != algorithm:
            raise rejection(
                400,
                "InvalidRequest",
                "Value for x-amz-sdk-checksum-algorithm header is invalid.",
            )
        if not _is_checksum(value, algorithm, body):
            raise rejection(
                400,
                "BadDigest",
                f"The {algorithm} you specified did not match the calculated checksum.",
            )
    return {name: headers[name] for name in algorithms}


def _is_checksum(value: str, algorithm: str, body: bytes) -> bool:
    """Return whether a checksum matches the body, or True if its algorithm is not available here."""
    try:
        return value == checksum(algorithm, body)
    except ValueError:
        return True
