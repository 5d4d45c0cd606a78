"""Builds the requests for ranges of one version of an object, and checks the responses.

Source: RFC 9110, sections 13.1.1 and 14, and
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

import re
from typing import NamedTuple

from ..._errors import ServiceError, TransportError
from ..._io.message import Response
from ..objects import S3Location, printable
from ..request import Headers
from ..responses import parse_error

_CONTENT_RANGE = r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})"


class ObjectReplacedError(ServiceError):
    """An object was replaced or deleted while its ranges were being read.

    Repeat the call to read the new version.
    """

    retryable = True


class Version(NamedTuple):
    """A version of an object: its entity tag, which may be unknown, and its size in bytes."""

    etag: str | None
    size: int


class Range(NamedTuple):
    """The bytes of an object from *start* to before *end*, and the version to which they belong."""

    start: int
    end: int
    version: Version


def range_headers(start: int, end: int | None, version: Version | None) -> Headers:
    """Return the headers of a request for a range, or for the whole object if *end* is None."""
    headers: Headers = ()
    if end is not None:
        headers += (("range", f"bytes={start}-{end - 1}"),)
    if version is not None and version.etag is not None:
        headers += (("if-match", version.etag),)
    return headers


def parse_range_error(location: S3Location, response: Response) -> ServiceError:
    """Return the error that a response describes: `ObjectReplacedError` for the status 412."""
    return (
        replaced(location, response) if response.status == 412 else parse_error(location, response)
    )


def replaced(location: S3Location, response: Response) -> ObjectReplacedError:
    """Return the error that is raised if *response* shows that the object was replaced."""
    return ObjectReplacedError(
        f"{printable(location)}: the object was replaced while it was being read",
        status_code=response.status,
        request_id=response.request_id,
    )


def parse_range(
    location: S3Location, start: int, end: int | None, version: Version | None, response: Response
) -> Range:
    """Return the range that a response contains.

    If a store ignores the requested range, it sends the whole object.  This is accepted if *start*
    is 0.

    Args:
        location: The location of the object.
        start: The offset of the first byte that was requested.
        end: The offset after the last byte that was requested; None for the whole object.
        version: The version that was requested; None for any.
        response: The response, whose body has not been read.

    Raises:
        TransportError: The response states no size, or does not contain the requested range.
        ObjectReplacedError: The response belongs to another version than *version*.
    """
    found = _stated_range(response)
    if found is None:
        raise _wrong(location, response, "states no size")
    expected_end = found.version.size if end is None else min(end, found.version.size)
    is_whole = response.status == 200 and start == 0
    if found.start != start or (found.end != expected_end and not is_whole):
        raise _wrong(location, response, "contains another range than the requested one")
    if version is not None and found.version != version:
        raise replaced(location, response)
    return found


def _stated_range(response: Response) -> Range | None:
    """Return the range that the headers of the response state, or None if there is no valid one."""
    object_ = whole_version(response)
    if response.status == 200:
        return None if object_ is None else Range(0, object_.size, object_)
    match = re.fullmatch(_CONTENT_RANGE, response.header("content-range") or "")
    if response.status != 206 or match is None:
        return None
    first, last, size = map(int, match.groups())
    length = None if object_ is None else object_.size
    if not first <= last < size or length not in {None, last + 1 - first}:
        return None
    return Range(first, last + 1, Version(response.header("etag"), size))


def whole_version(response: Response) -> Version | None:
    """Return the version in the response to a request for a whole object; None without a size."""
    length = response.header("content-length") or ""
    is_number = length.isascii() and length.isdigit() and len(length) < 20
    return Version(response.header("etag"), int(length)) if is_number else None


def _wrong(location: S3Location, response: Response, fault: str) -> TransportError:
    return TransportError(
        f"{printable(location)}: the response of S3 {fault}",
        status_code=response.status,
        request_id=response.request_id,
    )
