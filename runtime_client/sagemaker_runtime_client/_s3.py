"""
One object of S3: put, get, head.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ (PutObject, GetObject, HeadObject), and
for buckets in another region botocore 1.44, utils.py, S3RegionRedirectorv2.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sigv4 import percent_encode_path
from sigv4._value import Value, set_part

from ._call import Call, Caller
from ._endpoint import EndpointOptions, s3_endpoint
from ._errors import ParamValidationError, ServiceError
from ._http import Request, Response
from ._service_error import xml_error

# botocore 1.44, handlers.py, VALID_BUCKET.
_is_bucket = re.compile(r"[a-zA-Z0-9.\-_]{1,255}").fullmatch
_is_region = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?").fullmatch
_has_surrogate = re.compile(r"[\ud800-\udfff]").search  # which UTF-8 cannot encode
_is_metadata_name = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
# https://BUCKET.s3.REGION.SUFFIX/KEY and https://s3.REGION.SUFFIX/BUCKET/KEY, as the console shows them.
_https_address = re.compile(
    r"https://(?:(?P<virtual>[a-z0-9.\-]+)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-][a-z0-9-]+)?"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
    r"/(?P<path>[^?#]+)",
    re.DOTALL,
).fullmatch

# Answers that say: another region.
_REDIRECT_STATUSES = frozenset({301, 302, 307})
_REDIRECT_CODES = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_META = "x-amz-meta-"


class S3Location(Value):
    """
    Where an object is.

    Attributes:
        bucket: The bucket's name.
        key: The object's key, not encoded.
    """

    __slots__ = __match_args__ = _names = ("bucket", "key")

    bucket: str
    key: str

    def __init__(self, bucket: str, key: str) -> None:
        set_part(self, "bucket", bucket)
        set_part(self, "key", key)

    @classmethod
    def parse(cls, text: str, *, argument: str = "location") -> "S3Location":
        """
        Return the location that *text* names: ``s3://bucket/key``, or an object's https address.

        Raises:
            ParamValidationError: It does not name an object.  Addresses of hosts other than S3's are
                refused, so that nobody who writes a location receives a signed request.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParamValidationError(
                f"{argument} must be a str, not {type(text).__name__}", argument=argument
            )
        bucket, _, key = text.removeprefix("s3://").partition("/")
        if match := _https_address(text):
            from urllib.parse import unquote

            bucket, key = match["virtual"], unquote(match["path"])
            if bucket is None:
                bucket, _, key = key.partition("/")
        elif not text.startswith("s3://"):
            raise ParamValidationError(
                f"{argument} must be s3://bucket/key or an https address of S3", argument=argument
            )
        if not _is_bucket(bucket) or not key or _has_surrogate(key):
            raise ParamValidationError(
                f"{argument} must name a bucket and a key: s3://bucket/key", argument=argument
            )
        return cls(bucket, key)

    def __str__(self) -> str:
        """Return the location as ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


class S3Object(Value):
    """
    An object, or of a HEAD all but its body.

    Attributes:
        location: Where it is, as ``s3://bucket/key``.
        body: Its bytes, as they are stored.  Kept out of ``repr``.
        size: How many bytes the object has.
        content_type: Its MIME type; None if S3 names none.
        metadata: What was stored with it under ``x-amz-meta-``, by name without that prefix.
        etag: S3's mark of this version, with its quotes.
        last_modified: When it was written, to the second.
    """

    __slots__ = __match_args__ = _names = (
        "location",
        "body",
        "size",
        "content_type",
        "metadata",
        "etag",
        "last_modified",
    )
    _hidden = frozenset({"body"})

    location: str
    body: bytes
    size: int
    content_type: str | None
    metadata: Mapping[str, str]
    etag: str | None
    last_modified: datetime | None

    def __init__(
        self,
        location: str,
        body: bytes,
        size: int,
        content_type: str | None,
        metadata: Mapping[str, str],
        etag: str | None,
        last_modified: datetime | None,
    ) -> None:
        set_part(self, "location", location)
        set_part(self, "body", body)
        set_part(self, "size", size)
        set_part(self, "content_type", content_type)
        set_part(self, "metadata", metadata)
        set_part(self, "etag", etag)
        set_part(self, "last_modified", last_modified)

    def __hash__(self) -> int:
        """Return a hash of what can be hashed: all but the metadata."""
        return hash((self.location, self.body, self.etag, self.last_modified))


class S3:
    """
    Objects of S3, through one client's calls.

    Args:
        caller: Makes the calls.
        options: What the endpoint depends on.
        addressing_style: Where the bucket's name goes.
        upload_checksum: Whether S3 is to check what is put.
        download_checksum: Whether to check what is got.
    """

    def __init__(
        self,
        caller: Caller,
        options: EndpointOptions,
        addressing_style: str = "auto",
        *,
        upload_checksum: bool = True,
        download_checksum: bool = True,
    ) -> None:
        self._caller = caller
        self._options = options
        self._addressing_style = addressing_style
        self._upload_checksum = upload_checksum
        self._download_checksum = download_checksum
        self._regions: dict[str, str] = {}
        s3_endpoint(options, "any-bucket", addressing_style)  # refuse settings that never serve

    async def prepare(self) -> None:
        """See that there are credentials, whose time a request with a short deadline has not."""
        await self._caller.prepare()

    async def put(
        self,
        location: S3Location,
        body: bytes,
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> S3Object:
        """Write an object in one piece, and return what S3 says of it."""
        headers: list[tuple[str, str]] = []
        if content_type is not None:
            headers.append(("content-type", _header_value("content_type", content_type)))
        if not hasattr(metadata or {}, "items"):
            raise ParamValidationError("metadata must be a mapping", argument="metadata")
        for name, value in (metadata or {}).items():
            if not _is_metadata_name(_header_value("metadata", name)):
                raise ParamValidationError(
                    "metadata must have names that are header names", argument="metadata"
                )
            headers.append((_META + name, _header_value("metadata", value)))
        if self._upload_checksum:
            from ._checksums import of_upload

            headers.append(of_upload(body))
        response = await self._send("PUT", location, tuple(headers), body)
        return _object(location, response).replace(size=len(body), content_type=content_type)

    async def get(
        self,
        location: S3Location,
        *,
        deadline: float | None = None,
        modified_since: datetime | None = None,
    ) -> S3Object:
        """Read an object; where it is older than *modified_since*, S3 answers 304 instead."""
        headers: tuple[tuple[str, str], ...] = ()
        check = None
        if modified_since is not None:
            from email.utils import format_datetime

            since = format_datetime(modified_since.astimezone(UTC), usegmt=True)
            headers = (("if-modified-since", since),)
        if self._download_checksum:
            from ._checksums import ASKED_FOR, check_download

            headers += ASKED_FOR
            check = check_download
        return _object(
            location, await self._send("GET", location, headers, deadline=deadline, check=check)
        )

    async def head(self, location: S3Location) -> S3Object:
        """Read all of an object but its body."""
        return _object(location, await self._send("HEAD", location))

    async def _send(
        self,
        method: str,
        location: S3Location,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        *,
        deadline: float | None = None,
        check: Callable[[Response], None] | None = None,
    ) -> Response:
        """Send a request to the bucket's region, which one wrong answer may correct."""
        bucket = location.bucket
        for again in (True, False):
            region = self._regions.get(bucket, self._options.region)
            options = self._options._replace(region=region)
            endpoint, before_key = s3_endpoint(options, bucket, self._addressing_style)
            path = percent_encode_path(before_key + location.key)
            request = Request(method, path, headers, body)
            try:
                reply = await self._caller.call(
                    Call(endpoint, request, xml_error, deadline=deadline, check=check)
                )
            except ServiceError as error:
                other = _other_region(error, region)
                if other is None or not again:
                    raise
                self._regions[bucket] = other
            else:
                return reply.response
        raise AssertionError  # pragma: no cover (the second time returns or raises)


def _header_value(argument: str, value: object) -> str:
    """Return a header's value, if it goes on the wire as it stands."""
    text = value.strip(" ") if isinstance(value, str) else ""
    if text != value or not text.isascii() or not text.isprintable():
        raise ParamValidationError(
            f"{argument} must be printable ASCII without outer blanks", argument=argument
        )
    return text


def _other_region(error: ServiceError, region: str) -> str | None:
    """Return the region that an error points to, if it points to another one."""
    points = error.status_code in _REDIRECT_STATUSES or error.code in _REDIRECT_CODES
    # A HEAD's answer has no body, so a bare 400 with the header means the same.
    points = points or (error.status_code == 400 and error.code == "400")
    if not points or error.region is None or error.region == region:
        return None
    return error.region if _is_region(error.region) else None


def _object(location: S3Location, response: Response) -> S3Object:
    """Return what an answer says of an object."""
    length = response.header("content-length") or ""
    return S3Object(
        location=str(location),
        body=response.body,
        size=int(length)
        if length.isascii() and length.isdigit() and len(length) < 20
        else len(response.body),
        content_type=response.header("content-type"),
        metadata={
            name.removeprefix(_META): value
            for name, value in response.headers
            if name.startswith(_META)
        },
        etag=response.header("etag"),
        last_modified=response.instant("last-modified"),
    )
