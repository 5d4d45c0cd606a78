"""The options of an upload: everything that is stored with an object except its content.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl

from .._reply import RejectedRequestError, rejection
from .._settings import ACCOUNT, Settings
from .stored import DEFAULT_CONTENT_TYPE, StoredObject

_METADATA = "x-amz-meta-"
_LARGEST_METADATA = 2048
_MOST_TAGS = 10
_ENCRYPTION = "x-amz-server-side-encryption"
_KEY_ID = f"{_ENCRYPTION}-aws-kms-key-id"
_CONTEXT = f"{_ENCRYPTION}-context"
# Headers that are stored with an object, but not returned by GetObject and HeadObject.
HIDDEN_HEADERS = frozenset({_CONTEXT})
_STORED_HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "expires",
        "x-amz-storage-class",
        "x-amz-website-redirect-location",
        _ENCRYPTION,
        _KEY_ID,
        _CONTEXT,
        f"{_ENCRYPTION}-bucket-key-enabled",
    }
)
_STORAGE_CLASSES = frozenset(
    [
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "OUTPOSTS",
        "GLACIER_IR",
        "SNOW",
        "EXPRESS_ONEZONE",
        "FSX_OPENZFS",
        "FSX_ONTAP",
    ]
)
_KMS = frozenset({"aws:kms", "aws:kms:dsse"})
_ENCRYPTIONS = _KMS | {"AES256"}


def describe_upload(headers: Mapping[str, str], settings: Settings) -> StoredObject:
    """Return the object to store for an upload, without its content.

    Args:
        headers: The headers of the request.
        settings: The settings, which determine whether the object must be encrypted with KMS.

    Raises:
        RejectedRequestError: A header is invalid, or KMS is required but not requested.
    """
    metadata = {
        name.removeprefix(_METADATA): value
        for name, value in headers.items()
        if name.startswith(_METADATA)
    }
    if sum(len(name) + len(value) for name, value in metadata.items()) > _LARGEST_METADATA:
        raise rejection(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        )
    stored = {name: headers[name] for name in sorted(_STORED_HEADERS & headers.keys())}
    stored["content-encoding"] = _content_encoding(headers)
    stored |= _encryption(headers, settings)
    if stored.get("x-amz-storage-class", "STANDARD") not in _STORAGE_CLASSES:
        raise rejection(400, "InvalidStorageClass", "The storage class you specified is not valid")
    return StoredObject(
        b"",
        headers.get("content-type", DEFAULT_CONTENT_TYPE),
        metadata,
        headers={name: value for name, value in stored.items() if value and value != "STANDARD"},
        tags=_parse_tags(headers.get("x-amz-tagging", "")),
    )


def encryption_headers(stored: StoredObject) -> dict[str, str]:
    """Return the response headers that describe the encryption of an object."""
    return {name: text for name, text in stored.headers.items() if name.startswith(_ENCRYPTION)}


def is_kms(stored: StoredObject) -> bool:
    """Return whether an object is encrypted with KMS, so that its ETag is not an MD5."""
    return stored.headers.get(_ENCRYPTION) in _KMS


def _content_encoding(headers: Mapping[str, str]) -> str:
    """Return the content encoding without ``aws-chunked``, which is not stored."""
    encodings = [part.strip() for part in headers.get("content-encoding", "").split(",")]
    return ",".join(part for part in encodings if part not in {"", "aws-chunked"})


def _encryption(headers: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Check the encryption headers; return the KMS key's header, by default of S3's own key."""
    algorithm = headers.get(_ENCRYPTION)
    if settings.require_kms and algorithm not in _KMS:
        raise rejection(403, "AccessDenied", "Access Denied")
    if algorithm not in {None, *_ENCRYPTIONS}:
        raise rejection(
            400,
            "InvalidEncryptionAlgorithmError",
            "The Encryption request you specified is not valid. Supported value: AES256.",
            ArgumentName=_ENCRYPTION,
        )
    if algorithm in _KMS:
        _check_context(headers.get(_CONTEXT, "e30="))
        return {_KEY_ID: f"arn:aws:kms:{settings.region}:{ACCOUNT}:alias/aws/s3"} | {
            name: value for name, value in headers.items() if name == _KEY_ID
        }
    if not {_KEY_ID, _CONTEXT}.isdisjoint(headers):
        raise _invalid_argument(
            _ENCRYPTION,
            "Server Side Encryption with AWS KMS managed key requires HTTP header "
            "x-amz-server-side-encryption : aws:kms",
        )
    return {}


def _check_context(text: str) -> None:
    """Check an encryption context, which is a JSON object of strings in base64."""
    try:
        context = json.loads(b64decode(text, validate=True))
    except ValueError:
        context = None
    if not isinstance(context, dict) or not all(
        isinstance(one, str) for one in cast("dict[str, object]", context).values()
    ):
        raise _invalid_argument(
            _CONTEXT,
            f"The header '{_CONTEXT}' must be a Base64-encoded UTF-8 string holding JSON which "
            "represents a string-string map",
        )


def _parse_tags(text: str) -> dict[str, str]:
    """Return the tags of an upload, which are encoded like a query."""
    pairs = parse_qsl(text, keep_blank_values=True)
    if len(pairs) > _MOST_TAGS:
        raise rejection(400, "BadRequest", "Object tags cannot be greater than 10")
    if len(dict(pairs)) != len(pairs):
        raise rejection(400, "InvalidTag", "Cannot provide multiple Tags with the same key")
    return dict(pairs)


def _invalid_argument(name: str, message: str) -> RejectedRequestError:
    return rejection(400, "InvalidArgument", message, ArgumentName=name)
