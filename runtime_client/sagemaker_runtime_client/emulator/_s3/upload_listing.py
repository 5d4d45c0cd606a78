"""ListParts and ListMultipartUploads.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html and
API_ListMultipartUploads
"""

from collections.abc import Callable, Iterable

from .._reply import Reply, rejection, xml_elements
from .._settings import ACCOUNT
from .._target import Target
from .documents import DATE_FORMAT, xml_reply
from .listing import parse_encoding, parse_page_size
from .uploads import Part, Upload

_OWNER = xml_elements({"ID": ACCOUNT})
_OWNERS = f"<Initiator>{_OWNER}</Initiator><Owner>{_OWNER}</Owner>"


def list_parts(upload: Upload, target: Target) -> Reply:
    """Return a response with one page of an upload's parts.

    Raises:
        RejectedRequestError: A parameter is invalid.
    """
    size = parse_page_size(target, "max-parts")
    marker = target.parameter("part-number-marker", "0")
    if not (marker.isascii() and marker.isdigit()):
        raise rejection(400, "InvalidArgument", "part-number-marker must be a number.")
    following = [part for number, part in sorted(upload.parts.items()) if number > int(marker)]
    page = following[:size]
    summary = {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "StorageClass": upload.described.headers.get("x-amz-storage-class", "STANDARD"),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": str(page[-1].number if page else marker),
        "MaxParts": str(size),
        "IsTruncated": "true" if len(following) > len(page) else "false",
        **upload.checksum.elements(),
    }
    parts = "".join([f"<Part>{_part(upload, part)}</Part>" for part in page])
    return xml_reply("ListPartsResult", xml_elements(summary) + _OWNERS + parts)


def _part(upload: Upload, part: Part) -> str:
    """Return the XML elements that describe a part."""
    checksum = {} if part.checksum is None else {upload.checksum.element: part.checksum}
    return xml_elements(
        {
            "PartNumber": str(part.number),
            "LastModified": part.last_modified.strftime(DATE_FORMAT),
            "ETag": part.etag,
            "Size": str(part.content.size),
            **checksum,
        }
    )


def list_uploads(uploads: Iterable[Upload], target: Target) -> Reply:
    """Return a response with one page of a bucket's uploads.

    Args:
        uploads: The bucket's uploads, in order.
        target: The target of the request, whose query contains the parameters of the listing.

    Raises:
        RejectedRequestError: A parameter is invalid.
    """
    write = parse_encoding(target)
    size = parse_page_size(target, "max-uploads")
    entries = _entries(uploads, target)
    page = dict(list(entries.items())[:size])
    is_truncated = len(entries) > len(page) > 0
    last_key, last_id = next(reversed(page)) if is_truncated else ("", "")
    summary = {
        "Bucket": target.bucket,
        "KeyMarker": write(target.parameter("key-marker")),
        "UploadIdMarker": target.parameter("upload-id-marker"),
        "NextKeyMarker": write(last_key),
        "NextUploadIdMarker": last_id,
        "Prefix": write(target.parameter("prefix")),
        "Delimiter": write(target.parameter("delimiter")),
        "EncodingType": target.parameter("encoding-type"),
        "MaxUploads": str(size),
        "IsTruncated": "true" if is_truncated else "false",
    }
    optional = {"Delimiter", "EncodingType"}
    body = xml_elements(
        {name: text for name, text in summary.items() if text or name not in optional}
    )
    for (name, _), upload in page.items():
        body += _entry(name, upload, write)
    return xml_reply("ListMultipartUploadsResult", body)


def _entries(uploads: Iterable[Upload], target: Target) -> dict[tuple[str, str], Upload | None]:
    """Return the entries of a listing that come after the markers of the request.

    They are keyed by name and upload ID.  For a common prefix, the value is None and the ID empty.
    """
    prefix, delimiter = target.parameter("prefix"), target.parameter("delimiter")
    key_marker, id_marker = target.parameter("key-marker"), target.parameter("upload-id-marker")
    entries: dict[tuple[str, str], Upload | None] = {}
    for upload in uploads:
        key = upload.key
        if not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        name = prefix + head + found if found else key
        is_later = name.encode() > key_marker.encode()
        if is_later or (name == key_marker and not found and id_marker and upload.id > id_marker):
            entries[name, "" if found else upload.id] = None if found else upload
    return entries


def _entry(name: str, upload: Upload | None, write: Callable[[str], str]) -> str:
    """Return the XML of an entry, which is an upload or, if *upload* is None, a common prefix."""
    if upload is None:
        return f"<CommonPrefixes>{xml_elements({'Prefix': write(name)})}</CommonPrefixes>"
    described = {
        "Key": write(name),
        "UploadId": upload.id,
        "StorageClass": upload.described.headers.get("x-amz-storage-class", "STANDARD"),
        "Initiated": upload.initiated.strftime(DATE_FORMAT),
        **upload.checksum.elements(),
    }
    return f"<Upload>{xml_elements(described)}{_OWNERS}</Upload>"
