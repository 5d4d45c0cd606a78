"""The requests that delete objects: one object, or up to 1,000 objects in one request.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from .._aws.error_response import service_error
from .._errors import ServiceError
from .._io.message import Response
from . import documents
from .checksums import encode, upload_checksum
from .objects import S3Location, printable
from .request import S3Request

_BATCH_SIZE = 1000
# The characters that an XML document cannot contain, even if they are escaped
# (https://www.w3.org/TR/xml/#charsets).
_NOT_IN_XML = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"

DELETE_OBJECT = S3Request("DELETE")


def is_single(batch: list[S3Location]) -> bool:
    """Return whether a batch needs `DELETE_OBJECT`, because XML cannot contain its key."""
    return re.search(_NOT_IN_XML, batch[0].key) is not None


def batches(locations: Iterable[S3Location]) -> Iterator[list[S3Location]]:
    """Divide the locations into lists that one request can delete.

    Each list belongs to one bucket.  A key that XML cannot contain is in a separate list.
    """
    buckets: dict[str, dict[S3Location, None]] = {}
    for location in locations:
        if is_single([location]):
            yield [location]
        else:
            buckets.setdefault(location.bucket, {})[location] = None
    for group in buckets.values():
        rest = iter(group)
        while batch := list(islice(rest, _BATCH_SIZE)):
            yield batch


def delete_objects(batch: Iterable[S3Location]) -> S3Request:
    """Return the request that deletes objects of one bucket.

    S3 requires a checksum with this request.  Older S3-compatible stores support only the header
    ``content-md5``.
    """
    entries = "".join(
        documents.element("Object", documents.texts([("Key", location.key)])) for location in batch
    )
    body = documents.document("Delete", entries + documents.texts([("Quiet", "true")]))
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return S3Request(
        "POST", "delete", (upload_checksum(body), ("content-md5", encode(digest))), body
    )


def parse_failures(bucket: str, response: Response) -> dict[str, ServiceError]:
    """Return the error of each object that was not deleted, keyed by location.

    Raises:
        TransportError: The response does not contain the result.
    """
    found = documents.read(response, "DeleteResult", {"Error"})
    failures: dict[str, ServiceError] = {}
    for fields in found.records:
        location = S3Location(bucket, documents.required(response, fields, "Key"))
        error = service_error(response, fields.get("Code"), fields.get("Message", ""))
        error.message = f"{printable(location)}: {error.message}"
        failures[str(location)] = error
    return failures
