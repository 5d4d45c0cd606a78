"""Sends requests to S3: to the endpoint of a bucket, and to the region in which the bucket is.

Source: botocore 1.44, utils.py, S3RegionRedirectorv2.
"""

from functools import lru_cache, partial
from string import ascii_lowercase, digits
from typing import NamedTuple

from sigv4 import percent_encode_path

from .._aws.auth import PreparedAuth
from .._aws.call import ServiceClient
from .._aws.endpoint import Endpoint, Endpoints
from .._aws.operation import Operation
from .._errors import ServiceError
from .._io.message import Request, Response
from .._limits import RESPONSE
from .objects import S3Location
from .responses import parse_error

# The statuses and the codes of error responses for a bucket in another region than the request's.
_REDIRECT_STATUSES = frozenset({301, 302, 307})
_REDIRECT_CODES = frozenset({"IllegalLocationConstraintException", "PermanentRedirect"})
# A region is a label of a host name (RFC 1035, section 2.3.4).
_REGION_CHARACTERS = ascii_lowercase + digits + "-"
_MAX_REGION_LENGTH = 63

Headers = tuple[tuple[str, str], ...]

_endpoint = lru_cache(maxsize=256)(Endpoints.s3)


class S3Request(NamedTuple):
    """A request for an object or a bucket, without its address.

    Attributes:
        method: The HTTP method.
        query: The query, percent-encoded and without ``?``.
        headers: The headers, in addition to those of all requests.
        body: The body.
    """

    method: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""


class S3Sender:
    """Sends requests to S3.

    Args:
        service: Sends the requests.
        endpoints: The endpoints of the configured region.
        url: A custom endpoint; None for the AWS endpoint.
        addressing_style: ``virtual``, ``path`` or ``auto``; see `Endpoints.s3`.
        redirects: The endpoints for buckets that S3 reports to be in another region, keyed by
            bucket name.  Clients may share the dictionary; None creates an empty one.
        expected_bucket_owner: The id of the account that must own every bucket, or None.
    """

    def __init__(
        self,
        service: ServiceClient,
        endpoints: Endpoints,
        url: str | None = None,
        addressing_style: str = "auto",
        *,
        redirects: dict[str, Endpoints] | None = None,
        expected_bucket_owner: str | None = None,
    ) -> None:
        self._service = service
        self._endpoints, self._url = endpoints, url
        self._addressing_style = addressing_style
        self._redirects: dict[str, Endpoints] = {} if redirects is None else redirects
        self._owner: Headers = ()
        if expected_bucket_owner is not None:
            self._owner = (("x-amz-expected-bucket-owner", expected_bucket_owner),)
        # This call raises ConfigError if the settings are invalid for every bucket.
        self._any_origin = endpoints.s3("any-bucket", url, addressing_style)[0].origin

    async def load(self) -> None:
        """Load what the transport needs to send requests to S3."""
        await self._service.load(self._any_origin)

    async def prepare(self, location: S3Location, deadline: float | None = None) -> PreparedAuth:
        """Prepare for a request for *location* with a short deadline; return its authentication."""
        endpoint, _ = self._address(location)
        return await self._service.prepare(endpoint.origin, deadline)

    def operation(self, location: S3Location, request: S3Request) -> Operation:
        """Return the operation that sends *request* for *location*.

        If the key of *location* is empty, the request is for the bucket.
        """
        endpoint, path = self._address(location)
        target = f"{path}?{request.query}" if request.query else path
        sent = Request(request.method, target, request.headers + self._owner, request.body)
        return Operation(endpoint, sent, partial(parse_error, location))

    async def send(self, operation: Operation, location: S3Location) -> Response:
        """Send a request; if its bucket is in another region, send the request to that region."""
        try:
            return await self._service.send(operation)
        except ServiceError as error:
            if not await self._learn_region(error, operation, location.bucket):
                raise
        endpoint, path = self._address(location)
        _, mark, query = operation.request.path.partition("?")
        request = operation.request.replace(path=path + mark + query)
        operation = operation._replace(endpoint=endpoint, request=request)
        return await self._service.send(operation)

    async def _learn_region(self, error: ServiceError, operation: Operation, bucket: str) -> bool:
        """If *error* indicates another region, record it, and return whether one was recorded."""
        if not _is_redirect(error, operation.request.method):
            return False
        region = error.region or await self._fetch_region(operation, bucket)
        if region is None or region == operation.endpoint.region or not _is_region(region):
            return False
        self._redirects[bucket] = self._endpoints._replace(region=region)
        return True

    async def _fetch_region(self, operation: Operation, bucket: str) -> str | None:
        """Return the bucket's region, which S3 reports even in a 403 response, or None."""
        _, path = self._address(S3Location(bucket, ""))
        head = operation._replace(
            request=Request("HEAD", path, self._owner),
            limit=RESPONSE,
            check=None,
        )
        try:
            return (await self._service.send(head)).header("x-amz-bucket-region")
        except ServiceError as error:
            return error.region

    def _address(self, location: S3Location) -> tuple[Endpoint, str]:
        """Return the endpoint and the path for *location*, in the bucket's last known region."""
        bucket = location.bucket
        endpoints = self._redirects.get(bucket, self._endpoints)
        endpoint, key_prefix = _endpoint(endpoints, bucket, self._url, self._addressing_style)
        if not location.key:
            return endpoint, percent_encode_path(key_prefix.rstrip("/") or "/")
        return endpoint, percent_encode_path(key_prefix + location.key)


def _is_redirect(error: ServiceError, method: str) -> bool:
    """Return whether *error* may mean that the bucket is in another region."""
    if error.status_code in _REDIRECT_STATUSES or error.code in _REDIRECT_CODES:
        return True
    if error.code == "400":  # the status 400, which S3 sends without a code if the region is wrong
        return method == "HEAD" or error.region is not None
    return error.code == "AuthorizationHeaderMalformed" and error.region is not None


def _is_region(text: str) -> bool:
    return (
        0 < len(text) <= _MAX_REGION_LENGTH
        and not text.strip(_REGION_CHARACTERS)
        and "-" not in {text[0], text[-1]}
    )
