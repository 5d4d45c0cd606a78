"""An upload of any size, in one request or in parts.

The AWS guide recommends parts for objects of 100 MB or more.  Like boto3, this module already uses
them for objects of more than 8 MiB, because parts can be sent at the same time, and only a part
that has failed is sent again.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from ..._io.message import BodySource
from ..._io.sources.body import MemorySource
from ..._io.sources.opened import UploadSource
from ..._io.sources.stream import StreamSource
from ..checksums import encode
from ..objects import PreconditionFailedError, S3Object
from ..part_plan import DEFAULT_PART_SIZE, plan_parts
from ..request import S3Request
from .job import BodySender, Job, find_written
from .parts import PartedUpload, PlannedParts, StreamedParts
from .progress import OnProgress, TransferProgress, unmetered
from .sent_body import Meter, new_crc32

# A larger body is sent in parts, unless the caller sets a higher limit for a single request.
MAX_SINGLE_SIZE = DEFAULT_PART_SIZE
# A body of at most this size is read into memory and signed.
_MAX_SIGNED_SIZE = 1 << 20


async def upload(
    job: Job,
    source: UploadSource,
    *,
    part_size: int | None,
    concurrency: int,
    on_progress: OnProgress | None,
    max_single: int = MAX_SINGLE_SIZE,
) -> S3Object:
    """Upload what *source* contains, and return the description of the object.

    Args:
        job: The arguments that all requests share.
        source: The open source.
        part_size: The size of a part in bytes; None for 8 MiB, or more if the object would
            otherwise have too many parts.
        concurrency: The maximum number of parts that are sent at the same time.
        on_progress: The function that `TransferProgress` calls; None if progress is not reported.
        max_single: A source of a known size that has at most this many bytes, or at most one part,
            is sent in one request.
    """
    size = plan_parts(0, part_size).part_size
    if isinstance(source, StreamSource):
        first = await source.take(size)
        if len(first) < size or not await source.has_more():
            return await put(job, MemorySource(first), on_progress)
        parts: PlannedParts | StreamedParts = StreamedParts(source, first, size)
        del first
    else:
        plan = plan_parts(source.size, part_size)
        if source.size <= max(size, max_single):
            return await put(job, source.region(0, source.size), on_progress)
        parts = PlannedParts(source, plan)
    return await PartedUpload(job, parts, concurrency, on_progress).run()


async def put(job: Job, source: BodySource, on_progress: OnProgress | None = None) -> S3Object:
    """Write an object in one request, and return its description."""
    send = _put_signed if source.size <= _MAX_SIGNED_SIZE else _put
    if on_progress is None:
        return await send(job, source, unmetered)
    progress = TransferProgress(on_progress, source.size)
    stored = await send(job, source, progress.start(1))
    progress.end(1, source.size)
    progress.report()
    return stored


async def _put_signed(job: Job, source: BodySource, _meter: Meter) -> S3Object:
    body = b"".join([piece async for piece in source.chunks()])
    headers = job.headers + job.conditions
    stored = await job.s3.put(job.location, body, headers=headers, deadline=job.deadline)
    return stored.replace(content_type=dict(headers).get("content-type"))


async def _put(job: Job, source: BodySource, meter: Meter) -> S3Object:
    request = S3Request("PUT", headers=job.headers + job.conditions)
    checksum = new_crc32()
    try:
        response = await BodySender(job).send(request, source, checksum, meter)
    except PreconditionFailedError as error:
        if not error.possibly_accepted:
            raise
        response = await find_written(job, error, source.size, encode(checksum.digest()))
    return job.describe(response, source.size)
