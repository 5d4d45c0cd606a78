"""The addresses of buckets: each bucket has the endpoint of its region.

Source: botocore 1.44, utils.py, S3RegionRedirectorv2.
"""

from functools import lru_cache
from string import ascii_lowercase, digits

from sigv4 import percent_encode_path

from .._aws.call import ServiceClient
from .._aws.endpoint import Endpoint, Endpoints
from .._aws.operation import Operation
from .._errors import ServiceError
from .._io.message import Request
from .._limits import RESPONSE
from .objects import S3Location
from .request import Headers

# The statuses and the codes of S3's error responses if the bucket is not in the request's region.
_REDIRECT_STATUSES = frozenset({301, 302, 307})
_REDIRECT_CODES = frozenset({"IllegalLocationConstraintException", "PermanentRedirect"})
# A region is a label of a host name (RFC 1035, section 2.3.4).
_REGION_CHARACTERS = ascii_lowercase + digits + "-"
_MAX_REGION_LENGTH = 63

_endpoint = lru_cache(maxsize=256)(Endpoints.s3)


class BucketAddresses:
    """The addresses of buckets, including buckets outside the configured region.

    Args:
        service: Sends the requests that ask S3 for the region of a bucket.
        endpoints: The endpoints of the configured region.
        url: A custom endpoint; None for the AWS endpoint.
        addressing_style: ``virtual``, ``path`` or ``auto``; see `Endpoints.s3`.
        redirects: The endpoints for buckets that S3 reports to be in another region, keyed by
            bucket name, to which this object adds.
        headers: The headers of all requests.

    Attributes:
        any_origin: The origin of a bucket with an ordinary name in the configured region.
    """

    def __init__(
        self,
        service: ServiceClient,
        endpoints: Endpoints,
        url: str | None,
        addressing_style: str,
        redirects: dict[str, Endpoints],
        headers: Headers,
    ) -> None:
        self._service = service
        self._endpoints, self._url = endpoints, url
        self._addressing_style = addressing_style
        self._redirects, self._headers = redirects, headers
        # This call raises ConfigError if the settings are invalid for every bucket.
        self.any_origin = endpoints.s3("any-bucket", url, addressing_style)[0].origin

    def address(self, location: S3Location) -> tuple[Endpoint, str]:
        """Return the endpoint and the path for *location*, in the bucket's last known region."""
        bucket = location.bucket
        endpoints = self._redirects.get(bucket, self._endpoints)
        endpoint, key_prefix = _endpoint(endpoints, bucket, self._url, self._addressing_style)
        if not location.key:
            return endpoint, percent_encode_path(key_prefix.rstrip("/") or "/")
        return endpoint, percent_encode_path(key_prefix + location.key)

    async def learn(self, error: ServiceError, operation: Operation, bucket: str) -> bool:
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
        _, path = self.address(S3Location(bucket, ""))
        head = operation._replace(
            request=Request("HEAD", path, self._headers),
            limit=RESPONSE,
            check=None,
        )
        try:
            return (await self._service.send(head)).header("x-amz-bucket-region")
        except ServiceError as error:
            return error.region


def _is_redirect(error: ServiceError, method: str) -> bool:
    """Return whether *error* may mean that the bucket is in another region."""
    if error.status_code in _REDIRECT_STATUSES or error.code in _REDIRECT_CODES:
        return True
    if error.code == "400":  # the response has no code, for example because it has no body
        return method == "HEAD" or error.region is not None
    return error.code == "AuthorizationHeaderMalformed" and error.region is not None


def _is_region(text: str) -> bool:
    return (
        0 < len(text) <= _MAX_REGION_LENGTH
        and not text.strip(_REGION_CHARACTERS)
        and "-" not in {text[0], text[-1]}
    )
