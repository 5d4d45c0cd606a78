"""DeleteObjects, which removes up to 1,000 objects.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

from collections.abc import Mapping

from sigv4 import checksum_algorithm

from .._reply import Reply, invalid_request, xml_elements
from .digests import BodyDigests
from .documents import malformed, parse_elements, xml_reply
from .objects import ObjectStore

_MOST_KEYS = 1000


def delete_objects(
    store: ObjectStore, bucket: str, headers: Mapping[str, str], body: bytes
) -> Reply:
    """Remove the objects that the body lists, and return a response with the results.

    Args:
        store: The S3 objects.
        bucket: The bucket of the objects.
        headers: The headers of the request, and the trailers of its body.
        body: The decoded body.

    Raises:
        RejectedRequestError: The body is invalid, or the checksum of the body is missing or does
            not match.
    """
    if "content-md5" not in headers and not any(map(checksum_algorithm, headers)):
        raise invalid_request(
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        )
    digests = BodyDigests(headers)
    digests.update(body)
    digests.check({})
    document, objects = parse_elements(body, "Delete", "Object")
    if len(objects) > _MOST_KEYS or not all(one.get("Key") for one in objects):
        raise malformed()
    is_quiet = document.findtext("{*}Quiet", "").strip() == "true"
    results = [_delete(store, bucket, one, is_quiet=is_quiet) for one in objects]
    return xml_reply("DeleteResult", "".join(results))


def _delete(store: ObjectStore, bucket: str, named: Mapping[str, str], *, is_quiet: bool) -> str:
    """Remove an object unless its ETag differs from the request's; return the result's XML."""
    key, etag = named["Key"], named.get("ETag")
    stored = store.read(bucket, key)
    if etag and stored is not None and etag.strip().strip('"') != stored.etag.strip('"'):
        error = {
            "Key": key,
            "Code": "PreconditionFailed",
            "Message": "At least one of the pre-conditions you specified did not hold",
        }
        return f"<Error>{xml_elements(error)}</Error>"
    store.remove(bucket, key)
    return "" if is_quiet else f"<Deleted>{xml_elements({'Key': key})}</Deleted>"
