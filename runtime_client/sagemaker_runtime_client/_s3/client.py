"""The S3 client, which sends requests, and writes, reads and describes single objects.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ (PutObject, GetObject, HeadObject).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial

from .._aws.auth import Auth, PreparedAuth
from .._aws.call import ServiceClient
from .._aws.endpoint import Endpoints
from .._aws.error_response import is_s3_error
from .._aws.operation import Operation
from .._errors import ResponseTooLargeError, ServiceError, TransportError
from .._io.generation import importing
from .._io.message import Request, Response
from .._limits import OBJECT, RESPONSE, ResponseLimit
from . import checksums
from .addresses import BucketAddresses
from .objects import (
    LocationNotAllowedError,
    PreconditionFailedError,
    S3Location,
    S3Object,
    printable,
)
from .request import Headers, S3Request
from .responses import check_object, check_object_and_checksum, parse_error, parse_object


class S3:
    """A client for objects in S3.

    Args:
        service: Sends the requests.
        endpoints: The endpoints of the configured region.
        url: A custom endpoint; None for the AWS endpoint.
        addressing_style: ``virtual``, ``path`` or ``auto``; see `Endpoints.s3`.
        sends_checksums: Whether to send a checksum with each upload.
        download_checksum: Whether to verify the checksum of each download that has a checksum.
        redirects: The endpoints for buckets that S3 reports to be in another region, keyed by
            bucket name.  Clients may share the dictionary; None creates an empty one.
        allowed_locations: The buckets and prefixes from which the client may read, each with a
            slash at its end; empty if it may read everything.
        expected_bucket_owner: The id of the account that must own every bucket, or None.

    Attributes:
        sends_checksums: Whether to send a checksum with each upload.
    """

    def __init__(
        self,
        service: ServiceClient,
        endpoints: Endpoints,
        url: str | None = None,
        addressing_style: str = "auto",
        *,
        sends_checksums: bool = True,
        download_checksum: bool = True,
        redirects: dict[str, Endpoints] | None = None,
        allowed_locations: tuple[str, ...] = (),
        expected_bucket_owner: str | None = None,
    ) -> None:
        self._service = service
        self._owner: Headers = ()
        if expected_bucket_owner is not None:
            self._owner = (("x-amz-expected-bucket-owner", expected_bucket_owner),)
        known = {} if redirects is None else redirects
        self._addresses = BucketAddresses(
            service, endpoints, url, addressing_style, known, self._owner
        )
        self.sends_checksums = sends_checksums
        self._download_checksum = download_checksum
        self._allowed_locations = allowed_locations

    @property
    def is_restricted(self) -> bool:
        """Whether the caller has restricted the locations from which the client may read."""
        return bool(self._allowed_locations)

    @property
    def verifies_downloads(self) -> bool:
        """Whether downloads are verified if S3 states a checksum."""
        return self._download_checksum

    def readable_location(self, text: str, argument: str) -> S3Location:
        """Return the location in *text*, the value of *argument*, if the client may read from it.

        Raises:
            ParamValidationError: *text* is not the location of an object.
            LocationNotAllowedError: The location is outside the allowed locations.
        """
        location = S3Location.parse(text, argument=argument)
        self.check_allowed(location, argument)
        return location

    def check_allowed(self, location: S3Location, argument: str = "location") -> None:
        """Raise LocationNotAllowedError if the client may not read from *location*.

        The key is compared without normalization, because S3 does not resolve ``..`` or decode
        percent signs in keys.
        """
        if self._allowed_locations and not str(location).startswith(self._allowed_locations):
            raise LocationNotAllowedError(
                f"{argument} {printable(location)} is outside allowed_locations",
                argument=argument,
            )

    async def put(
        self,
        location: S3Location,
        body: bytes,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        if_none_match: str | None = None,
        if_match: str | None = None,
        headers: Headers = (),
        deadline: float | None = None,
    ) -> S3Object:
        """Write an object in one request, and return its description.

        `ObjectOperations.put_object` describes the conditions *if_none_match* and *if_match*.  The
        *headers* are added to those of the other arguments.
        """
        with importing():
            from .upload_headers import SENSITIVE_HEADERS, upload_headers

        headers += upload_headers(content_type, metadata or {}, if_none_match, if_match)
        if self.sends_checksums:
            headers += (await self._service.compute(checksums.upload_checksum, body),)
        operation = self.operation(location, S3Request("PUT", headers=headers, body=body))
        operation = operation._replace(
            is_error=is_s3_error, deadline=deadline, sensitive_headers=SENSITIVE_HEADERS
        )
        try:
            response = await self.send(operation, location)
        except PreconditionFailedError as error:
            if not error.possibly_accepted:
                raise
            # An earlier attempt may have written the object although its response was lost.  In
            # this case, the condition may fail because of that write, and not because of another
            # writer.
            written = await self._find_written(location, body, deadline)
            if written is None:
                raise
            response = written.replace(body=b"")
        stored = parse_object(location, response)
        return stored.replace(size=len(body), content_type=content_type)

    async def _find_written(
        self, location: S3Location, body: bytes, deadline: float | None
    ) -> Response | None:
        """Return S3's description of the object if its content is *body*, otherwise None.

        If the object cannot be read, the raised error states that it was possibly written.
        """
        operation = self.operation(location, S3Request("GET"))._replace(
            limit=OBJECT.replace(size=len(body)),
            deadline=deadline,
            check=partial(check_object, location),
        )
        try:
            found = await self.send(operation, location)
        except ResponseTooLargeError:
            return None
        except (ServiceError, TransportError) as error:
            error.possibly_accepted = True
            raise
        return found if found.body == body else None

    async def head(self, location: S3Location, *, deadline: float | None = None) -> S3Object:
        """Return the description of an object; its body is not read."""
        self.check_allowed(location)
        operation = self.operation(location, S3Request("HEAD"))
        operation = operation._replace(deadline=deadline, check=partial(check_object, location))
        return parse_object(location, await self.send(operation, location))

    async def get(
        self, location: S3Location, *, limit: ResponseLimit = OBJECT, deadline: float | None = None
    ) -> S3Object:
        """Read an object, and return it; `get_response` describes *limit* and *deadline*."""
        return parse_object(
            location, await self.get_response(location, limit=limit, deadline=deadline)
        )

    async def get_response(
        self,
        location: S3Location,
        *,
        limit: ResponseLimit,
        deadline: float | None,
        modified_since: datetime | None = None,
        auth: Auth | None = None,
        is_poll: bool = False,
    ) -> Response:
        """Read an object, and return the response that contains it.

        Args:
            location: The location of the object.
            limit: How much of the object is read.  If the limit may truncate the object, the
                object's checksum is not verified.
            deadline: The end of the call, on the monotonic clock; None for no limit.
            modified_since: The date after which the object must have been modified; otherwise, S3
                responds with 304.  None for no condition.
            auth: The result of `prepare`; None uses the client's authentication.
            is_poll: Whether the request is one of a series of polls, which are not retried.
        """
        self.check_allowed(location)
        headers: Headers = ()
        check = check_object
        if modified_since is not None:
            since = format_datetime(modified_since.astimezone(UTC), usegmt=True)
            headers = (("if-modified-since", since),)
        if self._download_checksum and not limit.is_truncated:
            headers += (checksums.CHECKSUM_MODE,)
            check = check_object_and_checksum
        operation = self.operation(location, S3Request("GET", headers=headers))._replace(
            limit=limit,
            deadline=deadline,
            check=partial(check, location),
            auth=auth,
            is_poll=is_poll,
        )
        return await self.send(operation, location)

    async def load(self) -> None:
        """Load what the transport needs to send requests to S3."""
        await self._service.load(self._addresses.any_origin)

    def now(self) -> datetime:
        """Return the time, corrected to S3's clock."""
        return self._service.now()

    async def prepare(self, location: S3Location, deadline: float | None = None) -> PreparedAuth:
        """Prepare for a request for *location* with a short deadline; return the authentication."""
        endpoint, _ = self._addresses.address(location)
        return await self._service.prepare(endpoint.origin, deadline)

    def operation(self, location: S3Location, request: S3Request) -> Operation:
        """Return the operation that sends *request* for *location*.

        If the key of *location* is empty, the request is for the bucket.
        """
        endpoint, path = self._addresses.address(location)
        target = f"{path}?{request.query}" if request.query else path
        sent = Request(request.method, target, request.headers + self._owner, request.body)
        return Operation(endpoint, sent, partial(parse_error, location), payload=request.payload)

    async def perform(
        self,
        location: S3Location,
        request: S3Request,
        deadline: float | None,
        *,
        limit: ResponseLimit = RESPONSE,
    ) -> Response:
        """Send *request* for *location*, and return the successful response.

        S3 may send an error with status 200, but not in response to a GET request.  The response to
        a GET request is therefore not checked for an error, which would parse a long listing twice.
        """
        is_error = None if request.method == "GET" else is_s3_error
        operation = self.operation(location, request)
        operation = operation._replace(limit=limit, deadline=deadline, is_error=is_error)
        return await self.send(operation, location)

    async def send(self, operation: Operation, location: S3Location) -> Response:
        """Send a request; if its bucket is in another region, send the request to that region."""
        try:
            return await self._service.send(operation)
        except ServiceError as error:
            if not await self._addresses.learn(error, operation, location.bucket):
                raise
        endpoint, path = self._addresses.address(location)
        _, mark, query = operation.request.path.partition("?")
        request = operation.request.replace(path=path + mark + query)
        operation = operation._replace(endpoint=endpoint, request=request)
        return await self._service.send(operation)
