"""The arguments that all requests of an upload share, and the sender of their bodies."""

from typing import NamedTuple

from ..._aws.error_response import is_s3_error
from ..._aws.operation import Operation
from ..._errors import ObjectNotFoundError, RuntimeClientError, ServiceError
from ..._io.message import BodySource, Response, parse_length
from ..._io.system import System
from ..checksums import CHECKSUM_MODE, Crc, stated_checksums
from ..client import S3
from ..objects import S3Location, S3Object, object_fields
from ..request import Headers, S3Request
from ..upload_headers import SENSITIVE_HEADERS
from .sent_body import Form, Meter, add_body, choose_form, lacks_feature


class Job(NamedTuple):
    """The arguments that all requests of an upload share.

    Attributes:
        system: Provides the clock and the backend.
        s3: Sends the requests.
        location: The location of the object.
        headers: The headers that describe the object.
        conditions: The headers with the condition of the upload, such as ``if-none-match``.
        deadline: When the call must end, on the monotonic clock; None for no limit.
    """

    system: System
    s3: S3
    location: S3Location
    headers: Headers
    conditions: Headers
    deadline: float | None

    async def perform(self, request: S3Request) -> Response:
        """Send *request*, and return the successful response."""
        return await self.s3.send(self.operation(request), self.location)

    def operation(self, request: S3Request) -> Operation:
        """Return the operation that sends *request*."""
        return self.s3.operation(self.location, request)._replace(
            deadline=self.deadline, is_error=is_s3_error, sensitive_headers=SENSITIVE_HEADERS
        )

    def describe(self, response: Response, size: int) -> S3Object:
        """Build the description of the written object from the response of S3 and the size."""
        content_type = dict(self.headers).get("content-type")
        fields = object_fields(response)
        fields["size"], fields["content_type"] = size, content_type
        return S3Object(str(self.location), b"", **fields)


class BodySender:
    """Sends request bodies in a form that the store supports.

    Args:
        job: The arguments of the upload.

    Attributes:
        form: The form in which the next body is sent.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        origin = job.operation(S3Request("PUT")).endpoint.origin
        self.form = choose_form(origin, checksum=job.s3.sends_checksums)

    def avoid_trailers(self) -> None:
        """From now on, do not send checksums in trailers, but in headers."""
        if self.form is Form.TRAILER:
            self.form = Form.HASHED_WITH_CRC32

    async def send(
        self, request: S3Request, source: BodySource, checksum: Crc, meter: Meter
    ) -> Response:
        """Send *request* with the body in *source*, and return the response.

        If the store rejects the trailer with the checksum, send the request again without it.
        """
        form = self.form
        try:
            return await self._job.perform(await add_body(request, source, form, checksum, meter))
        except ServiceError as error:
            if form is not Form.TRAILER or not lacks_feature(error):
                raise
        self.avoid_trailers()
        return await self.send(request, source, checksum, meter)


async def find_written(
    job: Job, error: RuntimeClientError, size: int, crc32: str | None, etag: str | None = None
) -> Response:
    """Return the response that describes the object if this upload has written it.

    If the object is missing, is different, or cannot be compared, raise *error*.

    Args:
        job: The arguments of the upload.
        error: The failure of a request that may have written the object.
        size: The size of the upload.
        crc32: The CRC32 of the upload in base64; None if it is not known.
        etag: The expected entity tag, which is compared only if S3 states no CRC32; None if it is
            not known.
    """
    try:
        found = await job.perform(S3Request("HEAD", headers=(CHECKSUM_MODE,)))
    except ObjectNotFoundError:
        raise error from None
    except RuntimeClientError as failure:
        error.add_note(f"whether the object was written could not be found out: {failure.message}")
        raise error from None
    stated = {one.algorithm: one.value for one in stated_checksums(found.headers)}
    expected, actual = (
        (crc32, stated.get("CRC32")) if "CRC32" in stated else (etag, found.header("etag"))
    )
    is_same = expected is not None and expected == actual
    if parse_length(found.header("content-length")) != size or not is_same:
        raise error
    return found
