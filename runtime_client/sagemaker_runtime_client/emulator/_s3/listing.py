"""ListObjectsV2 and ListObjects, which list the keys of a bucket in pages.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html and API_ListObjects
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping

from attrs import frozen

from sigv4 import checksum_algorithm, percent_encode_path

from .._reply import Reply, rejection, xml_elements
from .._target import Target
from .documents import DATE_FORMAT, xml_reply
from .stored import StoredObject

LARGEST_PAGE = 1000


@frozen
class _Page:
    """One page of a listing.

    Attributes:
        entries: The objects and common prefixes, keyed by name; the value of a common prefix is
            None.
        size: The maximum number of entries.
        is_truncated: Whether more entries follow.
    """

    entries: dict[str, StoredObject | None]
    size: int
    is_truncated: bool

    @property
    def last(self) -> str:
        """The name after which the next page starts; empty if this page is the last one."""
        return next(reversed(self.entries)) if self.is_truncated else ""


def list_objects(objects: Mapping[str, StoredObject], target: Target) -> Reply:
    """Return a response with one page of a bucket's listing, in the form of the requested version.

    Args:
        objects: The bucket's objects, keyed and sorted by key.
        target: The target of the request, whose query contains the parameters of the listing.

    Raises:
        RejectedRequestError: A parameter is invalid.
    """
    write = parse_encoding(target)
    is_second = target.operation == "ListObjectsV2"
    start = _start(target) if is_second else target.parameter("marker")
    size = parse_page_size(target, "max-keys")
    page = _page(objects, target, start, size)
    summary = {
        "Name": target.bucket,
        "Prefix": write(target.parameter("prefix")),
        "Delimiter": write(target.parameter("delimiter")),
        "EncodingType": target.parameter("encoding-type"),
        **(_second if is_second else _first)(page, target, write),
        "MaxKeys": str(size),
        "IsTruncated": "true" if page.is_truncated else "false",
    }
    body = xml_elements(
        {name: text for name, text in summary.items() if text or name in {"Prefix", "Marker"}}
    )
    for name, stored in page.entries.items():
        body += _entry(write(name), stored)
    return xml_reply("ListBucketResult", body)


def parse_encoding(target: Target) -> Callable[[str], str]:
    """Return the function that encodes keys as the parameter ``encoding-type`` requires."""
    encoding = target.parameter("encoding-type")
    if encoding not in {"", "url"}:
        raise rejection(
            400,
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            ArgumentName="encoding-type",
            ArgumentValue=encoding,
        )
    return percent_encode_path if encoding else str


def parse_page_size(target: Target, name: str) -> int:
    """Return the requested maximum number of entries in a page, limited to 1,000."""
    text = target.parameter(name, str(LARGEST_PAGE))
    if not (text.isascii() and text.isdigit()):
        raise rejection(400, "InvalidArgument", f"{name} must be a number.", ArgumentName=name)
    return min(int(text), LARGEST_PAGE)


def _first(page: _Page, target: Target, write: Callable[[str], str]) -> dict[str, str]:
    """Return the XML elements that only version 1 of the listing contains.

    Without a delimiter, the next page starts after the last key of this page.
    """
    return {
        "Marker": write(target.parameter("marker")),
        "NextMarker": write(page.last) if target.parameter("delimiter") else "",
    }


def _second(page: _Page, target: Target, write: Callable[[str], str]) -> dict[str, str]:
    """Return the XML elements that only version 2 of the listing contains."""
    return {
        "ContinuationToken": target.parameter("continuation-token"),
        "StartAfter": write(target.parameter("start-after")),
        "NextContinuationToken": urlsafe_b64encode(page.last.encode()).decode(),
        "KeyCount": str(len(page.entries)),
    }


def _start(target: Target) -> str:
    """Return the name after which the page starts; empty if it starts with the first entry."""
    token = target.parameter("continuation-token")
    if not token:
        return target.parameter("start-after")
    try:
        return b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise rejection(
            400, "InvalidArgument", "The continuation token provided is incorrect"
        ) from None


def _page(objects: Mapping[str, StoredObject], target: Target, after: str, size: int) -> _Page:
    """Return the first *size* entries of a listing that come after *after*."""
    prefix, delimiter = target.parameter("prefix"), target.parameter("delimiter")
    entries: dict[str, StoredObject | None] = {}
    for key, stored in objects.items():
        if key.startswith(prefix) and key.encode() > after.encode():
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            rolled_up = prefix + head + found
            name = rolled_up if found else key
            if name == after or name in entries:  # an earlier page or entry contains the prefix
                continue
            if len(entries) == size:
                return _Page(entries, size, is_truncated=size > 0)
            entries[name] = None if found else stored
    return _Page(entries, size, is_truncated=False)


def _entry(name: str, stored: StoredObject | None) -> str:
    """Return the XML of an entry, which is an object or, if *stored* is None, a common prefix."""
    if stored is None:
        return f"<CommonPrefixes>{xml_elements({'Prefix': name})}</CommonPrefixes>"
    content = {
        "Key": name,
        "LastModified": stored.last_modified.strftime(DATE_FORMAT),
        "ETag": stored.etag,
        **_checksum_elements(stored),
        "Size": str(stored.size),
        "StorageClass": stored.headers.get("x-amz-storage-class", "STANDARD"),
    }
    return f"<Contents>{xml_elements(content)}</Contents>"


def _checksum_elements(stored: StoredObject) -> dict[str, str]:
    """Return the elements that describe an object's checksum; none if it has no checksum."""
    algorithms = list(filter(None, map(checksum_algorithm, stored.checksums)))
    if not algorithms:
        return {}
    return {"ChecksumAlgorithm": algorithms[0], "ChecksumType": stored.checksum_type}
