"""Checks a CompleteMultipartUpload request, and joins the parts.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

from collections.abc import Mapping
from itertools import pairwise
from secrets import token_hex

from attrs import evolve

from .._reply import RejectedRequestError, invalid_request, rejection
from .content import Content
from .digests import bad_digest
from .documents import malformed, parse_elements
from .options import is_kms
from .stored import StoredObject
from .uploads import Part, Upload, multipart_etag, object_checksum

SMALLEST_PART = 5 * 1024 * 1024  # does not apply to the last part
_ANY_CHECKSUM = "x-amz-checksum-"


def select_parts(upload: Upload, body: bytes) -> list[Part]:
    """Return the parts that the body of a request lists.

    Raises:
        RejectedRequestError: The body is malformed, a part does not exist or has another ETag or
            checksum, the parts are not in order, or a part is too small.
    """
    _, listed = parse_elements(body, "CompleteMultipartUpload", "Part")
    numbers = [_part_number(one) for one in listed]
    if any(first >= second for first, second in pairwise(numbers)):
        raise rejection(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. The parts list must be specified in "
            "order by part number.",
        )
    parts = [_select_part(upload, number, one) for number, one in zip(numbers, listed, strict=True)]
    for part in parts[:-1]:
        if part.content.size < SMALLEST_PART:
            raise rejection(
                400,
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=part.content.size,
                MinSizeAllowed=SMALLEST_PART,
                PartNumber=part.number,
                ETag=part.etag.strip('"'),
            )
    return parts


def complete(upload: Upload, parts: list[Part], headers: Mapping[str, str]) -> StoredObject:
    """Return the object that consists of the parts.

    Raises:
        RejectedRequestError: The size or the checksum in the headers does not match.
    """
    content = Content.joined([part.content for part in parts])
    _check_size(headers.get("x-amz-mp-object-size"), content.size)
    checksum = _check_checksum(upload, headers, object_checksum(upload.checksum, parts))
    return evolve(
        upload.described,
        body=content,
        etag=f'"{token_hex(16)}-{len(parts)}"'
        if is_kms(upload.described)
        else multipart_etag(parts),
        checksums={upload.checksum.header: checksum} if checksum else {},
        checksum_type=upload.checksum.name,
    )


def _part_number(listed: Mapping[str, str]) -> int:
    try:
        return int(listed["PartNumber"])
    except (KeyError, ValueError):
        raise malformed() from None


def _select_part(upload: Upload, number: int, listed: Mapping[str, str]) -> Part:
    """Return a part, after comparing its ETag and its checksum with those in the request."""
    part, kind = upload.parts.get(number), upload.checksum
    etag = listed.get("ETag", "").strip().strip('"')
    checksum = listed.get(kind.element)
    if (
        part is None
        or etag != part.etag.strip('"')
        or (checksum and part.checksum and checksum.strip() != part.checksum)
    ):
        raise rejection(
            400,
            "InvalidPart",
            "One or more of the specified parts could not be found. The part may not have been "
            "uploaded, or the specified entity tag may not match the part's entity tag.",
            UploadId=upload.id,
            PartNumber=number,
            ETag=etag,
        )
    if kind.is_composite and not checksum:
        raise invalid_request(
            f"The upload was created using a {str(kind.algorithm).lower()} checksum. The complete "
            "request must include the checksum for each part. It was missing for part "
            f"{number} in the request."
        )
    return part


def _check_size(expected: str | None, size: int) -> None:
    if expected is None:
        return
    if not (expected.isascii() and expected.isdigit()):
        raise invalid_request("Value for x-amz-mp-object-size header is invalid.")
    if int(expected) != size:
        raise invalid_request(
            f"The provided 'x-amz-mp-object-size' header value {expected} does not match what was "
            f"computed: {size}"
        )


def _check_checksum(upload: Upload, headers: Mapping[str, str], computed: str | None) -> str | None:
    """Return the checksum of the object, after comparing it with the one in the request.

    If the emulator cannot compute the checksum, the one in the request is stored.
    """
    kind = upload.checksum
    if headers.get("x-amz-checksum-type", kind.name).upper() != kind.name:
        raise invalid_request(
            f"The upload was created using the {kind.name} checksum mode. The complete request "
            "must use the same checksum mode."
        )
    names = [
        name
        for name in headers
        if name.startswith(_ANY_CHECKSUM) and name.removeprefix(_ANY_CHECKSUM) != "type"
    ]
    if any(name != kind.header for name in names):
        raise mismatched_algorithm(kind.algorithm, names[0].removeprefix(_ANY_CHECKSUM))
    expected = headers.get(kind.header)
    if expected is None or computed is None:
        return computed or expected
    if expected not in {computed, computed.partition("-")[0]}:
        raise bad_digest(str(kind.algorithm))
    return computed


def mismatched_algorithm(expected: str | None, actual: str | None) -> RejectedRequestError:
    """Return S3's error for a checksum whose algorithm differs from the upload's."""
    return invalid_request(
        f"Checksum Type mismatch occurred, expected checksum Type: {(expected or 'null').lower()}, "
        f"actual checksum Type: {(actual or 'null').lower()}"
    )
