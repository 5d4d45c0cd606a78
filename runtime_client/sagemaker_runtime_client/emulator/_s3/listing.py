"""ListObjectsV2, which lists the keys of a bucket in pages.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping

from sigv4 import percent_encode_path

from .._reply import XML_HEADER, Reply, rejection, xml_elements
from .._target import Target
from .objects import StoredObject

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_LARGEST_PAGE = 1000


def list_objects(objects: Mapping[str, StoredObject], target: Target) -> Reply:
    """Return a response with one page of a bucket's listing.

    Args:
        objects: The bucket's objects, keyed and sorted by key.
        target: The target of the request, whose query contains the parameters of the listing.

    Raises:
        RejectedRequestError: A parameter is invalid.
    """
    prefix, delimiter = target.parameter("prefix"), target.parameter("delimiter")
    size = _page_size(target.parameter("max-keys", str(_LARGEST_PAGE)))
    entries = _entries(objects, prefix, delimiter, _start(target))
    page = list(entries)[:size]
    truncated = bool(page) and len(entries) > size
    written = percent_encode_path if target.parameter("encoding-type") == "url" else str
    summary = {
        "Name": target.bucket,
        "Prefix": written(prefix),
        "Delimiter": written(delimiter),
        "EncodingType": target.parameter("encoding-type"),
        "ContinuationToken": target.parameter("continuation-token"),
        "StartAfter": written(target.parameter("start-after")),
        "NextContinuationToken": _token(page[-1]) if truncated else "",
        "KeyCount": str(len(page)),
        "MaxKeys": str(size),
        "IsTruncated": "true" if truncated else "false",
    }
    body = xml_elements({name: text for name, text in summary.items() if text or name == "Prefix"})
    for name in page:
        body += _entry(written(name), entries[name])
    document = f'{XML_HEADER}<ListBucketResult xmlns="{_NAMESPACE}">{body}</ListBucketResult>'
    return Reply(200, {"content-type": "application/xml"}, document.encode())


def _page_size(text: str) -> int:
    """Return the maximum number of entries in a page, which is ``max-keys`` but at most 1,000."""
    if not (text.isascii() and text.isdigit()):
        raise rejection(
            400, "InvalidArgument", "max-keys must be a number.", ArgumentName="max-keys"
        )
    return min(int(text), _LARGEST_PAGE)


def _token(name: str) -> str:
    """Return the continuation token for the page that starts after the entry *name*."""
    return urlsafe_b64encode(name.encode()).decode()


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


def _entries(
    objects: Mapping[str, StoredObject], prefix: str, delimiter: str, after: str
) -> dict[str, StoredObject | None]:
    """Return the entries of a listing that come after *after*.

    They are keyed by name, and the value is None for a common prefix.
    """
    entries: dict[str, StoredObject | None] = {}
    for key, stored in objects.items():
        if key.startswith(prefix) and key.encode() > after.encode():
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            rolled_up = prefix + head + found
            if not found:
                entries[key] = stored
            elif rolled_up != after:  # if equal, the previous page contains the prefix
                entries[rolled_up] = None
    return entries


def _entry(name: str, stored: StoredObject | None) -> str:
    """Return the XML of an entry, which is an object or, if *stored* is None, a common prefix."""
    if stored is None:
        return f"<CommonPrefixes>{xml_elements({'Prefix': name})}</CommonPrefixes>"
    content = xml_elements(
        {
            "Key": name,
            "LastModified": stored.last_modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "ETag": stored.etag,
            "Size": str(len(stored.body)),
            "StorageClass": "STANDARD",
        }
    )
    return f"<Contents>{content}</Contents>"
