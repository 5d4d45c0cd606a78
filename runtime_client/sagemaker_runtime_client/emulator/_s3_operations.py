"""Selects the S3 operation of a request by its method and its query parameters."""

from collections.abc import Mapping

UNKNOWN = "Unknown"

# The supported operations, keyed by the method, by whether the path contains a key, and by the
# query parameters that select the operation.
_OPERATIONS = {
    ("GET", False, ""): "ListObjects",
    ("GET", False, "list-type"): "ListObjectsV2",
    ("GET", False, "uploads"): "ListMultipartUploads",
    ("HEAD", False, ""): "HeadBucket",
    ("POST", False, "delete"): "DeleteObjects",
    ("PUT", False, ""): "CreateBucket",
    ("DELETE", True, ""): "DeleteObject",
    ("DELETE", True, "uploadId"): "AbortMultipartUpload",
    ("GET", True, ""): "GetObject",
    ("GET", True, "uploadId"): "ListParts",
    ("HEAD", True, ""): "HeadObject",
    ("POST", True, "uploadId"): "CompleteMultipartUpload",
    ("POST", True, "uploads"): "CreateMultipartUpload",
    ("PUT", True, ""): "PutObject",
    ("PUT", True, "partNumber uploadId"): "UploadPart",
}
OPERATIONS = frozenset(_OPERATIONS.values())
# Parameters that select an operation, or modify the selected one.  If a request contains such a
# parameter that the table above does not list for it, the emulator rejects the request.  Like S3,
# it ignores unknown parameters.
_SELECTORS = (
    "abac accelerate acl analytics annotation annotationName attributes cors delete encryption "
    "intelligent-tiering inventory legal-hold lifecycle list-type location logging "
    "metadataAnnotationTable metadataConfiguration metadataInventoryTable "
    "metadataJournalTable metadataTable metrics notification object-lock ownershipControls "
    "partNumber policy policyStatus publicAccessBlock renameObject replication requestPayment "
    "restore retention select select-type session tagging torrent uploadId uploads versionId "
    "versioning versions website"
)
SELECTORS = frozenset(_SELECTORS.split())


def select_operation(method: str, bucket: str, key: str, parameters: Mapping[str, str]) -> str:
    """Return the S3 operation of a request; ``Unknown`` if the emulator does not support it.

    Args:
        method: The HTTP method.
        bucket: The bucket, which is empty for an operation on all buckets.
        key: The key, which is empty for an operation on the bucket.
        parameters: The names and values of the query parameters, decoded.
    """
    if not bucket or parameters.get("list-type", "2") != "2":
        return UNKNOWN
    selectors = " ".join(sorted(SELECTORS & parameters.keys()))
    return _OPERATIONS.get((method, bool(key), selectors), UNKNOWN)
