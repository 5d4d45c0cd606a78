"""An upload in parts, several of which are sent at the same time.

The caller's thread or task reads streams, starts the parts, and calls the progress function.  A
separate thread or task sends each part.  If anything fails, or the caller is cancelled, the upload
is aborted, so that S3 deletes its parts.  It is not aborted, however, if the request to complete it
may have reached S3 but got no response, because S3 may have created the object or may still be
creating it.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

from binascii import unhexlify
from collections import deque
from hashlib import md5
from typing import NamedTuple

from ..._aws.operation import Progress
from ..._errors import ObjectNotFoundError, RuntimeClientError, ServiceError
from ..._io.message import BodySource, Response
from ..._io.sources.body import MemorySource, SourceError
from ..._io.sources.opened import SizedSource
from ..._io.sources.stream import StreamSource
from .. import multipart
from ..checksums import encode
from ..objects import PreconditionFailedError, S3Object
from ..part_plan import MAX_PARTS, Part, PartPlan
from ..request import S3Request
from .bell import Bell
from .job import BodySender, Job, find_written
from .progress import OnProgress, TransferProgress, unmetered
from .sent_body import Form, Meter, lacks_feature, new_crc32

# After a cancellation, creating or aborting the upload may continue for this many seconds.  After a
# failure, aborting it may also take this long.
_GRACE = 10.0
_COMPOSITE = "COMPOSITE"


class PlannedParts:
    """The parts of a source whose size is known.  Each part is read while it is sent."""

    def __init__(self, source: SizedSource, plan: PartPlan) -> None:
        self._source, self._parts = source, plan.parts()
        self.total: int | None = plan.size

    async def take(self) -> "tuple[Part, BodySource] | None":
        """Return the next part and its body, or None at the end of the source."""
        part = next(self._parts, None)
        if part is None:
            return None
        return part, self._source.region(part.offset, part.size)

    async def check(self) -> None:
        """Raise SourceError if the source has changed since it was opened."""
        await self._source.check()


class StreamedParts:
    """The parts of a stream.  Each part is read into memory before it is sent.

    Args:
        source: The stream.
        first: The first part, which has already been read.
        size: The size of each part except the last, in bytes.
    """

    def __init__(self, source: StreamSource, first: memoryview, size: int) -> None:
        self._source, self._first, self._size = source, first, size
        self._number = self._offset = 0
        self.total: int | None = None

    async def take(self) -> "tuple[Part, BodySource] | None":
        """Return the next part and its body, or None at the end of the source."""
        data = self._first or await self._source.take(self._size)
        self._first = memoryview(b"")
        if not data:
            self.total = self._offset
            return None
        self._number += 1
        if self._number > MAX_PARTS:
            raise SourceError(
                f"the source of the upload has more than {MAX_PARTS:,} parts of {self._size:,} "
                "bytes: pass a larger part_size"
            )
        part = Part(self._number, self._offset, len(data))
        self._offset += len(data)
        return part, MemorySource(data)

    async def check(self) -> None:
        """Do nothing, because each part was read only once."""


class _Sent(NamedTuple):
    """A part that was sent, its size in bytes, and its CRC32."""

    part: multipart.UploadedPart
    size: int
    crc32: int


class PartedUpload:
    """An upload in parts.

    Args:
        job: The arguments that all requests share.
        parts: The parts.
        concurrency: The maximum number of parts that are sent at the same time.
        on_progress: The function that `TransferProgress` calls; None if progress is not reported.
    """

    def __init__(
        self,
        job: Job,
        parts: PlannedParts | StreamedParts,
        concurrency: int,
        on_progress: OnProgress | None,
    ) -> None:
        self._job, self._parts, self._concurrency = job, parts, concurrency
        self._backend = job.system.backend()
        self._sender = BodySender(job)
        self._upload_id = ""
        self._checksum_type: str | None = None
        self._running = 0
        self._sent: list[_Sent] = []
        self._news: deque[_Sent] = deque()  # sent parts that `_wait_until` has not yet recorded
        self._has_failed = False
        self._may_abort = True
        self._bell = Bell(self._backend)
        self._progress: TransferProgress | None = None
        if on_progress is not None:
            self._progress = TransferProgress(on_progress, parts.total)
            self._progress.noted = self._bell.ring

    async def run(self) -> S3Object:
        """Upload the parts, and return the description of the object."""
        try:
            await self._backend.uninterrupted(_GRACE, self._create)
            await self._send_parts()
            await self._parts.check()
            return await self._complete()
        except BaseException as error:
            if self._upload_id and self._may_abort and not isinstance(error, GeneratorExit):
                await self._backend.uninterrupted(_GRACE, self._abort, error)
            raise

    async def _create(self) -> None:
        """Create the upload; omit its checksum if the store does not support checksums of uploads.

        `run` lets this method continue for a while after a cancellation, because the upload cannot
        be aborted without its ID.
        """
        wants_checksum = self._sender.form in {Form.TRAILER, Form.HASHED_WITH_CRC32}
        try:
            response = await self._request_upload(checksum=wants_checksum)
        except ServiceError as error:
            if not (wants_checksum and lacks_feature(error)):
                raise
            response = await self._request_upload(checksum=False)
        created = multipart.parse_created(response)
        self._upload_id, self._checksum_type = created
        if created.checksum_type is None:
            self._sender.avoid_trailers()

    async def _request_upload(self, *, checksum: bool) -> Response:
        request = multipart.create_upload(self._job.headers, checksum=checksum)
        return await self._job.perform(request)

    async def _send_parts(self) -> None:
        """Send the parts, at most `concurrency` at the same time, until one fails."""
        async with self._backend.task_group() as group:
            while not self._has_failed and (taken := await self._parts.take()) is not None:
                part, body = taken
                progress = self._progress
                meter = unmetered if progress is None else progress.start(part.number)
                group.start(self._work, part, body, meter)
                self._running += 1
                del taken, body  # so that a part in memory can be freed as soon as it has been sent
                await self._wait_until(self._concurrency - 1)
            await self._wait_until(0)
            self._report()

    async def _wait_until(self, running: int) -> None:
        """Wait until at most *running* parts are being sent or one has failed; report progress."""
        while self._running > running and not self._has_failed:
            await self._bell.wait()
            while self._news:
                sent = self._news.popleft()
                self._sent.append(sent)
                self._running -= 1
                if self._progress is not None:
                    self._progress.end(sent.part.number, sent.size)
            self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress.total = self._parts.total
            self._progress.report()

    async def _work(self, part: Part, body: BodySource, meter: Meter) -> None:
        """Send a part, and wake the caller's thread or task when this has succeeded or failed."""
        try:
            self._news.append(await self._send(part, body, meter))
        except BaseException:
            self._has_failed = True
            raise
        finally:
            self._bell.ring()

    async def _send(self, part: Part, body: BodySource, meter: Meter) -> _Sent:
        request = multipart.upload_part(self._upload_id, part.number)
        checksum = new_crc32()
        response = await self._sender.send(request, body, checksum, meter)
        uploaded = multipart.parse_part(part.number, part.size, response)
        if self._checksum_type == _COMPOSITE:
            uploaded = uploaded._replace(crc32=encode(checksum.digest()))
        return _Sent(uploaded, part.size, checksum.value)

    async def _complete(self) -> S3Object:
        """Create the object from the parts.

        If the request fails but may have been accepted, check whether S3 has created the object.
        """
        sent = sorted(self._sent)
        size = sum(one.size for one in sent)
        checksum = multipart.combined_crc32([(one.crc32, one.size) for one in sent])
        request = multipart.complete_upload(
            self._upload_id,
            [one.part for one in sent],
            size=size,
            crc32=checksum if self._checksum_type == multipart.FULL_OBJECT else None,
            headers=self._job.conditions,
        )
        try:
            response = await self._send_completion(request)
        except RuntimeClientError as error:
            if not error.possibly_accepted:
                raise
            # S3 reports a failed precondition only if it has not created the object.
            self._may_abort |= isinstance(error, PreconditionFailedError)
            etag = _etag([one.part.etag for one in sent])
            response = await find_written(self._job, error, size, checksum, etag)
            return self._job.describe(response, size)
        completed = multipart.parse_completed(response)
        return self._job.describe(response, size).replace(etag=completed.etag)

    async def _send_completion(self, request: S3Request) -> Response:
        """Send *request*; if it fails, record whether the upload may be aborted."""
        job, progress, answered = self._job, Progress(), list[ServiceError]()
        operation = job.operation(request)

        def parse_error(response: Response) -> ServiceError:
            answered.append(operation.parse_error(response))
            return answered[-1]

        try:
            return await job.s3.send(
                operation._replace(progress=progress, parse_error=parse_error), job.location
            )
        except RuntimeClientError as error:
            self._may_abort = not error.possibly_accepted or error.attempts <= len(answered)
            raise
        except BaseException:
            self._may_abort = not progress.possibly_accepted
            raise

    async def _abort(self, error: BaseException) -> None:
        """Abort the upload, so that S3 deletes its parts; if that fails, add a note to *error*."""
        job = self._job._replace(deadline=self._job.system.monotonic() + _GRACE)
        try:
            await job.perform(multipart.abort_upload(self._upload_id))
        except ObjectNotFoundError:
            pass  # the upload no longer exists
        except RuntimeClientError as failure:
            error.add_note(
                "the parts that were sent could not be deleted, so call abort_uploads later: "
                f"{failure.message}"
            )


def _etag(parts: list[str]) -> str | None:
    """Return the entity tag that S3 gives to an object whose parts have the entity tags *parts*.

    Return None if the entity tags are not hexadecimal numbers, and therefore not MD5 digests.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    try:
        digests = b"".join(unhexlify(etag.strip('"')) for etag in parts)
    except ValueError:
        return None
    return f'"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"'
