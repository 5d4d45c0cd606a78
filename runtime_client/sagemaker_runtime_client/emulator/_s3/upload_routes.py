"""The S3 operations that upload an object in parts.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from collections.abc import Callable
from datetime import datetime

from attrs import evolve, frozen

from sigv4 import checksum_algorithm

from .._reply import Reply, rejection, xml_elements
from .._settings import Settings
from .completion import complete, mismatched_algorithm, select_parts
from .conditions import check_write_conditions
from .documents import xml_reply
from .objects import ObjectStore
from .options import describe_upload, encryption_headers, is_kms
from .receiving import receive_content
from .request import ObjectRequest
from .upload_listing import list_parts, list_uploads
from .uploads import ChecksumKind, Part, Upload

_MOST_PARTS = 10_000


@frozen
class UploadRoutes:
    """Handles requests that belong to an upload in parts.

    Attributes:
        settings: The settings, which determine whether uploads must be encrypted with KMS.
        store: The S3 objects.
        now: Returns the time of the server's clock.
    """

    settings: Settings
    store: ObjectStore
    now: Callable[[], datetime]

    async def create(self, request: ObjectRequest) -> Reply:
        """Create an upload."""
        target = request.target
        described = describe_upload(request.headers, self.settings)
        checksum = ChecksumKind.parse(request.headers)
        await request.body.read()
        upload = self.store.uploads.create(
            target.bucket, target.key, described, checksum, self.now()
        )
        elements = {"Bucket": target.bucket, "Key": target.key, "UploadId": upload.id}
        headers = encryption_headers(described)
        if checksum.algorithm is not None:
            headers["x-amz-checksum-algorithm"] = checksum.algorithm
            headers["x-amz-checksum-type"] = checksum.name
        return _with_headers(
            xml_reply("InitiateMultipartUploadResult", xml_elements(elements)), headers
        )

    async def upload_part(self, request: ObjectRequest) -> Reply:
        """Store a part."""
        upload, number = self._find(request), _part_number(request)
        kind = upload.checksum
        if "x-amz-copy-source" in request.headers:
            raise rejection(501, "NotImplemented", "The emulator does not copy objects.")
        _check_algorithm(request, kind)
        received = await receive_content(request, self.store.new_writer(), kind.algorithm)
        if upload not in self.store.uploads:  # the upload ended while the body arrived
            received.content.discard()
            self._find(request)
        checksum = received.digests.checksum(kind.algorithm or "")
        part = Part(
            number,
            received.content,
            received.etag(is_md5=not is_kms(upload.described)),
            checksum or received.checksums.get(kind.header),
            self.now(),
        )
        upload.add(part)
        headers = {"etag": part.etag, **received.checksums}
        return Reply(200, {**headers, **encryption_headers(upload.described)})

    async def complete(self, request: ObjectRequest) -> Reply:
        """Store the object that consists of the listed parts."""
        target = request.target
        bucket, key = target.bucket, target.key
        self._find(request)
        body = await request.body.read()
        upload = self._find(request)
        check_write_conditions(request.headers, self.store.read(bucket, key), key)
        parts = select_parts(upload, body)
        stored = evolve(complete(upload, parts, request.headers), last_modified=self.now())
        self.store.uploads.remove(upload)
        self.store.write(bucket, key, stored)
        upload.discard(but=frozenset(part.number for part in parts))
        elements = {
            "Location": f"http://{request.headers.get('host', '')}/{bucket}/{key}",
            "Bucket": bucket,
            "Key": key,
            "ETag": stored.etag,
        }
        for checksum in stored.checksums.values():
            elements[upload.checksum.element] = checksum
            elements["ChecksumType"] = stored.checksum_type
        return _with_headers(
            xml_reply("CompleteMultipartUploadResult", xml_elements(elements)),
            encryption_headers(stored),
        )

    async def abort(self, request: ObjectRequest) -> Reply:
        """Remove an upload and its parts."""
        await request.body.read()
        upload = self._find(request)
        self.store.uploads.remove(upload)
        upload.discard()
        return Reply(204)

    async def list_parts(self, request: ObjectRequest) -> Reply:
        """Return one page of an upload's parts."""
        await request.body.read()
        return list_parts(self._find(request), request.target)

    async def list_uploads(self, request: ObjectRequest) -> Reply:
        """Return one page of a bucket's uploads."""
        await request.body.read()
        target = request.target
        uploads = [one for one in self.store.uploads.all() if one.bucket == target.bucket]
        return list_uploads(uploads, target)

    def _find(self, request: ObjectRequest) -> Upload:
        target = request.target
        return self.store.uploads.find(target.bucket, target.key, target.parameter("uploadId"))


def _part_number(request: ObjectRequest) -> int:
    text = request.target.parameter("partNumber")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MOST_PARTS):
        raise rejection(
            400,
            "InvalidArgument",
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=text,
        )
    return int(text)


def _check_algorithm(request: ObjectRequest, kind: ChecksumKind) -> None:
    """Reject a part whose checksum algorithm differs from that of the upload.

    If the upload's checksum is composite, each part must have a checksum; otherwise, a part's
    checksum is optional.  If the upload has no algorithm, any checksum is accepted, as in S3 since
    December 2024.
    """
    if kind.algorithm is None:
        return
    names = [*request.headers, *request.headers.get("x-amz-trailer", "").split(",")]
    sent = {found for name in names if (found := checksum_algorithm(name.strip().lower()))}
    if not sent <= {kind.algorithm} or (kind.is_composite and not sent):
        raise mismatched_algorithm(kind.algorithm, min(sent, default=None))


def _with_headers(reply: Reply, headers: dict[str, str]) -> Reply:
    return evolve(reply, headers={**reply.headers, **headers})
