"""Operations that list, delete or presign objects, or abort uploads.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/
"""

from collections.abc import Iterable
from datetime import timedelta

from .._aws.error_response import without_secrets
from .._errors import ObjectNotFoundError, ServiceError
from .._limits import LISTING
from . import delete, listing, multipart
from .client import S3
from .objects import S3Location


async def list_page(
    s3: S3,
    location: S3Location,
    deadline: float | None,
    *,
    start_after: str = "",
    page_size: int = listing.MAX_PAGE_SIZE,
    marker: listing.Marker = (),
) -> listing.ObjectsPage:
    """Return a page of the objects below *location*; see `listing.list_objects`."""
    request = listing.list_objects(
        location.key, start_after=start_after, page_size=page_size, marker=marker
    )
    bucket = S3Location(location.bucket, "")
    response = await s3.perform(bucket, request, deadline, limit=LISTING)
    page = listing.parse_objects(location.bucket, response)
    listing.check_progress(response, marker, page.marker)
    return page


async def delete_object(s3: S3, location: S3Location, deadline: float | None) -> None:
    """Delete an object; it is not an error if the object does not exist."""
    await s3.perform(location, delete.DELETE_OBJECT, deadline)


async def delete_objects(
    s3: S3, locations: Iterable[S3Location], deadline: float | None
) -> dict[str, ServiceError]:
    """Delete objects, and return the error of each object that was not deleted."""
    failures: dict[str, ServiceError] = {}
    for batch in delete.batches(locations):
        if delete.is_single(batch):
            failures |= await _delete_single(s3, batch[0], deadline)
        else:
            failures |= await _delete_batch(s3, batch, deadline)
    return failures


async def _delete_single(
    s3: S3, location: S3Location, deadline: float | None
) -> dict[str, ServiceError]:
    try:
        await delete_object(s3, location, deadline)
    except ServiceError as error:
        return {str(location): error}
    return {}


async def _delete_batch(
    s3: S3, batch: list[S3Location], deadline: float | None
) -> dict[str, ServiceError]:
    bucket = S3Location(batch[0].bucket, "")
    response = await s3.perform(bucket, delete.delete_objects(batch), deadline, limit=LISTING)
    failures = delete.parse_failures(bucket.bucket, response)
    if failures:
        secrets = (await s3.prepare(bucket, deadline)).secrets
        for error in failures.values():
            without_secrets(error, secrets)
    return failures


async def abort_uploads(
    s3: S3, location: S3Location, older_than: timedelta, deadline: float | None
) -> list[listing.MultipartUpload]:
    """Abort the uploads below *location* that are older than *older_than*, and return them."""
    before = s3.now() - older_than
    bucket = S3Location(location.bucket, "")
    aborted: list[listing.MultipartUpload] = []
    marker: listing.Marker = ()
    while True:
        request = listing.list_uploads(location.key, marker)
        response = await s3.perform(bucket, request, deadline, limit=LISTING)
        page = listing.parse_uploads(location.bucket, response)
        listing.check_progress(response, marker, page.marker)
        marker = page.marker
        for upload in page.uploads:
            is_old = upload.initiated is not None and upload.initiated < before
            if is_old and await _abort(s3, upload, deadline):
                aborted.append(upload)
        if not marker:
            return aborted


async def _abort(s3: S3, upload: listing.MultipartUpload, deadline: float | None) -> bool:
    """Abort an upload, and return False if it has ended in the meantime."""
    location = S3Location.parse(upload.location)
    try:
        await s3.perform(location, multipart.abort_upload(upload.upload_id), deadline)
    except ObjectNotFoundError:
        return False
    return True
