"""Listings of S3 in pages: the objects and the incomplete uploads below a prefix.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sigv4 import percent_encode

from .._aws.xml_reader import Fields
from .._io.message import Response, parse_length
from .._value import Value
from . import documents
from .objects import S3Object
from .request import S3Request

MAX_PAGE_SIZE = 1000

Marker = tuple[tuple[str, str], ...]


class MultipartUpload(Value):
    """An upload in parts that has been neither completed nor aborted.

    Attributes:
        location: The location of the object, as ``s3://bucket/key``.
        upload_id: The id of the upload.
        initiated: The time at which the upload was created; None if S3 does not return it.
    """

    __slots__ = __match_args__ = ("location", "upload_id", "initiated")

    location: str
    upload_id: str
    initiated: datetime | None

    def __init__(self, location: str, upload_id: str, initiated: datetime | None) -> None:
        self.location = location
        self.upload_id = upload_id
        self.initiated = initiated


class ObjectsPage(NamedTuple):
    """A page of objects; *marker* requests the next page, and is empty after the last page."""

    objects: list[S3Object]
    marker: Marker


class UploadsPage(NamedTuple):
    """A page of uploads; *marker* requests the next page, and is empty after the last page."""

    uploads: list[MultipartUpload]
    marker: Marker


def list_objects(
    prefix: str, *, start_after: str = "", page_size: int = MAX_PAGE_SIZE, marker: Marker = ()
) -> S3Request:
    """Return the request for a page of the objects whose keys begin with *prefix*.

    Args:
        prefix: The beginning of the keys.
        start_after: The key after which the listing starts; empty to start with the first one.
        page_size: The largest number of objects in the page, at most 1,000.
        marker: The marker of the previous page; empty for the first page.
    """
    first = (("start-after", start_after),) if start_after and not marker else ()
    parameters = (
        ("list-type", "2"),
        ("prefix", prefix),
        *first,
        ("max-keys", str(page_size)),
        *marker,
        ("encoding-type", "url"),
    )
    return S3Request("GET", _query(parameters))


def parse_objects(bucket: str, response: Response) -> ObjectsPage:
    """Return the page, or raise TransportError if the response does not contain one."""
    found = documents.read(response, "ListBucketResult", {"Contents"})
    documents.decode_names(response, found, {"Key"})
    objects = [_object(bucket, response, fields) for fields in found.records]
    if found.texts.get("IsTruncated") != "true":
        return ObjectsPage(objects, ())
    token = documents.required(response, found.texts, "NextContinuationToken")
    return ObjectsPage(objects, (("continuation-token", token),))


def _object(bucket: str, response: Response, fields: Fields) -> S3Object:
    size = parse_length(fields.get("Size"))
    if size is None:
        raise documents.malformed(response, "Size")
    return S3Object(
        location=f"s3://{bucket}/{documents.required(response, fields, 'Key')}",
        body=b"",
        size=size,
        content_type=None,
        metadata={},
        etag=fields.get("ETag"),
        last_modified=documents.parse_time(fields.get("LastModified")),
    )


def check_progress(response: Response, previous: Marker, marker: Marker) -> None:
    """Raise TransportError if a page refers to itself as the next page, an endless loop."""
    if marker and marker == previous:
        raise documents.malformed(response, "marker of the next page")


def list_uploads(prefix: str, marker: Marker = ()) -> S3Request:
    """Return the request for a page of the uploads of objects whose keys begin with *prefix*."""
    parameters = (("prefix", prefix), *marker, ("encoding-type", "url"))
    return S3Request("GET", f"uploads&{_query(parameters)}")


def parse_uploads(bucket: str, response: Response) -> UploadsPage:
    """Return the page, or raise TransportError if the response does not contain one."""
    found = documents.read(response, "ListMultipartUploadsResult", {"Upload"})
    documents.decode_names(response, found, {"Key", "NextKeyMarker"})
    uploads = [_upload(bucket, response, fields) for fields in found.records]
    if found.texts.get("IsTruncated") != "true":
        return UploadsPage(uploads, ())
    key = documents.required(response, found.texts, "NextKeyMarker")
    upload_id = documents.required(response, found.texts, "NextUploadIdMarker")
    return UploadsPage(uploads, (("key-marker", key), ("upload-id-marker", upload_id)))


def _upload(bucket: str, response: Response, fields: Fields) -> MultipartUpload:
    return MultipartUpload(
        f"s3://{bucket}/{documents.required(response, fields, 'Key')}",
        documents.required(response, fields, "UploadId"),
        documents.parse_time(fields.get("Initiated")),
    )


def _query(parameters: Iterable[tuple[str, str]]) -> str:
    return "&".join([f"{name}={percent_encode(value)}" for name, value in parameters])
