"""The requests of a multipart upload, and the parsing of their responses.

An upload is created, its parts are written in any order, and then it is completed or aborted.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from collections.abc import Iterable
from typing import NamedTuple

from sigv4 import percent_encode

from .._aws.xml_reader import Fields
from .._io.message import Response, parse_length
from . import documents
from .checksums import checksum_header, encode
from .crc_combine import combine
from .request import Headers, S3Request

FULL_OBJECT = "FULL_OBJECT"
_CRC32 = checksum_header("CRC32")
_CHECKSUM_TYPE = "x-amz-checksum-type"


class CreatedUpload(NamedTuple):
    """An upload that S3 has created.

    Attributes:
        upload_id: The id of the upload.
        checksum_type: ``FULL_OBJECT`` or ``COMPOSITE``; None if the store does not support
            checksums of uploads.
    """

    upload_id: str
    checksum_type: str | None


class UploadedPart(NamedTuple):
    """A part that S3 has stored.

    Attributes:
        number: The number of the part, from 1 to 10,000.
        etag: The entity tag of the part, in quotes.
        size: The size in bytes; None if it is unknown.
        crc32: The CRC32 of the part in base64; None if S3 does not return one.
    """

    number: int
    etag: str
    size: int | None = None
    crc32: str | None = None


class PartsPage(NamedTuple):
    """A page of an upload's parts; *marker* requests the next page, and is None after the last."""

    parts: list[UploadedPart]
    marker: str | None


class CompletedUpload(NamedTuple):
    """The object that S3 has made from the parts.

    Attributes:
        etag: The entity tag, in quotes.
        crc32: The CRC32 of the whole object in base64; None if S3 does not return one.
    """

    etag: str
    crc32: str | None


def combined_crc32(parts: Iterable[tuple[int, int]]) -> str:
    """Return the object's CRC32 in base64, computed from the CRC32 and the size of each part."""
    return encode(combine("CRC32", parts).to_bytes(4, "big"))


def create_upload(headers: Headers = (), *, checksum: bool = True) -> S3Request:
    """Return the request that creates an upload, with the headers of the object.

    If *checksum* is true, S3 will compute one CRC32 for the whole object.
    """
    if checksum:
        headers += (("x-amz-checksum-algorithm", "CRC32"), (_CHECKSUM_TYPE, FULL_OBJECT))
    return S3Request("POST", "uploads", headers)


def parse_created(response: Response) -> CreatedUpload:
    """Return the created upload, or raise TransportError if the response has no upload id."""
    found = documents.read(response, "InitiateMultipartUploadResult")
    upload_id = documents.required(response, found.texts, "UploadId")
    return CreatedUpload(upload_id, response.header(_CHECKSUM_TYPE))


def upload_part(upload_id: str, number: int, crc32: str | None = None) -> S3Request:
    """Return the request that writes a part, without its body."""
    headers = () if crc32 is None else ((_CRC32, crc32),)
    return S3Request("PUT", f"partNumber={number}&{_upload(upload_id)}", headers)


def parse_part(number: int, size: int, response: Response) -> UploadedPart:
    """Return the written part, or raise TransportError if the response has no entity tag."""
    etag = response.header("etag")
    if not etag:
        raise documents.malformed(response, "ETag")
    return UploadedPart(number, etag, size, response.header(_CRC32))


def complete_upload(
    upload_id: str,
    parts: Iterable[UploadedPart],
    *,
    size: int,
    crc32: str | None = None,
    headers: Headers = (),
) -> S3Request:
    """Return the request that makes an object from the parts.

    Args:
        upload_id: The id of the upload.
        parts: The parts, in the order of their numbers.
        size: The size of the object in bytes, which S3 compares with the total size of the parts.
        crc32: The CRC32 of the whole object, which S3 compares with the CRC32 of the parts
            together; None if the upload was created without a checksum, or if the store does not
            support ``FULL_OBJECT``.
        headers: Further headers, such as ``if-none-match``.
    """
    checksum = () if crc32 is None else ((_CRC32, crc32), (_CHECKSUM_TYPE, FULL_OBJECT))
    content = "".join(documents.element("Part", _part(part)) for part in parts)
    return S3Request(
        "POST",
        _upload(upload_id),
        (*headers, ("x-amz-mp-object-size", str(size)), *checksum),
        documents.document("CompleteMultipartUpload", content),
    )


def _part(part: UploadedPart) -> str:
    fields = ("PartNumber", str(part.number)), ("ETag", part.etag), ("ChecksumCRC32", part.crc32)
    return documents.texts(fields)


def parse_completed(response: Response) -> CompletedUpload:
    """Return the object, or raise TransportError if the response has no entity tag.

    `is_s3_error` recognizes an error with status 200, which S3 may send to this request.
    """
    found = documents.read(response, "CompleteMultipartUploadResult")
    etag = documents.required(response, found.texts, "ETag")
    return CompletedUpload(etag, found.texts.get("ChecksumCRC32"))


def abort_upload(upload_id: str) -> S3Request:
    """Return the request that deletes an upload and its parts."""
    return S3Request("DELETE", _upload(upload_id))


def list_parts(upload_id: str, marker: str | None = None) -> S3Request:
    """Return the request for a page of an upload's parts."""
    query = _upload(upload_id)
    if marker is not None:
        query += f"&part-number-marker={percent_encode(marker)}"
    return S3Request("GET", query)


def parse_parts(response: Response) -> PartsPage:
    """Return the page, or raise TransportError if the response does not contain one."""
    found = documents.read(response, "ListPartsResult", {"Part"})
    parts = [_parse_part(response, fields) for fields in found.records]
    if found.texts.get("IsTruncated") != "true":
        return PartsPage(parts, None)
    return PartsPage(parts, documents.required(response, found.texts, "NextPartNumberMarker"))


def _parse_part(response: Response, fields: Fields) -> UploadedPart:
    number = parse_length(fields.get("PartNumber"))
    if not number:
        raise documents.malformed(response, "PartNumber")
    return UploadedPart(
        number,
        documents.required(response, fields, "ETag"),
        parse_length(fields.get("Size")),
        fields.get("ChecksumCRC32"),
    )


def _upload(upload_id: str) -> str:
    return f"uploadId={percent_encode(upload_id)}"
