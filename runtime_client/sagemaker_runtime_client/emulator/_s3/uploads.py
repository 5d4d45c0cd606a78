"""The uploads in parts that were created, but neither completed nor aborted."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import md5
from itertools import count
from secrets import token_hex

from attrs import define, field, frozen

from sigv4 import checksum_algorithm, decode_checksum

from .._reply import invalid_request, rejection
from .content import Content
from .digests import HASHERS
from .stored import StoredObject

_SUPPORTED = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
# The algorithms for which the object's checksum can be computed from those of the parts.
_LINEAR = frozenset({"CRC32", "CRC32C", "CRC64NVME"})


@frozen
class ChecksumKind:
    """The checksum of an upload.

    Attributes:
        algorithm: The algorithm, such as ``CRC32``; None if the upload has no checksum.
        is_composite: Whether the checksum of the object is computed from the checksums of its
            parts.  If not, it is the checksum of the whole content.
    """

    algorithm: str | None = None
    is_composite: bool = False

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> "ChecksumKind":
        """Return the checksum that a CreateMultipartUpload request selects.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html

        Raises:
            RejectedRequestError: The algorithm is unknown, or does not support the selected type.
        """
        algorithm = headers.get("x-amz-checksum-algorithm", "").upper()
        kind = headers.get("x-amz-checksum-type", "").upper()
        if not algorithm:
            if kind:
                raise invalid_request(
                    "The x-amz-checksum-type header can only be used with the "
                    "x-amz-checksum-algorithm header."
                )
            return cls()
        if checksum_algorithm(f"x-amz-checksum-{algorithm.lower()}") is None:
            raise invalid_request(
                "Checksum algorithm provided is unsupported. Please try again with any of the "
                f"valid types: [{', '.join(_SUPPORTED)}]"
            )
        kind = kind or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
        is_composite = kind == "COMPOSITE"
        if kind not in {"COMPOSITE", "FULL_OBJECT"}:
            raise invalid_request("Value for x-amz-checksum-type header is invalid.")
        if (is_composite and algorithm == "CRC64NVME") or not (
            is_composite or algorithm in _LINEAR
        ):
            raise invalid_request(
                f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum "
                "algorithm."
            )
        return cls(algorithm, is_composite)

    @property
    def name(self) -> str:
        """The type of the checksum."""
        return "COMPOSITE" if self.is_composite else "FULL_OBJECT"

    @property
    def header(self) -> str:
        """The name of the header with the checksum; empty if the upload has no checksum."""
        return f"x-amz-checksum-{self.algorithm.lower()}" if self.algorithm else ""

    @property
    def element(self) -> str:
        """The name of the XML element with the checksum."""
        return f"Checksum{self.algorithm}"

    def elements(self) -> dict[str, str]:
        """Return the XML elements that describe the checksum of an upload."""
        if self.algorithm is None:
            return {}
        return {"ChecksumAlgorithm": self.algorithm, "ChecksumType": self.name}


@frozen
class Part:
    """A part of an upload.

    Attributes:
        number: The part's number, from 1 to 10,000.
        content: The content.
        etag: The quoted entity tag.
        checksum: The checksum in base64; None if it is unknown.
        last_modified: The time of the part's upload.
    """

    number: int
    content: Content
    etag: str
    checksum: str | None
    last_modified: datetime


@define(eq=False)
class Upload:
    """An upload in parts.

    Attributes:
        id: The upload ID.
        bucket: The bucket of the object.
        key: The key of the object.
        described: The object without its content.
        checksum: The checksum of the object and of its parts.
        initiated: The time of the upload's creation.
        parts: The parts, keyed by number.
    """

    id: str
    bucket: str
    key: str
    described: StoredObject
    checksum: ChecksumKind
    initiated: datetime
    parts: dict[int, Part] = field(factory=dict[int, Part])

    def add(self, part: Part) -> None:
        """Add a part, which replaces a part with the same number."""
        if (replaced := self.parts.pop(part.number, None)) is not None:
            replaced.content.discard()
        self.parts[part.number] = part

    def discard(self, *, but: frozenset[int] = frozenset()) -> None:
        """Release the storage of all parts except the parts whose numbers are in *but*."""
        for part in self.parts.values():
            if part.number not in but:
                part.content.discard()


class Uploads:
    """The uploads in parts that were created, but neither completed nor aborted."""

    def __init__(self) -> None:
        self._uploads: dict[str, Upload] = {}
        self._next = count(1).__next__

    def create(
        self,
        bucket: str,
        key: str,
        described: StoredObject,
        checksum: ChecksumKind,
        initiated: datetime,
    ) -> Upload:
        """Create an upload.  If compared as text, the IDs of later uploads are greater."""
        name = f"{self._next():012x}{token_hex(24)}"
        upload = Upload(name, bucket, key, described, checksum, initiated)
        self._uploads[upload.id] = upload
        return upload

    def find(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Return an upload.

        Raises:
            RejectedRequestError: There is no such upload of this object.
        """
        upload = self._uploads.get(upload_id)
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise rejection(
                404,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload "
                "may have been aborted or completed.",
                UploadId=upload_id,
            )
        return upload

    def __contains__(self, upload: Upload) -> bool:
        return upload.id in self._uploads

    def remove(self, upload: Upload) -> None:
        """Remove an upload, but do not release the storage of its parts."""
        del self._uploads[upload.id]

    def all(self) -> list[Upload]:
        """Return the uploads, sorted by the UTF-8 bytes of their keys and by their IDs."""
        return sorted(self._uploads.copy().values(), key=lambda one: (one.key.encode(), one.id))


def multipart_etag(parts: list[Part]) -> str:
    """Return the quoted ETag of an object made of parts: the MD5 of the parts' MD5s."""
    digests = b"".join([bytes.fromhex(part.etag.strip('"')) for part in parts])
    return f'"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"'


def object_checksum(kind: ChecksumKind, parts: list[Part]) -> str | None:
    """Return the checksum of an object that consists of parts; None if it cannot be computed."""
    if kind.algorithm is None or kind.algorithm not in HASHERS:
        return None
    hasher = HASHERS[kind.algorithm]()
    if kind.is_composite:
        for part in parts:
            hasher.update(decode_checksum(part.checksum or "", kind.algorithm) or b"")
        return f"{b64encode(hasher.digest()).decode()}-{len(parts)}"
    for piece in Content.joined([part.content for part in parts]).pieces():
        hasher.update(piece)
    return b64encode(hasher.digest()).decode()
